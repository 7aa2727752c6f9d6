// What has died: sets that do not keep their members alive, and the engine's garbage collector, where it can be asked to
// run. Without that, what died is known later. A collection of the young generation takes 50 us where a full one takes
// milliseconds, but it leaves weak references alone; it takes the dead out of weak sets, and Node can list those.
// Not here: who asks (pool.ts, wasm/residents.ts).
import { env } from '../base/flags.ts'

interface V8 {
  setFlagsFromString(flags: string): void
}
interface VM {
  runInNewContext(code: string): unknown
}
interface Util {
  inspect(x: object, options: object): string
}
interface WithProcess {
  readonly process?: { getBuiltinModule?(name: string): unknown }
}

const builtin = (name: string): unknown => (globalThis as WithProcess).process?.getBuiltinModule?.(name)

// ------------------------------------------------------------------------------------------- collecting

type Collect = (options?: { readonly type: 'minor' }) => void

const no_collect: Collect = () => {}

function find_collect(): Collect {
  const v8 = builtin('node:v8') as V8 | undefined
  const vm = builtin('node:vm') as VM | undefined
  if (v8 === undefined || vm === undefined || env('TSTORCH_COLLECT') === '0') return no_collect
  v8.setFlagsFromString('--expose-gc')
  // Little survives: threads that help take longer to wake than one takes to do it all.
  v8.setFlagsFromString('--no-parallel-scavenge')
  const gc = vm.runInNewContext('globalThis.gc') as Collect | undefined
  v8.setFlagsFromString('--no-expose-gc')
  return gc ?? no_collect
}

let collect: Collect | undefined

/** Collects what is garbage; does nothing where the engine has no way. */
export function collect_garbage(): void {
  collect ??= find_collect()
  collect()
}

/** Collects what became garbage while it was young, before two collections saw it. */
export function collect_young(): void {
  collect ??= find_collect()
  collect({ type: 'minor' })
}

// ------------------------------------------------------------------------------------------- who lives

/** Those that a listing has met. */
let met: Mortal[] = []

/** What may be in a weak list. */
export class Mortal {}

Object.defineProperty(Mortal.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value: function note(this: Mortal): string {
    met.push(this)
    return ''
  },
})

/** Members, for as long as others keep them alive. */
export interface WeakList<T extends Mortal> {
  add(member: T): void
  /** Those that were alive after the latest collection, at least. Throws RangeError where the stack is too full to list them. */
  living(): T[]
}

/** With Node: a weak set, which `inspect` lists. */
class Inspected<T extends Mortal> implements WeakList<T> {
  readonly #inspect: Util['inspect']
  readonly #members = new WeakSet<T>()

  constructor({ inspect }: Util) {
    this.#inspect = inspect
  }

  add(member: T): void {
    this.#members.add(member)
  }

  living(): T[] {
    met = []
    const text = this.#inspect(this.#members, LIST_ALL)
    const found = met as T[]
    met = []
    // `inspect` stops where the stack ends, and says so in its text.
    if (!text.startsWith('WeakSet')) throw new RangeError('Maximum call stack size exceeded')
    return found
  }
}

const LIST_ALL = {
  showHidden: true,
  customInspect: true,
  depth: null,
  maxArrayLength: null,
  compact: false,
  breakLength: Number.POSITIVE_INFINITY,
}

/** Elsewhere: weak references, which a job that made or read one keeps until it ends. */
class Referenced<T extends Mortal> implements WeakList<T> {
  #members: WeakRef<T>[] = []

  add(member: T): void {
    this.#members.push(new WeakRef(member))
  }

  living(): T[] {
    this.#members = this.#members.filter(ref => ref.deref() !== undefined)
    return this.#members.map(ref => ref.deref()!)
  }
}

let util: Util | null | undefined

/** Whether a collection of the young generation shows who has died. */
export function can_list_young(): boolean {
  util ??= find_util()
  collect ??= find_collect()
  return util !== null && collect !== no_collect
}

/** A new list, by the engine's best way; `by_reference` asks for that which every engine has. */
export function weak_list<T extends Mortal>(by_reference = false): WeakList<T> {
  util ??= find_util()
  return util === null || by_reference ? new Referenced() : new Inspected(util)
}

/** Node's, where it lists a weak set. */
function find_util(): Util | null {
  const found = builtin('node:util') as Util | undefined
  if (found === undefined) return null
  const list = new Inspected(found)
  const member = new Mortal()
  list.add(member)
  return list.living()[0] === member ? found : null
}
