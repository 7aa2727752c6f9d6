// detect_anomaly: remembers where each node was made, and stops backward where a gradient turns NaN.
import { type ModeGuard, modes } from '../tensor/tape.ts'

/** Anomaly detection during `body`, or until the guard is disposed. */
export function detect_anomaly<R>(body: () => R): R
export function detect_anomaly(): ModeGuard
export function detect_anomaly<R>(body?: () => R): R | ModeGuard {
  return switched(true, body)
}

/** Turns anomaly detection on or off: for good, or for `body`, or until the guard is disposed. */
export function set_detect_anomaly<R>(mode: boolean, body: () => R): R
export function set_detect_anomaly(mode: boolean): ModeGuard
export function set_detect_anomaly<R>(mode: boolean, body?: () => R): R | ModeGuard {
  return switched(mode, body)
}

/** Whether anomaly detection is on. */
export const is_anomaly_enabled = (): boolean => modes.anomaly
/** Whether anomaly detection looks for NaN. */
export const is_anomaly_check_nan_enabled = (): boolean => modes.anomaly_nan
/** Turns anomaly detection on or off for good, and with it the search for NaN. */
export function set_anomaly_enabled(enabled: boolean, check_nan = true): void {
  modes.anomaly = enabled
  modes.anomaly_nan = check_nan
}

function switched<R>(mode: boolean, body: (() => R) | undefined): R | ModeGuard {
  const before = modes.anomaly
  modes.anomaly = mode
  const guard: ModeGuard = {
    [Symbol.dispose]() {
      modes.anomaly = before
    },
  }
  if (body === undefined) return guard
  try {
    return body()
  } finally {
    guard[Symbol.dispose]()
  }
}
