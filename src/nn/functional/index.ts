// torch.nn.functional: the namespace.
import { _nn } from '../../torch.ts'

export * from './activation.ts'
export { multi_head_attention_forward } from './attention.ts'
export * from './conv.ts'
export * from './distance.ts'
export * from './dropout.ts'
export {
  _scaled_dot_product_attention,
  bilinear,
  linear,
  one_hot,
  scaled_dot_product_attention,
} from './linear.ts'
export * from './loss.ts'
export * from './norm.ts'
export * from './pooling.ts'
export { embedding_bag } from './sparse.ts'
export * from './vision.ts'

export const embedding: typeof _nn.embedding = _nn.embedding
