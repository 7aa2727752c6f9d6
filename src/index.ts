/// <reference lib="esnext.disposable" preserve="true" />
// The public face: PyTorch's namespaces, wired to the default devices. No logic.
import { make_cpu_device } from './default_device.ts'
import { install_cpu } from './tensor/dispatch.ts'

install_cpu(make_cpu_device)

export * as distributions from './distributions/index.ts'
export * as func from './func/index.ts'
export * from './nn/in_torch.ts'
export * as nn from './nn/index.ts'
export type {} from './ops/methods.ts'
export * as optim from './optim/index.ts'
export * as testing from './testing/index.ts'
export * from './torch.ts'
