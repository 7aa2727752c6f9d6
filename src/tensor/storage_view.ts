// `torch.storage.TypedStorage`, what x.storage() gives: the memory under a tensor as a row of elements, shared by all of
// its views. Not here: the memory itself (device/storage.ts).
import { type DType, read_element, to_real_dtype, write_element } from '../base/dtype.ts'
import { IndexError } from '../base/errors.ts'
import { python_complex, python_float } from '../base/format.ts'
import { print_as } from '../base/inspect.ts'
import { type Storage, visible_address } from '../device/storage.ts'
import { type Place, place_of } from './place.ts'

export class TypedStorage {
  readonly dtype: DType
  /** The memory itself, for ops. */
  readonly _memory: Storage

  constructor(memory: Storage, dtype: DType) {
    this._memory = memory
    this.dtype = dtype
  }

  /** The number of elements: of the whole memory, not of the tensor that it was asked from. */
  size(): number {
    return Math.floor(this._memory.nbytes / this.dtype.itemsize)
  }

  get length(): number {
    return this.size()
  }

  nbytes(): number {
    return this._memory.nbytes
  }

  element_size(): number {
    return this.dtype.itemsize
  }

  get device(): Place {
    return place_of(this)
  }

  /** The address of the first byte. Without native code it is made up, but equal for equal memory. */
  data_ptr(): number {
    return visible_address(this._memory)
  }

  /** The legacy class name: 'torch.FloatStorage'. */
  type(): string {
    return `torch.${this.dtype.tensor_type.replace('Tensor', 'Storage')}`
  }

  #index(i: number): number {
    const size = this.size()
    const at = i < 0 ? i + size : i
    if (!Number.isInteger(i) || at < 0 || at >= size)
      throw new IndexError(`index ${i} out of range for storage of size ${size}`)
    return at
  }

  /** Element `i`; negative ones count from the end. Throws IndexError out of range, TypeError for complex numbers. */
  at(i: number): number | bigint | boolean {
    return read_element(this._memory.peek(this.dtype), this.dtype, this.#index(i))
  }

  /** Writes element `i`, which every tensor on this memory sees. */
  set(i: number, value: number | bigint | boolean): void {
    write_element(this._memory.touch(this.dtype), this.dtype, this.#index(i), value)
    this._memory.version++
  }

  fill_(value: number | bigint | boolean): this {
    const array = this._memory.touch(this.dtype)
    for (let i = 0; i < this.size(); i++) write_element(array, this.dtype, i, value)
    this._memory.version++
    return this
  }

  tolist(): (number | bigint | boolean)[] {
    return Array.from({ length: this.size() }, (_, i) => this.at(i))
  }

  /** Whether other threads can have this memory too. */
  is_shared(): boolean {
    return this._memory.is_shared
  }

  /** Moves the memory to where other threads can have it too: a SharedArrayBuffer. */
  share_memory_(): this {
    this._memory.share()
    return this
  }

  #text(i: number): string {
    const array = this._memory.peek(this.dtype)
    if (this.dtype.is_complex) {
      const part = to_real_dtype(this.dtype)
      return python_complex(
        Number(read_element(array, part, 2 * i)),
        Number(read_element(array, part, 2 * i + 1)),
      )
    }
    const value = this.at(i)
    if (this.dtype.is_floating_point) return python_float(value as number)
    return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
  }

  /** A line for each element, then what it is. */
  toString(): string {
    const lines = Array.from({ length: this.size() }, (_, i) => this.#text(i))
    return ` ${lines.join('\n ')}\n[torch.storage.TypedStorage(dtype=${this.dtype}, device=${this.device}) of size ${this.size()}]`
  }
}
print_as(TypedStorage, storage => storage.toString())
