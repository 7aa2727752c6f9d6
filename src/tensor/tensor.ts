// The Tensor: a strided window of a storage, with what autograd keeps about it. Its methods are the ops, which
// ops/index.ts installs on the prototype from the tables that declare them, and a few that belong to the tensor
// itself. Not here: kernels (dispatch.ts), the graph (tape.ts), printing (print.ts), indexing (indexing.ts).
import type { ComplexScalar } from '../base/complex_scalar.ts'
import { DType, read_complex, read_element } from '../base/dtype.ts'
import { IndexError, RuntimeError, ValueError } from '../base/errors.ts'
import { print_as } from '../base/inspect.ts'
import { format_name, has_format, type layout, type MemoryFormat, strided } from '../base/memory_format.ts'
import { contiguous_strides, is_contiguous, numel, Size, wrap_dim } from '../base/shape.ts'
import type { Operand } from '../device/device.ts'
import type { Storage } from '../device/storage.ts'
import { type Place, place_of } from './place.ts'
import { tensor_repr } from './print.ts'
import type { Node, TensorHook } from './tape.ts'
import { dtype_of_type, type TypeLike } from './type_like.ts'

/** How a differentiable view hangs on its base; tape.ts renews the view's history when the base's changes. */
export type ViewOf = {
  readonly base: Tensor
  /** The base's grad_fn when the view's own was made. */
  base_fn: Node | null
  /** The op's name where it returned several views: such views may not be written through. */
  readonly multi_output: string | null
  readonly made_in_no_grad: boolean
}

export interface TensorInit {
  readonly memory: Storage
  readonly offset: number
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly dtype: DType
}

// biome-ignore lint/suspicious/noEmptyInterface: the ops' methods are merged in by ops/methods.ts
export interface TensorMethods {}
export interface Tensor extends TensorMethods {}

/** Recording switches. `grad` off: ops make no nodes. `inference`: results can never enter a graph. */
export const modes: { grad: boolean; inference: boolean; anomaly: boolean; anomaly_nan: boolean } = {
  grad: true,
  inference: false,
  anomaly: false,
  anomaly_nan: true,
}

export class Tensor implements Operand {
  /** The storage, shared with views. The fields from here to `dtype` are the internal face that kernels use. */
  memory: Storage
  offset: number
  sizes: readonly number[]
  strides: readonly number[]
  count: number
  dtype: DType
  /** Whether the elements lie in row-major order without gaps. */
  dense: boolean

  // --- what autograd keeps; see tape.ts
  _requires_grad = false
  _grad: Tensor | null = null
  _grad_fn: Node | null = null
  _output_nr = 0
  _view: ViewOf | null = null
  _hooks: TensorHook[] | null = null
  _retains_grad = false
  _accumulator: Node | null = null
  /** Made in inference mode, and not a view of a tensor that was not. */
  _inference: boolean = modes.inference
  /** Set on parameters; see nn. */
  _is_parameter = false

  constructor(
    memory: Storage,
    offset: number,
    sizes: readonly number[],
    strides: readonly number[],
    dtype: DType,
    count: number = numel(sizes),
    dense: boolean = is_contiguous(sizes, strides),
  ) {
    this.memory = memory
    this.offset = offset
    this.sizes = sizes
    this.strides = strides
    this.dtype = dtype
    this.count = count
    this.dense = dense
  }

  // --- geometry

  /** The sizes, as torch.Size. */
  get shape(): Size {
    return Size.from(this.sizes) as Size
  }

  /** The sizes, or the size of one dimension. */
  size(): Size
  size(dim: number): number
  size(dim?: number): Size | number {
    if (dim === undefined) return this.shape
    if (this.sizes.length === 0)
      throw new IndexError(`Dimension specified as ${dim} but tensor has no dimensions`)
    return this.sizes[wrap_dim(dim, this.sizes.length)] as number
  }

  /** The strides in elements, or that of one dimension. */
  stride(): number[]
  stride(dim: number): number
  stride(dim?: number): number[] | number {
    return dim === undefined ? [...this.strides] : (this.strides[wrap_dim(dim, this.sizes.length)] as number)
  }

  storage_offset(): number {
    return this.offset
  }

  dim(): number {
    return this.sizes.length
  }

  ndimension(): number {
    return this.sizes.length
  }

  get ndim(): number {
    return this.sizes.length
  }

  numel(): number {
    return this.count
  }

  nelement(): number {
    return this.count
  }

  element_size(): number {
    return this.dtype.itemsize
  }

  get itemsize(): number {
    return this.dtype.itemsize
  }

  get nbytes(): number {
    return this.count * this.dtype.itemsize
  }

  /** Whether the elements lie row-major without gaps, or in the order of another memory format. */
  is_contiguous(options?: { memory_format?: MemoryFormat }): boolean {
    const format = options?.memory_format
    return format === undefined ? this.dense : has_format(format_name(format), this.sizes, this.strides)
  }

  is_floating_point(): boolean {
    return this.dtype.is_floating_point
  }

  is_complex(): boolean {
    return this.dtype.is_complex
  }

  is_signed(): boolean {
    return this.dtype.is_signed
  }

  get device(): Place {
    return place_of(this)
  }

  get layout(): layout {
    return strided
  }

  /** Every tensor is dense and in CPU memory: the questions for others are answered with no. */
  get is_cpu(): boolean {
    return true
  }
  get is_cuda(): boolean {
    return false
  }
  get is_ipu(): boolean {
    return false
  }
  get is_meta(): boolean {
    return false
  }
  get is_mkldnn(): boolean {
    return false
  }
  get is_mps(): boolean {
    return false
  }
  get is_nested(): boolean {
    return false
  }
  get is_ort(): boolean {
    return false
  }
  get is_quantized(): boolean {
    return false
  }
  get is_sparse(): boolean {
    return false
  }
  get is_sparse_csr(): boolean {
    return false
  }
  get is_vulkan(): boolean {
    return false
  }
  get is_xpu(): boolean {
    return false
  }

  /** The number of rows; throws TypeError for 0-dim tensors, as Python's len() does. */
  get length(): number {
    if (this.sizes.length === 0) throw new TypeError('len() of a 0-d tensor')
    return this.sizes[0] as number
  }

  /** Counts in-place writes to the storage. */
  get _version(): number {
    return this.memory.version
  }

  /** The view's base tensor, or null. */
  get _base(): Tensor | null {
    return this._view?.base ?? null
  }

  /** The legacy type name, 'torch.FloatTensor'. */
  type(): string
  /** The tensor converted to a type: a dtype, torch.FloatTensor or 'torch.FloatTensor'. Throws for what is none. */
  type(dtype: TypeLike | { readonly dtype: TypeLike }): Tensor
  type(given?: unknown): string | Tensor {
    const plain = typeof given === 'object' && given !== null && !(given instanceof DType)
    const type = plain && 'dtype' in given ? given.dtype : given
    if (type === undefined || type === null) return `torch.${this.dtype.tensor_type}`
    const dtype = dtype_of_type(type)
    if (dtype !== null) return this.to(dtype)
    if (typeof type === 'string') throw new ValueError(`invalid type: '${type}'`)
    throw new TypeError('dtype must be a type, str, or dtype object')
  }

  /** The rows, as views: `for (const row of x)`. Throws TypeError for 0-dim tensors. */
  *[Symbol.iterator](): IterableIterator<Tensor> {
    if (this.sizes.length === 0) throw new TypeError('iteration over a 0-d tensor')
    yield* this.unbind(0)
  }

  // --- autograd's face; `requires_grad = ` and `grad = ` check as PyTorch does

  get requires_grad(): boolean {
    return this._requires_grad
  }

  set requires_grad(flag: boolean) {
    this.requires_grad_(flag)
  }

  requires_grad_(flag = true): this {
    if (flag && !this.dtype.is_floating_point && !this.dtype.is_complex)
      throw new RuntimeError('only Tensors of floating point dtype can require gradients')
    if (flag && this._inference && !modes.inference)
      throw new RuntimeError(
        'Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.',
      )
    if (!flag && this.grad_fn !== null)
      throw new RuntimeError(
        'you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a ' +
          "subgraph that doesn't require differentiation use var_no_grad = var.detach().",
      )
    this._requires_grad = flag
    return this
  }

  get is_leaf(): boolean {
    return this.grad_fn === null
  }

  get grad_fn(): Node | null {
    const view = this._view
    if (view !== null && view.base._grad_fn !== view.base_fn) renew_view(this, view)
    return this._grad_fn
  }

  get output_nr(): number {
    return this._output_nr
  }

  get grad(): Tensor | null {
    if (this._grad === null && this._grad_fn !== null && !this._retains_grad && !warned_non_leaf) {
      warned_non_leaf = true
      console.warn(
        'UserWarning: The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad ' +
          "attribute won't be populated during autograd.backward(). If you indeed want the .grad field to be " +
          'populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.',
      )
    }
    return this._grad
  }

  set grad(grad: Tensor | null) {
    if (grad !== null) {
      if (!(grad instanceof Tensor))
        throw new TypeError(
          `assigned grad expected to be a Tensor or None but got grad of type ${typeof grad}`,
        )
      if (grad === this) throw new RuntimeError("can't assign Variable as its own grad")
      if (grad.dtype !== this.dtype)
        throw new RuntimeError(
          `assigned grad has data of a different type: expected torch.${this.dtype.tensor_type}, got torch.${grad.dtype.tensor_type}`,
        )
      if (grad.sizes.join() !== this.sizes.join())
        throw new RuntimeError('assigned grad has data of a different size')
    }
    this._grad = grad
  }

  /** The same memory outside the graph, with a version counter of its own. */
  get data(): Tensor {
    return new Tensor(
      this.memory.alias(),
      this.offset,
      this.sizes,
      this.strides,
      this.dtype,
      this.count,
      this.dense,
    )
  }

  /** Makes this tensor show the memory of `source`. */
  set data(source: Tensor) {
    if (!(source instanceof Tensor))
      throw new TypeError(`Variable data has to be a tensor, but got ${typeof source}`)
    if (this._requires_grad && !source.dtype.is_floating_point && !source.dtype.is_complex)
      throw new RuntimeError(
        'data set to a tensor that requires gradients must be floating point or complex dtype',
      )
    this.memory = source.memory.alias()
    this.set_geometry(source.offset, source.sizes, source.strides)
    this.dtype = source.dtype
  }

  /** Replaces offset, sizes and strides (for resize_, squeeze_, t_ and such). */
  set_geometry(offset: number, sizes: readonly number[], strides: readonly number[]): void {
    this.offset = offset
    this.sizes = sizes
    this.strides = strides
    this.count = numel(sizes)
    this.dense = is_contiguous(sizes, strides)
  }

  // --- values

  /** The one element as a JavaScript value: a number, a boolean, a bigint past 2^53, or a {@link ComplexScalar}. */
  item(): number | boolean | bigint | ComplexScalar {
    if (this.count !== 1) throw new ValueError('only one element tensors can be converted to Python scalars')
    const array = this.memory.peek(this.dtype)
    if (this.dtype.is_complex) return read_complex(array, this.offset)
    const value = read_element(array, this.dtype, this.offset)
    return typeof value === 'bigint' ? narrow_bigint(value) : value
  }

  // --- as text and as a number

  /** What PyTorch prints: `tensor([1., 2.])`. */
  toString(): string {
    return tensor_repr(this)
  }

  /**
   * One-element tensors are numbers in arithmetic and comparisons (`+loss < 0.1`, Python's `float(loss)`); in template
   * literals a tensor is its text. Throws where a number is wanted and there is more than one element, or it is complex.
   */
  [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): number | boolean | bigint | string {
    if (hint === 'string' || (hint === 'default' && (this.count !== 1 || this.dtype.is_complex)))
      return tensor_repr(this)
    const item = this.item()
    if (typeof item !== 'object') return item
    if (item.imag !== 0) throw new RuntimeError('value cannot be converted to type double without overflow')
    return item.real
  }
}

print_as(Tensor, self => self.toString())

let warned_non_leaf = false

/** Renews the history of a view whose base was written in place; autograd's part of views.ts installs it. */
let renew_view: (tensor: Tensor, view: ViewOf) => void = () => {
  throw new Error('views are not installed')
}
export function set_renew_view(f: typeof renew_view): void {
  renew_view = f
}

/** A bigint as a number where that is exact. */
export const narrow_bigint = (value: bigint): number | bigint =>
  value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value

/** A tensor over the same memory with another geometry, outside the graph. */
export function alias(
  t: Tensor,
  sizes: readonly number[] = t.sizes,
  strides: readonly number[] = t.strides,
  offset: number = t.offset,
): Tensor {
  const made = new Tensor(t.memory, offset, sizes, strides, t.dtype)
  made._inference = t._inference
  return made
}

/** A contiguous tensor over memory that is given. */
export function contiguous_tensor(
  memory: Storage,
  sizes: readonly number[],
  dtype: DType,
  offset = 0,
): Tensor {
  return new Tensor(memory, offset, sizes, contiguous_strides(sizes), dtype, numel(sizes), true)
}
