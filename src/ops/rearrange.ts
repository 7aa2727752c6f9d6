// Reordering and cutting up dimensions without copying: movedim, swapaxes, unflatten, ravel, atleast_*d.
// Not here: the primitive views (views.ts), views in several pieces (split.ts), in-place forms (geometry.ts).
import { RuntimeError } from '../base/errors.ts'
import { infer_size, wrap_dim } from '../base/shape.ts'
import { parse_schema, type_name } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { composite, make_op, type Op, type Spec } from './define/op.ts'
import { narrow, permute, reshape, type Sizes, transpose, unsqueeze, view } from './views.ts'

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

/** Declares a function of one tensor, of several, or of a list of them, which gives as many. */
function each(name: string, body: (t: Tensor) => Tensor): AtLeast {
  return make_op(
    (...args: readonly (Tensor | readonly Tensor[])[]) => {
      const [first] = args
      const tensors = (Array.isArray(first) ? first : args) as Tensor[]
      tensors.forEach((t, i) => {
        if (!(t instanceof Tensor))
          throw new TypeError(
            `${name}(): argument 'tensors' (position ${i + 1}) must be Tensor, not ${type_name(t)}`,
          )
      })
      return args.length === 1 && !Array.isArray(first) ? body(tensors[0]!) : tensors.map(body)
    },
    {
      name,
      schemas: [parse_schema(`${name}(Tensor self)`)],
      samples: r => [[r(3)], [r()]],
      differentiable: true,
    },
  ) as unknown as AtLeast
}
type AtLeast = ((input: Tensor) => Tensor) &
  ((tensors: readonly Tensor[]) => Tensor[]) &
  ((...tensors: readonly [Tensor, Tensor, ...Tensor[]]) => Tensor[]) & {
    readonly op_name: string
    readonly spec: Spec
  }

/** With at least one dimension. */
export const atleast_1d: AtLeast = each('atleast_1d', t => (t.sizes.length === 0 ? reshape(t, [1]) : t))
/** With at least two dimensions: vectors become rows. */
export const atleast_2d: AtLeast = each('atleast_2d', t =>
  t.sizes.length === 0 ? reshape(t, [1, 1]) : t.sizes.length === 1 ? unsqueeze(t, 0) : t,
)
/** With at least three dimensions: vectors become [1, n, 1], matrices [m, n, 1]. */
export const atleast_3d: AtLeast = each('atleast_3d', t => {
  if (t.sizes.length === 0) return reshape(t, [1, 1, 1])
  if (t.sizes.length === 1) return unsqueeze(unsqueeze(t, 0), -1)
  return t.sizes.length === 2 ? unsqueeze(t, -1) : t
})

/** A copy of `length` elements of a dimension from `start` on. */
export const narrow_copy: Op<[self: Tensor, dim: number, start: number, length: number]> = composite(
  'narrow_copy(Tensor self, int dim, int start, int length)',
  {
    body: (self: Tensor, dim: number, start: number, length: number) =>
      narrow(self, dim, start, length).clone({ memory_format: 'contiguous_format' }),
    samples: r => [[r(5, 3), 0, 1, 3]],
  },
)
