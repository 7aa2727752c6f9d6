// torch.nn: the namespace.
export * as functional from './functional/index.ts'
export type { RemovableHandle } from './hooks.ts'
export * as init from './init.ts'
export { type Layer, Module } from './module.ts'
export * from './modules/index.ts'
export { Parameter } from './parameter.ts'
export type { StateDict } from './state_dict.ts'
export * as utils from './utils/index.ts'
