// Counts or weights of points in bins along one or several dimensions: what histogram and histogramdd are made of.
import { type DType, float32, float64, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, same_sizes } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { kernels, zeros } from '../tensor/dispatch.ts'
import { tensor_from } from '../tensor/from_data.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { linspace } from './creation_more.ts'
import { dense } from './define/copy.ts'
import { type Op, op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { cat } from './join.ts'

/** Bins are half-open but for the last, which holds its end; points outside and NaN are in none. */
const count_kernel = kernels('histogramdd', (k, dtype: DType, weighted: boolean) => {
  const out = k.inout('out', dtype, 'flat')
  const x = k.input('x', dtype, { rank: 2, inner: 1 })
  const edges = k.input('edges', dtype, 'flat')
  const starts = k.input('starts', int64, 'flat') // of the edges of each dimension, and their end
  const weight = weighted ? k.input('weight', dtype, 'flat') : null
  const [points, dims] = x.sizes as [Expr, Expr]
  k.for(points, 'serial', i => {
    const place = k.local('index', 0)
    const inside = k.local('index', 1)
    k.for(dims, 'serial', d => {
      const first = k.local('index', starts.at(d).cast('index'))
      const end = k.local('index', starts.at(d.add(1)).cast('index'))
      const value = k.local(x.type, x.at(i, d))
      const fits = value.ge(edges.at(first)).and(value.le(edges.at(end.sub(1))))
      k.assign(inside, fits.where(inside, 0))
      // the first edge that is greater
      const [low, high] = [k.local('index', first), k.local('index', end)]
      k.while(low.lt(high), () => {
        const middle = k.local('index', low.add(high).shr(1))
        k.if(
          edges.at(middle).gt(value),
          () => k.assign(high, middle),
          () => k.assign(low, middle.add(1)),
        )
      })
      const bins = k.local('index', end.sub(first).sub(1))
      k.assign(place, place.mul(bins).add(low.sub(first).sub(1).min(bins.sub(1)).max(0)))
    })
    k.if(inside.eq(1), () => {
      const share = weight === null ? 1 : weight.at(i)
      k.store(out, [place], out.at(place).add(share))
    })
  })
})

export const problem = (text: string): RuntimeError => new RuntimeError(`torch.histogramdd: ${text}`)

const c_names: Readonly<Record<string, string>> = {
  float32: 'float',
  float64: 'double',
  int64: 'long int',
  int32: 'int',
  bool: 'bool',
}
const c_name = ({ name }: DType): string => c_names[name] ?? name
const c_float = (x: number): string =>
  Number.isNaN(x) ? 'nan' : x === Infinity ? 'inf' : x === -Infinity ? '-inf' : String(x)
const list = (sizes: readonly number[]): string => `[${sizes.join(', ')}]`

/** [points, dimensions]: the input with its last dimension apart. */
function points_of(input: Tensor): Tensor {
  if (input.dtype !== float32 && input.dtype !== float64)
    throw new RuntimeError(`"histogramdd" not implemented for '${scalar_name(input.dtype)}'`)
  return dense(input).reshape([numel(input.sizes.slice(0, -1)), input.sizes.at(-1)!])
}

/** The ends of the bins of each dimension, from the range that was given or that of the points. */
function bounds(points: Tensor, range: readonly number[] | null): [number, number][] {
  const dims = points.sizes[1]!
  let lows = new Array<number>(dims).fill(0)
  let highs = new Array<number>(dims).fill(1)
  if (range !== null) {
    if (range.length !== 2 * dims)
      throw problem(
        `for a ${dims}-dimensional histogram range should have ${2 * dims} elements, but got ${range.length}`,
      )
    lows = lows.map((_, d) => range[2 * d]!)
    highs = highs.map((_, d) => range[2 * d + 1]!)
  } else if (points.count > 0) {
    lows = points.amin(0).tolist() as number[]
    highs = points.amax(0).tolist() as number[]
  }
  return lows.map((low, d) => {
    const high = highs[d]!
    if (!Number.isFinite(low) || !Number.isFinite(high))
      throw problem(`dimension ${d}'s range [${c_float(low)}, ${c_float(high)}] is not finite`)
    if (low > high)
      throw problem(`min should not exceed max, but got min ${low} max ${high} for dimension ${d}`)
    return low === high ? [low - 0.5, high + 0.5] : [low, high]
  })
}

export type Bins = readonly (number | Tensor)[]

function edges_of(points: Tensor, bins: Bins, range: readonly number[] | null): Tensor[] {
  const dims = points.sizes[1]!
  const given = bins.some(b => typeof b !== 'number')
  if (given && bins.length !== dims)
    throw problem(
      `expected ${dims} sequences of bin edges for a ${dims}-dimensional histogram but got ${bins.length}`,
    )
  for (let d = 0; d < dims; d++) {
    const b = bins[d] ?? 0
    if (typeof b !== 'number') {
      if (b.ndim !== 1)
        throw problem(
          `bins tensor should have one dimension, but got ${b.ndim} dimensions in the bins tensor for dimension ${d}`,
        )
      if (b.count === 0)
        throw problem(
          `bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension ${d}`,
        )
      if (b.dtype !== points.dtype)
        throw problem(
          `input tensor and bins tensors should have the same dtype, but got input with dtype ${c_name(points.dtype)} and bins for dimension ${d} with dtype ${c_name(b.dtype)}`,
        )
    }
    const count = typeof b === 'number' ? b : b.count - 1
    if (count <= 0)
      throw new RuntimeError(`torch.histogram(): bins must be > 0, but got ${count} for dimension ${d}`)
  }
  if (given) return bins.map(b => (b as Tensor).clone())
  return bounds(points, range).map(([low, high], d) =>
    linspace(low, high, (bins[d] as number) + 1, { dtype: points.dtype }),
  )
}

/** The histogram, and the edges of its bins. PyTorch has no derivative. */
export const count: Op<
  [input: Tensor, weight: Tensor | null, bins: Bins, range: readonly number[] | null, density: boolean],
  Tensor[]
> = op('histogram(Tensor input, Tensor? weight, any bins, any? range, bool density)', {
  forward(
    input: Tensor,
    weight: Tensor | null,
    bins: Bins,
    range: readonly number[] | null,
    density: boolean,
  ) {
    const points = points_of(input)
    if (weight !== null) {
      if (!same_sizes(weight.sizes, input.sizes.slice(0, -1)))
        throw problem(
          `if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension, but got input with shape ${list(input.sizes)} and weight with shape ${list(weight.sizes)}`,
        )
      if (weight.dtype !== input.dtype)
        throw problem(
          `if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got input(${c_name(input.dtype)}), and weight(${c_name(weight.dtype)})`,
        )
    }
    const edges = edges_of(points, bins, range)
    const sizes = edges.map(e => e.count - 1)
    const hist = zeros(sizes, input.dtype)
    if (points.count > 0) {
      const starts = [0]
      for (const e of edges) starts.push(starts.at(-1)! + e.count)
      const operands = [hist, points, cat(edges), tensor_from(starts, int64)]
      if (weight !== null) operands.push(dense(weight))
      count_kernel(input.dtype, weight !== null)(operands, [])
    }
    return [density ? densities(hist, edges) : hist, ...edges]
  },
  backward: {},
})

/** Shares of the total per volume. */
function densities(hist: Tensor, edges: readonly Tensor[]): Tensor {
  return edges.reduce((shares, e, d) => {
    const widths = edges.map((_, other) => (other === d ? -1 : 1))
    return shares.div(e.diff().view(widths))
  }, hist.div(hist.sum()))
}
