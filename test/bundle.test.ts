// The package is one file (rolldown.config.ts). What it exports, and under which names, is what the source exports.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'
import config from '../rolldown.config.ts'
import * as source from '../src/index.ts'

const is_namespace = (x: unknown): x is Record<string, unknown> =>
  Object.prototype.toString.call(x) === '[object Module]'

/** The path of every export, with the name that functions and classes have. */
function exported(namespace: Record<string, unknown>, path = ''): string[] {
  return Object.entries(namespace)
    .flatMap(([key, value]) =>
      is_namespace(value)
        ? exported(value, `${path}${key}.`)
        : [`${path}${key}: ${typeof value === 'function' ? value.name : typeof value}`],
    )
    .sort()
}

test('the built file exports what the source exports, under the same names', {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tstorch-bundle-'))
  try {
    const file = join(folder, 'index.mjs')
    const bundle = await rolldown({ input: config.input!, platform: 'neutral' })
    await bundle.write({ ...config.output, file })
    await bundle.close()
    const built = (await import(pathToFileURL(file).href)) as typeof source
    expect(exported(built)).toEqual(exported(source))
    expect(String(new built.optim.Adam(new built.nn.Linear(1, 1).parameters()))).toMatch(/^Adam \(/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
