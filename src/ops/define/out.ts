// Writing a result into a tensor that the caller gave (`out=`, in-place forms): PyTorch's checks, resizing, dtype
// conversion. Not here: history (inplace.ts).
import { can_cast, type DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { contiguous_strides, numel, overlaps, same_sizes } from '../../base/shape.ts'
import { empty } from '../../tensor/dispatch.ts'
import { bump_version } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { copy_elements } from './copy.ts'

/** Throws where a result of dtype `from` may not be written to a tensor of dtype `to`. */
export function require_castable(from: DType, to: DType): void {
  if (!can_cast(from, to))
    throw new RuntimeError(
      `result type ${scalar_name(from)} can't be cast to the desired output type ${scalar_name(to)}`,
    )
}

/** `FloatTensor` -> `Float`: what C++ calls a dtype. */
export const scalar_name = (dtype: DType): string => dtype.tensor_type.slice(0, -'Tensor'.length)

let warned_resize = false

/** Gives `out` the sizes of a result, growing its memory where needed. */
export function resize_out(out: Tensor, sizes: readonly number[]): void {
  if (same_sizes(out.sizes, sizes)) return
  if (out.count !== 0 && !warned_resize) {
    warned_resize = true
    console.warn(
      `UserWarning: An output with one or more elements was resized since it had shape [${out.sizes.join(', ')}], which does not ` +
        `match the required output shape [${sizes.join(', ')}]. This behavior is deprecated, and in a future PyTorch release ` +
        'outputs will not be resized unless they have zero elements.',
    )
  }
  resize(out, sizes)
}

/** Changes the sizes in place; memory grows if it must and is kept otherwise. */
export function resize(t: Tensor, sizes: readonly number[]): void {
  t.memory.grow((t.offset + numel(sizes)) * t.dtype.itemsize)
  t.set_geometry(t.offset, [...sizes], contiguous_strides(sizes))
}

/** Whether the memory from the first to the last element of one meets that of the other. */
export function share_memory(a: Tensor, b: Tensor): boolean {
  if (a.memory.block !== b.memory.block || a.count === 0 || b.count === 0) return false
  const range = (t: Tensor): [number, number] => {
    const low = t.memory.byte_offset + t.offset * t.dtype.itemsize
    const reach = t.sizes.reduce((m, n, d) => m + (n - 1) * t.strides[d]!, 0)
    return [low, low + (reach + 1) * t.dtype.itemsize]
  }
  const [a0, a1] = range(a)
  const [b0, b1] = range(b)
  return a0 < b1 && b0 < a1
}

/** The tensor that the op under way was given for its result, until it asks for one. */
let given: Tensor | null = null

/**
 * A contiguous tensor for an op's result, of unspecified values: the one that was given as `out`, if it can be written to as
 * it is, else a new one.
 */
export function empty_result(sizes: readonly number[], dtype: DType): Tensor {
  const out = given
  given = null
  if (out === null || out.dtype !== dtype) return empty(sizes, dtype)
  if (out.count === 0) resize_out(out, sizes)
  return out.dense && same_sizes(out.sizes, sizes) ? out : empty(sizes, dtype)
}

/** What is thrown for tensors to be written to of which two elements are one. */
export const self_overlap = (): RuntimeError =>
  new RuntimeError(
    'unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.',
  )

/**
 * Runs an op whose result {@link empty_result} makes in `out`, if none of its operands lies there; where `apart` says so,
 * throws RuntimeError if one does.
 */
export function run_into<R>(
  name: string,
  out: Tensor,
  operands: readonly Tensor[],
  apart: boolean,
  run: () => R,
): R {
  if (Array.isArray(out)) return write_out(name, out as unknown as Tensor, run())
  if (!out.dense && overlaps(out.sizes, out.strides)) throw self_overlap()
  const shared = operands.some(t => share_memory(t, out))
  if (shared && apart)
    throw new RuntimeError(
      'unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor before performing the operation.',
    )
  given = shared ? null : out
  try {
    const result = run()
    if ((result as unknown) === out) bump_version(out)
    return write_out(name, out, result)
  } finally {
    given = null
  }
}

/** Writes `result` into `out`; several results into a list, element by element. Returns what was written to. */
export function write_out<R>(name: string, out: Tensor, result: R): R {
  if (Array.isArray(result)) {
    const outs = out as unknown as Tensor[]
    if (!Array.isArray(outs) || outs.length !== result.length)
      throw new TypeError(`${name}(): out must be a tuple of ${result.length} Tensors`)
    // kept as what it is, which may have names for its elements
    result.forEach((r, i) => {
      result[i] = write_out(name, outs[i] as Tensor, r)
    })
    return result
  }
  if (Array.isArray(out)) throw new TypeError(`${name}(): argument 'out' must be Tensor, not tuple`)
  const value = result as unknown as Tensor
  if (value === out) return result
  require_castable(value.dtype, out.dtype)
  resize_out(out, value.sizes)
  copy_elements(out, value)
  bump_version(out)
  return out as unknown as R
}
