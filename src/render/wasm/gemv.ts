// Matrix times vector, where packing would cost more than the product: each element of the matrix is read once, where
// it lies. Not here: matrices times matrices (gemm.ts), and when to use which (device/wasm/gemm.ts).
import {
  add,
  type Code,
  i32,
  if_value,
  type Local,
  lane,
  load,
  type ModuleBuilder,
  mul,
  op,
  splat_load,
  store,
  while_loop,
} from './assembler.ts'
import { type FloatType, fused, lanes_of, size_of } from './gemm.ts'

/** Rows that are read together. */
const ROWS = 4

/**
 * Adds the functions of matrix times vector to a module; distances are in bytes:
 *
 * - `dots(count, k, x, rows, row, out, step, accumulate)`: out[i] = x . rows[i] for rows and x of adjacent elements.
 * - `combine(n, k, x, x_step, rows, row, out)`: out += sum of x[i] * rows[i], for k rows of n adjacent elements.
 */
export function emit_gemv(module: ModuleBuilder, type: FloatType, relaxed: boolean): void {
  emit_dots(module, type, relaxed)
  emit_combine(module, type, relaxed)
}

const each_row = <T>(f: (row: number) => T): T[] => Array.from({ length: ROWS }, (_, r) => f(r))

function emit_dots(module: ModuleBuilder, type: FloatType, relaxed: boolean): void {
  const f = module.func('dots', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [count, k, x, rows, row, out, step, accumulate] = f.params as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const size = size_of(type)
  const lanes = lanes_of(type)
  const s = type === 'f32' ? 'f32x4' : 'f64x2'
  const [at, left, chunk] = [f.local('i32'), f.local('i32'), f.local('v128')]
  const from = each_row(() => f.local('i32'))
  const sums = each_row(() => f.local('v128'))
  const totals = each_row(() => f.local(type))
  const zero = op(`${type}.convert_i32_s`, i32(0))
  const no_sum = op(`${s}.splat`, zero)
  const total = (sum: Local): Code =>
    Array.from({ length: lanes }, (_, l) => lane(`${s}.extract_lane`, l, sum.get)).reduce((a, b) =>
      op(`${type}.add`, a, b),
    )
  const element = (p: Local): Code => load(`${type}.load`, p.get)
  /** The dot products of the next `n` rows. */
  const group = (n: number): Code => {
    const used = from.slice(0, n)
    return [
      at.set(x.get),
      left.set(k.get),
      used.map((p, r) => [p.set(add(rows.get, mul(row.get, r))), sums[r]!.set(no_sum)]),
      while_loop(
        op('i32.ge_s', left.get, i32(lanes)),
        chunk.set(load('v128.load', at.get)),
        used.map((p, r) => [
          sums[r]!.set(fused(type, relaxed, chunk.get, load('v128.load', p.get), sums[r]!.get)),
          p.step(16),
        ]),
        at.step(16),
        left.step(-lanes),
      ),
      used.map((_, r) => totals[r]!.set(total(sums[r]!))),
      while_loop(
        op('i32.gt_s', left.get, i32(0)),
        used.map((p, r) => [
          totals[r]!.set(op(`${type}.add`, totals[r]!.get, op(`${type}.mul`, element(at), element(p)))),
          p.step(size),
        ]),
        at.step(size),
        left.step(-1),
      ),
      used.map((_, r) => {
        const before = if_value(type, accumulate.get, element(out), zero)
        return [
          store(`${type}.store`, out.get, op(`${type}.add`, totals[r]!.get, before)),
          out.step(step.get),
        ]
      }),
      rows.step(mul(row.get, n)),
      count.step(-n),
    ]
  }
  f.emit(
    while_loop(op('i32.ge_s', count.get, i32(ROWS)), group(ROWS)),
    while_loop(op('i32.gt_s', count.get, i32(0)), group(1)),
  )
}

function emit_combine(module: ModuleBuilder, type: FloatType, relaxed: boolean): void {
  const f = module.func('combine', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [n, k, x, x_step, rows, row, out] = f.params as [Local, Local, Local, Local, Local, Local, Local]
  const size = size_of(type)
  const lanes = lanes_of(type)
  const s = type === 'f32' ? 'f32x4' : 'f64x2'
  const [to, left] = [f.local('i32'), f.local('i32')]
  const from = each_row(() => f.local('i32'))
  const factors = each_row(() => f.local('v128'))
  /** Adds the next `count` rows. */
  const group = (count: number): Code => {
    const used = from.slice(0, count)
    const vectors = used.reduce<Code>(
      (sum, p, r) => fused(type, relaxed, factors[r]!.get, load('v128.load', p.get), sum),
      load('v128.load', to.get),
    )
    const scalars = used.reduce<Code>(
      (sum, p, r) => {
        const factor = lane(`${s}.extract_lane`, 0, factors[r]!.get)
        return op(`${type}.add`, sum, op(`${type}.mul`, factor, load(`${type}.load`, p.get)))
      },
      load(`${type}.load`, to.get),
    )
    return [
      to.set(out.get),
      left.set(n.get),
      used.map((p, r) => [
        p.set(add(rows.get, mul(row.get, r))),
        factors[r]!.set(splat_load(type, add(x.get, mul(x_step.get, r)))),
      ]),
      while_loop(
        op('i32.ge_s', left.get, i32(lanes)),
        store('v128.store', to.get, vectors),
        used.map(p => p.step(16)),
        to.step(16),
        left.step(-lanes),
      ),
      while_loop(
        op('i32.gt_s', left.get, i32(0)),
        store(`${type}.store`, to.get, scalars),
        used.map(p => p.step(size)),
        to.step(size),
        left.step(-1),
      ),
      rows.step(mul(row.get, count)),
      x.step(mul(x_step.get, count)),
      k.step(-count),
    ]
  }
  f.emit(
    while_loop(op('i32.ge_s', k.get, i32(ROWS)), group(ROWS)),
    while_loop(op('i32.gt_s', k.get, i32(0)), group(1)),
  )
}
