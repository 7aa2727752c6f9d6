// Specification of torch.testing: when assert_close throws and what it says, and the numbers that make_tensor draws, as
// recorded from PyTorch (test/data/testing).
import { describe, expect, test, vi } from 'vitest'
import * as torch from '../../src/index.ts'
import recorded from '../data/testing/expected.json' with { type: 'json' }

const { testing } = torch
type Options = Record<string, unknown>
type Case = { actual: unknown; expected: unknown; options: Options; error?: string; message?: string }
const { cases, drawn, errors } = recorded as unknown as {
  cases: Case[]
  drawn: { size: number[]; dtype: string; options: Options; values: unknown; stride: number[] }[]
  errors: { dtype: string; options: Options; error: string; message: string }[]
}
const dtype_of = (name: string): torch.dtype => (torch as unknown as Record<string, torch.dtype>)[name]!

/** Tensors are written `{ t: values, d: dtype }`. */
function decode(x: unknown): unknown {
  if (x === 'nan') return Number.NaN
  if (x === 'inf') return Number.POSITIVE_INFINITY
  if (Array.isArray(x)) return x.map(decode)
  if (typeof x !== 'object' || x === null) return x
  const given = x as { t?: unknown; d?: string }
  if (given.t !== undefined)
    return torch.tensor(decode(given.t) as number[], { dtype: dtype_of(given.d as string) })
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, decode(value)]))
}

function thrown(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'nothing'
}

describe('assert_close says what PyTorch says:', () => {
  test.each(cases.map(c => [JSON.stringify([c.actual, c.expected, c.options]), c] as const))('%s', (_, c) => {
    const said = thrown(() => testing.assert_close(decode(c.actual), decode(c.expected), c.options))
    expect(said).toBe(c.error === undefined ? 'nothing' : `${c.error}: ${c.message}`)
  })

  test('compares typed arrays and Maps too, and lets a function say more', () => {
    testing.assert_close(new Float32Array([1, 2]), new Float32Array([1, 2]))
    const [a, b] = [new Map([['x', 1.5]]), new Map([['x', 2.5]])]
    expect(thrown(() => testing.assert_close(a, b, { msg: text => `Here:\n${text}` }))).toMatch(
      /^AssertionError: Here:\nScalars are not close!(.|\n)*The failure occurred for item \['x'\]$/,
    )
  })

  test('sees strides only when asked to', () => {
    const x = torch.arange(6).view(2, 3)
    const other = x.t().contiguous().t()
    testing.assert_close(x, other)
    expect(thrown(() => testing.assert_close(x, other, { check_stride: true }))).toBe(
      "AssertionError: The values for attribute 'stride()' do not match: (3, 1) != (1, 2).",
    )
  })
})

test('assert_allclose is looser, and takes lists', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  testing.assert_allclose(torch.tensor([1.5, Number.NaN]), [1.50001, Number.NaN])
  expect(() => testing.assert_allclose(torch.tensor([1.5]), [1.6])).toThrow(torch.AssertionError)
  expect(warn.mock.calls.flat().join()).toContain('torch.testing.assert_allclose() is deprecated')
  warn.mockRestore()
})

describe('make_tensor draws what PyTorch draws:', () => {
  test.each(drawn.map(d => [`${d.dtype} [${d.size}] ${JSON.stringify(d.options)}`, d] as const))(
    '%s',
    (_, d) => {
      torch.manual_seed(3)
      const made = testing.make_tensor(...d.size, { dtype: dtype_of(d.dtype), device: 'cpu', ...d.options })
      expect(made.stride()).toEqual(d.stride)
      const plain = made.is_complex() ? torch.view_as_real(made) : made
      const wanted = torch.tensor(d.values as number[], { dtype: plain.dtype }).view(plain.shape)
      testing.assert_close(plain, wanted, { rtol: 1e-6, atol: 1e-6 })
    },
  )

  test.each(errors.map(e => [e.message, e] as const))('%s', (_, e) => {
    const options = decode(e.options) as Options
    const said = thrown(() => testing.make_tensor(2, { dtype: dtype_of(e.dtype), ...options }))
    expect(said).toBe(`${e.error}: ${e.message}`)
  })
})

test('make_non_contiguous keeps the values', () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const made = testing.make_non_contiguous(torch.arange(6).view(2, 3))
  expect(made.is_contiguous()).toBe(false)
  expect(made.tolist()).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ])
  vi.restoreAllMocks()
})
