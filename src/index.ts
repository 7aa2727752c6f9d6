// The public face: PyTorch's namespaces, wired to the default devices. No logic.
export * from './base/errors.ts'
export { Size } from './base/shape.ts'
export * from './ops/functions.ts'
export * from './ops/index.ts'
export { Tensor } from './tensor/tensor.ts'
import { install_cpu } from './tensor/dispatch.ts'
import { install_methods } from './ops/methods.ts'
import { interp_device } from './device/interp/interp.ts'

install_cpu(interp_device)
install_methods()
