// The public face: PyTorch's namespaces, wired to the default devices. No logic.
import { install_autograd } from './autograd/variable.ts'
import { interp_device } from './device/interp/interp.ts'
import { LegacyTensorConstructor, type LegacyTensor } from './ops/data.ts'
import { install_methods } from './ops/methods.ts'
import { install_cpu } from './tensor/dispatch.ts'
import type { Tensor as TensorClass } from './tensor/tensor.ts'

install_cpu(interp_device)
install_methods()
install_autograd()

/** A tensor; as a value, the legacy constructor, for which `x instanceof torch.Tensor` holds. */
export type Tensor = TensorClass
export const Tensor: LegacyTensor = LegacyTensorConstructor

export * as autograd from './autograd/index.ts'
export * from './base/dtype.ts'
export * from './base/errors.ts'
export { default_generator, Generator } from './base/generator.ts'
export { Size } from './base/shape.ts'
export * from './ops/functions.ts'
export * from './ops/index.ts'
export { device } from './tensor/place.ts'
export { enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, is_tensor, no_grad, set_grad_enabled } from './tensor/tape.ts'
