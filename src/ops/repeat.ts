// Rearrangements of one tensor that copy: tile, repeat_interleave, roll, flip, rot90.
// Not here: repeat, a method only (sizes.ts), those that do not copy (rearrange.ts), joining several tensors (join.ts).
import { type DType, float64, int32, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { numel, wrap_dim, wrap_dims } from '../base/shape.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { value_range } from './define/bounds.ts'
import { copy_elements, dense } from './define/copy.ts'
import { full_value } from './define/create.ts'
import { composite, type Op, op, overloaded } from './define/op.ts'
import { window } from './define/space.ts'
import { index_select } from './index_ops.ts'
import { repeat } from './sizes.ts'
import { reshape, type Sizes, transpose } from './views.ts'

type SizeArgs = readonly [sizes: Sizes] | readonly number[]

/** {@link repeat} where missing repeats are 1. */
export const tile: Op<[self: Tensor, ...dims: SizeArgs]> = composite('tile(Tensor self, int... dims)', {
  out: false,
  body: (self: Tensor, dims: number[]) =>
    repeat(self, [...new Array<number>(Math.max(self.sizes.length - dims.length, 0)).fill(1), ...dims]),
  samples: r => [
    [r(2, 3), 2],
    [r(3), [2, 2]],
  ],
})

// ------------------------------------------------------------------------------------ repeat_interleave

const total_kernel = kernels('repeats_total', (k, dtype: DType) => {
  const out = k.output('out', float64, 'flat')
  const repeats = k.input('repeats', dtype, 'flat')
  const total = k.local('f64', 0)
  k.for(repeats.sizes[0]!, 'reduce', i => k.assign(total, total.add(repeats.at(i).cast('f64'))))
  k.store(out, [0], total)
})

const numbers_kernel = kernels('repeat_numbers', (k, dtype: DType) => {
  const out = k.output('out', int64, 'flat')
  const repeats = k.input('repeats', dtype, { rank: 1 })
  const at = k.local('index', 0)
  k.for(repeats.sizes[0]!, 'serial', i => {
    const n = k.local('index', repeats.at(i).cast('index'))
    k.for(n, 'vector', j => k.store(out, [at.add(j)], i.cast('i64')))
    k.assign(at, at.add(n))
  })
})

/** The number of each repeated position: repeats [1, 2] give [0, 1, 1]. One repeat count may serve for `n`. */
function repeat_numbers(repeats: Tensor, n: number, output_size: number | null): Tensor {
  if (repeats.dtype !== int64 && repeats.dtype !== int32)
    throw new RuntimeError('repeats has to be Long or Int tensor')
  if (repeats.count > 0 && value_range(repeats).low < 0) throw new RuntimeError('repeats can not be negative')
  const source = window(dense(repeats), [n], [repeats.count === 1 ? 0 : 1])
  const sum = empty([1], float64)
  total_kernel(repeats.dtype)([sum, dense(repeats)], [])
  const own = Number(sum.memory.peek(float64)[sum.offset])
  const total = repeats.count === 1 ? own * n : own
  if (output_size !== null && output_size !== total)
    throw new RuntimeError('allocated size does not match required size')
  const out = empty([total], int64)
  if (total > 0) numbers_kernel(repeats.dtype)([out, source], [])
  return out
}

function interleave(self: Tensor, repeats: Tensor, dim: number | null, output_size: number | null): Tensor {
  if (repeats.sizes.length > 1) throw new RuntimeError('repeats must be 0-dim or 1-dim tensor')
  const input = dim === null ? self.flatten() : self
  const d = wrap_dim(dim ?? 0, input.sizes.length)
  const n = input.sizes[d] ?? 1
  if (repeats.sizes.length === 1 && repeats.count !== 1 && repeats.count !== n)
    throw new RuntimeError('repeats must have the same size as input along dim')
  return index_select(
    input.sizes.length === 0 ? reshape(input, [1]) : input,
    d,
    repeat_numbers(repeats, n, output_size),
  )
}

function one_repeat(n: number): Tensor {
  const repeats = empty([1], int64)
  full_value(repeats, n)
  return repeats
}

type InterleaveOptions = { dim?: number | null; output_size?: number | null }
type InterleaveArgs =
  | [
      self: Tensor,
      repeats: Tensor | number,
      dim?: number | null | InterleaveOptions,
      opts?: InterleaveOptions,
    ]
  | [repeats: Tensor, opts?: InterleaveOptions]

/** Each element (or slice along `dim`) as often as `repeats` says; of repeats alone, the numbers to select by. */
export const repeat_interleave: Op<InterleaveArgs> = overloaded<InterleaveArgs>(
  [
    [
      'repeat_interleave(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None)',
      (self: Tensor, repeats: Tensor, dim: number | null, size: number | null) =>
        interleave(self, repeats, dim, size),
    ],
    [
      'repeat_interleave(Tensor self, int repeats, int? dim=None, *, int? output_size=None)',
      (self: Tensor, repeats: number, dim: number | null, size: number | null) =>
        interleave(self, one_repeat(repeats), dim, size),
    ],
    [
      'repeat_interleave(Tensor repeats, *, int? output_size=None)',
      (repeats: Tensor, size: number | null) => {
        if (repeats.sizes.length !== 1)
          throw new RuntimeError('repeat_interleave only accept 1D vector as repeat')
        return repeat_numbers(repeats, repeats.count, size)
      },
    ],
  ],
  {
    out: false,
    samples: r => [
      [r(2, 3), 2],
      [r(2, 3), r.ints(0, 3, 3), 1],
    ],
  },
)

// ------------------------------------------------------------------------------------ turning

/** The result is made of blocks: along each rolled dimension, the end comes before the beginning. */
function rolled(self: Tensor, shifts: readonly number[], dims: readonly number[]): Tensor {
  const out = empty(self.sizes, self.dtype)
  if (self.count === 0) return out
  const shift_of = new Map<number, number>()
  dims.forEach((dim, i) => {
    const d = wrap_dim(dim, self.sizes.length)
    const n = self.sizes[d]!
    shift_of.set(d, ((((shift_of.get(d) ?? 0) + shifts[i]!) % n) + n) % n)
  })
  const moves = [...shift_of].filter(([, shift]) => shift !== 0)
  const go = (i: number, sizes: readonly number[], to: number, from: number): void => {
    if (i === moves.length) {
      copy_elements(alias(out, sizes, out.strides, to), alias(self, sizes, self.strides, from))
      return
    }
    const [d, shift] = moves[i]!
    const n = self.sizes[d]!
    go(i + 1, sizes.with(d, shift), to, from + (n - shift) * self.strides[d]!)
    go(i + 1, sizes.with(d, n - shift), to + shift * out.strides[d]!, from)
  }
  go(0, self.sizes, out.offset, self.offset)
  return out
}

/** The elements moved by `shifts` along `dims`, those that fall off coming back at the other end; without dims, flattened. */
export const roll: Op<
  [self: Tensor, shifts: number | Sizes, dims?: number | Sizes | { dims?: number | Sizes }]
> = op('roll(Tensor self, int[] shifts, int[] dims=[])', {
  forward(self: Tensor, shifts: number[], dims: number[]) {
    if (shifts.length === 0) throw new RuntimeError('`shifts` required')
    if (dims.length === 0 && shifts.length === 1) {
      const flat = dense(self)
      return alias(
        rolled(alias(flat, [flat.count], [1]), shifts, [0]),
        self.sizes,
        empty(self.sizes, self.dtype).strides,
      )
    }
    if (shifts.length !== dims.length)
      throw new RuntimeError(
        `shifts and dimensions must align. shifts: ${shifts.length}, dims:${dims.length}`,
      )
    return rolled(self, shifts, dims)
  },
  backward: {
    self: (g, [, shifts, dims]) =>
      g.roll(
        shifts.map(s => -s),
        dims,
      ),
  },
  samples: r => [
    [r(3, 4), 1],
    [r(3, 4), [1, -2], [0, 1]],
    [r(5), 7, 0],
  ],
})

const flip_kernel = kernels('flip', (k, dtype: DType, rank: number, first: boolean) => {
  const out = k.output('out', dtype, { rank, inner: 1 })
  const x = k.input('x', dtype, { rank, inner: 1 })
  k.elementwise(out.sizes, (...i) => {
    // Runs of dimensions are turned in turn: every second one, with or without the first.
    const from = i.map((at, d) => ((d % 2 === 0) === first ? out.sizes[d]!.sub(1).sub(at) : at))
    k.store(out, i, x.at(...from))
  })
})

function flipped(self: Tensor, dims: readonly number[]): Tensor {
  const turned = wrap_dims(dims, self.sizes.length)
  const out = empty(self.sizes, self.dtype)
  if (out.count === 0) return out
  const runs: { size: number; turn: boolean }[] = []
  self.sizes.forEach((size, d) => {
    if (size === 1) return
    const turn = turned.includes(d)
    const last = runs[runs.length - 1]
    if (last?.turn === turn) last.size *= size
    else runs.push({ size, turn })
  })
  if (runs.length === 0) runs.push({ size: 1, turn: false })
  const sizes = runs.map(r => r.size)
  const strides = sizes.map((_, d) => numel(sizes.slice(d + 1)))
  flip_kernel(
    self.dtype,
    sizes.length,
    runs[0]!.turn,
  )([window(out, sizes, strides), window(dense(self), sizes, strides)], [])
  return out
}

/** The elements in reverse order along `dims`. A copy. */
export const flip: Op<[self: Tensor, ...dims: SizeArgs]> = op('flip(Tensor self, int... dims)', {
  forward: flipped,
  backward: { self: (g, [, dims]) => g.flip(dims) },
  samples: r => [
    [r(3, 4), 0],
    [r(2, 3, 4), [0, 2]],
    [r(2, 3), []],
  ],
})

/** {@link flip} of dimension 1: left and right. */
export const fliplr: Op<[self: Tensor]> = composite('fliplr(Tensor self)', {
  out: false,
  body(self: Tensor) {
    if (self.sizes.length < 2) throw new RuntimeError('Input must be >= 2-d.')
    return flip(self, 1)
  },
  samples: r => [[r(2, 3)]],
})

/** {@link flip} of dimension 0: up and down. */
export const flipud: Op<[self: Tensor]> = composite('flipud(Tensor self)', {
  out: false,
  body(self: Tensor) {
    if (self.sizes.length < 1) throw new RuntimeError('Input must be >= 1-d.')
    return flip(self, 0)
  },
  samples: r => [[r(2, 3)]],
})

/** Turned by 90 degrees `k` times, from the first of `dims` towards the second. */
export const rot90: Op<
  [self: Tensor, k?: number | { k?: number; dims?: Sizes }, dims?: Sizes | { dims?: Sizes }]
> = op('rot90(Tensor self, int k=1, int[] dims=[0, 1])', {
  forward(self: Tensor, k: number, dims: number[]) {
    const ndim = self.sizes.length
    if (dims.length !== 2)
      throw new RuntimeError(`expected total rotation dims == 2, but got dims = ${dims.length}`)
    if (ndim < 2) throw new RuntimeError(`expected total dims >= 2, but got total dims = ${ndim}`)
    const [a, b] = dims as [number, number]
    if (a === b || Math.abs(a - b) === ndim)
      throw new RuntimeError(`expected rotation dims to be different, but got dim0 = ${a} and dim1 = ${b}`)
    dims.forEach((d, i) => {
      if (d < -ndim || d >= ndim) throw new RuntimeError(`Rotation dim${i} out of range, dim${i} = ${d}`)
    })
    const turns = ((k % 4) + 4) % 4
    if (turns === 0) return self.clone()
    if (turns === 2) return flipped(self, dims)
    return alias(transpose(flipped(self, [turns === 1 ? b : a]), a, b))
  },
  backward: { self: (g, [, k, dims]) => g.rot90(-k, dims) },
  samples: r => [[r(2, 3)], [r(2, 3, 4), 3, [1, 2]], [r(2, 3), 2], [r(2, 3), 0]],
})
