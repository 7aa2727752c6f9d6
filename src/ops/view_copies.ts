// The views again, as copies: `torch.transpose_copy(x, 0, 1)` is `x.transpose(0, 1)` in memory of its own, with `out=`.
// Not here: the views (views.ts, split.ts).
import { type DType, DType as DTypeClass } from '../base/dtype.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { view_as_complex, view_as_real } from './complex_parts.ts'
import { composite, type Op } from './define/op.ts'
import { slice } from './slice_view.ts'
import { split, split_with_sizes, unbind } from './split.ts'
import {
  as_strided,
  diagonal,
  expand,
  permute,
  type Sizes,
  select,
  squeeze,
  t,
  transpose,
  unfold,
  unsqueeze,
  view,
} from './views.ts'

type Out = { out?: Tensor }
type Outs = { out?: readonly Tensor[] }

const copied = (x: Tensor): Tensor => x.clone({ memory_format: 'contiguous_format' })

/** Declares the copy of a view with the same parameters. */
const copy_of = <A extends readonly unknown[]>(
  signatures: string | readonly string[],
  made: (...values: never[]) => Tensor,
): Op<A> => composite<A>(signatures, { body: (...values) => copied(made(...values)) })

const copies_of = <A extends readonly unknown[]>(
  signature: string,
  made: (...values: never[]) => Tensor[],
): Op<A, Tensor[]> => composite<A, Tensor[]>(signature, { body: (...values) => made(...values).map(copied) })

/** A copy. */
export const alias_copy: Op<[input: Tensor, opts?: Out]> = copy_of(
  'alias_copy(Tensor self)',
  (x: Tensor) => x,
)
/** A copy outside the graph. */
export const detach_copy: Op<[input: Tensor, opts?: Out]> = copy_of('detach_copy(Tensor self)', (x: Tensor) =>
  x.detach(),
)
/** {@link as_strided} as a copy. */
export const as_strided_copy: Op<
  [input: Tensor, size: Sizes, stride: Sizes, storage_offset?: number | null | Out, opts?: Out]
> = copy_of('as_strided_copy(Tensor self, int[] size, int[] stride, int? storage_offset=None)', as_strided)
/** {@link diagonal} as a copy. */
export const diagonal_copy: Op<
  [
    input: Tensor,
    offset?: number | (Out & { offset?: number; dim1?: number; dim2?: number }),
    dim1?: number | Out,
    dim2?: number | Out,
    opts?: Out,
  ]
> = copy_of('diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1)', diagonal)
/** {@link expand} as a copy. */
export const expand_copy: Op<[input: Tensor, size: Sizes, opts?: Out & { implicit?: boolean }]> = copy_of(
  'expand_copy(Tensor self, int[] size, *, bool implicit=False)',
  (x: Tensor, size: number[]) => expand(x, size),
)
/** {@link permute} as a copy. */
export const permute_copy: Op<[input: Tensor, dims: Sizes, opts?: Out]> = copy_of(
  'permute_copy(Tensor self, int[] dims)',
  (x: Tensor, dims: number[]) => permute(x, dims),
)
/** {@link select} as a copy. */
export const select_copy: Op<[input: Tensor, dim: number, index: number, opts?: Out]> = copy_of(
  'select_copy(Tensor self, int dim, int index)',
  select,
)
/** A slice as a copy. */
export const slice_copy: Op<
  [
    input: Tensor,
    dim?: number | Out,
    start?: number | null | Out,
    end?: number | null | Out,
    step?: number | Out,
    opts?: Out,
  ]
> = copy_of('slice_copy(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)', slice)
/** {@link squeeze} as a copy. */
export const squeeze_copy: Op<[input: Tensor, dim?: number | Out, opts?: Out]> = copy_of(
  ['squeeze_copy(Tensor self)', 'squeeze_copy(Tensor self, int dim)'],
  squeeze,
)
/** {@link t} as a copy. */
export const t_copy: Op<[input: Tensor, opts?: Out]> = copy_of('t_copy(Tensor self)', t)
/** {@link transpose} as a copy. */
export const transpose_copy: Op<[input: Tensor, dim0: number, dim1: number, opts?: Out]> = copy_of(
  'transpose_copy(Tensor self, int dim0, int dim1)',
  transpose,
)
/** {@link unfold} as a copy. */
export const unfold_copy: Op<[input: Tensor, dimension: number, size: number, step: number, opts?: Out]> =
  copy_of('unfold_copy(Tensor self, int dimension, int size, int step)', unfold)
/** {@link unsqueeze} as a copy. */
export const unsqueeze_copy: Op<[input: Tensor, dim: number, opts?: Out]> = copy_of(
  'unsqueeze_copy(Tensor self, int dim)',
  unsqueeze,
)
/** {@link view} as a copy. */
export const view_copy: Op<[input: Tensor, size: Sizes | DType, opts?: Out]> = copy_of(
  ['view_copy(Tensor self, int[] size)', 'view_copy(Tensor self, dtype dtype)'],
  (x: Tensor, size: number[] | DType) => (size instanceof DTypeClass ? view(x, size) : view(x, size)),
)
/** {@link view_as_complex} as a copy. */
export const view_as_complex_copy: Op<[input: Tensor, opts?: Out]> = copy_of(
  'view_as_complex_copy(Tensor self)',
  view_as_complex,
)
/** {@link view_as_real} as a copy. */
export const view_as_real_copy: Op<[input: Tensor, opts?: Out]> = copy_of(
  'view_as_real_copy(Tensor self)',
  view_as_real,
)
/** {@link split} as copies. */
export const split_copy: Op<[input: Tensor, split_size: number, dim?: number | Outs, opts?: Outs], Tensor[]> =
  copies_of('split_copy(Tensor self, int split_size, int dim=0)', split)
/** {@link split_with_sizes} as copies. */
export const split_with_sizes_copy: Op<
  [input: Tensor, split_sizes: Sizes, dim?: number | Outs, opts?: Outs],
  Tensor[]
> = copies_of('split_with_sizes_copy(Tensor self, int[] split_sizes, int dim=0)', split_with_sizes)
/** {@link unbind} as copies. */
export const unbind_copy: Op<[input: Tensor, dim?: number | Outs, opts?: Outs], Tensor[]> = copies_of(
  'unbind_copy(Tensor self, int dim=0)',
  unbind,
)
