// From ops to the device: the device in use, memory for results, and families of kernels compiled on demand.
// Not here: which kernel an op needs (ops/), how it is compiled (device/).
import { DType, to_real_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { debug_level } from '../base/flags.ts'
import { contiguous_strides, is_contiguous, numel, ordered_strides } from '../base/shape.ts'
import type { Device, Executable, Operand } from '../device/device.ts'
import { allocate, allocate_zeroed, before_first_large } from '../device/storage.ts'
import { type Builder, build, type Kernel } from '../ir/kernel.ts'
import { print_kernel } from '../ir/print.ts'
import { Tensor } from './tensor.ts'

let make_cpu: () => Device = () => {
  throw new RuntimeError('no device is installed: import the package by its public face')
}
let cpu: Device | undefined

/** Says how the CPU device is made when the first kernel or the first large block of memory is needed. */
export function install_cpu(make: () => Device): void {
  make_cpu = make
  cpu = undefined
  before_first_large(cpu_device)
}

/** The device that computes on CPU tensors. */
export function cpu_device(): Device {
  cpu ??= make_cpu()
  return cpu
}

export { is_sole, Scope } from '../device/storage.ts'

/** A new contiguous tensor of zeros. */
export function zeros(sizes: readonly number[], dtype: DType): Tensor {
  const count = numel(sizes)
  const memory = allocate_zeroed(count * dtype.itemsize)
  return new Tensor(memory, 0, sizes, contiguous_strides(sizes), dtype, count, true)
}

/** A new contiguous tensor of unspecified values. */
export function empty(sizes: readonly number[], dtype: DType): Tensor {
  const count = numel(sizes)
  return new Tensor(allocate(count * dtype.itemsize), 0, sizes, contiguous_strides(sizes), dtype, count, true)
}

/** A new tensor with given strides, which must be dense. */
export function empty_strided(sizes: readonly number[], strides: readonly number[], dtype: DType): Tensor {
  const count = numel(sizes)
  return new Tensor(allocate(count * dtype.itemsize), 0, sizes, strides, dtype, count)
}

/** A new tensor without gaps, its dimensions in the order in which `strides` has them in memory. */
export function empty_in_order(sizes: readonly number[], strides: readonly number[], dtype: DType): Tensor {
  const own = ordered_strides(sizes, strides)
  return is_contiguous(sizes, own) ? empty(sizes, dtype) : empty_strided(sizes, own, dtype)
}

/** Compiles a kernel. TSTORCH_DEBUG=1 names it on stderr, 2 prints its IR. */
export function compile(kernel: Kernel): Executable {
  const level = debug_level()
  if (level === 1) console.error(`tstorch: kernel ${kernel.name} for ${cpu_device().backend}`)
  if (level > 1) console.error(print_kernel(kernel))
  const run = cpu_device().compile(kernel)
  const { pairs } = kernel
  if (pairs === undefined) return run
  return (operands, values) =>
    run(
      operands.map((operand, i) => (pairs.includes(i) ? as_pairs(operand) : operand)),
      values,
    )
}

/** Complex numbers as pairs of floats, in a last dimension of their own. */
const as_pairs = ({ memory, offset, sizes, strides, count, dtype }: Operand): Operand => ({
  memory,
  offset: 2 * offset,
  sizes: [...sizes, 2],
  strides: [...strides.map(s => 2 * s), 1],
  count: 2 * count,
  dtype: to_real_dtype(dtype),
})

/** What tells the kernels of a family apart. */
export type KeyPart = string | number | boolean | DType | null | undefined

/**
 * A family of kernels: `write` is called once per distinct key, and the compiled kernel is kept. Sizes and strides
 * are no part of the key.
 */
export function kernels<K extends readonly KeyPart[]>(
  name: string,
  write: (k: Builder, ...key: K) => void,
): (...key: K) => Executable {
  const compiled = new Map<string, Executable>()
  let last: Executable | undefined
  let last_key: readonly KeyPart[] = []
  return (...key) => {
    if (last !== undefined && same_key(key, last_key)) return last
    const text = key.join('|')
    let executable = compiled.get(text)
    if (executable === undefined) {
      executable = compile(build(kernel_name(name, key), k => write(k, ...key)))
      compiled.set(text, executable)
    }
    last_key = key
    return (last = executable)
  }
}

function same_key(a: readonly KeyPart[], b: readonly KeyPart[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}

/** A name that is an identifier in C and says what the kernel is: `sum_float32_2`. */
function kernel_name(name: string, key: readonly KeyPart[]): string {
  const parts = key.map(part => (part instanceof DType ? part.name : String(part)))
  return [name, ...parts].join('_').replaceAll(/[^A-Za-z0-9_]+/g, '_')
}
