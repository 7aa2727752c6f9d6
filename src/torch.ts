// PyTorch's namespace below nn: tensors, ops, autograd, modes. nn, optim and what else is written as a user could
// write it import this file; index.ts adds those to it. Names that begin with `_` are for them, and may change.
// Not here: the devices (index.ts).
import { install_autograd } from './autograd/variable.ts'
import { type Callable, callable } from './base/callable.ts'
import { Generator as GeneratorClass } from './base/generator.ts'
import { type LegacyTensor, LegacyTensorConstructor } from './ops/legacy.ts'
import { install_methods } from './ops/methods.ts'
import type { Tensor as TensorClass } from './tensor/tensor.ts'

install_methods()
install_autograd()

/** A tensor; as a value, the legacy constructor, for which `x instanceof torch.Tensor` holds. */
export type Tensor = TensorClass
export const Tensor: LegacyTensor = LegacyTensorConstructor

/** A stream of random numbers of one's own, made with or without `new`. */
export type Generator = GeneratorClass
export const Generator: Callable<typeof GeneratorClass> = callable(GeneratorClass)

export {
  is_anomaly_check_nan_enabled,
  is_anomaly_enabled,
  set_anomaly_enabled,
} from './autograd/anomaly.ts'
export { detach_ } from './autograd/variable.ts'
export { type Callable as _Callable, callable as _callable } from './base/callable.ts'
export { ComplexScalar, complex_scalar } from './base/complex_scalar.ts'
export { e, inf, nan, pi } from './base/constants.ts'
export * from './base/dtype.ts'
export { DType as dtype } from './base/dtype.ts'
export * from './base/errors.ts'
export { python_float as _python_float, python_scalar as _python_scalar } from './base/format.ts'
export { default_generator } from './base/generator.ts'
export { print_as as _print_as } from './base/inspect.ts'
export {
  channels_last,
  channels_last_3d,
  contiguous_format,
  layout,
  type MemoryFormat,
  memory_format,
  preserve_format,
  strided,
} from './base/memory_format.ts'
export { Size } from './base/shape.ts'
export { warn as _warn } from './base/warn.ts'
export * as amp from './ops/amp.ts'
export {
  autocast,
  autocast_decrement_nesting,
  autocast_increment_nesting,
  autocasts as _autocasts,
  clear_autocast_cache,
  get_autocast_cpu_dtype,
  is_autocast_cache_enabled,
  is_autocast_cpu_enabled,
  is_autocast_enabled,
  set_autocast_cache_enabled,
  set_autocast_cpu_dtype,
  set_autocast_cpu_enabled,
  set_autocast_enabled,
} from './ops/autocast.ts'
export * as backends from './ops/backends.ts'
export * as cpu from './ops/cpu.ts'
export * as cuda from './ops/cuda.ts'
export {
  copy_fields as _copy_fields,
  type DeepCopyable,
  type DeepcopyMemo,
  deepcopy,
} from './ops/deepcopy.ts'
export { type Named as _Named, named_tuple as _named_tuple } from './ops/define/named.ts'
export { composite as _composite, type Op as _Op, overloaded as _overloaded } from './ops/define/op.ts'
export { with_plain as _with_plain } from './ops/define/plain.ts'
export * as fft from './ops/fft.ts'
export * from './ops/functions.ts'
export * from './ops/index.ts'
export * as linalg from './ops/linalg/index.ts'
export * as masked from './ops/masked/index.ts'
export * as _nn from './ops/nn/index.ts'
export * as random from './ops/rng.ts'
export * as special from './ops/special.ts'
export * as storage from './ops/storage_space.ts'
export type { TensorData as _TensorData } from './tensor/from_data.ts'
export { device, type Place as Device, type PlaceLike as DeviceLike } from './tensor/place.ts'
export { get_printoptions, set_printoptions } from './tensor/print.ts'
export {
  bind as _bind,
  is_options as _is_options,
  parse_schema as _parse_schema,
  type_name as _type_name,
} from './tensor/schema.ts'
export {
  enable_grad,
  inference_mode,
  is_grad_enabled,
  is_inference_mode_enabled,
  is_tensor,
  no_grad,
  set_grad_enabled,
} from './tensor/tape.ts'
export * as autograd from './transforms/autograd.ts'
export { vmap } from './transforms/vmap.ts'
