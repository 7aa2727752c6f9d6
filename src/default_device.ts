// Which device computes on CPU tensors: native where a C compiler works, else WebAssembly, which always does.
// TSTORCH_CPU=interp|wasm|native chooses. Not here: the devices.
import { env } from './base/flags.ts'
import type { Device } from './device/device.ts'
import { interp_device } from './device/interp/interp.ts'
import { native_device } from './device/native/device.ts'
import { NativeUnavailableError } from './device/native/node.ts'
import { wasm_device } from './device/wasm/device.ts'

/** Makes the device; says once on stderr where native would have been used but is not to be had. */
export function make_cpu_device(): Device {
  const wanted = env('TSTORCH_CPU')
  switch (wanted) {
    case 'interp':
      return interp_device()
    case 'wasm':
      return wasm_device()
    case 'native':
      return native_device()
    case undefined:
    case '':
      return native_or_wasm()
    default:
      throw new TypeError(`TSTORCH_CPU=${wanted}: expected interp, wasm or native`)
  }
}

function native_or_wasm(): Device {
  try {
    return native_device()
  } catch (error) {
    if (!(error instanceof NativeUnavailableError)) throw error
    if (typeof process === 'object')
      console.error(`tstorch: computing with WebAssembly (${error.message}); TSTORCH_CPU=wasm silences this`)
    return wasm_device()
  }
}
