import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'

// Made by test/data/ops/make_random.py with PyTorch 1.13.1.
type Encoded = {
  t: number[]
  shape: number[]
  dtype: torch.DTypeName
  permute?: number[]
  every?: number
}
type Arg = number | boolean | number[] | Encoded
type Case = {
  call: string
  args: Arg[]
  kw?: Record<string, Arg | string>
  on?: Encoded
  seed: number
  values: (number | boolean | string)[]
  shape: number[]
  stride: number[]
  dtype: torch.DTypeName
  after: number
}
const { cases } = JSON.parse(readFileSync(new URL('../data/ops/random.json', import.meta.url), 'utf8')) as {
  cases: Case[]
}

const dtype_of = (name: string): torch.DType => torch.dtypes.find(d => d.name === name)!

function decode(x: Arg): unknown {
  if (typeof x !== 'object' || Array.isArray(x)) return x
  let t = torch.tensor(x.t, { dtype: dtype_of(x.dtype) }).reshape(x.shape)
  if (x.permute) t = t.permute(x.permute)
  if (!x.every) return t
  const wide = torch.zeros([...t.shape, x.every], { dtype: t.dtype })
  return wide.select(-1, 0).copy_(t)
}

function run(c: Case): torch.Tensor {
  const args = c.args.map(decode)
  if (c.kw !== undefined) {
    const kw = Object.entries(c.kw)
    args.push(
      Object.fromEntries(kw.map(([k, v]) => [k, k === 'dtype' ? dtype_of(v as string) : decode(v as Arg)])),
    )
  }
  const target = c.on === undefined ? torch : decode(c.on)
  torch.manual_seed(c.seed)
  return (target as Record<string, (...args: unknown[]) => torch.Tensor>)[c.call]!(...args)
}

/** How far apart two numbers are, in units of the last place of `b`, or of 1 where `b` is less: means cancel digits. */
function steps(a: number, b: number, dtype: torch.DType): number {
  return Math.abs(a - b) / (torch.finfo(dtype).eps * Math.max(1, 2 ** Math.floor(Math.log2(Math.abs(b)))))
}

// These transform uniform doubles by log, cos or tan, of which the C library and JavaScript round the last bit apart.
const last_bit = /^(randn|normal|exponential|cauchy|log_normal|_standard_gamma|_sample_dirichlet)/

describe('after manual_seed the numbers are PyTorch’s, and as many are drawn', () => {
  it.each(
    cases.map(
      (c, i) => [`${c.on ? '.' : ''}${c.call}(${JSON.stringify(c.args).slice(0, 60)}) #${i}`, c] as const,
    ),
  )('%s', (_, c) => {
    const result = run(c)
    expect(result.dtype.name).toBe(c.dtype)
    expect(result.shape).toEqual(torch.zeros(c.shape).shape)
    const layout = (sizes: readonly number[], strides: number[]): number[] =>
      strides.filter((_, d) => sizes[d] !== 1)
    expect(layout(c.shape, result.stride())).toEqual(layout(c.shape, c.stride))
    const values = (result.reshape([-1]).tolist() as unknown[]).map(v =>
      typeof v === 'bigint' ? String(v) : v,
    )
    if (last_bit.test(c.call) && c.dtype !== 'float32')
      for (const [i, v] of values.entries())
        expect(steps(v as number, c.values[i] as number, result.dtype)).toBeLessThan(16)
    else expect(values).toEqual(c.values)
    expect(torch.rand(1).item()).toBe(c.after)
  })
})

describe('what PyTorch refuses', () => {
  const wrong: [string, () => unknown, string | RegExp][] = [
    [
      'integers drawn uniformly',
      () => torch.rand(2, { dtype: torch.int64 }),
      '"check_uniform_bounds" not implemented for \'Long\'',
    ],
    ['negative sizes', () => torch.rand(-1), 'Trying to create tensor with negative dimension -1: [-1]'],
    [
      'an empty range',
      () => torch.randint(3, 3, [2]),
      "random_ expects 'from' to be less than 'to', but got from=3 >= to=3",
    ],
    [
      'numbers that the dtype does not hold',
      () => torch.randint(5, [2], { dtype: torch.bool }),
      'to - 1 is out of bounds for bool',
    ],
    [
      'permutations of less than nothing',
      () => torch.randperm(-1),
      'Trying to create tensor with negative dimension -1: [-1]',
    ],
    [
      'negative deviations',
      () => torch.normal(torch.ones(2), -1),
      'normal expects std >= 0.0, but found std -1',
    ],
    [
      'tensors of them',
      () => torch.normal(0, torch.tensor([1, -1.5])),
      'normal expects all elements of std >= 0.0',
    ],
    [
      'probabilities over 1',
      () => torch.bernoulli(torch.full([2], 1.5)),
      /^Expected p_in >= 0 && p_in <= 1 to be true/,
    ],
    [
      'a probability over 1',
      () => torch.ones(2).bernoulli(2),
      'bernoulli_ expects p to be in [0, 1], but got p=2',
    ],
    [
      'integer weights',
      () => torch.multinomial(torch.ones(3, { dtype: torch.int64 }), 1),
      'multinomial only supports floating-point dtypes for input, got: Long',
    ],
    ['too many dimensions', () => torch.multinomial(torch.ones(2, 3, 4), 1), 'prob_dist must be 1 or 2 dim'],
    [
      'too many samples',
      () => torch.multinomial(torch.ones(3), 5),
      'cannot sample n_sample > prob_dist.size(-1) samples without replacement',
    ],
    [
      'gamma numbers of other types',
      () => torch._standard_gamma(torch.ones(2, { dtype: torch.int64 })),
      '"gamma_cpu" not implemented for \'Long\'',
    ],
    [
      'types that differ',
      () => torch._standard_gamma_grad(torch.ones(2), torch.ones(2, { dtype: torch.float64 })),
      'Found dtype Double but expected Float',
    ],
    [
      'derivatives of derivatives of gamma numbers',
      () =>
        torch
          ._standard_gamma_grad(torch.ones(2, { requires_grad: true }), torch.ones(2))
          .sum()
          .backward(),
      "the derivative for '_standard_gamma_grad' is not implemented.",
    ],
    [
      'derivatives of points of simplices',
      () =>
        torch
          ._sample_dirichlet(torch.ones(2, { requires_grad: true }))
          .sum()
          .backward(),
      'derivative for aten::_sample_dirichlet is not implemented',
    ],
    ['no samples', () => torch.multinomial(torch.ones(3), 0), 'cannot sample n_sample <= 0 samples'],
    [
      'negative rates',
      () => torch.poisson(torch.tensor([-1.5])),
      'invalid Poisson rate, expected rate to be non-negative',
    ],
    [
      'bounds in the wrong order',
      () => torch.ones(2).uniform_(2, 1),
      'uniform_ expects to return a [from, to) range, but found from=2 > to=1',
    ],
    [
      'elements that share memory',
      () => torch.ones(1).expand(3).normal_(),
      /^unsupported operation: more than one element of the written-to tensor/,
    ],
    [
      'leaves of a graph',
      () => torch.ones(2, { requires_grad: true }).uniform_(),
      'a leaf Variable that requires grad is being used in an in-place operation.',
    ],
    [
      'dropout beyond 1',
      () => torch.dropout(torch.ones(2), 1.5, true),
      'dropout probability has to be between 0 and 1, but got 1.5',
    ],
    [
      'channels of a vector',
      () => torch.feature_dropout(torch.ones(3), 0.5, true),
      'Feature dropout requires at least 2 dimensions in the input',
    ],
    [
      'states of the wrong size',
      () => torch.set_rng_state(torch.zeros(3, { dtype: torch.uint8 })),
      /found the input RNG state size to be 3$/,
    ],
    [
      'states that are no bytes',
      () => torch.set_rng_state(torch.zeros(5056)),
      'RNG state must be a torch.ByteTensor',
    ],
    ['seeds of more than 64 bits', () => torch.manual_seed(2n ** 64n), 'Overflow when unpacking long'],
  ]
  it.each(wrong)('%s', (_, f, message) => {
    torch.manual_seed(0)
    expect(f).toThrow(message)
    torch.manual_seed(0)
    expect(torch.rand(1).item()).toBe(0.49625658988952637)
  })
})

describe('draws and the graph', () => {
  const grown = (): torch.Tensor => torch.full([3], 0.5, { requires_grad: true }).mul(1)

  it.each([
    ['uniform_', [], 'UniformBackward0'],
    ['normal_', [], 'NormalBackward0'],
    ['random_', [], 'RandomBackward2'],
    ['random_', [4], 'RandomBackward1'],
    ['random_', [1, 4], 'RandomBackward0'],
    ['exponential_', [], 'ExponentialBackward0'],
    ['geometric_', [0.5], 'GeometricBackward0'],
    ['cauchy_', [], 'CauchyBackward0'],
    ['log_normal_', [], 'LogNormalBackward0'],
    ['bernoulli_', [], 'BernoulliBackward2'],
    ['bernoulli_', [torch.full([3], 0.5)], 'BernoulliBackward1'],
  ] as const)('%s(%s) cuts the history: %s', (name, args, node) => {
    const leaf = torch.full([3], 0.5, { requires_grad: true })
    const x = leaf.mul(1)
    const version = x._version
    const filled = (x as unknown as Record<string, (...args: unknown[]) => torch.Tensor>)[name]!(...args)
    expect(filled).toBe(x)
    expect(x.grad_fn?.name()).toBe(node)
    expect(x._version).toBe(version + 1)
    x.sum().backward()
    expect(leaf.grad?.tolist()).toEqual([0, 0, 0])
  })

  it('draws from parameters pass zeros back', () => {
    const p = torch.full([3], 0.5, { requires_grad: true })
    for (const [drawn, node] of [
      [torch.bernoulli(p), 'BernoulliBackward0'],
      [torch.poisson(p), 'PoissonBackward0'],
      [torch.normal(p, 1), 'NormalBackward1'],
      [torch.normal(0, p), 'NormalBackward2'],
      [torch.normal(p, p), 'NormalBackward3'],
    ] as const) {
      expect(drawn.grad_fn?.name()).toBe(node)
      p.grad = null
      drawn.sum().backward()
      expect(p.grad).not.toBeNull()
      expect((p.grad as unknown as torch.Tensor).tolist()).toEqual([0, 0, 0])
    }
    expect(torch.multinomial(p, 1).requires_grad).toBe(false)
    expect(torch.rand_like(p).requires_grad).toBe(false)
    expect(p.bernoulli(0.5).requires_grad).toBe(false)
  })

  it('dropout is a product with what it drew', () => {
    const x = grown()
    expect(torch.dropout(x, 0.5, true).grad_fn?.name()).toBe('MulBackward0')
    expect(torch.alpha_dropout(x, 0.5, true).grad_fn?.name()).toBe('AddBackward0')
    expect(torch.dropout(x, 0.5, false)).toBe(x)
    expect(torch.dropout(x, 0, true)).toBe(x)
    const leaf = torch.ones(100, { requires_grad: true })
    const y = torch.dropout(leaf, 0.5, true)
    y.sum().backward()
    expect(leaf.grad?.tolist()).toEqual(y.tolist())
    expect(new Set(y.tolist() as number[])).toEqual(new Set([0, 2]))
  })
})

describe('seeds, states and generators', () => {
  it('a state brings the numbers back', () => {
    torch.manual_seed(5)
    torch.randn(3)
    const state = torch.get_rng_state()
    expect([state.dtype, ...state.shape]).toEqual([torch.uint8, 5056])
    const first = torch.randn(5).tolist()
    torch.set_rng_state(state)
    expect(torch.randn(5).tolist()).toEqual(first)
    torch.default_generator.set_state(state)
    expect(torch.randn(5).tolist()).toEqual(first)
    torch.set_rng_state(torch.default_generator.get_state())
    expect(torch.randn(5).tolist()).not.toEqual(first)
  })

  it('seeds are whole and may be negative', () => {
    expect(torch.manual_seed(1.7)).toBe(torch.default_generator)
    expect(torch.initial_seed()).toBe(1)
    torch.manual_seed(-1)
    expect(torch.initial_seed()).toBe(18446744073709551615n)
    expect(torch.seed()).toBe(torch.initial_seed())
  })

  it('a generator of one’s own leaves the default one alone', () => {
    torch.manual_seed(0)
    const g = torch.Generator().manual_seed(0)
    expect(g).toBeInstanceOf(torch.Generator)
    expect(torch.default_generator).toBeInstanceOf(torch.Generator)
    const drawn = [
      torch.rand(3, { generator: g }),
      torch.randperm(4, { generator: g }),
      torch.zeros(2).normal_(0, 1, { generator: g }),
      torch.bernoulli(torch.full([2], 0.5), { generator: g }),
      torch.multinomial(torch.ones(4), 2, { generator: g }),
    ]
    const same = [
      torch.rand(3),
      torch.randperm(4),
      torch.zeros(2).normal_(),
      torch.bernoulli(torch.full([2], 0.5)),
      torch.multinomial(torch.ones(4), 2),
    ]
    expect(drawn.map(t => t.tolist())).toEqual(same.map(t => t.tolist()))
  })

  it('a generator is on the CPU', () => {
    expect(() => new torch.Generator('cuda')).toThrow(
      'Device type CUDA is not supported for torch.Generator() api.',
    )
    expect(new torch.Generator(torch.device('cpu')).initial_seed()).toBe(67280421310721)
  })

  it('fork_rng puts the stream back, after errors and promises too', async () => {
    torch.manual_seed(0)
    const first = torch.random.fork_rng(() => torch.rand(1).item())
    expect(() =>
      torch.random.fork_rng(() => {
        torch.rand(9)
        throw new Error('inside')
      }),
    ).toThrow('inside')
    await torch.random.fork_rng(async () => torch.rand(9))
    expect(torch.rand(1).item()).toBe(first)
  })

  it('out is resized, filled and returned', () => {
    torch.manual_seed(0)
    const out = torch.empty(0)
    expect(torch.rand(2, 3, { out })).toBe(out)
    torch.manual_seed(0)
    expect(out.tolist()).toEqual(torch.rand(2, 3).tolist())
    const ints = torch.empty(0, { dtype: torch.int64 })
    expect(torch.randperm(5, { out: ints }).shape).toEqual(torch.zeros(5).shape)
  })
})
