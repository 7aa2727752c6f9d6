// Specification of functions that need few words: windows, copies of views, products, norms, and what PyTorch has in torch as
// well as in nn.functional, each against PyTorch's values, gradients and errors (test/data/functions).
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { find_call } from '../../scripts/conformance/call.ts'
import type { Case } from '../../scripts/conformance/cases.ts'
import { decode, type Torch } from '../../scripts/conformance/codec.ts'
import { run_case } from '../../scripts/conformance/score.ts'
import * as torch from '../../src/index.ts'

type Failing = Pick<Case, 'op' | 'args' | 'kw'> & { readonly error: string; readonly message: string }
const { cases, errors } = JSON.parse(
  readFileSync(new URL('../data/functions/cases.json', import.meta.url), 'utf8'),
) as { cases: Case[]; errors: Failing[] }

const space = torch as unknown as Torch
const numbered = <C extends { op: string }>(list: readonly C[]): [string, C][] =>
  list.map((c, i) => [`${c.op} #${i}`, c])

describe('gives what PyTorch gives:', () => {
  test.each(numbered(cases))('%s', (_, c) => {
    expect(run_case(c, space)).toEqual({ status: 'pass', reason: '' })
  })
})

describe('throws what PyTorch throws:', () => {
  test.each(numbered(errors))('%s', (_, { op, args, kw, error, message }) => {
    const options = Object.entries(kw).map(([key, value]) => [key, decode(value, space)] as const)
    const given = args.map(arg => decode(arg, space))
    const call = () =>
      find_call(
        { op, args, kw, variant: '', dtype: '', out: null },
        space,
      )([...given, ...(options.length > 0 ? [Object.fromEntries(options)] : [])])
    let thrown: unknown
    try {
      call()
    } catch (e) {
      thrown = e
    }
    expect(thrown).toBeInstanceOf(Error)
    expect(`${(thrown as Error).name}: ${(thrown as Error).message.split('\n')[0]}`).toBe(
      `${error}: ${message}`,
    )
  })
})
