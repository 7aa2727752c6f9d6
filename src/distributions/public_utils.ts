// torch.distributions.utils: the helpers that PyTorch has there for those who write distributions.
export {
  broadcast_all,
  clamp_probs,
  euler_constant,
  logits_to_probs,
  probs_to_logits,
  tril_matrix_to_vec,
  vec_to_tril_matrix,
} from './utils.ts'
