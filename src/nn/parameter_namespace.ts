// torch.nn.parameter: the namespace.
export { Parameter } from './parameter.ts'
export { is_lazy, UninitializedBuffer, UninitializedParameter } from './uninitialized.ts'
