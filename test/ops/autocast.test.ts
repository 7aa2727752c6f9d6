// torch.autocast on the CPU against PyTorch 1.13.1 (test/data/autocast/make.py): which dtypes results have, their numbers,
// a step of training, nesting and what is refused.
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as torch from '../../src/index.ts'
import expected from '../data/autocast/expected.json' with { type: 'json' }

type Tensor = torch.Tensor
const F = torch.nn.functional
const b = torch.bfloat16

/** As `numbers` in make.py. */
function numbers(sizes: readonly number[], dtype: torch.DType = torch.float32, low = -1): Tensor {
  const count = sizes.reduce((n, size) => n * size, 1)
  return torch.linspace(low, 1, count, { dtype: torch.float64 }).to(dtype).view(sizes)
}
const r = (...sizes: number[]): Tensor => numbers(sizes)
const half = (...sizes: number[]): Tensor => numbers(sizes, b)
const double = (...sizes: number[]): Tensor => numbers(sizes, torch.float64)
const labels = torch.tensor([0, 1])
const eye = torch.eye(2).to(b)
const whole = torch.ones(2, 2, { dtype: torch.int64 })

const calls: Record<string, () => Tensor> = {
  mm: () => torch.mm(r(2, 2), r(2, 2)),
  'mm float64': () => torch.mm(double(2, 2), double(2, 2)),
  'mm int64': () => torch.mm(whole, whole),
  'mm out': () => torch.mm(r(2, 2), r(2, 2), { out: torch.empty(2, 2) }),
  bmm: () => torch.bmm(r(1, 2, 2), r(1, 2, 2)),
  addmm: () => torch.addmm(r(2, 2), r(2, 2), r(2, 2)),
  baddbmm: () => torch.baddbmm(r(1, 2, 2), r(1, 2, 2), r(1, 2, 2)),
  'matmul of vectors': () => r(2).matmul(r(2)),
  mv: () => torch.mv(r(2, 2), r(2)),
  dot: () => torch.dot(r(2), r(2)),
  einsum: () => torch.einsum('ij,jk->ik', r(2, 2), r(2, 2)),
  linear: () => F.linear(r(2, 3), r(4, 3), r(4)),
  Linear: () => new torch.nn.Linear(3, 4).forward(r(2, 3)),
  conv1d: () => F.conv1d(r(1, 2, 5), r(3, 2, 3)),
  conv2d: () => F.conv2d(r(1, 2, 5, 5), r(3, 2, 3, 3), r(3)),
  Conv2d: () => new torch.nn.Conv2d(2, 3, 3).forward(r(1, 2, 5, 5)),
  conv_transpose2d: () => F.conv_transpose2d(r(1, 2, 5, 5), r(2, 3, 3, 3)),
  'softmax of bfloat16': () => torch.softmax(half(2, 2), 1),
  layer_norm: () => F.layer_norm(r(2, 4), [4]),
  'add of a product': () => torch.mm(r(2, 2), r(2, 2)).add(r(2, 2)),
  mse_loss: () => F.mse_loss(half(2), r(2)),
  l1_loss: () => F.l1_loss(half(2), half(2)),
  smooth_l1_loss: () => F.smooth_l1_loss(half(2), half(2)),
  huber_loss: () => F.huber_loss(half(2), half(2)),
  cross_entropy: () => F.cross_entropy(half(2, 3), labels),
  nll_loss: () => F.nll_loss(half(2, 3), labels),
  kl_div: () => F.kl_div(half(2), numbers([2], b, 0.5), { reduction: 'sum' }),
  binary_cross_entropy: () => F.binary_cross_entropy(numbers([2], b, 0.5), numbers([2], torch.float32, 0)),
  binary_cross_entropy_with_logits: () => F.binary_cross_entropy_with_logits(half(2), half(2)),
  cosine_embedding_loss: () => F.cosine_embedding_loss(half(2, 3), half(2, 3), torch.ones(2)),
  triplet_margin_loss: () => F.triplet_margin_loss(half(2, 3), half(2, 3), half(2, 3)),
  prod: () => half(3).prod(),
  sum: () => half(3).sum(),
  trace: () => torch.trace(half(2, 2)),
  quantile: () => torch.quantile(half(4), 0.5),
  inverse: () => torch.inverse(eye),
  'linalg.qr': () => torch.linalg.qr(eye)[0] as Tensor,
  'linalg.svdvals': () => torch.linalg.svdvals(eye),
  polar: () => torch.polar(half(2), half(2)),
  adaptive_avg_pool3d: () => F.adaptive_avg_pool3d(half(1, 1, 4, 4, 4), 2),
  max_pool3d: () => F.max_pool3d(half(1, 1, 4, 4, 4), 2) as Tensor,
  pad: () => F.pad(half(1, 1, 4), [1, 1]),
  grid_sample: () => F.grid_sample(half(1, 1, 3, 3), half(1, 2, 2, 2), { align_corners: false }),
  cat: () => torch.cat([half(2), r(2)]),
  'cat of bfloat16': () => torch.cat([half(2), half(2)]),
  'cat with float64': () => torch.cat([half(2), double(2)]),
  stack: () => torch.stack([half(2), r(2)]),
  index_copy: () => torch.index_copy(half(3), 0, torch.tensor([0]), r(1)),
}

const values = (t: Tensor): number[] =>
  (t.is_complex() ? torch.view_as_real(t) : t).detach().double().flatten().tolist() as number[]

/** One unit in the last place of bfloat16 apart at most: sums of products may be rounded in another order. */
function expect_close(found: readonly number[], wanted: readonly number[], dtype: string): void {
  const error = dtype === 'torch.bfloat16' ? 2 ** -7 : 1e-5
  expect(found.length).toBe(wanted.length)
  found.forEach((x, i) => {
    expect(Math.abs(x - wanted[i]!)).toBeLessThanOrEqual(error * Math.max(Math.abs(wanted[i]!), 0.5))
  })
}

afterEach(() => {
  expect(torch.is_autocast_cpu_enabled()).toBe(false)
})

describe('results under autocast', () => {
  test.each(Object.entries(expected.results) as [string, [string, number[] | null]][])(
    '%s',
    (name, [dtype, wanted]) => {
      const result = torch.autocast('cpu', calls[name] as () => Tensor)
      expect(String(result.dtype)).toBe(dtype)
      const computed = name === 'add of a product' ? 'torch.bfloat16' : dtype
      if (wanted !== null) expect_close(values(result), wanted, computed)
    },
  )

  test('every recorded call is made', () => {
    expect(Object.keys(calls)).toEqual(Object.keys(expected.results))
  })

  test('are what they always are outside of it', () => {
    expect(calls['mm']!().dtype).toBe(torch.float32)
    expect(calls['mse_loss']!().dtype).toBe(torch.float32)
    expect(calls['sum']!().dtype).toBe(torch.bfloat16)
  })
})

test('a step of training', () => {
  const [w1, b1, w2] = [r(5, 3), r(5), r(2, 5)].map(t => t.requires_grad_(true)) as [Tensor, Tensor, Tensor]
  const { step } = expected
  const loss = torch.autocast('cpu', () => {
    const hidden = F.relu(F.linear(r(4, 3), w1, b1))
    const y = F.linear(hidden, w2).add(F.linear(hidden, w2))
    const loss = F.cross_entropy(y, torch.tensor([0, 1, 0, 1]))
    expect([hidden, y, loss].map(t => String(t.dtype))).toEqual(step.dtypes)
    return loss
  })
  loss.backward()
  expect(loss.item()).toBeCloseTo(step.loss, 2)
  for (const [i, t] of [w1, b1, w2].entries()) {
    expect(t.grad?.dtype).toBe(torch.float32)
    const found = values(t.grad as Tensor)
    step.grads[i]!.forEach((wanted, k) => {
      expect(Math.abs(found[k]! - wanted)).toBeLessThanOrEqual(0.01 * Math.max(Math.abs(wanted), 0.1))
    })
  }
})

describe('a region', () => {
  const product = (): Tensor => torch.mm(r(2, 2), r(2, 2))

  test('can be left and entered inside of another, and ends with its guard', () => {
    {
      using _ = torch.autocast('cpu', { dtype: b })
      expect(product().dtype).toBe(b)
      torch.cpu.amp.autocast({ enabled: false }, () => {
        expect(torch.is_autocast_cpu_enabled()).toBe(false)
        expect(product().dtype).toBe(torch.float32)
        expect(torch.cpu.amp.autocast(product).dtype).toBe(b)
      })
      expect(product().dtype).toBe(b)
      expect(torch.autocast_increment_nesting()).toBe(2)
      expect(torch.autocast_decrement_nesting()).toBe(1)
    }
    expect(product().dtype).toBe(torch.float32)
    expect(() =>
      torch.autocast('cpu', () => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
  })

  test('keeps weights that it cast, unless told not to', () => {
    const weight = r(2, 2).clone().requires_grad_(true)
    const sources = (cache_enabled: boolean): unknown[] =>
      torch.autocast('cpu', { cache_enabled }, () =>
        [0, 1].map(() => torch.mm(r(2, 2), weight).grad_fn?.next_functions[1]?.[0]),
      )
    const [first, second] = sources(true)
    expect(first).toBe(second)
    const [third, fourth] = sources(false)
    expect(third).not.toBe(fourth)
    expect(torch.is_autocast_cache_enabled()).toBe(true)
  })

  test('works inside of vmap and around it', () => {
    const x = r(3, 2, 2)
    const inner = torch.vmap((t: Tensor) => torch.autocast('cpu', () => torch.mm(t, t)))(x) as Tensor
    const outer = torch.autocast('cpu', () => torch.vmap((t: Tensor) => torch.mm(t, t))(x)) as Tensor
    expect([inner.dtype, outer.dtype]).toEqual([b, b])
    expect(inner.equal(outer)).toBe(true)
    expect(product().dtype).toBe(torch.float32)
  })

  test('is refused or off where PyTorch refuses it or turns it off', () => {
    const said = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    expect(() => torch.autocast('xla')).toThrow("User specified autocast device_type must be 'cuda' or 'cpu'")
    torch.set_warn_always(true)
    expect(torch.autocast('cpu', { dtype: torch.float16 }, product).dtype).toBe(torch.float32)
    expect(torch.autocast('cuda', product).dtype).toBe(torch.float32)
    torch.set_warn_always(false)
    expect(said.mock.calls.flat()).toEqual([
      'UserWarning: In CPU autocast, but the target dtype is not supported. Disabling autocast.\nCPU Autocast only supports dtype of torch.bfloat16 currently.',
      "UserWarning: User provided device_type of 'cuda', but CUDA is not available. Disabling",
    ])
    said.mockRestore()
    expect(torch.get_autocast_cpu_dtype()).toBe(b)
    expect(() => torch.set_autocast_cpu_dtype('x' as never)).toThrow('dtype must be a torch.dtype (got str)')
    expect(() => torch.set_autocast_cpu_enabled(1 as never)).toThrow('enabled must be a bool (got int)')
    expect(() => torch.autocast('cpu', () => torch.cat([r(2), r(2).to(torch.float16)]))).not.toThrow()
    expect(() => torch.autocast('cpu', () => torch.mm(r(2, 2), double(2, 2)))).toThrow(torch.RuntimeError)
  })
})
