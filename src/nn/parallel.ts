// torch.nn.parallel: modules spread over several devices. On the one device that there is they call what they hold.
// Not here: processes that exchange gradients.
import { Module } from './module.ts'

type Options = {
  device_ids?: readonly number[] | null
  output_device?: number | null
  dim?: number
}

/** Calls `module` with what it is given: there are no further devices to spread a batch over. */
export class DataParallel<M extends Module = Module> extends Module {
  declare readonly dim: number
  declare module: M
  declare readonly device_ids: readonly number[]

  constructor(module: M, options: Options = {}) {
    super()
    this.module = module
    Object.assign(this, { device_ids: [], dim: options.dim ?? 0 })
  }

  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return this.module(...args)
  }
}

/** {@link DataParallel} as a function. */
export const data_parallel = <M extends Module>(
  module: M,
  inputs: Parameters<M['forward']>,
  _options: Options = {},
): ReturnType<M['forward']> => module(...inputs)
