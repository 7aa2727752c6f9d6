// The ops that are both functions (torch.mul) and methods (x.mul): a line per family.
// Not here: functions only (functions.ts), methods only (method_only.ts).
export * from './arithmetic.ts'
export * from './binary_math.ts'
export * from './bitwise.ts'
export * from './compare.ts'
export {
  adjoint,
  angle,
  conj,
  conj_physical,
  conj_physical_,
  is_conj,
  resolve_conj,
  resolve_neg,
} from './complex.ts'
export { clone, contiguous, copy_, detach } from './convert.ts'
export { bincount, histc } from './counting.ts'
export { corrcoef, cov } from './covariance.ts'
export { diff } from './differences.ts'
export { tensordot } from './einsum.ts'
export { amax, amin, aminmax, argmax, argmin, max, min } from './extremes.ts'
export { istft, stft } from './fft/stft.ts'
export { histogram } from './histogram.ts'
export {
  index_add,
  index_add_,
  index_copy,
  index_copy_,
  index_fill,
  index_fill_,
  index_select,
  put,
  put_,
  take,
} from './index_ops.ts'
export { index_put, index_put_ } from './indexing.ts'
export { combinations } from './join.ts'
export { cholesky, cholesky_inverse, cholesky_solve } from './linalg/cholesky.ts'
export { det, logdet, slogdet } from './linalg/det.ts'
export { symeig } from './linalg/eigh.ts'
export { matrix_exp } from './linalg/exp.ts'
export { householder_product as orgqr } from './linalg/householder.ts'
export { lu, lu_solve } from './linalg/lu.ts'
export { cross, kron, matrix_power } from './linalg/products.ts'
export { pinverse } from './linalg/pseudo_inverse.ts'
export { geqrf, ormqr, qr } from './linalg/qr.ts'
export { inverse } from './linalg/solve.ts'
export { svd } from './linalg/svd.ts'
export { triangular_solve } from './linalg/triangular_solve.ts'
export {
  argwhere,
  masked_fill,
  masked_fill_,
  masked_scatter,
  masked_scatter_,
  masked_select,
  nonzero,
} from './masked.ts'
export * from './matmul.ts'
export { hardshrink, prelu } from './nn/activation.ts'
export { log_softmax, softmax } from './nn/softmax.ts'
export { dist, norm, renorm, renorm_, trace } from './norms.ts'
export { bernoulli, multinomial } from './random.ts'
export { moveaxis, movedim, narrow_copy, ravel, swapaxes, swapdims, unflatten } from './rearrange.ts'
export { all, any, count_nonzero, mean, nanmean, nansum, prod, sum } from './reduction.ts'
export { flip, fliplr, flipud, repeat_interleave, roll, rot90, tile } from './repeat.ts'
export * from './rounding.ts'
export * from './scan.ts'
export {
  gather,
  index_reduce,
  index_reduce_,
  scatter,
  scatter_,
  scatter_add,
  scatter_add_,
  scatter_reduce,
  scatter_reduce_,
  take_along_dim,
} from './scatter.ts'
export * from './scatter_views.ts'
export {
  argsort,
  kthvalue,
  median,
  mode,
  msort,
  nanmedian,
  nanquantile,
  quantile,
  sort,
  topk,
} from './sorting.ts'
export { i0, i0_ } from './special/bessel.ts'
export { igamma, igamma_, igammac, igammac_, multigammaln as mvlgamma, mvlgamma_ } from './special/gamma.ts'
export {
  chunk,
  dsplit,
  hsplit,
  split,
  split_with_sizes,
  tensor_split,
  unbind,
  unsafe_chunk,
  unsafe_split,
  unsafe_split_with_sizes,
  vsplit,
} from './split.ts'
export { logsumexp, std, std_mean, var, var_mean } from './statistics.ts'
export { diag, diag_embed, diagflat, tril, tril_, triu, triu_ } from './triangular.ts'
export { is_inference, is_neg, is_nonzero, is_same_size } from './type_info.ts'
export * from './unary.ts'
export { unique, unique_consecutive } from './unique.ts'
export {
  as_strided,
  broadcast_to,
  diagonal,
  expand,
  expand_as,
  flatten,
  narrow,
  permute,
  reshape,
  reshape_as,
  select,
  squeeze,
  t,
  transpose,
  unfold,
  unsqueeze,
  view,
  view_as,
} from './views.ts'
