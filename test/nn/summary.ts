// What of a tensor is recorded where the numbers would be many: sizes, the first and last, and a sum that each enters with
// a weight of its own (see `summary` in test/data/nn/transformer.py).
import type * as torch from '../../src/index.ts'

export type Summary = { s: number[]; v: number[]; sum: number }

/** The difference between a tensor and its summary, in words, or nothing. */
export function summary_difference(
  got: torch.Tensor | null,
  expected: Summary | null,
  tolerance = 2e-5,
): string | undefined {
  if (got === null || expected === null)
    return got === null && expected === null ? undefined : `got ${got}, expected ${JSON.stringify(expected)}`
  if (got.shape.join() !== expected.s.join()) return `size [${got.shape.join()}], expected [${expected.s}]`
  const flat = (got.detach().reshape([-1]).tolist() as (number | bigint | boolean)[]).map(Number)
  const scale = flat.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
  const ends = [...flat.slice(0, 4), ...flat.slice(-4)]
  if (ends.length !== expected.v.length) return `${ends.length} ends, expected ${expected.v.length}`
  for (const [i, x] of ends.entries())
    if (!(Math.abs(x - expected.v[i]!) <= tolerance * scale))
      return `end ${i}: ${x}, expected ${expected.v[i]}`
  const sum = flat.reduce((a, x, i) => a + x * Math.cos(i + 1), 0)
  if (!(Math.abs(sum - expected.sum) <= tolerance * scale * Math.sqrt(Math.max(flat.length, 1))))
    return `sum ${sum}, expected ${expected.sum}`
  return undefined
}

/** The differences of tensors by name, each after its name; names that only one side has are differences. */
export function summary_differences(
  got: Readonly<Record<string, torch.Tensor | null>>,
  expected: Readonly<Record<string, Summary | null>>,
): string[] {
  if (Object.keys(got).join() !== Object.keys(expected).join())
    return [`names ${Object.keys(got)}, expected ${Object.keys(expected)}`]
  return Object.entries(expected).flatMap(([name, summary]) => {
    const found = summary_difference(got[name]!, summary)
    return found === undefined ? [] : [`${name} ${found}`]
  })
}
