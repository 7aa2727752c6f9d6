// Modules that hold modules: Sequential, ModuleList, ModuleDict. Items are properties, named by position or key.
// Not here: the containers of parameters (parameter_container.ts).
import { AssertionError, IndexError, KeyError, NotImplementedError } from '../../base/errors.ts'
import { _is_options, type Tensor, _warn as warn } from '../../torch.ts'
import { is_module, type Layer, Module } from '../module.ts'
import { typename } from '../repr.ts'
import { pairs_of, position, slice_positions } from './entries.ts'

/** What calling a container that has no forward does. */
function no_forward(module: Module): never {
  throw new NotImplementedError(`Module [${module._get_name()}] is missing the required "forward" function`)
}

/** The children of `module`, repeated ones too. */
const items = <M extends Module>(module: Module): M[] => module._own_children().map(([, child]) => child as M)

/** Takes all children out and puts `modules` in, numbered from 0. */
function renumber(container: Module, modules: readonly Module[]): void {
  for (const [name] of container._own_children())
    delete (container as unknown as Record<string, unknown>)[name]
  container._module.order = null
  modules.forEach((module, i) => {
    container.add_module(String(i), module)
  })
}

/** The item's type where the position is known when compiling. */
type Item<T extends readonly Module[], I extends number> = `${I}` extends keyof T ? T[I] : T[number]

/** Children under given names, and nothing else: PyTorch's way before modules were subclassed. */
export class Container extends Module {
  constructor(modules: { readonly [name: string]: Module } = {}) {
    super()
    warn(
      "nn.Container is deprecated. All of it's functionality is now implemented in nn.Module. Subclass that instead.",
    )
    for (const [name, module] of Object.entries(modules)) this.add_module(name, module)
  }

  forward(..._args: readonly unknown[]): never {
    return no_forward(this)
  }
}

/** Names with their modules: a plain object, a Map, or pairs. */
export type ModuleEntries<M extends Module = Module> =
  | { readonly [name: string]: M }
  | ReadonlyMap<string, M>
  | readonly (readonly [string, M])[]

export interface Sequential<T extends readonly Module[] = Layer[]> {
  readonly [index: number]: T[number]
}

/**
 * Modules one after the other: each is called with what the one before it gave.
 * `new nn.Sequential(a, b)` numbers them; `new nn.Sequential({ conv: a, relu: b })` (or a Map) names them.
 */
export class Sequential<T extends readonly Module[] = Layer[]> extends Module {
  constructor(...modules: T)
  constructor(modules: { readonly [name: string]: Module } | ReadonlyMap<string, Module>)
  constructor(...args: readonly unknown[]) {
    super()
    const [first] = args
    const entries =
      args.length === 1 && (_is_options(first) || first instanceof Map)
        ? pairs_of('Sequential', first)
        : args.map((m, i) => [String(i), m] as const)
    for (const [name, module] of entries) this.add_module(name, module as Module)
  }

  /** Passes `input` through all modules. */
  forward(input: Tensor): Tensor {
    let value = input
    const own = this as unknown as Record<string, unknown>
    for (const name of this._names()) {
      const module = own[name]
      if (is_module(module)) value = (module as Layer)(value)
    }
    return value
  }

  override get length(): number {
    return this._own_children().length
  }

  /** The module at a position, which may be negative, or a Sequential of a slice: `at('1:3')`. */
  at<I extends number>(index: I): Item<T, I>
  at(slice: string): Sequential
  at(index: number | string): unknown {
    const children = this._own_children()
    if (typeof index === 'number') return children[position(index, children.length)]?.[1]
    return new Sequential(
      new Map(slice_positions(index, children.length).map(i => children[i] as [string, Module])),
    )
  }

  /** The modules from `start` to `stop` (not included) under their names. */
  slice(start?: number, stop?: number): Sequential {
    return this.at(`${start ?? ''}:${stop ?? ''}`)
  }

  [Symbol.iterator](): Iterator<T[number]> {
    return items<T[number]>(this)[Symbol.iterator]()
  }

  /** Replaces the module at a position. */
  set(index: number, module: Module): void {
    const children = this._own_children()
    const [name] = children[position(index, children.length)] as [string, Module]
    this.add_module(name, module)
  }

  append(module: Module): this {
    this.add_module(String(this.length), module)
    return this
  }

  extend(modules: Iterable<Module>): this {
    for (const module of modules) this.append(module)
    return this
  }

  insert(index: number, module: Module): this {
    if (!(module instanceof Module))
      throw new AssertionError("module should be of type: <class 'torch.nn.modules.module.Module'>")
    const all = items(this)
    if (index < -all.length || index > all.length) throw new IndexError(`Index out of range: ${index}`)
    renumber(this, all.toSpliced(index < 0 ? index + all.length : index, 0, module))
    return this
  }

  /** Takes the module at a position out and returns it; the others are numbered anew. */
  pop(index: number): Module {
    const all = items(this)
    const at = position(index, all.length)
    renumber(this, all.toSpliced(at, 1))
    return all[at] as Module
  }
}

export interface ModuleList<M extends Module = Layer> {
  readonly [index: number]: M
}

/** A list of modules, whose parameters belong to the module that holds it. It has no forward. */
export class ModuleList<M extends Module = Layer> extends Module {
  constructor(modules?: Iterable<M> | null) {
    super()
    if (modules !== undefined && modules !== null) this.extend(modules)
  }

  forward(): never {
    return no_forward(this)
  }

  override get length(): number {
    return this._own_children().length
  }

  /** The module at a position, which may be negative, or a ModuleList of a slice: `at('1:3')`. */
  at(index: number): M
  at(slice: string): ModuleList<M>
  at(index: number | string): M | ModuleList<M> {
    const all = items<M>(this)
    if (typeof index === 'number') return all[position(index, all.length)] as M
    return new ModuleList(slice_positions(index, all.length).map(i => all[i] as M))
  }

  /** The modules from `start` to `stop` (not included). */
  slice(start?: number, stop?: number): ModuleList<M> {
    return this.at(`${start ?? ''}:${stop ?? ''}`)
  }

  [Symbol.iterator](): Iterator<M> {
    return items<M>(this)[Symbol.iterator]()
  }

  /** Replaces the module at a position. */
  set(index: number, module: M): void {
    this.add_module(String(position(index, this.length)), module)
  }

  append(module: M): this {
    this.add_module(String(this.length), module)
    return this
  }

  extend(modules: Iterable<M>): this {
    if (typeof (modules as Iterable<M> | null | undefined)?.[Symbol.iterator] !== 'function')
      throw new TypeError(`ModuleList.extend should be called with an iterable, but got ${typename(modules)}`)
    for (const module of modules) this.append(module)
    return this
  }

  insert(index: number, module: M): void {
    renumber(this, items(this).toSpliced(index, 0, module))
  }

  /** Takes the module at a position out and returns it. */
  pop(index: number): M {
    const all = items<M>(this)
    const at = position(index, all.length)
    renumber(this, all.toSpliced(at, 1))
    return all[at] as M
  }
}

/** Modules by name, in order of insertion. It has no forward. */
export class ModuleDict<M extends Module = Layer> extends Module {
  constructor(modules?: ModuleEntries<M> | null) {
    super()
    if (modules !== undefined && modules !== null) this.update(modules)
  }

  forward(): never {
    return no_forward(this)
  }

  override get length(): number {
    return this._own_children().length
  }

  /** The module of a key. Throws KeyError where there is none. */
  at(key: string): M {
    const found = this._own_children().find(([name]) => name === key)
    if (found === undefined) throw new KeyError(`'${key}'`)
    return found[1] as M
  }

  set(key: string, module: M): void {
    this.add_module(key, module)
  }

  has(key: string): boolean {
    return this.keys().includes(key)
  }

  /** Takes the module of a key out and returns it. */
  pop(key: string): M {
    const module = this.at(key)
    this.delete(key)
    return module
  }

  delete(key: string): void {
    this.at(key)
    delete (this as unknown as Record<string, unknown>)[key]
  }

  clear(): void {
    for (const key of this.keys()) this.delete(key)
  }

  /** Adds modules by name, in the given order; those of the same name are replaced. */
  update(modules: ModuleEntries<M> | ModuleDict<M>): void {
    const entries = modules instanceof ModuleDict ? modules.items() : pairs_of<M>('ModuleDict', modules)
    for (const [key, module] of entries) this.set(key, module)
  }

  keys(): string[] {
    return this._own_children().map(([name]) => name)
  }

  values(): M[] {
    return items<M>(this)
  }

  items(): [string, M][] {
    return this._own_children() as [string, M][]
  }

  /** The keys. */
  [Symbol.iterator](): Iterator<string> {
    return this.keys()[Symbol.iterator]()
  }
}
