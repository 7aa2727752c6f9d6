// Numbers by formula, shared with test/data/nn/module_suite.py: inputs need not be stored as data.
import * as torch from '../../src/index.ts'

export type Data = { t: string; s: number[]; v: (number | string | boolean)[] }

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1)

const formulas: Record<string, (r: number) => number> = {
  float: r => (r / 997) * 3 - 1.5,
  prob: r => (r + 1) / 999,
  pos: r => (r / 997) * 1.5 + 0.5,
  sign: r => (r % 2 ? 1 : -1),
  lprob: r => -(r + 1) / 500,
}

/** A tensor of `sizes`, of one of the kinds that test/data/nn/module_suite.py names; complex numbers have parts of two salts. */
export function values(
  sizes: readonly number[],
  kind: string,
  salt: number,
  dtype: torch.DType = torch.float32,
): torch.Tensor {
  const numbers = Array.from({ length: product(sizes) }, (_, i) => i)
  const raw = numbers.map(i => ((i + 1) * 7919 + salt * 104729) % 997)
  const [name, given] = kind.split(':') as [string, string | undefined]
  const ints = (x: number[]): torch.Tensor => torch.tensor(x, { dtype: torch.int64 }).reshape([...sizes])
  if (name === 'int') return ints(raw.map(r => r % Number(given)))
  if (name === 'even') return ints(numbers.map(i => (i % Number(given)) * 2))
  if (dtype.is_complex) {
    const part = dtype === torch.complex128 ? torch.float64 : torch.float32
    return torch.complex(values(sizes, kind, salt, part), values(sizes, kind, salt + 5, part))
  }
  return torch.tensor(raw.map(formulas[kind]!), { dtype }).reshape([...sizes])
}

/** What results are multiplied with before they are summed and differentiated. */
export function cotangent(t: torch.Tensor): torch.Tensor {
  const weights = Array.from({ length: t.numel() }, (_, i) => ((i % 7) - 3) / 4 + 0.25)
  return torch.tensor(weights, { dtype: t.dtype }).reshape(t.shape)
}

const number = (x: number | string | boolean): number =>
  typeof x === 'string' ? ({ nan: Number.NaN, inf: Infinity, '-inf': -Infinity }[x] as number) : Number(x)

/** The difference between a tensor and what was recorded, in words, or nothing. */
export function difference(
  got: torch.Tensor | null,
  expected: Data | null,
  tolerance = 1e-5,
): string | undefined {
  if (got === null || expected === null)
    return got === null && expected === null ? undefined : `got ${got}, expected ${JSON.stringify(expected)}`
  if (got.dtype.name !== expected.t) return `dtype ${got.dtype.name}, expected ${expected.t}`
  if (got.shape.join() !== expected.s.join()) return `size [${got.shape}], expected [${expected.s}]`
  const flat = got.detach().reshape([-1]).tolist() as (number | bigint | boolean)[]
  const scale = Math.max(1, ...expected.v.map(x => Math.abs(number(x))).filter(Number.isFinite))
  for (let i = 0; i < flat.length; i++) {
    const [a, b] = [Number(flat[i]), number(expected.v[i]!)]
    if (Object.is(a, b) || a === b) continue
    if (!(Math.abs(a - b) <= tolerance * scale)) return `at ${i}: ${a}, expected ${b}`
  }
  return undefined
}
