// The special functions that JavaScript's Math lacks, in float64: the reference values of the primitives.
// Plain textbook series and continued fractions (Abramowitz & Stegun, chapters 6 and 7), slow and accurate.
// Not here: the fast approximations that compiled kernels use (lower/).

const SQRT_PI = Math.sqrt(Math.PI)

/** exp(-x * x) without the error of rounding the square. */
function gauss(x: number): number {
  const head = Math.fround(x)
  return Math.exp(-head * head) * Math.exp((head - x) * (head + x))
}

/** A&S 7.1.5, for |x| <= 1. */
function erf_series(x: number): number {
  const square = x * x
  let sum = 0
  let term = 1
  for (let n = 0; Math.abs(term) > 1e-18; n++) {
    sum += term / (2 * n + 1)
    term *= -square / (n + 1)
  }
  return (2 / SQRT_PI) * x * sum
}

/** A&S 7.1.14, a continued fraction evaluated from its tail, for x >= 1/2. */
function erfc_fraction(x: number): number {
  if (x > 28) return 0 // below the smallest subnormal
  let fraction = x
  for (let n = Math.ceil(20 + 200 / (x * x)); n > 0; n--) fraction = x + n / 2 / fraction
  return gauss(x) / (SQRT_PI * fraction)
}

/** The error function. */
export function erf(x: number): number {
  if (Math.abs(x) <= 1) return erf_series(x)
  return x > 0 ? 1 - erfc_fraction(x) : erfc_fraction(-x) - 1
}

/** 1 - erf(x), to full relative precision where it is small. */
export function erfc(x: number): number {
  if (x > 0.5) return erfc_fraction(x)
  return x < -1 ? 2 - erfc_fraction(-x) : 1 - erf_series(x)
}

/** The inverse of erf: a first guess (Winitzki) and Newton steps on erf, or on erfc near the ends. */
export function erfinv(x: number): number {
  const a = Math.abs(x)
  if (!(a < 1)) return a === 1 ? x * Infinity : NaN
  if (x === 0) return x
  const rest = 1 - a
  const w = Math.log(rest * (1 + a))
  const k = 2 / (Math.PI * 0.147) + w / 2
  let y = Math.sqrt(Math.sqrt(k * k - w / 0.147) - k)
  for (let i = 0; i < 4; i++) {
    const error = a < 0.5 ? erf(y) - a : rest - erfc(y)
    const step = error / ((2 / SQRT_PI) * gauss(y))
    y -= step / (1 + y * step) // Halley
  }
  return x < 0 ? -y : y
}

const EULER_GAMMA = 0.5772156649015329

/** zeta(k) - 1 for k = 2..: direct terms and the Euler-Maclaurin tail. */
const zeta_minus_one: readonly number[] = Array.from({ length: 40 }, (_, i) => {
  const k = i + 2
  const n = 12
  let tail = n ** (1 - k) / (k - 1) - n ** -k / 2
  let factor = k * n ** (-k - 1)
  const bernoulli = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160]
  bernoulli.forEach((b, j) => {
    tail += b * factor
    factor *= ((k + 2 * j + 1) * (k + 2 * j + 2)) / (n * n)
  })
  let sum = tail
  for (let m = n; m >= 2; m--) sum += m ** -k
  return sum
})

/** log gamma(2 + z) for |z| <= 1/2: A&S 6.1.33. */
function lgamma_near_two(z: number): number {
  let sum = 0
  for (let i = zeta_minus_one.length - 1; i >= 0; i--) sum = zeta_minus_one[i]! / (i + 2) - z * sum
  return z * (1 - EULER_GAMMA + z * sum)
}

/** log |gamma(x)|; infinite at 0 and the negative integers. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x
  if (x === Infinity || x === -Infinity) return Infinity
  if (x <= 0) {
    if (x === Math.floor(x)) return Infinity
    if (x > -1e-30) return -Math.log(-x)
    return Math.log(Math.PI / Math.abs(x * sin_pi(x))) - lgamma(-x)
  }
  if (x < 0.5) return lgamma_near_two(x) - Math.log(x) - Math.log1p(x)
  if (x < 1.5) return lgamma_near_two(x - 1) - Math.log1p(x - 1)
  if (x <= 2.5) return lgamma_near_two(x - 2)
  if (x < 12) {
    let product = 1
    while (x > 2.5) product *= --x
    return lgamma_near_two(x - 2) + Math.log(product)
  }
  return (x - 0.5) * (Math.log(x) - 1) + (0.5 * Math.log(2 * Math.PI) - 0.5) + stirling(x)
}

/** The series of A&S 6.1.40 in 1 / x, for x >= 12. */
function stirling(x: number): number {
  const w = 1 / (x * x)
  return (
    [-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12].reduce((s, c) => s * w + c, 1 / 156) / x
  )
}

function sin_pi(x: number): number {
  const rest = x % 2
  return Math.abs(rest) === 1 ? 0 : Math.sin(Math.PI * rest)
}

/** The derivative of log gamma; at 0 infinite with the sign of -x, at negative integers NaN. */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity
  if (x === Infinity) return x
  if (x < 0) {
    if (x === Math.floor(x)) return NaN
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1))
  }
  let shift = 0
  for (; x < 12; x++) shift += 1 / x
  const w = 1 / (x * x)
  const series = [-691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12].reduce(
    (s, c) => s * w + c,
    1 / 12,
  )
  return Math.log(x) - 0.5 / x - series * w - shift
}
