// The public face: PyTorch's namespaces, wired to the default devices. No logic.
import { interp_device } from './device/interp/interp.ts'
import { install_cpu } from './tensor/dispatch.ts'

install_cpu(interp_device)

export * from './torch.ts'
