/**
 * The architecture as a test: who may import whom, no circles, and no file that has grown too long.
 * The table is the one in CONTRIBUTING.md; a change to either is a change to the design.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const max_lines = 600

/**
 * What a file may import, by the longest key that its path below src/ starts with. An entry names a folder
 * (`ir/`), a folder's own files without its subfolders (`device/*`), or one file (`index.ts`).
 * A layer may always import itself.
 */
const backend = ['base/', 'ir/', 'lower/', 'render/', 'device/*']
const user = ['torch.ts', 'base/errors.ts']
const may_import: Record<string, readonly string[]> = {
  'base/': [],
  'ir/': ['base/'],
  'lower/': ['base/', 'ir/'],
  'render/': ['base/', 'ir/', 'lower/'],
  'device/': backend,
  'device/interp/': backend,
  'device/wasm/': backend,
  'device/native/': backend,
  'tensor/': ['base/', 'ir/', 'device/*'],
  'ops/': ['base/', 'ir/', 'device/*', 'tensor/'],
  'autograd/': ['base/', 'tensor/', 'ops/'],
  'transforms/': ['base/', 'tensor/', 'ops/', 'autograd/'],
  'torch.ts': ['base/', 'tensor/', 'ops/', 'autograd/', 'transforms/'],
  'nn/': user,
  'optim/': [...user, 'optim/swa_utils.ts'],
  'optim/swa_utils.ts': [...user, 'nn/', 'optim/'],
  'func/': [...user, 'transforms/', 'nn/'],
  'distributions/': [...user, 'nn/functional/'],
  'default_device.ts': ['base/', 'device/'],
  'node.ts': ['device/native/cache.ts'],
  'testing/': user,
  'index.ts': [
    'default_device.ts',
    'tensor/',
    'ops/',
    'torch.ts',
    'nn/',
    'optim/',
    'testing/',
    'distributions/',
    'func/',
  ],
}

interface Import {
  readonly to: string
  readonly type_only: boolean
}

const files = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** The relative imports and re-exports of a file below src/, as paths below src/. */
function imports(path: string, source: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Expression | undefined, type_only: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return
    found.push({ to: posix.join(dirname(path), specifier.text), type_only })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false)
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, source, ts.ScriptTarget.ES2022, true))
  return found
}

const matches = (path: string, entry: string): boolean =>
  entry.endsWith('/*')
    ? posix.dirname(path) === entry.slice(0, -2)
    : entry.endsWith('/')
      ? path.startsWith(entry)
      : path === entry

const layer_of = (path: string): string | undefined =>
  Object.keys(may_import)
    .filter(key => path.startsWith(key))
    .sort((a, b) => b.length - a.length)[0]

/** The reason why `from` may not import `to`, or nothing. */
function violation(from: string, to: string): string | undefined {
  const layer = layer_of(from)
  if (layer === undefined) return `${from} belongs to no layer`
  if (layer_of(to) === layer || may_import[layer]!.some(entry => matches(to, entry))) return undefined
  return `${from} may not import ${to}`
}

/** The first circle among run-time imports, as a path of files, or nothing. */
function circle(graph: ReadonlyMap<string, readonly Import[]>): string[] | undefined {
  const done = new Set<string>()
  const walk = (path: string, above: readonly string[]): string[] | undefined => {
    if (above.includes(path)) return [...above.slice(above.indexOf(path)), path]
    if (done.has(path)) return undefined
    for (const { to, type_only } of graph.get(path) ?? []) {
      const found = type_only ? undefined : walk(to, [...above, path])
      if (found) return found
    }
    done.add(path)
    return undefined
  }
  for (const path of graph.keys()) {
    const found = walk(path, [])
    if (found) return found
  }
  return undefined
}

const sources = files('src').map(path => path.slice('src/'.length))
const graph = new Map(sources.map(path => [path, imports(path, read(`src/${path}`))]))

describe('the layers', () => {
  it('import only what the table allows', () => {
    const wrong = [...graph].flatMap(([from, list]) => list.map(({ to }) => violation(from, to)))
    expect(wrong.filter(reason => reason !== undefined)).toEqual([])
  })

  it('have no import circles', () => {
    expect(circle(graph)).toBeUndefined()
  })

  it(`keep every file within ${max_lines} lines`, () => {
    const long = ['src', 'test', 'scripts', 'examples'].flatMap(folder => {
      try {
        return files(folder)
      } catch {
        return []
      }
    })
    const lines = (path: string): number => read(path).split('\n').length - 1
    expect(long.filter(path => lines(path) > max_lines).map(path => `${path}: ${lines(path)}`)).toEqual([])
  })
})

describe('the checks themselves', () => {
  it('see every form of import', () => {
    const source = `
      import type { A } from '../base/a.ts'
      import { b } from './b.ts'
      import fs from 'node:fs'
      export * from '../ir/c.ts'
      export type { D } from './d.ts'
      const e = await import('./sub/e.ts')
      const f: import('../base/f.ts').F = 0`
    expect(imports('tensor/x.ts', source)).toEqual([
      { to: 'base/a.ts', type_only: true },
      { to: 'tensor/b.ts', type_only: false },
      { to: 'ir/c.ts', type_only: false },
      { to: 'tensor/d.ts', type_only: true },
      { to: 'tensor/sub/e.ts', type_only: false },
      { to: 'base/f.ts', type_only: true },
    ])
  })

  it.each([
    ['tensor/tensor.ts', 'device/device.ts', true],
    ['tensor/tensor.ts', 'device/wasm/device.ts', false],
    ['device/wasm/device.ts', 'device/native/device.ts', false],
    ['device/wasm/device.ts', 'device/device.ts', true],
    ['device/wasm/device.ts', 'render/wasm/emit.ts', true],
    ['device/device.ts', 'device/wasm/device.ts', false],
    ['base/shape.ts', 'ir/expr.ts', false],
    ['render/c/render.ts', 'ops/pointwise.ts', false],
    ['nn/linear.ts', 'tensor/tensor.ts', false],
    ['nn/linear.ts', 'torch.ts', true],
    ['nn/linear.ts', 'index.ts', false],
    ['stray.ts', 'base/shape.ts', false],
  ])('%s importing %s is allowed: %s', (from, to, allowed) => {
    expect(violation(from, to) === undefined).toBe(allowed)
  })

  it('find a circle, and let type-only imports close one', () => {
    const link = (to: string, type_only = false): Import[] => [{ to, type_only }]
    expect(
      circle(
        new Map([
          ['a', link('b')],
          ['b', link('c')],
          ['c', link('b')],
        ]),
      ),
    ).toEqual(['b', 'c', 'b'])
    expect(
      circle(
        new Map([
          ['a', link('b')],
          ['b', link('a', true)],
        ]),
      ),
    ).toBeUndefined()
  })
})
