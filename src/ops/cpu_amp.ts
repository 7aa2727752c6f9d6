// `torch.cpu.amp`: autocast without the device's name. Not here: autocast itself (autocast.ts).
import type { ModeGuard } from '../tensor/tape.ts'
import { type AutocastOptions, autocast as on_device } from './autocast.ts'

/** `torch.autocast('cpu', ...)`. */
export function autocast<R>(body: () => R): R
export function autocast<R>(options: AutocastOptions, body: () => R): R
export function autocast(options?: AutocastOptions): ModeGuard
export function autocast<R>(options: AutocastOptions | (() => R) = {}, body?: () => R): R | ModeGuard {
  if (typeof options === 'function') return on_device('cpu', options)
  return body === undefined ? on_device('cpu', options) : on_device('cpu', options, body)
}
