/**
 * Whether a result is the expected one: torch.testing.assert_close with its default tolerances, on encoded data.
 * Shapes and dtypes must match, NaN equals NaN, integers and booleans must be equal.
 */
import type { Element, Encoded, EncodedTensor } from './cases.ts'
import { element, is_complex, is_list, is_tensor } from './cases.ts'

export interface Tolerance {
  readonly rtol: number
  readonly atol: number
}

const exact: Tolerance = { rtol: 0, atol: 0 }
/** The defaults of torch.testing.assert_close. */
const by_dtype: Record<string, Tolerance> = {
  float16: { rtol: 1e-3, atol: 1e-5 },
  bfloat16: { rtol: 1.6e-2, atol: 1e-5 },
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  float64: { rtol: 1e-7, atol: 1e-7 },
  complex64: { rtol: 1.3e-6, atol: 1e-5 },
  complex128: { rtol: 1e-7, atol: 1e-7 },
}

export const default_tolerance = (dtype: string): Tolerance => by_dtype[dtype] ?? exact

/** Tolerances that widen the default of each dtype they name. */
export type Widened = Readonly<Record<string, Tolerance>>

function close(expected: number, actual: number, { rtol, atol }: Tolerance): boolean {
  if (Object.is(expected, actual) || expected === actual) return true
  if (!Number.isFinite(expected) || !Number.isFinite(actual)) return false
  return Math.abs(actual - expected) <= atol + rtol * Math.abs(expected)
}

/** Complex numbers are close when their distance is small against the expected modulus, as for torch.isclose. */
function close_complex(expected: readonly number[], actual: readonly number[], t: Tolerance): boolean {
  if (expected.every((part, i) => part === actual[i])) return true
  if (expected.some(Number.isNaN)) return actual.some(Number.isNaN)
  if (![...expected, ...actual].every(Number.isFinite)) return false
  const distance = Math.hypot(actual[0]! - expected[0]!, actual[1]! - expected[1]!)
  return distance <= t.atol + t.rtol * Math.hypot(expected[0]!, expected[1]!)
}

const same = (a: Element, b: Element): boolean => {
  const [x, y] = [element(a), element(b)]
  if (typeof x === 'boolean' || typeof y === 'boolean') return x === y
  return typeof x === typeof y ? x === y : Number.isInteger(Number(x)) && BigInt(x) === BigInt(y)
}

function compare_tensor(
  expected: EncodedTensor,
  actual: EncodedTensor,
  widened: Widened,
): string | undefined {
  if (actual.$t !== expected.$t) return `dtype ${actual.$t}, expected ${expected.$t}`
  if (String(actual.s) !== String(expected.s)) return `shape [${actual.s}], expected [${expected.s}]`
  if (actual.v.length !== expected.v.length) return `${actual.v.length} values, expected ${expected.v.length}`
  const tolerance = widened[expected.$t] ?? default_tolerance(expected.$t)
  const step = is_complex(expected.$t) ? 2 : 1
  const equal = (i: number): boolean => {
    if (tolerance === exact) return same(expected.v[i]!, actual.v[i]!)
    const [want, got] = [expected.v, actual.v].map(v =>
      v.slice(i, i + step).map(x => Number(element(x))),
    ) as [number[], number[]]
    return step === 2 ? close_complex(want, got, tolerance) : close(want[0]!, got[0]!, tolerance)
  }
  let wrong = 0
  let first = -1
  for (let i = 0; i < expected.v.length; i += step) {
    if (equal(i)) continue
    if (wrong++ === 0) first = i
  }
  if (wrong === 0) return undefined
  const show = (v: readonly Element[]): string => v.slice(first, first + step).join(', ')
  return `${wrong} of ${expected.v.length / step} values differ: at ${first / step} ${show(actual.v)}, expected ${show(expected.v)}`
}

/** Why `actual` is not the expected result, or nothing where it is. */
export function compare(expected: Encoded, actual: Encoded, widened: Widened = {}): string | undefined {
  if (is_tensor(expected)) {
    return is_tensor(actual)
      ? compare_tensor(expected, actual, widened)
      : `${JSON.stringify(actual)} is no tensor`
  }
  if (is_list(expected)) {
    if (!is_list(actual)) return 'not a list'
    if (actual.length !== expected.length) return `a list of ${actual.length}, expected ${expected.length}`
    for (const [i, item] of expected.entries()) {
      const reason = compare(item, actual[i]!, widened)
      if (reason) return `[${i}] ${reason}`
    }
    return undefined
  }
  if (typeof expected === 'object' && expected !== null && '$f' in expected) {
    const want = Number(element(expected['$f'] as Element))
    if (typeof actual === 'number' && close(want, actual, default_tolerance('float64'))) return undefined
    return `${String(actual)}, expected ${want}`
  }
  return actual === expected ? undefined : `${String(actual)}, expected ${String(expected)}`
}
