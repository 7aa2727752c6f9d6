// Signatures are parsed when they are first asked for, so that importing takes less. Here all of them are asked for.
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Spec } from '../../src/ops/define/op.ts'
import * as method_only from '../../src/ops/method_only.ts'
import { parse_schema, type Schema } from '../../src/tensor/schema.ts'

/** The signatures of all ops in a namespace and in those inside of it. */
function signatures(namespace: object): Schema[] {
  return Object.values(namespace).flatMap((x: unknown) => {
    if (typeof x === 'function') return 'spec' in x ? (x.spec as Spec).schemas : []
    return Object.prototype.toString.call(x) === '[object Module]' ? signatures(x as object) : []
  })
}

const problem = ({ text }: Schema): string[] => {
  try {
    const { params } = parse_schema(text)
    const optional = params.findIndex(p => !p.required)
    const late = params.find((p, i) => p.required && !p.keyword_only && optional >= 0 && i > optional)
    return late ? [`${text}: ${late.name} can never be left out before it`] : []
  } catch (error) {
    return [(error as Error).message]
  }
}

test('every declared signature can be parsed', () => {
  const all = [...signatures(torch), ...signatures(method_only)]
  expect(all.length).toBeGreaterThan(800)
  expect(all.flatMap(problem)).toEqual([])
})

test('a signature with an unknown type, without one or with a bad default is refused', () => {
  for (const text of ['f(Tensr self)', 'f(self)', 'f(int dim=last)'])
    expect(() => parse_schema(text).params).toThrow(/^bad (parameter|default)/)
})
