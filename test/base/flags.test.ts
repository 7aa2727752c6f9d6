import { afterEach, describe, expect, test, vi } from 'vitest'
import { debug_level, env } from '../../src/base/flags.ts'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

describe('flags', () => {
  test.each([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['3', 3],
    ['2.7', 2],
    ['9', 5],
    ['-1', 0],
    ['yes', 0],
  ])('TSTORCH_DEBUG=%s is level %i', (value, level) => {
    vi.stubEnv('TSTORCH_DEBUG', value)
    expect(debug_level()).toBe(level)
  })

  test('everything is unset where there is no process', () => {
    vi.stubEnv('TSTORCH_DEBUG', '3')
    expect(env('TSTORCH_DEBUG')).toBe('3')
    vi.stubGlobal('process', undefined)
    expect(env('TSTORCH_DEBUG')).toBeUndefined()
    expect(debug_level()).toBe(0)
  })
})
