// The modules, by family.
export * from './activation.ts'
export * from './adaptive.ts'
export { MultiheadAttention, type MultiheadAttentionOptions } from './attention.ts'
export * from './container.ts'
export {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeOptions,
} from './conv.ts'
export * from './dropout.ts'
export * from './lazy.ts'
export { Bilinear, Identity, Linear } from './linear.ts'
export * from './loss.ts'
export * from './normalization.ts'
export * from './parameter_container.ts'
export * from './pooling.ts'
export * from './rnn.ts'
export * from './shape.ts'
export * from './sparse.ts'
export * from './transformer.ts'
