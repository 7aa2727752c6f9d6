// The ops behind torch.nn.functional that are neither torch functions nor methods, and those that are re-exported
// there under their own names. Not here: nn.functional itself (src/nn/functional.ts).

export * from './activation.ts'
export {
  adaptive_avg_pool1d,
  adaptive_avg_pool2d,
  adaptive_max_pool1d,
  adaptive_max_pool1d_with_indices,
  adaptive_max_pool2d,
  adaptive_max_pool2d_with_indices,
  max_unpool1d,
  max_unpool2d,
} from './adaptive_pool.ts'
export * from './adaptive_pool3d.ts'
export { upsample_antialiased } from './antialias.ts'
export { attention } from './attention.ts'
export * from './averages.ts'
export { avg_pool1d, avg_pool2d } from './avg_pool.ts'
export { batch_norm, instance_norm } from './batch_norm.ts'
export { nll_loss } from './class_loss.ts'
export * from './conv.ts'
export { cross_entropy } from './cross_entropy.ts'
export * from './dropout.ts'
export { embedding } from './embedding.ts'
export * from './fold.ts'
export * from './fractional_pool.ts'
export { affine_grid, grid_sample } from './grid_sample.ts'
export { group_norm } from './group_norm.ts'
export { layer_norm, native_layer_norm } from './layer_norm.ts'
export { linear_rows } from './linear.ts'
export {
  binary_cross_entropy,
  binary_cross_entropy_with_logits,
  huber_loss,
  kl_div,
  kl_div_of_log,
  l1_loss,
  legacy_reduction,
  mse_loss,
  require_reduction,
  smooth_l1_loss,
  soft_margin_loss,
} from './loss.ts'
export * from './one_hot.ts'
export { adam_step_, count_step_, sgd_step_ } from './optimizer_steps.ts'
export * from './pad.ts'
export {
  max_pool1d,
  max_pool1d_with_indices,
  max_pool2d,
  max_pool2d_with_indices,
} from './pool.ts'
export { avg_pool3d, max_pool3d, max_pool3d_with_indices } from './pool3d.ts'
export { log_softmax, softmax } from './softmax.ts'
export { upsample_to } from './upsample.ts'
