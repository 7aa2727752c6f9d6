import { describe, expect, test } from 'vitest'
import * as errors from '../../src/base/errors.ts'

describe('errors', () => {
  test.each(Object.entries(errors))('%s is an Error that goes by its Python name', (name, Class) => {
    const error = new Class('what went wrong')
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe(name)
    expect(String(error)).toBe(`${name}: what went wrong`)
    expect(error.stack).toMatch(new RegExp(`^${name}: what went wrong\n`))
    expect(Object.keys(error)).toEqual([])
  })

  test('are subclasses as in Python', () => {
    expect(new errors.NotImplementedError()).toBeInstanceOf(errors.RuntimeError)
    expect(new errors.OutOfMemoryError()).toBeInstanceOf(errors.RuntimeError)
    expect(new errors.IndexError()).not.toBeInstanceOf(errors.RuntimeError)
  })
})
