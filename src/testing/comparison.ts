// torch.testing.assert_close: compares tensors, numbers, and lists and objects of them, and says how they differ in PyTorch's
// words. Not here: making what is compared (creation.ts).
import { AssertionError, ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import {
  type DType,
  _is_options as is_options,
  _python_float as python_float,
  _python_scalar as python_scalar,
  type Tensor,
  _type_name as type_name,
  _warn as warn,
} from '../torch.ts'

export type CloseOptions = {
  /** the relative and the absolute tolerance, both or none: then they follow from the dtypes */
  rtol?: number | null
  atol?: number | null
  equal_nan?: boolean
  check_device?: boolean
  check_dtype?: boolean
  check_layout?: boolean
  check_stride?: boolean
  allow_subclasses?: boolean
  /** said instead of what differs, or made from it */
  msg?: string | ((text: string) => string) | null
}

type Path = readonly (string | number)[]

/** What differs, on its way to the error that says so. */
class Difference extends Error {
  readonly kind: new (
    text: string,
  ) => Error
  constructor(kind: new (text: string) => Error, text: string, path: Path) {
    const item = path.map(key => `[${typeof key === 'string' ? `'${key}'` : key}]`).join('')
    super(path.length === 0 ? text : `${text}\n\nThe failure occurred for item ${item}`)
    this.kind = kind
  }
}

const precisions: Readonly<Record<string, readonly [rtol: number, atol: number]>> = {
  float16: [1e-3, 1e-5],
  bfloat16: [1.6e-2, 1e-5],
  float32: [1.3e-6, 1e-5],
  float64: [1e-7, 1e-7],
  complex64: [1.3e-6, 1e-5],
  complex128: [1e-7, 1e-7],
}

function tolerances(dtypes: readonly DType[], { rtol, atol }: CloseOptions, path: Path): [number, number] {
  const [r, a] = [rtol ?? null, atol ?? null]
  if ((r === null) !== (a === null))
    throw new Difference(
      ValueError,
      `Both 'rtol' and 'atol' must be either specified or omitted, but got no ${r === null ? 'rtol' : 'atol'}.`,
      path,
    )
  if (r !== null && a !== null) return [r, a]
  const found = dtypes.map(d => precisions[d.name] ?? [0, 0])
  return [Math.max(...found.map(p => p[0])), Math.max(...found.map(p => p[1]))]
}

// ---------------------------------------------------------------------------------------------- what differs, in words

type Difference_of = { readonly size: string; readonly at?: readonly number[] }

function mismatch(
  what: string,
  extra: string,
  absolute: Difference_of,
  relative: Difference_of,
  [rtol, atol]: readonly [number, number],
): string {
  const equality = rtol === 0 && atol === 0
  const line = (kind: string, { size, at }: Difference_of, tolerance: number): string => {
    const index = at && `(${at.join(', ')}${at.length === 1 ? ',' : ''})`
    const found = at
      ? `Greatest ${kind} difference: ${size} at index ${index}`
      : `${kind[0]!.toUpperCase()}${kind.slice(1)} difference: ${size}`
    return equality ? found : `${found} (up to ${python_scalar(tolerance)} allowed)`
  }
  return `${what} are not ${equality ? 'equal' : 'close'}!\n\n${extra}${line('absolute', absolute, atol)}\n${line('relative', relative, rtol)}`
}

function place(flat: number, sizes: readonly number[]): number[] {
  const index: number[] = []
  for (const n of [...sizes].reverse()) {
    index.unshift(flat % n)
    flat = Math.floor(flat / n)
  }
  return index
}

function tensor_mismatch(
  actual: Tensor,
  expected: Tensor,
  matches: Tensor,
  tolerance: readonly [number, number],
): string {
  const whole = !actual.is_floating_point() && !actual.is_complex()
  const text = (x: number): string => (whole ? String(x) : python_float(x))
  const away = actual.sub(expected).abs()
  if (actual.ndim === 0) {
    const [difference, size] = [Number(away.item()), Number(expected.abs().item())]
    const relative = size === 0 ? Number.POSITIVE_INFINITY : difference / size
    return mismatch('Scalars', '', { size: text(difference) }, { size: python_float(relative) }, tolerance)
  }
  const n = matches.numel()
  const wrong = n - Number(matches.sum().item())
  const greatest = (t: Tensor): [number, number[]] => {
    const flat = t.masked_fill(matches, 0).flatten()
    const { values: value, indices: index } = flat.max(0)
    return [Number(value.item()), place(Number(index.item()), matches.shape)]
  }
  const [absolute, at] = greatest(away)
  const [relative, relative_at] = greatest(away.div(expected.abs()))
  return mismatch(
    'Tensor-likes',
    `Mismatched elements: ${wrong} / ${n} (${((100 * wrong) / n).toFixed(1)}%)\n`,
    { size: text(absolute), at },
    { size: python_float(relative), at: relative_at },
    tolerance,
  )
}

// ---------------------------------------------------------------------------------------------- comparing

function compare_tensors(actual: Tensor, expected: Tensor, options: CloseOptions, path: Path): void {
  const tolerance = tolerances([actual.dtype, expected.dtype], options, path)
  const same = (name: string, a: unknown, b: unknown): void => {
    if (String(a) !== String(b))
      throw new Difference(
        AssertionError,
        `The values for attribute '${name}' do not match: ${String(a)} != ${String(b)}.`,
        path,
      )
  }
  same('shape', actual.shape, expected.shape)
  const strides = (t: Tensor): string => `(${t.stride().join(', ')}${t.ndim === 1 ? ',' : ''})`
  if (options.check_stride ?? false) same('stride()', strides(actual), strides(expected))
  if (options.check_dtype ?? true) same('dtype', actual.dtype, expected.dtype)
  const common = torch.promote_types(actual.dtype, expected.dtype)
  const wide = common.is_complex ? torch.complex128 : common.is_floating_point ? torch.float64 : torch.int64
  const [a, b] = [actual, expected].map(t => t.detach().to(common).to(wide)) as [Tensor, Tensor]
  const [rtol, atol] = tolerance
  const matches = torch.isclose(a, b, { rtol, atol, equal_nan: options.equal_nan ?? false })
  if (matches.all().item() !== true)
    throw new Difference(AssertionError, tensor_mismatch(a, b, matches, tolerance), path)
}

function compare_numbers(actual: number, expected: number, options: CloseOptions, path: Path): void {
  const whole = Number.isInteger(actual) && Number.isInteger(expected)
  const dtype = whole ? torch.int64 : torch.float64
  const tolerance = tolerances([dtype], options, path)
  if (actual === expected) return
  if ((options.equal_nan ?? false) && Number.isNaN(actual) && Number.isNaN(expected)) return
  const away = Math.abs(actual - expected)
  if (Number.isFinite(away) && away <= tolerance[1] + tolerance[0] * Math.abs(expected)) return
  const relative = expected === 0 ? Number.POSITIVE_INFINITY : away / Math.abs(expected)
  const [absolute_text, relative_text] = [whole ? String(away) : python_float(away), python_float(relative)]
  throw new Difference(
    AssertionError,
    mismatch('Scalars', '', { size: absolute_text }, { size: relative_text }, tolerance),
    path,
  )
}

const is_list = (x: unknown): x is readonly unknown[] => Array.isArray(x)
const entries_of = (x: unknown): Map<string, unknown> | null => {
  if (x instanceof Map) return new Map([...x].map(([key, value]) => [String(key), value]))
  return is_options(x) ? new Map(Object.entries(x)) : null
}

const python_list = (names: readonly string[]): string =>
  `[${names
    .map(name => `'${name}'`)
    .sort()
    .join(', ')}]`

const class_of = (x: unknown): string =>
  `<class '${x instanceof torch.Tensor ? 'torch.Tensor' : x === null || x === undefined ? 'NoneType' : type_name(x)}'>`

function compare(actual: unknown, expected: unknown, options: CloseOptions, path: Path): void {
  if (is_list(actual) && is_list(expected)) {
    if (actual.length !== expected.length)
      throw new Difference(
        AssertionError,
        `The length of the sequences mismatch: ${actual.length} != ${expected.length}`,
        path,
      )
    for (const [i, x] of actual.entries()) compare(x, expected[i], options, [...path, i])
    return
  }
  const [mine, theirs] = [entries_of(actual), entries_of(expected)]
  if (mine !== null && theirs !== null) {
    const missing = [...theirs.keys()].filter(key => !mine.has(key))
    const additional = [...mine.keys()].filter(key => !theirs.has(key))
    if (missing.length + additional.length > 0)
      throw new Difference(
        AssertionError,
        `The keys of the mappings do not match:\nMissing keys in the actual mapping: ${python_list(missing)}\nAdditional keys in the actual mapping: ${python_list(additional)}`,
        path,
      )
    for (const key of [...mine.keys()].sort())
      compare(mine.get(key), theirs.get(key), options, [...path, key])
    return
  }
  const text = (x: unknown): string =>
    x === null || x === undefined ? 'None' : x === true ? 'True' : x === false ? 'False' : String(x)
  const nothing = (x: unknown): boolean => x === null || x === undefined
  if (nothing(actual) || nothing(expected)) {
    if (!nothing(actual) || !nothing(expected))
      throw new Difference(AssertionError, `None mismatch: ${text(actual)} is not ${text(expected)}`, path)
  } else if (typeof actual === 'boolean' && typeof expected === 'boolean') {
    if (actual !== expected)
      throw new Difference(
        AssertionError,
        `Booleans mismatch: ${text(actual)} is not ${text(expected)}`,
        path,
      )
  } else if (typeof actual === 'number' && typeof expected === 'number')
    compare_numbers(actual, expected, options, path)
  else if (actual instanceof torch.Tensor && expected instanceof torch.Tensor)
    compare_tensors(actual, expected, options, path)
  else if (ArrayBuffer.isView(actual) && ArrayBuffer.isView(expected))
    compare_tensors(
      torch.as_tensor(actual as Float32Array),
      torch.as_tensor(expected as Float32Array),
      options,
      path,
    )
  else
    throw new Difference(
      TypeError,
      `No comparison pair was able to handle inputs of type ${class_of(actual)} and ${class_of(expected)}.`,
      path,
    )
}

/**
 * Throws AssertionError where `actual` and `expected` are not close, that is where |actual - expected| exceeds `atol + rtol
 * |expected|`. Both are tensors, typed arrays, numbers, booleans, null, or arrays, Maps or plain objects of them. As JavaScript
 * has one number type, numbers are compared as integers where both are whole.
 */
export function assert_close(actual: unknown, expected: unknown, options: CloseOptions = {}): void {
  try {
    compare(actual, expected, options, [])
  } catch (error) {
    if (!(error instanceof Difference)) throw error
    const { msg } = options
    const text = typeof msg === 'function' ? msg(error.message) : (msg ?? error.message)
    throw new error.kind(text)
  }
}

const old_precisions: Readonly<Record<string, readonly [rtol: number, atol: number]>> = {
  float16: [1e-3, 1e-3],
  float32: [1e-4, 1e-5],
  float64: [1e-5, 1e-8],
}

/** {@link assert_close} of any dtypes, with looser tolerances and NaN equal to NaN. Deprecated. */
export function assert_allclose(
  actual: Tensor | torch._TensorData,
  expected: Tensor | torch._TensorData,
  rtol: number | null = null,
  atol: number | null = null,
  equal_nan = true,
  msg = '',
): void {
  warn(
    'torch.testing.assert_allclose() is deprecated since 1.12 and will be removed in 1.14. Use torch.testing.assert_close() instead. ' +
      'For detailed upgrade instructions see https://github.com/pytorch/pytorch/issues/61844.',
  )
  const a = actual instanceof torch.Tensor ? (actual as Tensor) : torch.tensor(actual)
  const b =
    expected instanceof torch.Tensor ? (expected as Tensor) : torch.tensor(expected, { dtype: a.dtype })
  const found = [a, b].map(t => old_precisions[t.dtype.name] ?? [0, 0])
  const none = rtol === null && atol === null
  assert_close(a, b, {
    rtol: none ? Math.max(...found.map(p => p[0]!)) : rtol,
    atol: none ? Math.max(...found.map(p => p[1]!)) : atol,
    equal_nan,
    check_dtype: false,
    msg: msg === '' ? null : msg,
  })
}
