// Runs rendered modules on a memory of their own, without a device: every operand's storage is copied to an address,
// the argument block is written as render.ts describes it, and the storages are copied back.
import type { DType, TypedArray } from '../../../src/base/dtype.ts'
import { features } from '../../../src/device/wasm/features.ts'
import type { Expr } from '../../../src/ir/expr.ts'
import { build, type Kernel } from '../../../src/ir/kernel.ts'
import { verify } from '../../../src/ir/verify.ts'
import { type Features, render_wasm } from '../../../src/render/wasm/render.ts'

export type Argument = {
  readonly dtype: DType
  readonly array: TypedArray
  readonly offset: number
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
}

/** With and without what the engine offers (asking for it turns it on where it is behind a flag). */
export const every_feature: readonly Features[] = features().relaxed_simd
  ? [{ relaxed_simd: false }, { relaxed_simd: true }, { ...features(), shared_memory: false }]
  : [{ relaxed_simd: false }]

/** A contiguous operand of one dimension; numbers become what the dtype's array holds. */
export function vector(dtype: DType, values: readonly (number | bigint | boolean)[]): Argument {
  const array = new dtype.array(values.length)
  values.forEach((x, i) => {
    array[i] = dtype.name === 'int64' ? BigInt(x) : Number(x)
  })
  return { dtype, array, offset: 0, sizes: [values.length], strides: [1] }
}

export const zeros = (dtype: DType, n: number): Argument => ({
  dtype,
  array: new dtype.array(n),
  offset: 0,
  sizes: [n],
  strides: [1],
})

export const values_of = (a: Argument): (number | bigint)[] =>
  Array.from(a.array as ArrayLike<number | bigint>)

const PAGE = 65536

/** Renders, validates and runs a kernel; `range` limits its split loop. The operands are changed in place. */
export function run(
  kernel: Kernel,
  operands: readonly Argument[],
  values: readonly (number | bigint | boolean)[] = [],
  features: Features = { relaxed_simd: false },
  range?: readonly [number, number],
): void {
  verify(kernel)
  const bytes = render_wasm(kernel, features)
  const sizes = operands.map(o => Math.ceil(o.array.byteLength / 64) * 64)
  const total = sizes.reduce((a, b) => a + b, PAGE)
  const memory = new WebAssembly.Memory({ initial: Math.ceil(total / PAGE) })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } })
  const all = new Uint8Array(memory.buffer)
  const view = new DataView(memory.buffer)
  // operands at the very end of the memory, so that reading past the last one traps
  let at = memory.buffer.byteLength
  const addresses = new Map<TypedArray, number>()
  operands.forEach(({ array }, i) => {
    if (addresses.has(array)) return
    at -= sizes[i]!
    addresses.set(array, at)
    all.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at)
  })
  const split = kernel.body[kernel.body.length - 1]
  const size = split?.kind === 'for' && split.size.op === 'param' ? split.size.arg : null
  let slot = 2
  for (const o of operands)
    view.setInt32(slot++ * 8, addresses.get(o.array)! + o.offset * o.dtype.itemsize, true)
  let value = 0
  for (const p of kernel.params) {
    const { source, type } = p
    const x =
      source.kind === 'value'
        ? values[value++]!
        : source.kind === 'size'
          ? operands[source.buffer]!.sizes[source.dim]!
          : source.kind === 'stride'
            ? operands[source.buffer]!.strides[source.dim]!
            : operands[source.buffer]!.sizes.reduce((a, b) => a * b, 1)
    if (type === 'f32') view.setFloat32(slot * 8, Number(x), true)
    else if (type === 'f64') view.setFloat64(slot * 8, Number(x), true)
    else if (type === 'i64') view.setBigInt64(slot * 8, BigInt(x), true)
    else view.setInt32(slot * 8, Number(x), true)
    if (p === size) view.setInt32(8, Number(x), true)
    slot++
  }
  if (range) range.forEach((x, i) => void view.setInt32(i * 8, x, true))
  ;(instance.exports['run'] as (args: number) => void)(0)
  for (const [array, address] of addresses)
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(
      all.subarray(address, address + array.byteLength),
    )
}

/** How the same elementwise kernel is put: as vectors at a pointer, as vectors lane by lane, or one by one. */
export const FORMS = ['flat', 'strided', 'serial'] as const
export type Form = (typeof FORMS)[number]

/** An elementwise kernel over inputs of the given dtypes. */
export function elementwise(
  inputs: readonly DType[],
  output: DType,
  f: (...x: Expr[]) => Expr,
  form: Form = 'flat',
): Kernel {
  const layout = form === 'strided' ? { rank: 1 } : 'flat'
  return build('elementwise', k => {
    const x = inputs.map((dtype, i) => k.input(`x${i}`, dtype, layout))
    const y = k.output('y', output, layout)
    k.for(y.sizes[0]!, form === 'serial' ? 'serial' : 'vector', i =>
      k.store(y, [i], f(...x.map(v => v.at(i)))),
    )
  })
}

/** The same elements, every other one of a larger array, in reverse order. */
export function spread(a: Argument): Argument {
  const n = a.array.length
  const array = new a.dtype.array(2 * n + 3)
  for (let i = 0; i < n; i++) array[1 + 2 * (n - 1 - i)] = a.array[i]!
  return { ...a, array, offset: Math.max(1, 2 * n - 1), strides: [-2] }
}
/** The elements of a one-dimensional operand. */
export const gathered = (a: Argument): (number | bigint)[] =>
  Array.from({ length: a.sizes[0]! }, (_, i) => a.array[a.offset + i * a.strides[0]!]!)
