// Node's own modules and koffi, the FFI library, looked up at run time: bundlers see no import of them, and where
// they are missing (a browser, an install without optional dependencies) only asking for the native device fails.
// Not here: what they are used for.

type Builtins = {
  readonly 'node:child_process': typeof import('node:child_process')
  readonly 'node:crypto': typeof import('node:crypto')
  readonly 'node:fs': typeof import('node:fs')
  readonly 'node:module': typeof import('node:module')
  readonly 'node:os': typeof import('node:os')
  readonly 'node:path': typeof import('node:path')
  readonly 'node:process': typeof import('node:process')
}

type WithBuiltins = { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } }

/** The native device cannot be had here: no Node, no koffi, no working C compiler. The message says which. */
export class NativeUnavailableError extends Error {
  override readonly name: string = 'NativeUnavailableError'
}

/** A module of Node. Throws NativeUnavailableError where there is none to have. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] {
  const module = (globalThis as WithBuiltins).process?.getBuiltinModule?.(name)
  if (module === undefined) throw new NativeUnavailableError('the native device needs Node.js 20.16 or newer')
  return module as Builtins[Name]
}

/** A C function of one argument, an address, that returns nothing; or of none that returns an int. */
export type NativeFunction = (address: number) => void

type Library = {
  func(name: string, result: string, parameters: readonly string[]): (...args: readonly number[]) => unknown
}
export type Koffi = {
  /** A library, or with null what the process has loaded. */
  load(path: string | null): Library
  address(memory: ArrayBufferLike | ArrayBufferView): bigint
}

let found: Koffi | undefined

/** koffi, the optional dependency. Throws NativeUnavailableError if it is not installed or has no binary here. */
export function koffi(): Koffi {
  if (found) return found
  const { createRequire } = builtin('node:module')
  try {
    const loaded = createRequire(import.meta.url)('koffi') as Koffi & { readonly default?: Koffi }
    found = loaded.default ?? loaded
  } catch (error) {
    throw new NativeUnavailableError(`the native device needs the package koffi: ${(error as Error).message}`)
  }
  return found
}
