// Parameters that do not fit and values outside of the support, with PyTorch's words.
import { describe, expect, it } from 'vitest'
import type * as torch from '../../src/index.ts'
import { attempt, build, load, mismatch, type Recorded, type Spec } from './cases.ts'

type Case = { of: Spec; made?: Recorded; value?: Spec; log_prob?: Recorded }
const cases = load<Case>('errors')
const text = (spec: Spec): string => JSON.stringify(spec)

/** Python errors that JavaScript has no equal of: what is not found, or not called as Python calls it. */
const untranslated = /^(AttributeError|TypeError)$/

describe('the arguments of distributions and transforms', () => {
  it.each(cases.filter(c => c.made !== undefined).map(c => [text(c.of), c] as const))('%s', (_, c) => {
    const expected = c.made as { error?: string } | string
    const got = attempt(() => String(build(c.of)))
    if (typeof expected === 'object' && untranslated.test(expected.error ?? ''))
      expect(got).toHaveProperty('error')
    else expect(mismatch(got, c.made)).toBeUndefined()
  })
})

describe('log_prob of a value that may be outside of the support', () => {
  it.each(
    cases
      .filter(c => c.value !== undefined)
      .map(c => [`${text(c.of)} at ${text(c.value as Spec)}`, c] as const),
  )('%s', (_, c) => {
    const p = build(c.of) as torch.distributions.Distribution
    const value = build(c.value as Spec) as torch.Tensor
    expect(
      mismatch(
        attempt(() => p.log_prob(value)),
        c.log_prob,
      ),
    ).toBeUndefined()
  })
})
