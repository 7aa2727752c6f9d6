/** Numbers as C++ streams print them, which is how they stand in PyTorch's messages. */

/** The %g format: six significant digits, ties to even (toPrecision breaks them upwards). */
export function general(x: number): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf'
  const tie = /^(-?\d\.\d{4}[02468])50*(e.*)$/.exec(x.toExponential(20))
  const [mantissa, power] = (tie ? `${tie[1]}${tie[2]}` : x.toExponential(5)).split('e') as [string, string]
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return String(Number(`${mantissa}e${power}`))
  return `${Number(mantissa)}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}
