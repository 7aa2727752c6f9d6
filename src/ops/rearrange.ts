// Reordering and cutting up dimensions without copying: movedim, swapaxes, unflatten, ravel.
// Not here: the primitive views (views.ts), views in several pieces (split.ts), in-place forms (geometry.ts).
import { RuntimeError } from '../base/errors.ts'
import { infer_size, wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op } from './define/op.ts'
import { narrow, permute, type Sizes, transpose, view } from './views.ts'

type Dims = number | Sizes

function move(self: Tensor, source: number[], destination: number[]): Tensor {
  const ndim = self.sizes.length
  if (source.length !== destination.length)
    throw new RuntimeError(
      `movedim: Invalid source or destination dims: source (${show(source)} dims) should contain the same number of dims as destination (${show(destination)} dims)`,
    )
  const from = unique(source, ndim, 'source')
  const to = unique(destination, ndim, 'destination')
  if (ndim === 0) return permute(self, [])
  const order = new Array<number>(ndim).fill(-1)
  to.forEach((d, i) => {
    order[d] = from[i]!
  })
  const rest = [...order.keys()].filter(d => !from.includes(d))
  return permute(
    self,
    order.map(d => (d >= 0 ? d : rest.shift()!)),
  )
}

const show = (list: readonly number[]): string => `[${list.join(', ')}]`

function unique(dims: readonly number[], ndim: number, what: string): number[] {
  const wrapped = dims.map(d => wrap_dim(d, ndim))
  if (new Set(wrapped).size !== wrapped.length)
    throw new RuntimeError(`movedim: repeated dim in \`${what}\` (${show(dims)})`)
  return wrapped
}

/** Moves the dimensions `source` to the positions `destination`; the others keep their order. */
export const movedim: Op<[self: Tensor, source: Dims, destination: Dims]> = composite(
  'movedim(Tensor self, int[] source, int[] destination)',
  {
    body: move,
    samples: r => [
      [r(2, 3, 4), 0, 2],
      [r(2, 3, 4), [0, -1], [1, 0]],
      [r(), 0, 0],
    ],
    out: false,
  },
)
/** Another name of {@link movedim}. */
export const moveaxis: typeof movedim = composite('moveaxis(Tensor self, int[] source, int[] destination)', {
  body: move,
  out: false,
})

/** Another name of {@link transpose}. */
export const swapaxes: Op<[self: Tensor, axis0: number, axis1: number]> = composite(
  'swapaxes(Tensor self, int axis0, int axis1)',
  {
    body: (self: Tensor, a: number, b: number) => transpose(self, a, b),
    samples: r => [[r(2, 3), 0, 1]],
    out: false,
  },
)
/** Another name of {@link transpose}. */
export const swapdims: Op<[self: Tensor, dim0: number, dim1: number]> = composite(
  'swapdims(Tensor self, int dim0, int dim1)',
  {
    body: (self: Tensor, a: number, b: number) => transpose(self, a, b),
    samples: r => [[r(2, 3), 0, 1]],
    out: false,
  },
)

/** One dimension: a view where the tensor is contiguous, else a copy. */
export const ravel: Op<[self: Tensor]> = composite('ravel(Tensor self)', {
  body: (self: Tensor) => view(self.contiguous(), [-1]),
  samples: r => [[r(2, 3)], [r()]],
  out: false,
})

/** Cuts the dimension `dim` into `sizes`, one of which may be -1. */
export const unflatten: Op<[self: Tensor, dim: number, sizes: Sizes]> = composite(
  'unflatten(Tensor self, int dim, int[] sizes)',
  {
    body(self: Tensor, dim: number, sizes: number[]): Tensor {
      const d = wrap_dim(dim, self.sizes.length)
      if (sizes.length === 0) throw new RuntimeError('unflatten: sizes must be non-empty')
      const n = self.sizes[d] ?? 1
      const known = sizes.reduce((a, b) => (b === -1 ? a : a * b), 1)
      const inferred = sizes.includes(-1)
      if (inferred ? known === 0 || n % known !== 0 : known !== n)
        throw new RuntimeError(
          `unflatten: Provided sizes ${show(sizes)} don't multiply up to the size of dim ${d} (${n}) in the input tensor`,
        )
      return view(self, [...self.sizes.slice(0, d), ...infer_size(sizes, n), ...self.sizes.slice(d + 1)])
    },
    samples: r => [
      [r(2, 6), 1, [2, 3]],
      [r(4), 0, [-1, 2]],
    ],
    out: false,
  },
)

/** A copy of `length` elements of a dimension from `start` on. */
export const narrow_copy: Op<[self: Tensor, dim: number, start: number, length: number]> = composite(
  'narrow_copy(Tensor self, int dim, int start, int length)',
  {
    body: (self: Tensor, dim: number, start: number, length: number) =>
      narrow(self, dim, start, length).clone({ memory_format: 'contiguous_format' }),
    samples: r => [[r(5, 3), 0, 1, 3]],
  },
)
