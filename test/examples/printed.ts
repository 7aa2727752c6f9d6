/** What a program prints, and how it compares with what PyTorch printed. Not a test itself. */
import { format } from 'node:util'
import { expect, vi } from 'vitest'

/** Runs `body` and gives back what it printed, with its result. */
export function printed<T>(body: () => T): { text: string; result: T } {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...args) => {
    lines.push(format(...args))
  })
  try {
    const result = body()
    return { text: lines.join('\n'), result }
  } finally {
    log.mockRestore()
  }
}

const NUMBER = /-?\d+\.\d+(?:e[+-]\d+)?/g

/** The same text; numbers that are printed with all their digits agree to five of them. */
export function expect_text(actual: string, wanted: string): void {
  const long = (text: string): string =>
    text.replace(NUMBER, n => (n.length > 9 && !n.includes('e') ? '#' : n))
  expect(long(actual)).toBe(long(wanted))
  const numbers = (text: string): number[] => (text.match(NUMBER) ?? []).map(Number)
  const expected = numbers(wanted)
  numbers(actual).forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(5e-5 * Math.abs(expected[i]!))
  })
}

/** Whether two numbers agree to five digits. */
export const agree = (a: number, b: number): boolean => Math.abs(a - b) <= 5e-5 * Math.abs(b)
