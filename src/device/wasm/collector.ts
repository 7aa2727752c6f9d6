// The engine's garbage collector, where it can be asked to run. Without that, what died is known later.
// Not here: who asks (residents.ts).

interface V8 {
  setFlagsFromString(flags: string): void
}
interface VM {
  createContext(globals: object, options: { microtaskMode: 'afterEvaluate' }): object
  runInContext(code: string, context: object): unknown
  runInNewContext(code: string): unknown
}
interface WithProcess {
  readonly process?: { getBuiltinModule?(name: string): unknown }
}

type Collector = { readonly collect: () => void; readonly clear_kept: () => void }

function find(): Collector {
  const module = (name: string): unknown => (globalThis as WithProcess).process?.getBuiltinModule?.(name)
  const v8 = module('node:v8') as V8 | undefined
  const vm = module('node:vm') as VM | undefined
  if (v8 === undefined || vm === undefined) return { collect: () => {}, clear_kept: () => {} }
  v8.setFlagsFromString('--expose-gc')
  const gc = vm.runInNewContext('globalThis.gc') as (() => void) | undefined
  v8.setFlagsFromString('--no-expose-gc')
  // A context with microtasks of its own runs those, and no others, when it has evaluated something.
  const context = vm.createContext({}, { microtaskMode: 'afterEvaluate' })
  const clear_kept = (): void => void vm.runInContext('0', context)
  return { collect: gc ?? (() => {}), clear_kept }
}

let found: Collector | undefined

/** Collects what is garbage, so that weak references to it are empty; does nothing where the engine has no way. */
export function collect_garbage(): void {
  found ??= find()
  found.clear_kept()
  found.collect()
}

/** Forgets whose weak references were made or read: until then, or until the running job ends, those stay alive. */
export function clear_kept(): void {
  found ??= find()
  found.clear_kept()
}
