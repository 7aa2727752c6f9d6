// Convolution with one input channel a group: sums over the taps of the kernel of shifted rows. A channel is first
// copied with its padding, so that no row has edges; where the stride is s, each row is taken apart into s rows of every
// s-th element, so that neighbours in the result read neighbours. Not here: the input's gradient where the stride is not
// 1 (conv.ts), batches (device/wasm/conv.ts).
import {
  add,
  type Code,
  call,
  type Func,
  i32,
  if_else,
  type Local,
  lane,
  load,
  type ModuleBuilder,
  mul,
  op,
  splat_load,
  store,
  v128_zero,
  while_loop,
} from './assembler.ts'
import { minus, type Runs, type Shape, shape_of } from './conv.ts'
import { type FloatType, fused, lanes_of, size_of } from './gemm.ts'

/** Vectors of a row that are summed up side by side. */
const WIDE = 4

/**
 * Adds two functions to a module: `depthwise_forward(shape, input, weight, output, bias, scratch, channels, multiplier)`
 * writes the results of some channels of an image, `multiplier` for each; `bias` is the address of their biases, or 0.
 * `depthwise_weight_grad(shape, input, weight, output, scratch, channels, multiplier)` adds to the weight's gradient.
 * `scratch` has room for one channel with its padding (`depthwise_scratch` in device/wasm/conv.ts).
 */
export function emit_depthwise(module: ModuleBuilder, type: FloatType, relaxed: boolean, runs: Runs): void {
  for (const kind of ['forward', 'weight_grad'] as const) {
    const words = kind === 'forward' ? 8 : 7
    const f = module.func(
      `depthwise_${kind}`,
      Array.from({ length: words }, () => 'i32' as const),
    )
    const [at, input, weight, output] = f.params as [Local, Local, Local, Local]
    const [scratch, channels, multiplier] = f.params.slice(-3) as [Local, Local, Local]
    const { shape, setup } = shape_of(f, at)
    const size = size_of(type)
    const planes = new Planes(f, type, shape, scratch)
    const taps = mul(mul(shape.kernel_h.get, shape.kernel_w.get), size)
    const bias = f.params[4]!
    const rows =
      kind === 'forward'
        ? forward_rows(f, type, relaxed, planes, weight, output, bias)
        : gradient_rows(f, type, relaxed, planes, weight, output)
    f.emit(
      setup,
      planes.setup(),
      f.for(channels.get, () => [
        planes.copy(input, runs),
        f.for(multiplier.get, () => [
          rows,
          output.step(mul(mul(shape.out_h.get, shape.out_w.get), size)),
          weight.step(taps),
          kind === 'forward' ? if_else(bias.get, bias.step(size)) : [],
        ]),
        input.step(mul(mul(shape.in_h.get, shape.in_w.get), size)),
      ]),
    )
  }
}

/** A channel with its padding, and where in it each tap of the kernel begins. */
class Planes {
  readonly shape: Shape
  /** The bytes of every s-th element of a row, and of a row. */
  readonly #phase: Local
  readonly #pitch: Local
  /** The byte offset of each tap, from `table` to `table_end`; the channel begins there. */
  readonly table: Local
  readonly table_end: Local
  readonly #f: Func
  readonly #size: number

  constructor(f: Func, type: FloatType, shape: Shape, scratch: Local) {
    this.#f = f
    this.#size = size_of(type)
    this.shape = shape
    this.table = scratch
    this.#phase = f.local('i32')
    this.#pitch = f.local('i32')
    this.table_end = f.local('i32')
  }

  setup(): Code {
    const { kernel_h, kernel_w, out_w, stride_w, dilation_w, dilation_h } = this.shape
    const [at, column] = [this.#f.local('i32'), this.#f.local('i32')]
    const last_tap = op('i32.div_s', mul(minus(kernel_w.get, i32(1)), dilation_w.get), stride_w.get)
    return [
      this.#phase.set(mul(add(out_w.get, last_tap), this.#size)),
      this.#pitch.set(mul(this.#phase.get, stride_w.get)),
      at.set(this.table.get),
      this.#f.for(kernel_h.get, ky =>
        this.#f.for(kernel_w.get, kx => [
          column.set(mul(kx.get, dilation_w.get)),
          store(
            'i32.store',
            at.get,
            add(
              mul(mul(ky.get, dilation_h.get), this.#pitch.get),
              add(
                mul(op('i32.rem_s', column.get, stride_w.get), this.#phase.get),
                mul(op('i32.div_s', column.get, stride_w.get), this.#size),
              ),
            ),
          ),
          at.step(4),
        ]),
      ),
      this.table_end.set(at.get),
    ]
  }

  /** Copies the channel at `input`. */
  copy(input: Local, runs: Runs): Code {
    const { shape } = this
    const f = this.#f
    const size = this.#size
    const { in_h, in_w, out_h, kernel_h, stride_h, stride_w, dilation_h, padding_h, padding_w } = shape
    const [to, y, length, first, last] = Array.from({ length: 5 }, () => f.local('i32')) as [
      Local,
      Local,
      Local,
      Local,
      Local,
    ]
    const rows = add(
      add(mul(minus(out_h.get, i32(1)), stride_h.get), mul(minus(kernel_h.get, i32(1)), dilation_h.get)),
      1,
    )
    /** How many elements of phase p lie before column x of the input: (x + padding - p) / s, rounded up, in [0, length]. */
    const before = (p: Local, x: Code): Code => {
      const steps = add(minus(add(x, padding_w.get), p.get), minus(stride_w.get, i32(1)))
      return op('i32.div_s', steps, stride_w.get)
    }
    const limit = (x: Local): Code => [
      if_else(op('i32.lt_s', x.get, i32(0)), x.set(i32(0))),
      if_else(op('i32.gt_s', x.get, length.get), x.set(length.get)),
    ]
    const phase = (p: Local): Code => {
      const column = minus(add(p.get, mul(first.get, stride_w.get)), padding_w.get)
      const from = add(input.get, mul(add(mul(y.get, in_w.get), column), size))
      return [
        first.set(before(p, i32(0))),
        limit(first),
        last.set(before(p, in_w.get)),
        limit(last),
        call(runs.zero, to.get, first.get),
        call(
          runs.gather,
          add(to.get, mul(first.get, size)),
          from,
          minus(last.get, first.get),
          mul(stride_w.get, size),
        ),
        call(runs.zero, add(to.get, mul(last.get, size)), minus(length.get, last.get)),
        to.step(this.#phase.get),
      ]
    }
    return [
      to.set(this.table_end.get),
      length.set(op('i32.div_s', this.#phase.get, i32(size))),
      f.for(rows, r => [
        y.set(minus(r.get, padding_h.get)),
        if_else(op('i32.lt_u', y.get, in_h.get), f.for(stride_w.get, phase), [
          call(runs.zero, to.get, mul(length.get, stride_w.get)),
          to.step(this.#pitch.get),
        ]),
      ]),
    ]
  }

  /** Where row `oy` of the result meets the channel. */
  row(oy: Local): Code {
    return add(this.table_end.get, mul(mul(oy.get, this.shape.stride_h.get), this.#pitch.get))
  }
}

/** The results of one channel: for each few vectors of a row the sum over all taps. */
function forward_rows(
  f: Func,
  type: FloatType,
  relaxed: boolean,
  planes: Planes,
  weight: Local,
  output: Local,
  bias: Local,
): Code {
  const size = size_of(type)
  const lanes = lanes_of(type)
  const s = type === 'f32' ? 'f32x4' : 'f64x2'
  const { out_h, out_w } = planes.shape
  const [to, from, left, tap, w, met] = Array.from({ length: 6 }, () => f.local('i32')) as [
    Local,
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const [start, factor] = [f.local('v128'), f.local('v128')]
  const sums = Array.from({ length: WIDE }, () => f.local('v128'))
  /** Sums up `n` vectors. */
  const sum = (n: number): Code => [
    sums.slice(0, n).map(x => x.set(start.get)),
    tap.set(planes.table.get),
    w.set(weight.get),
    while_loop(
      op('i32.lt_u', tap.get, planes.table_end.get),
      met.set(add(from.get, load('i32.load', tap.get))),
      factor.set(splat_load(type, w.get)),
      sums
        .slice(0, n)
        .map((x, i) => x.set(fused(type, relaxed, factor.get, load('v128.load', met.get, 16 * i), x.get))),
      tap.step(4),
      w.step(size),
    ),
  ]
  const step = (n: number): Code => [to.step(n * 16), from.step(n * 16), left.step(-n * lanes)]
  const put = (n: number): Code => sums.slice(0, n).map((x, i) => store('v128.store', to.get, x.get, 16 * i))
  /** Back to where the row's last vector begins; what it has in common with the one before comes out the same. */
  const back = (): Code => {
    const by = mul(minus(i32(lanes), left.get), size)
    return [to.set(minus(to.get, by)), from.set(minus(from.get, by)), left.set(i32(lanes))]
  }
  return [
    start.set(v128_zero),
    if_else(bias.get, start.set(splat_load(type, bias.get))),
    f.for(out_h.get, oy => [
      to.set(add(output.get, mul(mul(oy.get, out_w.get), size))),
      from.set(planes.row(oy)),
      left.set(out_w.get),
      while_loop(op('i32.ge_s', left.get, i32(WIDE * lanes)), sum(WIDE), put(WIDE), step(WIDE)),
      while_loop(
        op('i32.gt_s', left.get, i32(0)),
        if_else(
          op('i32.ge_s', out_w.get, i32(lanes)),
          [if_else(op('i32.lt_s', left.get, i32(lanes)), back()), sum(1), put(1), step(1)],
          [
            sum(1),
            store(`${type}.store`, to.get, lane(`${s}.extract_lane`, 0, sums[0]!.get)),
            to.step(size),
            from.step(size),
            left.step(-1),
          ],
        ),
      ),
    ]),
  ]
}

/** Adds to the gradient of one channel's taps: the product of the result's gradient and what the tap met. */
function gradient_rows(
  f: Func,
  type: FloatType,
  relaxed: boolean,
  planes: Planes,
  weight: Local,
  output: Local,
): Code {
  const size = size_of(type)
  const lanes = lanes_of(type)
  const s = type === 'f32' ? 'f32x4' : 'f64x2'
  const { out_h, out_w } = planes.shape
  const [grad, from, left, tap, w] = Array.from({ length: 5 }, () => f.local('i32')) as [
    Local,
    Local,
    Local,
    Local,
    Local,
  ]
  const sums = Array.from({ length: WIDE }, () => f.local('v128'))
  const rest = f.local(type)
  const rounds = (n: number): Code =>
    while_loop(
      op('i32.ge_s', left.get, i32(n * lanes)),
      sums
        .slice(0, n)
        .map((x, i) =>
          x.set(
            fused(
              type,
              relaxed,
              load('v128.load', grad.get, 16 * i),
              load('v128.load', from.get, 16 * i),
              x.get,
            ),
          ),
        ),
      grad.step(16 * n),
      from.step(16 * n),
      left.step(-n * lanes),
    )
  const total = sums.map(x => x.get).reduce((a, b) => op(`${s}.add`, a, b))
  const lane_sum = Array.from({ length: lanes }, (_, i) => lane(`${s}.extract_lane`, i, sums[0]!.get)).reduce(
    (a, b) => op(`${type}.add`, a, b),
  )
  return [
    tap.set(planes.table.get),
    w.set(weight.get),
    while_loop(
      op('i32.lt_u', tap.get, planes.table_end.get),
      sums.map(x => x.set(v128_zero)),
      rest.set(load(`${type}.load`, w.get)),
      grad.set(output.get),
      f.for(out_h.get, oy => [
        from.set(add(planes.row(oy), load('i32.load', tap.get))),
        left.set(out_w.get),
        rounds(WIDE),
        rounds(1),
        while_loop(
          op('i32.gt_s', left.get, i32(0)),
          rest.set(
            op(
              `${type}.add`,
              rest.get,
              op(`${type}.mul`, load(`${type}.load`, grad.get), load(`${type}.load`, from.get)),
            ),
          ),
          grad.step(size),
          from.step(size),
          left.step(-1),
        ),
      ]),
      sums[0]!.set(total),
      store(`${type}.store`, w.get, op(`${type}.add`, rest.get, lane_sum)),
      tap.step(4),
      w.step(size),
    ),
  ]
}
