// What an op is, a function, a method or both, follows from the index that exports its family. So that an op is added in
// one file, an index exports families whole; by name it lists only ops whose family another index exports whole.
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import '../../src/index.ts'
import * as both from '../../src/ops/index.ts'
import * as method_only from '../../src/ops/method_only.ts'
import * as properties from '../../src/ops/properties.ts'

type Line = { readonly family: string; readonly names: readonly string[] | 'all' }

/** What the index `path` below src/ exports of other files, type exports left out. */
function lines(path: string): Line[] {
  const source = readFileSync(new URL(`../../src/${path}`, import.meta.url), 'utf8')
  return ts
    .createSourceFile(path, source, ts.ScriptTarget.ES2022)
    .statements.filter(ts.isExportDeclaration)
    .flatMap(({ moduleSpecifier, exportClause, isTypeOnly }) => {
      if (isTypeOnly || !moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return []
      const family = posix.join(posix.dirname(path), moduleSpecifier.text)
      const names =
        exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map(e => e.name.text) : 'all'
      return [{ family, names }]
    })
}

const indices = ['index', 'functions', 'method_only', 'special', 'linalg/index', 'masked/index', 'nn/index']
const exported = [...indices.map(name => `ops/${name}.ts`), 'torch.ts'].map(lines)
const whole = new Set(exported.flat().flatMap(({ family, names }) => (names === 'all' ? [family] : [])))

describe('families of ops', () => {
  it.each(indices.map((name, i) => [name, exported[i]!] as const))(
    'are exported whole by ops/%s.ts, or by another index',
    (_, list) => {
      expect(list.length).toBeGreaterThan(0)
      expect(list.filter(({ family }) => !whole.has(family))).toEqual([])
    },
  )

  it('have only ops among the exports that become methods', () => {
    const methods = Object.entries({ ...both, ...method_only })
    expect(methods.length).toBeGreaterThan(500)
    expect(methods.filter(([, op]) => !('op_name' in op)).map(([name]) => name)).toEqual([])
  })

  it('have no name that is a method twice', () => {
    const twice = Object.keys(method_only).filter(name => name in both)
    expect([...twice, ...Object.keys(properties).filter(name => name in both)]).toEqual([])
  })
})
