// Libraries that a shell compiles meanwhile: the one who waits finds them published, and a failed one leaves nothing.
import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { start_compiling, wait_for_compiled } from '../../../src/device/native/background.ts'
import { library_path, load_library, load_published } from '../../../src/device/native/cache.ts'

const unique = (name: string): string => `${name}_${process.pid}_${Date.now()}`
const refuse = (): never => {
  throw new Error('compiled again')
}

test('a library that was started early is there when it has been waited for', () => {
  const name = unique('early')
  start_compiling(name, 'int seven(void) { return 7; }', [])
  wait_for_compiled(name)
  expect(load_library(name, refuse).func('seven', 'int', [])()).toBe(7)
})

test('what does not compile is not published, and waiting for what nobody compiles returns', () => {
  const name = unique('wrong')
  start_compiling(name, 'this is not C', [])
  wait_for_compiled(name)
  wait_for_compiled(unique('never_started'))
  expect(load_published(name)).toBeUndefined()
  expect(existsSync(library_path(name))).toBe(false)
})
