// Ops that are functions only (torch.zeros, torch.cat), as in PyTorch: a line per family.
// Not here: ops that are methods too (index.ts).

export { complex, imag, polar, real, view_as_complex, view_as_real } from './complex_parts.ts'
export { fill } from './convert.ts'
export { bucketize, isin, searchsorted } from './counting.ts'
export { arange, empty, empty_like, full, full_like, ones, ones_like, zeros, zeros_like } from './creation.ts'
export {
  asarray,
  empty_strided,
  eye,
  frombuffer,
  linspace,
  logspace,
  range,
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
export { cumulative_trapezoid, trapezoid, trapz } from './differences.ts'
export { einsum } from './einsum.ts'
export { as_strided_, resize_as_ } from './geometry.ts'
export { gradient } from './gradient.ts'
export { histogramdd } from './histogram.ts'
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
export { pca_lowrank, svd_lowrank } from './linalg/lowrank.ts'
export { lu_unpack } from './linalg/lu.ts'
export { chain_matmul, power_columns as vander } from './linalg/products.ts'
export { get_device } from './memory.ts'
export { fill_, zero_ } from './method_only.ts'
export { celu, celu_, selu, selu_, threshold, threshold_ } from './nn/activation.ts'
export { adaptive_avg_pool1d } from './nn/adaptive_pool.ts'
export { avg_pool1d } from './nn/avg_pool.ts'
export { native_batch_norm } from './nn/batch_norm.ts'
export { conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d } from './nn/conv.ts'
export { ctc_loss } from './nn/ctc_loss.ts'
export {
  alpha_dropout,
  alpha_dropout_,
  dropout,
  dropout_,
  feature_alpha_dropout,
  feature_alpha_dropout_,
  feature_dropout,
  feature_dropout_,
} from './nn/dropout.ts'
export { embedding_renorm_ } from './nn/embedding.ts'
export { embedding_bag } from './nn/embedding_bag.ts'
export { channel_shuffle, pixel_shuffle, pixel_unshuffle } from './nn/fold.ts'
export { group_norm } from './nn/group_norm.ts'
export { layer_norm, native_layer_norm } from './nn/layer_norm.ts'
export { _pack_padded_sequence, _pad_packed_sequence } from './nn/packing.ts'
export { constant_pad_nd } from './nn/pad.ts'
export { max_pool1d, max_pool1d_with_indices, max_pool2d } from './nn/pool.ts'
export {
  gru,
  gru_cell,
  lstm,
  lstm_cell,
  rnn_relu,
  rnn_relu_cell,
  rnn_tanh,
  rnn_tanh_cell,
} from './nn/rnn.ts'
export { cdist, frobenius_norm, norm_except_dim, nuclear_norm } from './norms.ts'
export {
  binomial,
  normal,
  poisson,
  rand,
  rand_like,
  randint,
  randint_like,
  randn,
  randn_like,
  randperm,
} from './random.ts'
export { _dirichlet_grad, _sample_dirichlet, _standard_gamma, _standard_gamma_grad } from './random_gamma.ts'
export { atleast_1d, atleast_2d, atleast_3d } from './rearrange.ts'
export { get_rng_state, initial_seed, manual_seed, seed, set_rng_state } from './rng.ts'
export { segment_reduce } from './segment_reduce.ts'
export * from './settings.ts'
export { polygamma } from './special/gamma.ts'
export {
  BFloat16Storage,
  BoolStorage,
  ByteStorage,
  CharStorage,
  ComplexDoubleStorage,
  ComplexFloatStorage,
  DoubleStorage,
  FloatStorage,
  HalfStorage,
  IntStorage,
  LongStorage,
  ShortStorage,
  Storage,
  TypedStorage,
  UntypedStorage,
} from './storages.ts'
export { tril_indices, triu_indices } from './triangular.ts'
export {
  get_num_interop_threads,
  get_num_threads,
  is_complex,
  is_floating_point,
  is_signed,
  is_storage,
  numel,
  result_type,
  set_default_tensor_type,
  set_num_interop_threads,
  set_num_threads,
  typename,
} from './type_info.ts'
export * from './view_copies.ts'
export { where } from './where.ts'
export {
  bartlett_window,
  blackman_window,
  hamming_window,
  hann_window,
  kaiser_window,
} from './windows.ts'
