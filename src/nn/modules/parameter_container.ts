// Modules that hold parameters: ParameterList, ParameterDict. Plain tensors become parameters; other values are kept.
// Not here: the containers of modules (container.ts).
import { KeyError, RuntimeError } from '../../base/errors.ts'
import { Tensor } from '../../torch.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { typename } from '../repr.ts'
import { pairs_of, position, slice_positions } from './entries.ts'

const as_item = (x: unknown): unknown => (x instanceof Tensor && !(x instanceof Parameter) ? Parameter(x) : x)

function item_text(key: string | number, x: unknown, dtype: (t: Tensor) => string): string {
  if (!(x instanceof Tensor)) return `  (${key}): Object of type: ${typename(x)}`
  return `  (${key}): ${x instanceof Parameter ? 'Parameter' : 'Tensor'} containing: [${dtype(x)} of size ${x.shape.join('x')}]`
}

export interface ParameterList<P = Parameter> {
  readonly [index: number]: P
}

/** A list of parameters that belong to the module that holds it. */
export class ParameterList<P = Parameter> extends Module {
  constructor(values?: Iterable<NoInfer<P> | Tensor> | null) {
    super()
    if (values !== undefined && values !== null) this.extend(values)
  }

  forward(): never {
    throw new RuntimeError('ParameterList should not be called.')
  }

  private _all(): P[] {
    return this._entries().flatMap(([name, x]) => (/^\d+$/.test(name) ? [x as P] : []))
  }

  override get length(): number {
    return this._all().length
  }

  /** The parameter at a position, which may be negative, or a ParameterList of a slice: `at('1:3')`. */
  at(index: number): P
  at(slice: string): ParameterList<P>
  at(index: number | string): P | ParameterList<P> {
    const all = this._all()
    if (typeof index === 'number') return all[position(index, all.length)] as P
    return new ParameterList<P>(slice_positions(index, all.length).map(i => all[i] as P))
  }

  set(index: number, value: P | Tensor): void {
    this._set(String(position(index, this.length)), as_item(value))
  }

  append(value: P | Tensor): this {
    this._set(String(this.length), as_item(value))
    return this
  }

  extend(values: Iterable<P | Tensor>): this {
    if (
      values === null ||
      typeof values !== 'object' ||
      values instanceof Tensor ||
      typeof values[Symbol.iterator] !== 'function'
    )
      throw new TypeError(
        `ParameterList.extend should be called with an iterable, but got ${typename(values)}`,
      )
    for (const value of values) this.append(value)
    return this
  }

  [Symbol.iterator](): Iterator<P> {
    return this._all()[Symbol.iterator]()
  }

  override extra_repr(): string {
    return this._all()
      .map((x, i) => item_text(i, x, t => String(t.dtype)))
      .join('\n')
  }
}

type ParameterEntries<P> =
  | { readonly [name: string]: P | Tensor }
  | ReadonlyMap<string, P | Tensor>
  | Iterable<readonly [string, P | Tensor]>

/** Parameters by name, which belong to the module that holds it. */
export class ParameterDict<P = Parameter> extends Module {
  declare private readonly _keys: Set<string>

  constructor(parameters?: ParameterEntries<NoInfer<P>> | ParameterDict<NoInfer<P>> | null) {
    super()
    Object.defineProperty(this, '_keys', { value: new Set() })
    if (parameters !== undefined && parameters !== null) this.update(parameters)
  }

  forward(): never {
    throw new RuntimeError('ParameterDict should not be called.')
  }

  override get length(): number {
    return this._keys.size
  }

  /** The parameter of a key. Throws KeyError where there is none. */
  at(key: string): P {
    if (!this._keys.has(key)) throw new KeyError(`'${key}'`)
    return (this as unknown as Record<string, P>)[key] as P
  }

  get(key: string): P | null
  get<D>(key: string, otherwise: D): P | D
  get(key: string, otherwise: unknown = null): unknown {
    return this.has(key) ? this.at(key) : otherwise
  }

  set(key: string, value: P | Tensor): void {
    if (typeof key !== 'string')
      throw new TypeError(
        `Index given to ParameterDict cannot be used as a key as it is not a string (type is '${typename(key)}'). Open an issue on github if you need non-string keys.`,
      )
    if (!this._keys.has(key) && key in this) throw new KeyError(`attribute '${key}' already exists`)
    this._keys.add(key)
    this._set(key, as_item(value))
  }

  /** The parameter of a key, which is first set to `value` where there is none. */
  setdefault(key: string, value: P | Tensor): P {
    if (!this.has(key)) this.set(key, value)
    return this.at(key)
  }

  has(key: string): boolean {
    return this._keys.has(key)
  }

  delete(key: string): void {
    this.at(key)
    this._keys.delete(key)
    delete (this as unknown as Record<string, unknown>)[key]
  }

  /** Takes the parameter of a key out and returns it. */
  pop(key: string): P {
    const value = this.at(key)
    this.delete(key)
    return value
  }

  /** Takes the last pair out and returns it. Throws KeyError where there is none. */
  popitem(): [string, P] {
    const last = this.keys().at(-1)
    if (last === undefined) throw new KeyError("'popitem(): dictionary is empty'")
    return [last, this.pop(last)]
  }

  clear(): void {
    for (const key of this.keys()) this.delete(key)
  }

  /** Adds parameters by name; those of the same name are replaced. A plain object's are added in order of name, as in PyTorch. */
  update(parameters: ParameterEntries<P> | ParameterDict<P>): void {
    if (parameters instanceof ParameterDict) {
      for (const [key, value] of parameters.items()) this.set(key, value)
      return
    }
    const plain = !(Symbol.iterator in parameters)
    const entries = pairs_of<P | Tensor>('ParametersDict', parameters)
    if (plain) entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    for (const [key, value] of entries) this.set(key, value)
  }

  copy(): ParameterDict<P> {
    return new ParameterDict<P>(new Map(this.items()))
  }

  keys(): string[] {
    return [...this._keys]
  }

  values(): P[] {
    return this.keys().map(key => this.at(key))
  }

  items(): [string, P][] {
    return this.keys().map(key => [key, this.at(key)])
  }

  /** The keys. */
  [Symbol.iterator](): Iterator<string> {
    return this._keys[Symbol.iterator]()
  }

  override extra_repr(): string {
    return this.items()
      .map(([key, x]) => item_text(key, x, typename))
      .join('\n')
  }
}
