// Ops that are functions only (torch.zeros, torch.cat), as in PyTorch: a line per family.
// Not here: ops that are methods too (index.ts).

export { complex, imag, real, view_as_complex, view_as_real } from './complex_parts.ts'
export { arange, empty, empty_like, full, full_like, ones, ones_like, zeros, zeros_like } from './creation.ts'
export {
  asarray,
  empty_strided,
  eye,
  frombuffer,
  linspace,
  logspace,
  scalar_tensor,
} from './creation_more.ts'
export {
  as_tensor,
  BFloat16Tensor,
  BoolTensor,
  ByteTensor,
  CharTensor,
  DoubleTensor,
  FloatTensor,
  from_numpy,
  HalfTensor,
  IntTensor,
  LongTensor,
  ShortTensor,
  tensor,
} from './data.ts'
export { einsum } from './einsum.ts'
export { slice } from './indexing.ts'
export {
  block_diag,
  broadcast_shapes,
  broadcast_tensors,
  cartesian_prod,
  cat,
  column_stack,
  concat,
  concatenate,
  dstack,
  hstack,
  meshgrid,
  row_stack,
  stack,
  vstack,
} from './join.ts'
export { atleast_1d, atleast_2d, atleast_3d } from './rearrange.ts'
export { tril_indices, triu_indices } from './triangular.ts'
export { where } from './where.ts'
