// What the tests of torch.func share: PyTorch's recorded values (test/data/func/make.py) and tensors by formula.
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import * as torch from '../../src/index.ts'

type Data = { sizes: number[]; values: (number | boolean)[] } | Data[] | { [key: string]: Data }

export const expected = JSON.parse(
  readFileSync(new URL('../data/func/expected.json', import.meta.url), 'utf8'),
) as {
  cases: Record<string, Data>
  errors: Record<string, { type: string; message: string }>
  random: Record<string, Data>
}

/** The tensor that make.py calls v: a sine, in float64. */
export function v(sizes: readonly number[] = [], salt = 0): torch.Tensor {
  const n = sizes.reduce((a, b) => a * b, 1)
  const numbers = Array.from({ length: n }, (_, i) => Math.sin(i * 0.7 + salt))
  return torch.tensor(numbers, { dtype: torch.float64 }).reshape([...sizes])
}

const is_tensor_data = (data: Data): data is { sizes: number[]; values: (number | boolean)[] } =>
  !Array.isArray(data) && 'values' in data && 'sizes' in data

/** Compares a tree of tensors with recorded data, by name and by position. */
export function agrees(actual: unknown, wanted: Data, digits = 9, path = ''): void {
  if (is_tensor_data(wanted)) {
    const t = actual as torch.Tensor
    expect(t, path).toBeInstanceOf(torch.Tensor)
    expect([...t.shape], path).toEqual(wanted.sizes)
    const numbers = t.detach().reshape([-1]).tolist() as number[]
    numbers.forEach((x, i) => {
      expect(Number(x), `${path} at ${i}`).toBeCloseTo(Number(wanted.values[i]), digits)
    })
    return
  }
  if (Array.isArray(wanted)) {
    expect((actual as unknown[]).length, path).toBe(wanted.length)
    wanted.forEach((w, i) => {
      agrees((actual as unknown[])[i], w, digits, `${path}[${i}]`)
    })
    return
  }
  expect(Object.keys(actual as object).sort(), path).toEqual(Object.keys(wanted).sort())
  for (const [key, w] of Object.entries(wanted))
    agrees((actual as Record<string, unknown>)[key], w, digits, `${path}.${key}`)
}

export const matches = (name: string, actual: unknown): void => {
  const wanted = expected.cases[name]
  expect(wanted, `no recorded case '${name}'`).toBeDefined()
  agrees(actual, wanted!)
}
