// torch.deepcopy: Python's copy.deepcopy, for tensors and whatever holds them. What is reached on several ways is copied
// once: tensors that share memory share it in the copy too. Not here: how a module is copied (nn/module.ts).
import { DType } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { Generator } from '../base/generator.ts'
import { allocate, type Storage } from '../device/storage.ts'
import { Place } from '../tensor/place.ts'
import { Tensor } from '../tensor/tensor.ts'

/** The originals that a copy has met, with their copies. */
export type DeepcopyMemo = Map<unknown, unknown>

/** What copies itself: {@link deepcopy} calls it in place of its own way. It enters its copy in `memo` before it goes on. */
export interface DeepCopyable {
  __deepcopy__(memo: DeepcopyMemo): unknown
}

/**
 * A copy that shares nothing with the original, as Python's `copy.deepcopy`: of tensors, modules, arrays, maps, sets, typed
 * arrays, plain objects and instances of classes, whose fields are copied without running a constructor. Functions, dtypes and
 * devices are shared. `memo` lets several calls be one copy.
 *
 * A class with `#private` members, which no copy can be given from outside, defines `__deepcopy__(memo)`.
 * @throws RuntimeError for a tensor that an operation recorded; TypeError for what cannot be copied, such as a Generator.
 */
export function deepcopy<T>(x: T, memo: DeepcopyMemo = new Map()): T {
  return copied(x, memo) as T
}

const copies_itself = (x: object): x is DeepCopyable =>
  '__deepcopy__' in x && typeof x.__deepcopy__ === 'function'

function copied(x: unknown, memo: DeepcopyMemo): unknown {
  if (x === null || (typeof x !== 'object' && typeof x !== 'function')) return x
  const known = memo.get(x)
  if (known !== undefined) return known
  if (copies_itself(x)) {
    const made = x.__deepcopy__(memo)
    memo.set(x, made)
    return made
  }
  if (x instanceof Tensor) return copy_tensor(x, memo)
  if (typeof x === 'function' || x instanceof DType || x instanceof Place) return x
  return copy_object(x, memo)
}

function copy_object(x: object, memo: DeepcopyMemo): object {
  if (ArrayBuffer.isView(x) || x instanceof ArrayBuffer || x instanceof Date) {
    const made = structuredClone(x)
    memo.set(x, made)
    return made
  }
  if (x instanceof Generator || x instanceof Promise || x instanceof WeakMap || x instanceof WeakSet)
    throw new TypeError(
      `cannot pickle '${x instanceof Generator ? 'torch._C.Generator' : x.constructor.name}' object`,
    )
  if (x instanceof Map) {
    const made = new Map<unknown, unknown>()
    memo.set(x, made)
    for (const [key, value] of x) made.set(copied(key, memo), copied(value, memo))
    return made
  }
  if (x instanceof Set) {
    const made = new Set<unknown>()
    memo.set(x, made)
    for (const item of x) made.add(copied(item, memo))
    return made
  }
  const made: object = Array.isArray(x) ? [] : Object.create(Object.getPrototypeOf(x))
  memo.set(x, made)
  copy_fields(x, made, memo)
  return made
}

/** Defines copies of the own properties of `from` on `to`; accessors as they are. `skip` names those to leave out. */
export function copy_fields(
  from: object,
  to: object,
  memo: DeepcopyMemo,
  skip: ReadonlySet<PropertyKey> = new Set(),
): void {
  for (const key of Reflect.ownKeys(from)) {
    if (skip.has(key)) continue
    const property = Object.getOwnPropertyDescriptor(from, key)!
    if ('value' in property) property.value = copied(property.value, memo)
    if (property.writable && property.enumerable && property.configurable)
      (to as Record<PropertyKey, unknown>)[key] = property.value
    else Object.defineProperty(to, key, property)
  }
}

/** A parameter's copy has no gradient, as in PyTorch; that of another leaf has a copy of it. */
function copy_tensor(x: Tensor, memo: DeepcopyMemo): Tensor {
  if (!x.is_leaf)
    throw new RuntimeError(
      'Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment',
    )
  if (x._is_parameter) {
    const made = x.detach().clone()
    made._is_parameter = true
    made._requires_grad = x._requires_grad
    memo.set(x, made)
    return made
  }
  const made = new Tensor(copy_storage(x.memory, memo), x.offset, x.sizes, x.strides, x.dtype)
  memo.set(x, made)
  made._requires_grad = x._requires_grad
  if (x._grad !== null) made._grad = copied(x._grad, memo) as Tensor
  return made
}

/** One copy for all storages that show the same bytes. */
function copy_storage(storage: Storage, memo: DeepcopyMemo): Storage {
  const of_block = (memo.get(storage.block) ?? new Map()) as Map<number, Storage>
  memo.set(storage.block, of_block)
  const known = of_block.get(storage.byte_offset)
  if (known !== undefined) return known.alias()
  const made = allocate(storage.nbytes)
  new Uint8Array(made.block.host(true), made.byte_offset, storage.nbytes).set(
    new Uint8Array(storage.block.host(false), storage.byte_offset, storage.nbytes),
  )
  of_block.set(storage.byte_offset, made)
  return made
}
