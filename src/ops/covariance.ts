// Covariance and correlation of variables, which are rows. Made of other ops, which autograd follows.
// Not here: the variance of one variable (statistics.ts).
import { bool } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { warn } from '../base/warn.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { complex } from './complex_parts.ts'
import { to_dtype } from './convert.ts'
import { composite, type Op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { is_integral, lift } from './define/rules.ts'

const fail = (text: string): never => {
  throw new RuntimeError(`cov(): ${text}`)
}

function require_weights(name: string, w: Tensor, observations: number): void {
  if (w.ndim > 1)
    fail(`expected ${name} to have one or fewer dimensions but got ${name} with ${w.ndim} dimensions`)
  const right = name === 'fweights' ? is_integral(w.dtype) && w.dtype !== bool : w.dtype.is_floating_point
  if (!right)
    fail(
      `expected ${name} to have ${name === 'fweights' ? 'integral' : 'floating point'} dtype but got ${name} with ${scalar_name(w.dtype)} dtype`,
    )
  if (w.count !== observations)
    fail(
      `expected ${name} to have the same numel as there are observations in the input but got ${w.count} != ${observations}`,
    )
  if (w.count > 0 && Number(w.min().item()) < 0) fail(`${name} cannot be negative`)
}

function covariance(
  self: Tensor,
  correction: number,
  fweights: Tensor | null,
  aweights: Tensor | null,
): Tensor {
  if (self.ndim > 2)
    fail(`expected input to have two or fewer dimensions but got an input with ${self.ndim} dimensions`)
  if (self.dtype === bool) fail('bool dtype is not supported for input')
  const x = self.ndim < 2 ? self.view([1, -1]) : self
  const observations = x.sizes[1]!
  if (fweights !== null) require_weights('fweights', fweights, observations)
  if (aweights !== null) require_weights('aweights', aweights, observations)
  const w = fweights !== null && aweights !== null ? fweights.mul(aweights) : (fweights ?? aweights)
  const sum = w === null ? null : w.sum()
  if (sum?.item() === 0) fail("weights sum to zero, can't be normalized")
  const mean =
    w === null
      ? to_dtype(x, lift(x.dtype)).mean(1, true)
      : x
          .mul(w)
          .sum(1, true)
          .div(sum as Tensor)
  let norm: Tensor | number = observations - correction
  if (w !== null && sum !== null)
    norm =
      aweights === null || correction === 0
        ? sum.sub(correction)
        : sum.sub(w.mul(aweights).sum().div(sum).mul(correction))
  if (Number(typeof norm === 'number' ? norm : norm.item()) <= 0) {
    warn('cov(): degrees of freedom is <= 0')
    norm = 0
  }
  const away = x.sub(mean)
  const weighted = to_dtype(w === null ? away : away.mul(w), away.dtype)
  return away.matmul(weighted.t().conj()).div(norm).squeeze()
}

type CovOptions = { correction?: number; fweights?: Tensor | null; aweights?: Tensor | null }

/**
 * The covariances of the rows of `self`, whose columns are observations that count `fweights` times and weigh
 * `aweights`. Divides by the number of observations less `correction`.
 */
export const cov: Op<[self: Tensor, opts?: CovOptions]> = composite(
  'cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None)',
  {
    body: covariance,
    out: false,
    samples: r => [[r(5)], [r(3, 4)], [r(3, 4), { correction: 0, fweights: r.ints(1, 4, 4) }]],
  },
)

/** The coefficients of correlation of the rows of `self`. */
export const corrcoef: Op<[self: Tensor]> = composite('corrcoef(Tensor self)', {
  body: (self: Tensor) => {
    if (self.ndim > 2)
      throw new RuntimeError(
        `corrcoef(): expected input to have two or fewer dimensions but got an input with ${self.ndim} dimensions`,
      )
    const c = covariance(self, 1, null, null)
    if (c.ndim === 0) return c.div(c)
    const deviations = (c.dtype.is_complex ? c.diag().real : c.diag()).sqrt()
    const scaled = c.div(deviations.unsqueeze(1)).div(deviations.unsqueeze(0))
    if (!scaled.dtype.is_complex) return scaled.clamp(-1, 1)
    // As PyTorch: each part is kept within -1 and 1.
    return complex(scaled.real.clamp(-1, 1), scaled.imag.clamp(-1, 1))
  },
  out: false,
  samples: r => [[r(3, 4)]],
})
