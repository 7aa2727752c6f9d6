// Settings of the whole library under PyTorch's names, and flags that say what it was built with: determinism, precision,
// warnings. Not here: threads (type_info.ts), the default dtype (base/dtype.ts), the generator (rng.ts).
import { RuntimeError } from '../base/errors.ts'
import { is_warning_always, warn, warn_always } from '../base/warn.ts'
import { is_options, type_name } from '../tensor/schema.ts'

/** 0: nothing is said about ops that are not deterministic, 1: a warning, 2: an error. There are no such ops. */
let debug_mode: 0 | 1 | 2 = 0

/** Whether only deterministic algorithms may be used. Every op is deterministic, for any number of threads. */
export function use_deterministic_algorithms(mode: boolean, options: { warn_only?: boolean } = {}): void {
  if (typeof mode !== 'boolean')
    throw new TypeError(
      `_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not ${type_name(mode)}`,
    )
  if (!is_options(options))
    throw new TypeError('use_deterministic_algorithms() takes 1 positional argument but 2 were given')
  debug_mode = mode ? ((options.warn_only ?? false) ? 1 : 2) : 0
}
export const are_deterministic_algorithms_enabled = (): boolean => debug_mode > 0
export const is_deterministic_algorithms_warn_only_enabled = (): boolean => debug_mode === 1

const debug_modes = ['default', 'warn', 'error']

/** What {@link use_deterministic_algorithms} sets, as 0 or 'default', 1 or 'warn', 2 or 'error'. */
export function set_deterministic_debug_mode(mode: number | string): void {
  if (typeof mode !== 'number' && typeof mode !== 'string')
    throw new TypeError(`debug_mode must be str or int, but got ${type_name(mode)}`)
  const meant = typeof mode === 'string' ? debug_modes.indexOf(mode) : mode
  if (typeof mode === 'string' && meant < 0)
    throw new RuntimeError(
      `invalid value of debug_mode, expected one of \`default\`, \`warn\`, \`error\`, but got ${mode}`,
    )
  if (meant !== 0 && meant !== 1 && meant !== 2)
    throw new RuntimeError(`invalid value of debug_mode, expected 0, 1, or 2, but got ${mode}`)
  debug_mode = meant
}
export const get_deterministic_debug_mode = (): number => debug_mode

const precisions = ['highest', 'high', 'medium']
let precision = 'highest'

/** How exact products of float32 matrices have to be. They are computed in float32 whatever is set. */
export function set_float32_matmul_precision(wanted: string): void {
  if (precisions.includes(wanted)) precision = wanted
  else
    warn(
      `${wanted} is not one of 'highest', 'high', or 'medium'; the current setFloat32MatmulPrecision call has no effect.`,
    )
}
export const get_float32_matmul_precision = (): string => precision

/** Whether denormal numbers could be made zero: false, no device does that. */
export const set_flush_denormal = (_mode: boolean): boolean => false

/** Whether each warning is printed whenever there is reason for it, not only once. */
export function set_warn_always(always: boolean): void {
  if (typeof always !== 'boolean')
    throw new TypeError(`setWarnOnlyOnce_() expects a bool, but got ${type_name(always)}`)
  warn_always(always)
}
export const is_warn_always_enabled = (): boolean => is_warning_always()

export const has_cuda = false
export const has_cudnn = false
export const has_mkl = false
export const has_mkldnn = false
export const has_mps = false
export const has_openmp = false
/** Linear algebra works. */
export const has_lapack = true
/** The Fourier transforms work. */
export const has_spectral = true
