// The kernels of batch_norm. In training, statistics, normalising and the running averages are one kernel, and all
// gradients are another, each a loop over channels whose elements stay in the cache between passes. Where a sample has few elements of a channel, the
// channels of a block are side by side as columns. Not here: checks, history (batch_norm.ts).
import { type DType, float64 } from '../../base/dtype.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { window } from '../define/space.ts'
import { add_row, add_rows } from '../define/sums.ts'
import { dense_copy } from '../define/update.ts'
import { type Gradients, statistics_dtype } from './norm_parts.ts'

const PLANES = { rank: 3, inner: 1 } as const
const CHANNELS = { rank: 2, inner: 1 } as const
/** Elements of a channel in a sample from which on they are taken as a row. */
const LONG = 128
/** Rows that are added up before they go to the totals of columns. */
const TOGETHER = 8

// ---------------------------------------------------------------------------------------------- forward

type ForwardKey = readonly [
  dtype: DType,
  affine: string,
  running_mean: DType | null,
  running_var: DType | null,
]

/** The operands of a forward kernel, and what is done for a channel once its sums are known. */
class Forward {
  readonly out: View
  readonly x: View
  readonly weight: View | null
  readonly bias: View | null
  readonly #k: Builder
  readonly #mean: View
  readonly #rstd: View
  readonly #running_mean: View | null
  readonly #running_var: View | null
  readonly #eps: Expr
  readonly #momentum: Expr

  constructor(k: Builder, [dtype, affine, running_mean, running_var]: ForwardKey) {
    const stats = statistics_dtype(dtype)
    this.#k = k
    this.out = k.output('out', dtype, PLANES)
    this.#mean = k.output('mean', stats, 'flat')
    this.#rstd = k.output('rstd', stats, 'flat')
    this.x = k.input('x', dtype, PLANES)
    this.weight = affine.includes('w') ? k.input('weight', stats, 'flat') : null
    this.bias = affine.includes('b') ? k.input('bias', stats, 'flat') : null
    this.#running_mean = running_mean && k.inout('running_mean', running_mean, 'flat')
    this.#running_var = running_var && k.inout('running_var', running_var, 'flat')
    this.#eps = k.value('eps', 'f64')
    this.#momentum = k.value('momentum', 'f64')
  }

  /** The number of elements of a channel. */
  get count(): Expr {
    const [n, , length] = this.x.sizes as [Expr, Expr, Expr]
    return n.mul(length).cast('f64')
  }

  /** Keeps the statistics of a channel and gives the reciprocal of its standard deviation. */
  keep(c: Expr, mean: Expr, variance: Expr): Expr {
    const rest = constant(1, 'f64').sub(this.#momentum)
    const move = (view: View | null, value: Expr): void => {
      if (view === null) return
      const moved = view.at(c).cast('f64').mul(rest).add(value.mul(this.#momentum))
      this.#k.store(view, [c], moved.cast(view.type))
    }
    move(this.#running_mean, mean.cast('f64'))
    move(this.#running_var, variance.mul(this.count.div(this.count.sub(1))))
    const { type } = this.#rstd
    const rstd = this.#k.local(type, reciprocal_root(variance.add(this.#eps)).cast(type))
    this.#k.store(this.#mean, [c], mean.cast(type))
    this.#k.store(this.#rstd, [c], rstd)
    return rstd
  }
}

const reciprocal_root = (x: Expr): Expr => constant(1, 'f64').div(x.sqrt())

const forward_planes = kernels('batch_norm', (k, ...key: ForwardKey) => {
  const p = new Forward(k, key)
  const { x, out } = p
  const [n, channels, length] = x.sizes as [Expr, Expr, Expr]
  k.for(channels, 'parallel', c => {
    /** The mean over the channel of `term`. */
    const mean_of = (term: (x: Expr) => Expr): Expr => {
      const sum = k.local('f64', 0)
      k.for(n, 'serial', i => add_row(k, x.type, length, [sum], j => [term(x.at(i, c, j))]))
      return sum.div(p.count)
    }
    const mean = k.local(x.type, mean_of(e => e).cast(x.type))
    const square = (e: Expr): Expr => e.sub(mean).mul(e.sub(mean))
    const rstd = p.keep(c, mean, k.local('f64', mean_of(square)))
    const scale = k.local(x.type, p.weight ? rstd.mul(p.weight.at(c)) : rstd)
    k.for(n, 'serial', i =>
      k.for(length, 'vector', j => {
        const normal = x.at(i, c, j).sub(mean).mul(scale)
        k.store(out, [i, c, j], p.bias ? normal.add(p.bias.at(c)) : normal)
      }),
    )
  })
})

/** A block of neighbouring channels of [N, C, L] as N rows of columns. */
class Block {
  readonly width: Expr
  readonly rows: Expr
  readonly #k: Builder
  readonly #first: Expr
  readonly #count: Expr
  readonly #length: Expr
  /** Whether a channel is one column. */
  readonly #single: boolean

  constructor(k: Builder, x: View, first: Expr, count: Expr, single: boolean) {
    const length = x.sizes[2] as Expr
    this.#k = k
    this.#first = first
    this.#count = count
    this.#length = length
    this.#single = single
    this.rows = x.sizes[0] as Expr
    this.width = k.local('index', count.mul(length))
  }

  /** Where column `j` is in a view of [C, L]. */
  readonly at = (j: Expr): Expr[] => [this.#first, j]

  /** Where it is in a row of [N, C, L]. */
  place(row: Expr, j: Expr): Expr[] {
    return [row, this.#first, j]
  }

  columns(body: (j: Expr) => void): void {
    this.#k.for(this.width, 'vector', body)
  }

  /** Adds what `terms` gives for each row to totals of columns, which start as 0. */
  add(totals: readonly View[], terms: (row: Expr, j: Expr) => readonly Expr[]): void {
    this.columns(j => {
      for (const total of totals) this.#k.store(total, this.at(j), constant(0, total.type))
    })
    add_rows(this.#k, { width: this.width, totals, at: this.at }, this.rows, TOGETHER, terms)
  }

  /** For each channel, with the sum over its columns of a view of [C, L], and what writes a value to all of these. */
  each_channel(
    body: (c: Expr, sum: (of: View) => Expr, spread: (to: View, value: Expr) => void) => void,
  ): void {
    const k = this.#k
    if (this.#single)
      k.for(this.#count, 'vector', i => {
        const c = this.#first.add(i)
        body(
          c,
          of => of.at(c, 0),
          (to, value) => k.store(to, [c, 0], value),
        )
      })
    else
      k.for(this.#count, 'serial', i => {
        const c = this.#first.add(i)
        const sum = (of: View): Expr => {
          const total = k.local(of.type, 0)
          k.for(this.#length, 'reduce', l => k.assign(total, total.add(of.at(c, l))))
          return total
        }
        const spread = (to: View, value: Expr): void => {
          const kept = k.local(to.type, value)
          k.for(this.#length, 'vector', l => k.store(to, [c, l], kept))
        }
        body(c, sum, spread)
      })
  }
}

/** Loops over blocks of channels. */
function channel_blocks(k: Builder, x: View, single: boolean, body: (block: Block) => void): void {
  const together = k.value('together', 'index')
  const channels = x.sizes[1] as Expr
  k.for(channels.add(together).sub(1).truncdiv(together), 'parallel', b => {
    const first = k.local('index', b.mul(together))
    const count = k.local('index', channels.sub(first).min(together))
    body(new Block(k, x, first, count, single))
  })
}

const forward_columns = kernels('batch_norm_columns', (k, single: boolean, ...key: ForwardKey) => {
  const p = new Forward(k, key)
  const { x, out, weight, bias } = p
  const stats = statistics_dtype(key[0])
  const total = k.inout('total', float64, CHANNELS)
  const centre = k.inout('centre', stats, CHANNELS)
  const scale = k.inout('scale', stats, CHANNELS)
  const shift = bias ? k.inout('shift', stats, CHANNELS) : null
  channel_blocks(k, x, single, block => {
    block.add([total], (row, j) => [x.at(...block.place(row, j))])
    block.each_channel((_, sum, spread) => spread(centre, sum(total).div(p.count).cast(x.type)))
    block.add([total], (row, j) => {
      const d = x.at(...block.place(row, j)).sub(centre.at(...block.at(j)))
      return [d.mul(d)]
    })
    block.each_channel((c, sum, spread) => {
      const mean = k.local(x.type, centre.at(c, 0))
      const rstd = p.keep(c, mean, k.local('f64', sum(total).div(p.count)))
      spread(scale, weight ? rstd.mul(weight.at(c)) : rstd)
      if (shift && bias) spread(shift, bias.at(c))
    })
    k.for(block.rows, 'serial', row =>
      block.columns(j => {
        const at = block.at(j)
        const normal = x
          .at(...block.place(row, j))
          .sub(centre.at(...at))
          .mul(scale.at(...at))
        k.store(out, block.place(row, j), shift ? normal.add(shift.at(...at)) : normal)
      }),
    )
  })
})

/** How many channels of `length` elements are side by side: as many as make a few vectors, fewer than would not fit. */
function channels_together(channels: number, length: number): number {
  const width = Math.min(512, Math.max(64, Math.ceil((channels * length) / 8)))
  return Math.max(1, Math.floor(width / length))
}

type Results = [out: Tensor, mean: Tensor, rstd: Tensor]

/**
 * Normalises by the batch's statistics: the result, and the mean and 1 / the standard deviation of each channel. Moves
 * the running averages.
 */
export function normalise_by_batch(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  running: readonly [mean: Tensor | null, variance: Tensor | null],
  momentum: number,
  eps: number,
): Results {
  const stats = statistics_dtype(input.dtype)
  const { channels, length, planes } = shape_of(input)
  const out = empty(input.sizes, input.dtype)
  const [mean, rstd] = [empty([channels], stats), empty([channels], stats)]
  const operands: Operand[] = [planes(out), mean, rstd, planes(dense(input)), ...affine(weight, bias, stats)]
  for (const t of running) if (t !== null) operands.push(t)
  const [mean_type, var_type] = running.map(t => t?.dtype ?? null) as [DType | null, DType | null]
  const key: ForwardKey = [input.dtype, letters(weight, bias), mean_type, var_type]
  if (length >= LONG) forward_planes(...key)(operands, [eps, momentum])
  else {
    const scratch = (dtype: DType): Tensor => empty([channels, length], dtype)
    operands.push(scratch(float64), scratch(stats), scratch(stats))
    if (bias !== null) operands.push(scratch(stats))
    forward_columns(length === 1, ...key)(operands, [eps, momentum, channels_together(channels, length)])
  }
  return [out, mean, rstd]
}

const letters = (weight: Tensor | null, bias: Tensor | null): string =>
  `${weight === null ? '' : 'w'}${bias === null ? '' : 'b'}`

const affine = (weight: Tensor | null, bias: Tensor | null, dtype: DType): Tensor[] =>
  [weight, bias].filter(t => t !== null).map(t => dense_as(t, dtype))

const reciprocal_deviation = kernels('reciprocal_deviation', (k, dtype: DType) => {
  const out = k.output('out', dtype, 'flat')
  const variance = k.input('variance', dtype, 'flat')
  const eps = k.value('eps', 'f64')
  k.for(out.sizes[0] as Expr, 'vector', c =>
    k.store(out, [c], reciprocal_root(variance.at(c).cast('f64').add(eps)).cast(out.type)),
  )
})

const apply_kernel = kernels('batch_norm_given', (k, dtype: DType, affine: string, single: boolean) => {
  const stats = statistics_dtype(dtype)
  const layout = single ? CHANNELS : PLANES
  const out = k.output('out', dtype, layout)
  const x = k.input('x', dtype, layout)
  const mean = k.input('mean', stats, 'flat')
  const rstd = k.input('rstd', stats, 'flat')
  const weight = affine.includes('w') ? k.input('weight', stats, 'flat') : null
  const bias = affine.includes('b') ? k.input('bias', stats, 'flat') : null
  k.elementwise(x.sizes, (...at) => {
    const c = at[1] as Expr
    const scale = weight ? rstd.at(c).mul(weight.at(c)) : rstd.at(c)
    const normal = x
      .at(...at)
      .sub(mean.at(c))
      .mul(scale)
    k.store(out, at, bias ? normal.add(bias.at(c)) : normal)
  })
})

/** Normalises by given means and variances. */
export function normalise_by(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  given: readonly [mean: Tensor, variance: Tensor],
  eps: number,
): Results {
  const stats = statistics_dtype(input.dtype)
  const rstd = empty([input.sizes[1]!], stats)
  reciprocal_deviation(stats)([rstd, dense_as(given[1], stats)], [eps])
  // A copy, since backward reads it: the running average may have moved by then.
  const mean = given[0].dtype === stats ? dense_copy(given[0]) : dense_as(given[0], stats)
  return [shift_and_scale(input, weight, bias, mean, rstd), mean, rstd]
}

/** Normalises by given means and reciprocals of standard deviations. */
export function shift_and_scale(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  mean: Tensor,
  rstd: Tensor,
): Tensor {
  const stats = statistics_dtype(input.dtype)
  const { channels, length, planes } = shape_of(input)
  const out = empty(input.sizes, input.dtype)
  const single = length === 1
  const rows = (t: Tensor): Operand =>
    single ? window(t, [input.sizes[0]!, channels], [channels, 1]) : planes(t)
  apply_kernel(
    input.dtype,
    letters(weight, bias),
    single,
  )([rows(out), rows(dense(input)), mean, rstd, ...affine(weight, bias, stats)], [])
  return out
}

function shape_of(t: Tensor): { channels: number; length: number; planes: (t: Tensor) => Operand } {
  const [n, channels] = t.sizes as [number, number]
  const length = numel(t.sizes.slice(2))
  return {
    channels,
    length,
    planes: t => window(t, [n, channels, length], [channels * length, length, 1]),
  }
}

// ---------------------------------------------------------------------------------------------- backward

/** `needs` has a letter for each gradient that is wanted: of x, weight, bias. */
type BackwardKey = readonly [dtype: DType, weighted: boolean, needs: string, training: boolean]

/** The operands of a backward kernel, and what a channel's gradient is. */
class Backward {
  readonly x: View
  readonly g: View
  readonly mean: View
  readonly rstd: View
  readonly grad: View | null
  readonly #weight: View | null
  readonly #weight_grad: View | null
  readonly #bias_grad: View | null
  readonly #k: Builder

  constructor(k: Builder, [dtype, weighted, needs]: BackwardKey) {
    const stats = statistics_dtype(dtype)
    this.#k = k
    this.x = k.input('x', dtype, PLANES)
    this.g = k.input('g', dtype, PLANES)
    this.mean = k.input('mean', stats, 'flat')
    this.rstd = k.input('rstd', stats, 'flat')
    this.#weight = weighted ? k.input('weight', stats, 'flat') : null
    this.grad = needs.includes('x') ? k.output('grad', dtype, PLANES) : null
    this.#weight_grad = needs.includes('w') ? k.output('weight_grad', stats, 'flat') : null
    this.#bias_grad = needs.includes('b') ? k.output('bias_grad', stats, 'flat') : null
  }

  scale(c: Expr): Expr {
    return this.#weight ? this.rstd.at(c).mul(this.#weight.at(c)) : this.rstd.at(c)
  }

  /** Writes the gradients of weight and bias, from the sums over a channel of g and of g * (x - mean). */
  keep(c: Expr, of_g: Expr, of_product: Expr): void {
    const { type } = this.rstd
    if (this.#bias_grad) this.#k.store(this.#bias_grad, [c], of_g.cast(type))
    if (this.#weight_grad) this.#k.store(this.#weight_grad, [c], of_product.cast(type).mul(this.rstd.at(c)))
  }

  /** What is taken from g where the statistics depend on x: a number, and one that is times x - mean. */
  correction(c: Expr, of_g: Expr, of_product: Expr): [offset: Expr, slope: Expr] {
    const [n, , length] = this.x.sizes as [Expr, Expr, Expr]
    const count = n.mul(length).cast('f64')
    const { type } = this.rstd
    const rstd = this.rstd.at(c)
    return [of_g.div(count).cast(type), of_product.div(count).cast(type).mul(rstd).mul(rstd)]
  }
}

const backward_planes = kernels('batch_norm_grad', (k, ...key: BackwardKey) => {
  const [, , needs, training] = key
  const p = new Backward(k, key)
  const { x, g, grad } = p
  const [n, channels, length] = x.sizes as [Expr, Expr, Expr]
  k.for(channels, 'parallel', c => {
    const mean = k.local(x.type, p.mean.at(c))
    const [of_g, of_product] = [k.local('f64', 0), k.local('f64', 0)]
    if (training || needs !== 'x') {
      k.for(n, 'serial', i =>
        add_row(k, x.type, length, [of_g, of_product], j => {
          const gj = g.at(i, c, j)
          return [gj, gj.mul(x.at(i, c, j).sub(mean))]
        }),
      )
      p.keep(c, of_g, of_product)
    }
    if (grad === null) return
    const scale = k.local(x.type, p.scale(c))
    const [offset, slope] = p.correction(c, of_g, of_product).map(e => k.local(x.type, e)) as [Expr, Expr]
    k.for(n, 'serial', i =>
      k.for(length, 'vector', j => {
        const at = [i, c, j]
        const d = x.at(...at).sub(mean)
        const gj = g.at(...at)
        k.store(grad, at, (training ? gj.sub(offset).sub(d.mul(slope)) : gj).mul(scale))
      }),
    )
  })
})

const backward_columns = kernels('batch_norm_grad_columns', (k, single: boolean, ...key: BackwardKey) => {
  const [dtype, , needs, training] = key
  const p = new Backward(k, key)
  const { x, g, grad } = p
  const stats = statistics_dtype(dtype)
  const scratch = (name: string, dtype: DType): View => k.inout(name, dtype, CHANNELS)
  const sums = [scratch('of_g', float64), scratch('of_product', float64)] as const
  const [centre, scale] = [scratch('centre', stats), scratch('scale', stats)]
  const [offset, slope] = [scratch('offset', stats), scratch('slope', stats)]
  channel_blocks(k, x, single, block => {
    const deviation = (row: Expr, j: Expr): Expr =>
      x.at(...block.place(row, j)).sub(centre.at(...block.at(j)))
    block.each_channel((c, _, spread) => {
      spread(centre, p.mean.at(c))
      spread(scale, p.scale(c))
    })
    if (training || needs !== 'x') {
      block.add(sums, (row, j) => {
        const gj = g.at(...block.place(row, j))
        return [gj, gj.mul(deviation(row, j))]
      })
      block.each_channel((c, sum, spread) => {
        const [of_g, of_product] = sums.map(s => k.local('f64', sum(s))) as [Expr, Expr]
        p.keep(c, of_g, of_product)
        const [take, times] = p.correction(c, of_g, of_product)
        spread(offset, take)
        spread(slope, times)
      })
    }
    if (grad === null) return
    k.for(block.rows, 'serial', row =>
      block.columns(j => {
        const at = block.at(j)
        const gj = g.at(...block.place(row, j))
        const taken = offset.at(...at).add(deviation(row, j).mul(slope.at(...at)))
        k.store(grad, block.place(row, j), (training ? gj.sub(taken) : gj).mul(scale.at(...at)))
      }),
    )
  })
})

/** The gradients of input, weight and bias, those that are wanted. */
export function gradients(
  g: Tensor,
  input: Tensor,
  weight: Tensor | null,
  mean: Tensor,
  rstd: Tensor,
  training: boolean,
  needs: readonly boolean[],
): Gradients {
  const { dtype } = input
  const stats = statistics_dtype(dtype)
  const { channels, length, planes } = shape_of(input)
  const grad = needs[0] ? empty(input.sizes, dtype) : null
  const weight_grad = needs[1] ? empty([channels], stats) : null
  const bias_grad = needs[2] ? empty([channels], stats) : null
  const operands: Operand[] = [planes(dense(input)), planes(dense_as(g, dtype)), mean, rstd]
  operands.push(...affine(weight, null, stats))
  if (grad !== null) operands.push(planes(grad))
  for (const t of [weight_grad, bias_grad]) if (t !== null) operands.push(t)
  const wanted = `${needs[0] ? 'x' : ''}${needs[1] ? 'w' : ''}${needs[2] ? 'b' : ''}`
  const key: BackwardKey = [dtype, weight !== null, wanted, training]
  if (length >= LONG) backward_planes(...key)(operands, [])
  else {
    for (const type of [float64, float64, stats, stats, stats, stats])
      operands.push(empty([channels, length], type))
    backward_columns(length === 1, ...key)(operands, [channels_together(channels, length)])
  }
  return [grad, weight_grad, bias_grad]
}
