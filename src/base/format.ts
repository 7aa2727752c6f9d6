/**
 * Numbers as text the way C++ and Python print them: in PyTorch's messages (%g) and in what programs print.
 * JavaScript rounds ties away from zero and switches to exponents elsewhere; that is all that differs.
 */

/** Whether a number may lie half-way between two of `decimals` decimals: only halves of them are that short in binary. */
const may_tie = (size: number, decimals: number): boolean =>
  Number.isInteger(size * 2 ** (Math.max(decimals, 0) + 1))

/** `text` with its last digit chosen by ties to even; `longer` is the same number with 20 digits more. */
function half_even(text: string, longer: string): string {
  const cut = longer.slice(0, -20)
  const tie = /^50{19}$/.test(longer.slice(-20)) && /[02468]\.?$/.test(cut)
  return tie ? cut.replace(/\.$/, '') : text
}

/** NaN and infinities by Python's names, or null for a finite number. */
function non_finite(x: number): string | null {
  if (Number.isFinite(x)) return null
  return Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf'
}

const sign_of = (x: number): string => (x < 0 || Object.is(x, -0) ? '-' : '')

/** `%.{digits}f`: 1.0000. At most 80 digits. */
export function fixed(x: number, digits: number): string {
  const special = non_finite(x)
  if (special !== null) return special
  const size = Math.abs(x)
  if (size >= 1e21) return `${sign_of(x)}${BigInt(size)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`
  const text = size.toFixed(digits)
  return sign_of(x) + (may_tie(size, digits) ? half_even(text, size.toFixed(digits + 20)) : text)
}

/** `%.{digits}e`: 1.0000e-05, the exponent with two digits at least. At most 80 digits. */
export function scientific(x: number, digits: number): string {
  const special = non_finite(x)
  if (special !== null) return special
  const size = Math.abs(x)
  const [mantissa, power] = size.toExponential(digits).split('e') as [string, string]
  let rounded = mantissa
  if (may_tie(size, digits - Number(power))) {
    const [longer, longer_power] = size.toExponential(digits + 20).split('e') as [string, string]
    // Where rounding carried over to the next power (9.99996e4) there is no even digit below to choose.
    if (power === longer_power) rounded = half_even(mantissa, longer)
  }
  return `${sign_of(x)}${rounded}${exponent_text(Number(power))}`
}

const exponent_text = (exponent: number): string =>
  `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`

/** The %g format: six significant digits, without trailing zeros. */
export function general(x: number): string {
  const special = non_finite(x)
  if (special !== null) return special
  const [mantissa, power] = scientific(Math.abs(x), 5).split('e') as [string, string]
  const exponent = Number(power)
  const plain = exponent >= -4 && exponent < 6
  return (
    sign_of(x) + (plain ? Number(`${mantissa}e${power}`) : `${Number(mantissa)}${exponent_text(exponent)}`)
  )
}

/**
 * A Python float as Python prints it: `29428666.0`, `1e-05`, `1e+16`, `nan`. The digits are JavaScript's (the fewest
 * that give the number back), the notation is Python's.
 */
export function python_float(x: number): string {
  const special = non_finite(x)
  if (special !== null) return special
  const [mantissa, power] = Math.abs(x).toExponential().split('e') as [string, string]
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) return `${sign_of(x)}${mantissa}${exponent_text(exponent)}`
  const digits = mantissa.replace('.', '')
  const whole = exponent < 0 ? '0' : digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = exponent < 0 ? '0'.repeat(-exponent - 1) + digits : digits.slice(exponent + 1)
  return `${sign_of(x)}${whole}.${fraction || '0'}`
}

/** A number, boolean or bigint as Python prints it: `True`, `3`; numbers are ints where they are whole. */
export function python_scalar(x: number | bigint | boolean): string {
  if (typeof x === 'boolean') return x ? 'True' : 'False'
  return typeof x === 'bigint' || Number.isInteger(x) ? String(BigInt(x)) : python_float(x)
}

/** A Python complex number as Python prints it: `(1+2j)`, `2j`. */
export function python_complex(real: number, imaginary: number): string {
  const part = (x: number): string => python_float(x).replace(/\.0$/, '')
  const im = part(imaginary)
  if (Object.is(real, 0)) return `${im}j`
  return `(${part(real)}${im.startsWith('-') ? '' : '+'}${im}j)`
}
