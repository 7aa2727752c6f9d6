// Counts of values: bincount, histc. No gradients. Not here: one_hot (nn/one_hot.ts), counts of nonzero elements
// (reduction.ts), bins along several dimensions (histogramdd.ts).
import { bfloat16, type DType, float16, float32, float64, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { empty, kernels, zeros } from '../tensor/dispatch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { round_to_bfloat16 } from './define/bfloat16.ts'
import { value_range } from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { type Op, overloaded } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'

type Out = { out?: Tensor }

// ------------------------------------------------------------------------------------ bincount, histc

const bincount_kernel = kernels('bincount', (k, dtype: DType, weight: DType | null, to: DType) => {
  const out = k.inout('out', to, 'flat')
  const x = k.input('x', dtype, 'flat')
  const weights = weight === null ? null : k.input('weights', weight, 'flat')
  k.for(x.sizes[0]!, 'serial', i => {
    const bin = x.at(i).cast('index')
    const share = weights === null ? constant(1, out.type) : weights.at(i).cast(out.type)
    k.store(out, [bin], out.at(bin).add(share))
  })
})

function count_bins(self: Tensor, weights: Tensor | null, minlength: number): Tensor {
  if (minlength < 0) throw new RuntimeError('minlength should be >= 0')
  const { dtype } = self
  if (dtype.category !== 1)
    throw new RuntimeError(`"bincount_cpu" not implemented for '${scalar_name(dtype)}'`)
  const problem = 'bincount only supports 1-d non-negative integral inputs.'
  const to = weights === null ? int64 : weights.dtype === float32 ? float32 : float64
  if (self.sizes.length === 1 && self.count === 0) return zeros([minlength], weights === null ? int64 : to)
  if (self.sizes.length !== 1) throw new RuntimeError(problem)
  const { low, high } = value_range(self)
  if (low < 0) throw new RuntimeError(problem)
  if (weights !== null && (weights.sizes.length !== 1 || weights.count !== self.count))
    throw new RuntimeError('weights should be 1-d and have the same length as input')
  const out = zeros([Math.max(high + 1, minlength)], to)
  const operands = weights === null ? [out, dense(self)] : [out, dense(self), dense(weights)]
  bincount_kernel(dtype, weights?.dtype ?? null, to)(operands, [])
  return out
}

type BincountOptions = { weights?: Tensor | null; minlength?: number }
/** How often each value occurs in a 1-d tensor of integers that are not negative, or the sum of its weights. */
export const bincount: Op<
  [self: Tensor, weights?: Tensor | null | BincountOptions, minlength?: number | BincountOptions]
> = overloaded([['bincount(Tensor self, Tensor? weights=None, int minlength=0)', count_bins]], {
  out: false,
  gradcheck: false,
  samples: r => [[r.ints(0, 5, 7)], [r.ints(0, 5, 7), r(7)], [r.ints(0, 3, 4), { minlength: 6 }]],
})

const histc_kernel = kernels('histc', (k, dtype: DType) => {
  const out = k.inout('out', dtype, 'flat')
  const x = k.input('x', dtype, 'flat')
  const low = k.value('low', x.type)
  const high = k.value('high', x.type)
  const bins = k.value('bins', x.type)
  // bfloat16 is rounded at every step, which decides into which bin an element near an edge falls.
  const step = (e: Expr): Expr => (dtype === bfloat16 ? round_to_bfloat16(e) : e)
  k.for(x.sizes[0]!, 'serial', i => {
    const value = x.at(i)
    k.if(value.ge(low).and(value.le(high)), () => {
      const place = step(step(step(value.sub(low)).div(step(high.sub(low)))).mul(bins)).floor()
      const bin = place.min(bins.sub(1)).cast('index')
      k.store(out, [bin], out.at(bin).add(1))
    })
  })
})

const extremes_kernel = kernels('extremes', (k, dtype: DType) => {
  const out = k.output('out', float64, 'flat')
  const x = k.input('x', dtype, 'flat')
  const low = k.local(x.type, x.at(0))
  const high = k.local(x.type, x.at(0))
  k.for(x.sizes[0]!, 'reduce', i => {
    k.assign(low, low.min(x.at(i)))
    k.assign(high, high.max(x.at(i)))
  })
  k.store(out, [0], low.cast('f64'))
  k.store(out, [1], high.cast('f64'))
})

function histogram(self: Tensor, bins: number, min: Number, max: Number): Tensor {
  if (bins <= 0)
    throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${bins} for dimension 0`)
  if (!self.dtype.is_floating_point || self.dtype === float16)
    throw new RuntimeError(`"histogram_cpu" not implemented for '${scalar_name(self.dtype)}'`)
  let [low, high] = [Number(min), Number(max)]
  if (low === high && self.count > 0) {
    const out = empty([2], float64)
    extremes_kernel(self.dtype)([out, dense(self)], [])
    const found = out.memory.peek(float64)
    low = Number(found[out.offset])
    high = Number(found[out.offset + 1])
  }
  if (low === high) {
    low -= 1
    high += 1
  }
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new RuntimeError(`torch.histc: range of [${c_float(low)}, ${c_float(high)}] is not finite`)
  if (low > high) throw new RuntimeError('torch.histc: max must be larger than min')
  const out = zeros([bins], self.dtype)
  if (self.count > 0) histc_kernel(self.dtype)([out, dense(self)], [low, high, bins])
  return out
}
const c_float = (x: number): string =>
  Number.isNaN(x) ? 'nan' : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : String(x)

type HistcOptions = { bins?: number; min?: Number; max?: Number; out?: Tensor }
/** How many elements lie in each of `bins` equal parts of the range `min` to `max` (by default the elements' own). */
export const histc: Op<
  [
    self: Tensor,
    bins?: number | HistcOptions,
    min?: Number | HistcOptions,
    max?: Number | HistcOptions,
    opts?: Out,
  ]
> = overloaded([['histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0)', histogram]], {
  gradcheck: false,
  samples: r => [
    [r(9), 4],
    [r(9), { bins: 3, min: -1, max: 1 }],
  ],
})
