// torch.nn.functional: the namespace.
import { _nn } from '../../torch.ts'

export * from './activation.ts'
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
export * from './vision.ts'

export const conv1d: typeof _nn.conv1d = _nn.conv1d
export const conv2d: typeof _nn.conv2d = _nn.conv2d
export const conv3d: typeof _nn.conv3d = _nn.conv3d
export const conv_transpose1d: typeof _nn.conv_transpose1d = _nn.conv_transpose1d
export const conv_transpose2d: typeof _nn.conv_transpose2d = _nn.conv_transpose2d
export const conv_transpose3d: typeof _nn.conv_transpose3d = _nn.conv_transpose3d
export const embedding: typeof _nn.embedding = _nn.embedding
