// Every distribution against PyTorch 1.13.1: the first numbers, a digest of all of them, and what the generator gives
// afterwards. test/data/base/make.py says how they were made.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import * as torch from '../../../src/index.ts'
import expected from '../../data/base/random.json' with { type: 'json' }

type Argument = number | string | null
type Tensor = torch.Tensor

const by_name = (name: string): torch.DType => torch.dtypes.find(d => d.name === name) as torch.DType
const seeded = (seed: number): torch.Generator => new torch.Generator().manual_seed(seed)
const integer = (x: Argument | undefined): number | bigint | null =>
  typeof x === 'string' ? BigInt(x) : (x ?? null)
const float = (x: Argument): number => Number(String(x).replace('inf', 'Infinity'))

/** The digest of the bytes of a tensor. */
function sha256(t: Tensor): string {
  const { buffer, byteOffset, byteLength } = t.view(torch.uint8).numpy() as Uint8Array
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
}

// As torch.linspace makes them in float32 and float64.
function linspace(from: number, to: number, n: number, dtype: torch.DType): Tensor {
  const round = dtype === torch.float32 ? Math.fround : (x: number) => x
  const step = round((to - from) / (n - 1))
  const out = dtype === torch.float32 ? new Float32Array(n) : new Float64Array(n)
  return torch.tensor(out.map((_, i) => (i < n / 2 ? from + step * i : to - step * (n - 1 - i))))
}

/** What each name in the expected values stands for. */
const draws: Record<string, (generator: torch.Generator, out: Tensor, args: readonly Argument[]) => Tensor> =
  {
    uniform: (generator, out, args) => out.uniform_(...(args.map(float) as [number, number]), { generator }),
    normal: (generator, out, args) =>
      out.normal_(...(args.slice(0, 2).map(float) as [number, number]), { generator }),
    random: (generator, out, [from, to]) =>
      from === undefined || from === null
        ? out.random_({ generator })
        : out.random_(integer(from) as number, integer(to), { generator }),
    randperm: (generator, { shape: [n], dtype }) => torch.randperm(n as number, { dtype, generator }),
    bernoulli: (generator, out, [p]) => out.bernoulli_(float(p as number), { generator }),
    bernoulli_from: (generator, out, [p_name]) =>
      out.bernoulli_(linspace(0, 1, out.numel(), by_name(String(p_name))), { generator }),
    exponential: (generator, out, [lambda]) => out.exponential_(float(lambda as number), { generator }),
    geometric: (generator, out, [p]) => out.geometric_(float(p as number), { generator }),
    cauchy: (generator, out, args) => out.cauchy_(...(args.map(float) as [number, number]), { generator }),
    log_normal: (generator, out, args) =>
      out.log_normal_(...(args.map(float) as [number, number]), { generator }),
  }

function draw(g: torch.Generator, fn: string, out: Tensor, args: readonly Argument[]): Tensor {
  const fill = draws[fn]
  if (fill === undefined) throw new Error(`no such distribution: ${fn}`)
  return fill(g, out, args)
}

/** What the C library's log, sin, cos, tan and exp make of doubles may differ from V8's in the last bit. */
const inexact = (fn: string, dtype: string): boolean =>
  dtype === 'float64' && ['normal', 'exponential', 'cauchy', 'log_normal'].includes(fn)

describe('numbers after manual_seed are those of PyTorch', () => {
  const groups = new Map<string, typeof expected.samples>()
  for (const sample of expected.samples) {
    const name = `${sample.fn} in ${sample.dtype}`
    groups.set(name, [...(groups.get(name) ?? []), sample])
  }

  test.each([...groups])('%s', (_, samples) => {
    for (const { fn, dtype: name, seed, n, args, first, sha256: digest, next } of samples) {
      const label = `${fn}(${args.join(', ')}) of ${n} ${name}`
      const g = seeded(seed)
      const out = draw(g, fn, torch.zeros(n, { dtype: by_name(name) }), args as Argument[])
      const ours = (out.narrow(0, 0, first.length).tolist() as unknown[]).map(Number)
      if (inexact(fn, name)) {
        ours.forEach((x, i) => {
          expect(Math.abs(x - Number(first[i])), label).toBeLessThanOrEqual(Math.abs(x) * 1e-13)
        })
      } else {
        expect(ours, label).toEqual(first.map(Number))
        expect(sha256(out), label).toBe(digest)
      }
      expect(g.random() % 2 ** 31, `the draw after ${label}`).toBe(next)
    }
  })

  test('multinomial', () => {
    for (const { dtype: name, seed, replacement, samples, value } of expected.multinomial) {
      const weights = torch.tensor(
        Array.from({ length: 18 }, (_, i) => ((i * 7) % 11) + 0.25),
        { dtype: by_name(name) },
      )
      const generator = seeded(seed)
      const drawn = Array.from({ length: 20 }, () =>
        torch.multinomial(weights.view(2, 9), samples, replacement, { generator }).flatten().tolist(),
      )
      expect(drawn.flat(), `${samples} of ${name}, replacement ${replacement}`).toEqual(value)
    }
  })

  test('poisson and binomial', () => {
    for (const [dtype, suffix] of [
      [torch.float32, ''],
      [torch.float64, '64'],
    ] as const) {
      expect(sha256(torch.poisson(linspace(0, 50, 4001, dtype), seeded(0)))).toBe(
        expected.counts[`poisson${suffix}`],
      )
      const count = torch.arange(4001, { dtype }).fmod(100)
      expect(sha256(torch.binomial(count, linspace(0, 1, 4001, dtype), seeded(0)))).toBe(
        expected.counts[`binomial${suffix}`],
      )
    }
  })
})

describe('the golden numbers of torch.manual_seed(0)', () => {
  test('rand, randn, randint, randperm', () => {
    const drawn = (make: () => Tensor): unknown => {
      torch.manual_seed(0)
      return make().tolist()
    }
    expect(drawn(() => torch.rand(5))).toEqual([
      0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688, 0.30742281675338745,
    ])
    expect(drawn(() => torch.randn(5))).toEqual([
      1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991, -1.0845223665237427,
    ])
    expect(drawn(() => torch.randn(16).narrow(0, 0, 4))).toEqual([
      -1.1258398294448853, -1.152360200881958, -0.2505785822868347, -0.4338788092136383,
    ])
    expect(drawn(() => torch.randint(10, [8]))).toEqual([4, 9, 3, 0, 3, 9, 7, 3])
    expect(drawn(() => torch.randperm(8))).toEqual([4, 0, 7, 3, 2, 5, 1, 6])
  })
})

describe('the stream', () => {
  const pieces = [1, 5, 618, 624, 625, 3000, 70_000, 1]

  test('is the same drawn at once, in pieces, and word by word', () => {
    const n = pieces.reduce((sum, x) => sum + x, 0)
    const all = torch.rand(n, { generator: seeded(7) })
    const generator = seeded(7)
    expect(torch.cat(pieces.map(size => torch.rand(size, { generator }))).equal(all)).toBe(true)
    const words = seeded(7)
    for (const x of all.tolist() as number[])
      if (x !== words.uniform_float()) expect(words.uniform_float()).toBe(x)
    expect(words.get_state()).toEqual(generator.get_state())
  })

  test('goes on from a saved state', () => {
    for (const size of pieces) {
      const generator = seeded(9)
      torch.rand(size, { generator })
      const state = generator.get_state()
      const rest = torch.rand(2000, { generator })
      expect(torch.rand(2000, { generator: seeded(1).set_state(state) }).equal(rest)).toBe(true)
    }
  })

  test('gives pairs of normal numbers with and without a kept one', () => {
    const strided = (g: torch.Generator): number[] => {
      const t = torch.zeros(2, 20).t()
      return t.normal_(0, 1, { generator: g }).t().flatten().tolist() as number[]
    }
    for (const kept of [false, true]) {
      const [one, other] = [seeded(3), seeded(3)]
      for (const g of kept ? [one, other] : []) g.normal_double()
      expect(strided(one)).toEqual(Array.from({ length: 40 }, () => Math.fround(other.normal_double())))
      expect(one.get_state()).toEqual(other.get_state())
    }
  })
})

describe('complex numbers', () => {
  test('are drawn part by part, and share the variance', () => {
    const complex = torch.zeros(16, { dtype: torch.complex64 })
    const parts = torch.zeros(32)
    const both = (draw: (t: Tensor, generator: torch.Generator) => Tensor, same: typeof draw = draw): void =>
      expect(sha256(torch.view_as_real(draw(complex, seeded(0))))).toBe(sha256(same(parts, seeded(0))))
    both(
      (t, generator) => t.normal_(0, 1, { generator }),
      (t, generator) => t.normal_(0, Math.SQRT1_2, { generator }),
    )
    both((t, generator) => t.uniform_(0, 1, { generator }))
  })
})

describe('what cannot be drawn', () => {
  test.each(expected.errors as [string, string, Argument[], string][])(
    '%s in %s of %j',
    (fn, name, args, message) => {
      const g = seeded(0)
      const out = torch.zeros(fn === 'randperm' ? Number(args[0]) : 3, { dtype: by_name(name) })
      expect(() => draw(g, fn, out, args)).toThrow(new torch.RuntimeError(message))
      // Nothing was drawn or written.
      expect(g.random()).toBe(seeded(0).random())
      expect((out.view(torch.uint8).tolist() as number[]).every(x => x === 0)).toBe(true)
    },
  )

  test.each(expected.weights_errors as [Argument[], number, boolean, string][])(
    'multinomial of %j, %i draws, replacement %s',
    (weights, samples, replacement, message) => {
      const values = torch.tensor(weights.map(float), { dtype: torch.float32 })
      expect(() => torch.multinomial(values, samples, replacement)).toThrow(new torch.RuntimeError(message))
    },
  )

  test('probabilities outside of [0, 1], negative rates', () => {
    const out = torch.zeros(2)
    expect(() => out.bernoulli_(torch.tensor([0.5, 1.5]))).toThrow('Expected p_in >= 0')
    expect(() => out.bernoulli_(torch.tensor([0.5, NaN]))).toThrow('Expected p_in >= 0')
    expect(() => out.bernoulli_(torch.tensor([1, 0]))).toThrow(
      '"bernoulli_tensor_cpu_p_" not implemented for \'Long\'',
    )
    expect(() => torch.poisson(torch.tensor([1.5, -1]))).toThrow('invalid Poisson rate')
    expect(() => torch.poisson(torch.tensor([1, 2]))).toThrow('"poisson_cpu"')
    expect(() => torch.binomial(torch.tensor([1, 2]), torch.tensor([1, 2]))).toThrow('"binomial_cpu"')
  })
})
