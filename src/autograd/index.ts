// torch.autograd: the namespace.

export { enable_grad, inference_mode, no_grad, set_grad_enabled } from '../tensor/tape.ts'
export { detect_anomaly, set_detect_anomaly } from './anomaly.ts'
export { backward, grad } from './engine.ts'
export { Function, FunctionCtx } from './function.ts'
export { gradcheck, gradgradcheck } from './gradcheck.ts'
export * as graph from './graph.ts'
export { Variable } from './variable.ts'
