// The parts of convolution that are not matrix multiply: im2col and its transpose for a rectangle of output positions, the
// rows of biases that results begin as, and the gradient of depthwise convolution's strided input. The caller puts the
// problem's shape in memory once, as the i32 words SHAPE. Not here: other depthwise convolution (depthwise.ts), blocking,
// batches and groups (device/wasm/conv.ts).
import {
  add,
  type Code,
  call,
  type Func,
  f32,
  f64,
  i32,
  if_else,
  type Local,
  load,
  type ModuleBuilder,
  mul,
  op,
  splat_load,
  store,
  store_low,
  v128_zero,
  while_loop,
} from './assembler.ts'
import { type FloatType, fused, lanes_of, size_of, TILE_COLUMNS } from './gemm.ts'

/** The words of a shape, in order: of one image, height before width. */
export const SHAPE = [
  'in_h',
  'in_w',
  'out_h',
  'out_w',
  'kernel_h',
  'kernel_w',
  'stride_h',
  'stride_w',
  'padding_h',
  'padding_w',
  'dilation_h',
  'dilation_w',
] as const
export type Shape = Readonly<Record<(typeof SHAPE)[number], Local>>

/**
 * Adds the functions of convolution to a module. `shape` is the address of the SHAPE words, the others are addresses
 * of contiguous elements:
 *
 * - `im2col(shape, input, columns, channels, top, bottom, left, right)`: for each channel and kernel position a row
 *   of the input elements that the output positions [top, bottom) x [left, right) meet there, 0 in the padding.
 * - `col2im(...)`, with the same parameters: adds such rows to the input's elements.
 * - `pack_columns(shape, input, target, channels, top, bottom, left, right, panel)`: the same elements as `pack_b` would pack
 *   them, in panels `panel` bytes apart; only for a horizontal stride of 1 and whole panels in each row of positions.
 * - `fill_rows(to, count, row, rows, values, step)`: `count` adjacent elements, in `rows` rows `row` bytes apart, become
 *   the row's value; `step` is the distance of two values.
 * - `depthwise_input_grad(shape, input, weight, output)` adds one channel's gradient to `input`.
 * - those along a row, which it returns.
 */
export function emit_conv(module: ModuleBuilder, type: FloatType, relaxed: boolean): Runs {
  const runs = emit_runs(module, type, relaxed)
  emit_columns(module, 'im2col', type, runs)
  emit_columns(module, 'col2im', type, runs)
  emit_pack_columns(module, type)
  emit_fill_rows(module, type)
  emit_depthwise_input_grad(module, type, runs)
  return runs
}

// ------------------------------------------------------------------------------------------ runs along a row

export type Runs = {
  /** zero(to, count) */
  readonly zero: Func
  /** gather(to, from, count, step): to[i] = from[i * step] */
  readonly gather: Func
  /** scatter(to, from, count, step): to[i * step] += from[i] */
  readonly scatter: Func
  /** axpy(to, from, count, to_step, from_step, factor): to += factor * from, with steps in bytes */
  readonly axpy: Func
}

function emit_runs(module: ModuleBuilder, type: FloatType, relaxed: boolean): Runs {
  const size = size_of(type)
  const lanes = lanes_of(type)
  const s = type === 'f32' ? 'f32x4' : 'f64x2'
  const element = (p: Local): Code => load(`${type}.load`, p.get)
  const vector = (p: Local): Code => load('v128.load', p.get)
  const put = (p: Local, x: Code): Code => store(`${type}.store`, p.get, x)
  const put_vector = (p: Local, x: Code): Code => store('v128.store', p.get, x)
  /** Rounds of `round` elements while there are so many. */
  const rounds = (count: Local, round: number, ...body: Code[]): Code =>
    while_loop(op('i32.ge_s', count.get, i32(round)), ...body, count.step(-round))
  const zero_of = type === 'f32' ? f32(0) : f64(0)

  const zero = module.func('zero', ['i32', 'i32'])
  {
    const [to, count] = zero.params as [Local, Local]
    zero.emit(
      rounds(count, lanes, put_vector(to, v128_zero), to.step(16)),
      rounds(count, 1, put(to, zero_of), to.step(size)),
    )
  }
  const gather = module.func('gather', ['i32', 'i32', 'i32', 'i32'])
  {
    const [to, from, count, step] = gather.params as [Local, Local, Local, Local]
    gather.emit(
      if_else(
        op('i32.eq', step.get, i32(size)),
        rounds(count, lanes, put_vector(to, vector(from)), to.step(16), from.step(16)),
      ),
      rounds(count, 1, put(to, element(from)), to.step(size), from.step(step.get)),
    )
  }
  const scatter = module.func('scatter', ['i32', 'i32', 'i32', 'i32'])
  {
    const [to, from, count, step] = scatter.params as [Local, Local, Local, Local]
    scatter.emit(
      if_else(
        op('i32.eq', step.get, i32(size)),
        rounds(
          count,
          lanes,
          put_vector(to, op(`${s}.add`, vector(to), vector(from))),
          to.step(16),
          from.step(16),
        ),
      ),
      rounds(
        count,
        1,
        put(to, op(`${type}.add`, element(to), element(from))),
        to.step(step.get),
        from.step(size),
      ),
    )
  }
  const axpy = module.func('axpy', ['i32', 'i32', 'i32', 'i32', 'i32', type])
  {
    const [to, from, count, to_step, from_step, factor] = axpy.params as [
      Local,
      Local,
      Local,
      Local,
      Local,
      Local,
    ]
    const factors = axpy.local('v128')
    const adjacent = op('i32.eq', add(to_step.get, from_step.get), i32(2 * size))
    axpy.emit(
      factors.set(op(`${s}.splat`, factor.get)),
      if_else(
        adjacent,
        rounds(
          count,
          lanes,
          put_vector(to, fused(type, relaxed, factors.get, vector(from), vector(to))),
          to.step(16),
          from.step(16),
        ),
      ),
      rounds(
        count,
        1,
        put(to, op(`${type}.add`, element(to), op(`${type}.mul`, factor.get, element(from)))),
        to.step(to_step.get),
        from.step(from_step.get),
      ),
    )
  }
  return { zero, gather, scatter, axpy }
}

// ------------------------------------------------------------------------------------------ where rows meet

export function shape_of(f: Func, at: Local): { readonly shape: Shape; readonly setup: Code } {
  const locals = SHAPE.map(() => f.local('i32'))
  return {
    shape: Object.fromEntries(SHAPE.map((name, i) => [name, locals[i]!])) as Shape,
    setup: locals.map((l, i) => l.set(load('i32.load', at.get, 4 * i))),
  }
}

export const minus = (a: Code, b: Code): Code => op('i32.sub', a, b)
const larger = (x: Local, than: Code): Code => if_else(op('i32.lt_s', x.get, than), x.set(than))
const smaller = (x: Local, than: Code): Code => if_else(op('i32.gt_s', x.get, than), x.set(than))

/**
 * Sets `first` and `last` to the part of [left, right) whose input columns, at kernel column `kx`, lie in the input, and
 * `x0` to the input column of output column 0.
 */
function visible(
  shape: Shape,
  kx: Local,
  left: Code,
  right: Code,
  first: Local,
  last: Local,
  x0: Local,
): Code {
  const { in_w, stride_w, padding_w, dilation_w } = shape
  const up = (a: Code): Code => op('i32.div_s', add(a, minus(stride_w.get, i32(1))), stride_w.get)
  return [
    x0.set(minus(mul(kx.get, dilation_w.get), padding_w.get)),
    // ceil(-x0 / stride), where x0 < 0; the first column past the input: ceil((in_w - x0) / stride), where positive
    first.set(left),
    if_else(op('i32.lt_s', x0.get, i32(0)), larger(first, up(minus(i32(0), x0.get)))),
    last.set(right),
    if_else(
      op('i32.gt_s', in_w.get, x0.get),
      smaller(last, up(minus(in_w.get, x0.get))),
      last.set(first.get),
    ),
    larger(last, first.get),
    smaller(first, right),
    smaller(last, right),
  ]
}

function emit_columns(module: ModuleBuilder, name: 'im2col' | 'col2im', type: FloatType, runs: Runs): void {
  const f = module.func(name, ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [at, input, columns, channels, top, bottom, left, right] = f.params as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const { shape, setup } = shape_of(f, at)
  const size = size_of(type)
  const [first, last, x0, y, oy, from] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ]
  const is_gather = name === 'im2col'
  const zeros = (count: Code): Code =>
    is_gather
      ? [call(runs.zero, columns.get, count), columns.step(mul(count, size))]
      : columns.step(mul(count, size))
  const step = mul(shape.stride_w.get, size)
  const met = minus(last.get, first.get)
  const x = add(mul(first.get, shape.stride_w.get), x0.get)
  const inside: Code = [
    from.set(add(input.get, mul(add(mul(y.get, shape.in_w.get), x), size))),
    zeros(minus(first.get, left.get)),
    is_gather
      ? call(runs.gather, columns.get, from.get, met, step)
      : call(runs.scatter, from.get, columns.get, met, step),
    columns.step(mul(met, size)),
    zeros(minus(right.get, last.get)),
  ]
  f.emit(
    setup,
    f.for(channels.get, () => [
      f.for(shape.kernel_h.get, ky =>
        f.for(shape.kernel_w.get, kx => [
          visible(shape, kx, left.get, right.get, first, last, x0),
          oy.set(top.get),
          while_loop(
            op('i32.lt_s', oy.get, bottom.get),
            y.set(
              add(
                minus(mul(oy.get, shape.stride_h.get), shape.padding_h.get),
                mul(ky.get, shape.dilation_h.get),
              ),
            ),
            if_else(op('i32.lt_u', y.get, shape.in_h.get), inside, zeros(minus(right.get, left.get))),
            oy.step(1),
          ),
        ]),
      ),
      input.step(mul(mul(shape.in_h.get, shape.in_w.get), size)),
    ]),
  )
}

function emit_pack_columns(module: ModuleBuilder, type: FloatType): void {
  const f = module.func(
    'pack_columns',
    Array.from({ length: 9 }, () => 'i32' as const),
  )
  const [at, input, target, channels, top, bottom, left, right, panel] = f.params as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const { shape, setup } = shape_of(f, at)
  const size = size_of(type)
  const tile = TILE_COLUMNS[type]
  const [oy, ox, to, plane, x, y, from] = Array.from({ length: 7 }, () => f.local('i32')) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const vectors = Array.from({ length: (tile * size) / 16 }, (_, i) => 16 * i)
  const copy = vectors.map(i => store('v128.store', to.get, load('v128.load', from.get, i), i))
  const clear = vectors.map(i => store('v128.store', to.get, v128_zero, i))
  const at_edge = f.for(i32(tile), i => {
    const element = (): Code => add(to.get, mul(i.get, size))
    return if_else(
      op('i32.lt_u', add(x.get, i.get), shape.in_w.get),
      store(`${type}.store`, element(), load(`${type}.load`, add(from.get, mul(i.get, size)))),
      store(`${type}.store`, element(), type === 'f32' ? f32(0) : f64(0)),
    )
  })
  const inside = op(
    'i32.and',
    op('i32.ge_s', x.get, i32(0)),
    op('i32.le_s', add(x.get, i32(tile)), shape.in_w.get),
  )
  f.emit(
    setup,
    oy.set(top.get),
    while_loop(
      op('i32.lt_s', oy.get, bottom.get),
      ox.set(left.get),
      while_loop(
        op('i32.lt_s', ox.get, right.get),
        to.set(target.get),
        plane.set(input.get),
        f.for(channels.get, () => [
          y.set(minus(mul(oy.get, shape.stride_h.get), shape.padding_h.get)),
          f.for(shape.kernel_h.get, () => [
            x.set(minus(ox.get, shape.padding_w.get)),
            from.set(add(plane.get, mul(add(mul(y.get, shape.in_w.get), x.get), size))),
            if_else(
              op('i32.lt_u', y.get, shape.in_h.get),
              f.for(shape.kernel_w.get, () => [
                if_else(inside, copy, at_edge),
                to.step(tile * size),
                x.step(shape.dilation_w.get),
                from.step(mul(shape.dilation_w.get, size)),
              ]),
              f.for(shape.kernel_w.get, () => [clear, to.step(tile * size)]),
            ),
            y.step(shape.dilation_h.get),
          ]),
          plane.step(mul(mul(shape.in_h.get, shape.in_w.get), size)),
        ]),
        target.step(panel.get),
        ox.step(tile),
      ),
      oy.step(1),
    ),
  )
}

function emit_fill_rows(module: ModuleBuilder, type: FloatType): void {
  const f = module.func('fill_rows', ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'])
  const [target, count, row, rows, values, step] = f.params as [Local, Local, Local, Local, Local, Local]
  const [to, left, value] = [f.local('i32'), f.local('i32'), f.local('v128')]
  const size = size_of(type)
  const lanes = lanes_of(type)
  f.emit(
    f.for(rows.get, () => [
      value.set(splat_load(type, values.get)),
      to.set(target.get),
      left.set(count.get),
      while_loop(
        op('i32.ge_s', left.get, i32(lanes)),
        store('v128.store', to.get, value.get),
        to.step(16),
        left.step(-lanes),
      ),
      while_loop(
        op('i32.gt_s', left.get, i32(0)),
        store_low(size, to.get, value.get),
        to.step(size),
        left.step(-1),
      ),
      target.step(row.get),
      values.step(step.get),
    ]),
  )
}

function emit_depthwise_input_grad(module: ModuleBuilder, type: FloatType, runs: Runs): void {
  const f = module.func('depthwise_input_grad', ['i32', 'i32', 'i32', 'i32'])
  const [at, input, weight, output] = f.params as [Local, Local, Local, Local]
  const { shape, setup } = shape_of(f, at)
  const size = size_of(type)
  const [first, last, x0, y] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const count = minus(last.get, first.get)
  const step = mul(shape.stride_w.get, size)
  f.emit(
    setup,
    f.for(shape.kernel_h.get, ky =>
      f.for(shape.kernel_w.get, kx => [
        visible(shape, kx, i32(0), shape.out_w.get, first, last, x0),
        f.for(shape.out_h.get, oy => {
          const row = minus(mul(oy.get, shape.stride_h.get), shape.padding_h.get)
          const x = add(mul(first.get, shape.stride_w.get), x0.get)
          const from = add(input.get, mul(add(mul(y.get, shape.in_w.get), x), size))
          const to = add(output.get, mul(add(mul(oy.get, shape.out_w.get), first.get), size))
          const w = load(`${type}.load`, weight.get)
          return [
            y.set(add(row, mul(ky.get, shape.dilation_h.get))),
            if_else(
              op('i32.lt_u', y.get, shape.in_h.get),
              call(runs.axpy, from, to, count, step, i32(size), w),
            ),
          ]
        }),
        weight.step(size),
      ]),
    ),
  )
}
