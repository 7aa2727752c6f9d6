// Convolution on the wasm device, as matrix multiply: the input elements that a block of output positions meets are laid
// out as a matrix (im2col), which is packed and multiplied while it is in the cache; the input's gradient is the product
// with the transposed weight, added back (col2im). Convolutions with one input channel a group go row by row.
// Not here: the loops over elements (render/wasm/conv.ts, gemm.ts).
import { SHAPE } from '../../render/wasm/conv.ts'
import { size_of, TILE_COLUMNS, TILE_ROWS } from '../../render/wasm/gemm.ts'
import type { Routines } from '../../render/wasm/routines.ts'
import type { ConvProblem, Operand } from '../device.ts'
import { Calls } from './calls.ts'
import { BLOCK_COLUMNS, BLOCK_DEPTH, BLOCK_ROWS, round_up } from './gemm.ts'
import type { LinearMemory } from './memory.ts'
import type { Residents } from './residents.ts'
import { type Engine, float_type } from './routines.ts'

/** How many bytes of a batch are staged at once, and how many a block of im2col may have. */
const STAGE_BYTES = 1 << 20
const BLOCK_BYTES = 256 << 10
/** With fewer groups than this the batch is cut as well, so that there are parts for threads. */
const FEW_PARTS = 4
/** With fewer output channels than this to a group of one input channel, a matrix product is mostly padding. */
const DEPTHWISE_LIMIT = 4
/** Multiplications and additions of a part of depthwise convolution. */
const DEPTHWISE_PART = 1 << 17

/** Runs one of the three kinds. Throws TypeError for a dtype other than float32 and float64. */
export function conv(engine: Engine, problem: ConvProblem): void {
  const { kind, batch, input, weight, output, bias } = problem
  if (input.count > 0 && weight.count > 0 && output.count > 0) return new Convolution(engine, problem).run()
  const target = elements_of({ forward: output, input_grad: input, weight_grad: weight }[kind])
  target.fill(0)
  if (bias !== null) add_bias(target, elements_of(bias), target.length / (batch * bias.count))
}

const elements_of = ({ memory, offset, count, dtype }: Operand): Float64Array =>
  (memory.touch(dtype) as Float64Array).subarray(offset, offset + count)

/** Adds to each channel of `plane` elements its bias. */
function add_bias(results: Float32Array | Float64Array, bias: ArrayLike<number>, plane: number): void {
  for (let i = 0, channel = 0; i < results.length; channel++) {
    const b = bias[channel % bias.length]!
    for (const end = i + plane; i < end; i++) results[i]! += b
  }
}

type Pair = readonly [number, number]

/** Output positions: rows `top` to `bottom`, columns `left` to `right`; they follow each other in memory. */
type Block = {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
  readonly first: number
  readonly count: number
}

/** Does the work for `images` staged images, which begin at addresses `x` (input) and `y` (output); `first` is the first. */
type Work = (x: number, y: number, images: number, first: number) => void

class Convolution {
  readonly #p: ConvProblem
  readonly #memory: LinearMemory
  readonly #residents: Residents
  readonly #r: Routines
  readonly #calls: Calls
  readonly #size: number
  readonly #tile: number
  /** Elements of one channel, elements of one kernel, channels of one group. */
  readonly #in_plane: number
  readonly #out_plane: number
  readonly #taps: number
  readonly #in_group: number
  readonly #out_group: number
  /** The input is its own im2col matrix. */
  readonly #is_pointwise: boolean
  /** The groups' input channels in blocks, whose rows of the im2col matrix are multiplied at once. */
  readonly #channel_blocks: readonly (readonly [first: number, count: number])[]
  readonly #blocks: readonly Block[]

  // Addresses; that of the biases is 0 where there are none.
  readonly #shape: number
  readonly #bias: number
  readonly #weight: number
  readonly #columns: number
  readonly #b_packed: number
  readonly #scratch: number
  /** What slices of the batch add to the weight's gradient, but for the first slice. */
  #sums: readonly number[] = []

  constructor(engine: Engine, p: ConvProblem) {
    const type = float_type(p.input.dtype)
    const { memory } = engine
    this.#p = p
    this.#memory = memory
    this.#residents = engine.residents
    this.#r = engine.routines(type)
    const size = (this.#size = size_of(type))
    this.#tile = TILE_COLUMNS[type]
    this.#in_plane = p.in_size[0] * p.in_size[1]
    this.#out_plane = p.out_size[0] * p.out_size[1]
    this.#taps = p.kernel[0] * p.kernel[1]
    this.#in_group = p.in_channels / p.groups
    this.#out_group = p.out_channels / p.groups
    this.#is_pointwise = this.#taps === 1 && p.stride.every(s => s === 1) && p.padding.every(x => x === 0)
    this.#channel_blocks = ranges(this.#in_group, Math.max(1, Math.floor(BLOCK_DEPTH / this.#taps)))
    const depth = this.#channel_blocks[0]![1] * this.#taps
    const most = Math.min(BLOCK_COLUMNS, Math.max(8 * this.#tile, Math.floor(BLOCK_BYTES / size / depth)))
    this.#blocks = blocks_of(p.out_size, most)
    const count = Math.max(...this.#blocks.map(b => b.count))

    memory.begin()
    this.#shape = memory.reserve(4 * SHAPE.length)
    this.#weight = this.#resident(p.weight, p.kind === 'weight_grad') ?? memory.reserve(p.weight.count * size)
    const work = p.output.count * this.#in_group * this.#taps
    this.#calls = new Calls(engine, type, work)
    this.#scratch = this.#calls.own(TILE_ROWS * this.#tile * size)
    this.#columns = this.#calls.own(depth * count * size)
    const longest = round_up(count, this.#tile) * Math.max(depth, this.#out_group)
    const in_weight_grad = round_up(depth, this.#tile) * Math.max(count, BLOCK_DEPTH)
    this.#b_packed = this.#calls.own(Math.max(longest, in_weight_grad) * size)
    this.#set_shape(p.in_size, p.out_size, p.padding)
    this.#bias = p.bias === null ? 0 : this.#small(p.bias)
  }

  #set_shape(in_size: Pair, out_size: Pair, padding: Pair): void {
    const { kernel, stride, dilation } = this.#p
    const words = [in_size, out_size, kernel, stride, padding, dilation].flat()
    this.#memory.i32.set(words, this.#shape / 4)
  }

  /** The address of an operand that is only read. */
  #small(operand: Operand): number {
    const stays = this.#resident(operand, false)
    if (stays !== null) return stays
    const address = this.#memory.reserve(operand.count * this.#size)
    this.#write(operand, address, 0, operand.count)
    return address
  }

  run(): void {
    const { kind, input, weight, output, batch } = this.#p
    const weight_stays = this.#resident(weight, kind === 'weight_grad') !== null
    if (kind === 'weight_grad') this.#zero(this.#weight, weight.count)
    else if (!weight_stays) this.#write(weight, this.#weight, 0, weight.count)
    const is_depthwise = this.#in_group === 1 && this.#out_group < DEPTHWISE_LIMIT
    const products = { forward: this.#forward, input_grad: this.#input_grad, weight_grad: this.#weight_grad }
    const work = is_depthwise ? this.#depthwise() : products[kind].call(this)
    const [x_count, y_count] = [input.count / batch, output.count / batch]
    const [x_stays, y_stays] = [
      this.#resident(input, kind === 'input_grad'),
      this.#resident(output, kind === 'forward'),
    ]
    const staged = (x_stays === null ? x_count : 0) + (y_stays === null ? y_count : 0)
    const at_once = staged === 0 ? batch : Math.max(1, Math.floor(STAGE_BYTES / this.#size / staged))
    const most = Math.min(at_once, batch)
    const x_staged = x_stays ?? this.#memory.reserve(most * x_count * this.#size)
    const y_staged = y_stays ?? this.#memory.reserve(most * y_count * this.#size)
    for (const [first, images] of ranges(batch, at_once)) {
      const x = x_stays === null ? x_staged : x_stays + first * x_count * this.#size
      const y = y_stays === null ? y_staged : y_stays + first * y_count * this.#size
      if (kind !== 'input_grad' && x_stays === null) this.#write(input, x, first * x_count, images * x_count)
      if (kind !== 'forward' && y_stays === null) this.#write(output, y, first * y_count, images * y_count)
      work(x, y, images, first)
      this.#calls.run()
      if (kind === 'input_grad' && x_stays === null) this.#read(x, input, first * x_count, images * x_count)
      if (kind === 'forward' && y_stays === null) this.#read(y, output, first * y_count, images * y_count)
    }
    for (const sum of this.#sums) this.#r.axpy(this.#weight, sum, weight.count, this.#size, this.#size, 1)
    if (kind === 'weight_grad' && !weight_stays) this.#read(this.#weight, weight, 0, weight.count)
  }

  /** The address of an operand that stays in linear memory; null where it is to be staged. */
  #resident({ memory, offset, count, dtype }: Operand, written: boolean): number | null {
    const { block, byte_offset } = memory
    if (!this.#residents.accepts(block)) return null
    const overwrites = written && count * dtype.itemsize === block.nbytes
    return this.#residents.use(block, written, overwrites) + byte_offset + offset * dtype.itemsize
  }

  // ---------------------------------------------------------------------------------------- kinds

  /** output = weight @ im2col(input) + bias, for each image and group. */
  #forward(): Work {
    const { groups } = this.#p
    const adds = this.#bias !== 0
    const size = this.#size
    const rows = this.#in_group * this.#taps
    const weights = ranges(groups, 1).map(([g]) =>
      this.#channel_blocks.map(([c, channels]) => {
        const depth = channels * this.#taps
        const from = this.#weight + (g * this.#out_group * rows + c * this.#taps) * size
        return this.#pack_a(depth, this.#out_group, from, rows * size, size)
      }),
    )
    return (x, y, images) =>
      this.#each(images, (image, g, block) => {
        this.#calls.part()
        const target = this.#output_at(y, image, g) + block.first * size
        if (adds) this.#fill(target, block.count, this.#out_plane, g * this.#out_group, this.#out_group)
        this.#channel_blocks.forEach(([c, channels], i) => {
          const depth = channels * this.#taps
          this.#pack_columns(this.#input_at(x, image, g, c), channels, depth, block)
          const shape = [this.#out_group, block.count, depth] as const
          this.#product(shape, weights[g]![i]!, this.#b_packed, target, this.#out_plane * size, adds || i > 0)
        })
      })
  }

  /** input = col2im(weight^T @ output) + bias, for each image and group. */
  #input_grad(): Work {
    const { groups } = this.#p
    const adds = this.#is_pointwise && this.#bias !== 0
    const size = this.#size
    const row = this.#in_group * this.#taps
    const out_blocks = ranges(this.#out_group, BLOCK_DEPTH)
    const weights = ranges(groups, 1).map(([g]) =>
      this.#channel_blocks.map(([c, channels]) =>
        out_blocks.map(([o, depth]) => {
          const from = this.#weight + ((g * this.#out_group + o) * row + c * this.#taps) * size
          return this.#pack_a(depth, channels * this.#taps, from, size, row * size)
        }),
      ),
    )
    return (x, y, images) =>
      this.#each(images, (image, g, block) => {
        // neighbouring blocks add to the same inputs
        if (block === this.#blocks[0]) {
          this.#calls.part()
          if (adds || !this.#is_pointwise) this.#begin_input(x, image, g)
        }
        const width = round_up(block.count, this.#tile) * size
        for (const [o, depth] of out_blocks) {
          const from = this.#output_at(y, image, g) + (o * this.#out_plane + block.first) * size
          const to = this.#b_packed + o * width
          this.#calls.call(
            'pack_b',
            depth,
            block.count,
            from,
            size,
            this.#out_plane * size,
            to,
            depth * this.#tile * size,
          )
        }
        this.#channel_blocks.forEach(([c, channels], i) => {
          const input = this.#input_at(x, image, g, c)
          const target = this.#is_pointwise ? input + block.first * size : this.#columns
          const target_row = (this.#is_pointwise ? this.#in_plane : block.count) * size
          out_blocks.forEach(([o, depth], j) => {
            const shape = [channels * this.#taps, block.count, depth] as const
            this.#product(
              shape,
              weights[g]![i]![j]!,
              this.#b_packed + o * width,
              target,
              target_row,
              adds || j > 0,
            )
          })
          if (this.#is_pointwise) return
          const { top, bottom, left, right } = block
          this.#calls.call('col2im', this.#shape, input, this.#columns, channels, top, bottom, left, right)
        })
      })
  }

  /**
   * weight += output @ im2col(input)^T, for each group; several small images are multiplied as one. Where groups and
   * channels make few parts, the batch is cut into slices, each with a sum of its own.
   */
  #weight_grad(): Work {
    const { groups, batch, weight } = this.#p
    const size = this.#size
    const rows = this.#in_group * this.#taps
    const positions = this.#blocks.length === 1 ? this.#blocks[0]!.count : 0
    const together = positions > 0 ? Math.max(1, Math.floor(BLOCK_DEPTH / positions)) : 1
    const deepest = Math.max(...this.#blocks.map(b => b.count)) * together
    const a_packed = this.#calls.own(round_up(this.#out_group, TILE_ROWS) * deepest * size)
    const slices = groups < FEW_PARTS ? Math.min(batch, FEW_PARTS) : 1
    const slice_length = Math.ceil(batch / slices)
    const extra = this.#memory.reserve((slices - 1) * weight.count * size)
    this.#zero(extra, (slices - 1) * weight.count)
    this.#sums = ranges(slices - 1, 1).map(([i]) => extra + i * weight.count * size)
    const add = (
      x: number,
      y: number,
      first: number,
      count: number,
      g: number,
      block: Block,
      sum: number,
    ) => {
      const depth = count * block.count
      const each_image = (pack: (image: number, before: number) => void): void => {
        for (let i = 0; i < count; i++) pack(first + i, i * block.count)
      }
      each_image((image, before) => {
        const from = this.#output_at(y, image, g) + block.first * size
        const to = a_packed + before * TILE_ROWS * size
        const panel = depth * TILE_ROWS * size
        this.#calls.call(
          'pack_a',
          block.count,
          this.#out_group,
          from,
          this.#out_plane * size,
          size,
          to,
          panel,
        )
      })
      for (const [c, channels] of this.#channel_blocks) {
        const width = channels * this.#taps
        each_image((image, before) => {
          const [columns, row] = this.#im2col(this.#input_at(x, image, g, c), channels, block)
          const to = this.#b_packed + before * this.#tile * size
          this.#calls.call('pack_b', block.count, width, columns, row, size, to, depth * this.#tile * size)
        })
        const target = sum + (g * this.#out_group * rows + c * this.#taps) * size
        const shape = [this.#out_group, width, depth] as const
        this.#product(shape, a_packed, this.#b_packed, target, rows * size, true)
      }
    }
    return (x, y, images, from) => {
      for (let g = 0; g < groups; g++)
        for (let slice = 0; slice < slices; slice++) {
          const begin = Math.max(0, slice * slice_length - from)
          const end = Math.min(images, (slice + 1) * slice_length - from)
          if (begin >= end) continue
          this.#calls.part()
          const sum = slice === 0 ? this.#weight : this.#sums[slice - 1]!
          for (const [i, count] of ranges(end - begin, together))
            for (const block of this.#blocks) add(x, y, begin + i, count, g, block, sum)
        }
    }
  }

  /** One input channel a group: the results of some channels of an image by one call. */
  #depthwise(): Work {
    const { kind, out_size } = this.#p
    if (kind === 'input_grad') return this.#depthwise_input_grad()
    const scratch = this.#calls.own(this.#padded(out_size))
    return (x, y, images) =>
      this.#channels(images, (image, g, channels) => {
        const [input, output] = [this.#input_at(x, image, g, 0), this.#output_at(y, image, g)]
        const first = g * this.#out_group
        const weight = this.#weight + first * this.#taps * this.#size
        const bias = this.#bias === 0 ? 0 : this.#bias + first * this.#size
        const rest = [scratch, channels, this.#out_group]
        if (kind === 'weight_grad')
          this.#calls.call('depthwise_weight_grad', this.#shape, input, weight, output, ...rest)
        else this.#calls.call('depthwise_forward', this.#shape, input, weight, output, bias, ...rest)
      })
  }
  /** Where the stride is 1 this is convolution with the kernel turned around. */
  #depthwise_input_grad(): Work {
    const { groups, kernel, stride, padding, dilation, in_size, out_size } = this.#p
    const size = this.#size
    const padding_of = (d: 0 | 1): number => dilation[d] * (kernel[d] - 1) - padding[d]
    const turned: Pair = [padding_of(0), padding_of(1)]
    if (this.#out_group === 1 && Math.max(...stride) === 1 && Math.min(...turned) >= 0) {
      this.#set_shape(out_size, in_size, turned)
      const weight = this.#turned_weight()
      const scratch = this.#calls.own(this.#padded(in_size))
      return (x, y, images) =>
        this.#channels(images, (image, g, channels) => {
          const [from, to] = [this.#output_at(y, image, g), this.#input_at(x, image, g, 0)]
          const taps = weight + g * this.#taps * size
          const bias = this.#bias === 0 ? 0 : this.#bias + g * size
          this.#calls.call('depthwise_forward', this.#shape, from, taps, to, bias, scratch, channels, 1)
        })
    }
    return (x, y, images) => {
      for (let g = 0; g < groups; g++)
        for (let image = 0; image < images; image++) {
          this.#calls.part()
          this.#begin_input(x, image, g)
          for (let o = 0; o < this.#out_group; o++) {
            const output = this.#output_at(y, image, g) + o * this.#out_plane * size
            const weight = this.#weight + (g * this.#out_group + o) * this.#taps * size
            const input = this.#input_at(x, image, g, 0)
            this.#calls.call('depthwise_input_grad', this.#shape, input, weight, output)
          }
        }
    }
  }

  #turned_weight(): number {
    const address = this.#memory.reserve(this.#p.weight.count * this.#size)
    const all = this.#size === 4 ? this.#memory.f32 : this.#memory.f64
    const [from, to] = [this.#weight / this.#size, address / this.#size]
    for (let g = 0; g < this.#p.groups; g++) {
      const first = g * this.#taps
      for (let i = 0; i < this.#taps; i++) all[to + first + i] = all[from + first + this.#taps - 1 - i]!
    }
    return address
  }

  /** The bytes of a channel that results of this size meet, with its padding, and of what is noted of the taps. */
  #padded([height, width]: Pair): number {
    const { kernel, stride, dilation } = this.#p
    const rows = (height - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1
    const every = width + Math.floor(((kernel[1] - 1) * dilation[1]) / stride[1])
    return 4 * this.#taps + rows * every * stride[1] * this.#size + 64
  }

  /** Parts of some channels: of an image, or of all images where what is written is the weight's gradient. */
  #channels(images: number, work: (image: number, first: number, count: number) => void): void {
    const { kind, groups } = this.#p
    const each = Math.max(this.#in_plane, this.#out_plane) * this.#taps * this.#out_group
    const all = ranges(groups, Math.max(1, Math.round(DEPTHWISE_PART / each)))
    if (kind === 'weight_grad')
      for (const [g, count] of all) {
        this.#calls.part()
        for (let image = 0; image < images; image++) work(image, g, count)
      }
    else
      for (let image = 0; image < images; image++)
        for (const [g, count] of all) {
          this.#calls.part()
          work(image, g, count)
        }
  }

  // ---------------------------------------------------------------------------------------- parts

  #each(images: number, work: (image: number, group: number, block: Block) => void): void {
    for (let image = 0; image < images; image++)
      for (let g = 0; g < this.#p.groups; g++) for (const block of this.#blocks) work(image, g, block)
  }

  /** Packs rows of a for good; gives their address. */
  #pack_a(depth: number, rows: number, from: number, minor: number, step: number): number {
    const to = this.#memory.reserve(round_up(rows, TILE_ROWS) * depth * this.#size)
    this.#r.pack_a(depth, rows, from, minor, step, to, depth * TILE_ROWS * this.#size)
    return to
  }

  /** The address of the im2col matrix of some channels, and how far apart its rows are. */
  #im2col(input: number, channels: number, block: Block): readonly [number, number] {
    if (this.#is_pointwise) return [input + block.first * this.#size, this.#in_plane * this.#size]
    const { top, bottom, left, right } = block
    this.#calls.call('im2col', this.#shape, input, this.#columns, channels, top, bottom, left, right)
    return [this.#columns, block.count * this.#size]
  }

  /** Packs the im2col matrix of some channels, which is not made where its rows are whole panels. */
  #pack_columns(input: number, channels: number, depth: number, block: Block): void {
    const panel = depth * this.#tile * this.#size
    const { top, bottom, left, right } = block
    if (!this.#is_pointwise && this.#p.stride[1] === 1 && (right - left) % this.#tile === 0) {
      const rectangle = [top, bottom, left, right]
      this.#calls.call('pack_columns', this.#shape, input, this.#b_packed, channels, ...rectangle, panel)
      return
    }
    const [columns, row] = this.#im2col(input, channels, block)
    this.#calls.call('pack_b', depth, block.count, columns, this.#size, row, this.#b_packed, panel)
  }

  #product(
    [m, n, k]: readonly [number, number, number],
    a: number,
    b: number,
    c: number,
    row: number,
    accumulate: boolean,
  ): void {
    for (const [i, height] of ranges(m, BLOCK_ROWS))
      this.#calls.call(
        'product',
        height,
        n,
        k,
        a + i * k * this.#size,
        b,
        c + i * row,
        row,
        Number(accumulate),
        this.#scratch,
      )
  }

  #input_at(x: number, image: number, group: number, channel: number): number {
    const plane = image * this.#p.in_channels + group * this.#in_group + channel
    return x + plane * this.#in_plane * this.#size
  }

  #output_at(y: number, image: number, group: number): number {
    return y + (image * this.#p.out_channels + group * this.#out_group) * this.#out_plane * this.#size
  }

  /** Begins the rows of some channels, `plane` elements apart, as their biases. */
  #fill(to: number, count: number, plane: number, first: number, channels: number): void {
    const [row, biases] = [plane * this.#size, this.#bias + first * this.#size]
    this.#calls.call('fill_rows', to, count, row, channels, biases, this.#size)
  }

  /** Begins the input's gradient of a group as zeros, or as its biases. */
  #begin_input(x: number, image: number, g: number): void {
    const at = this.#input_at(x, image, g, 0)
    if (this.#bias === 0) this.#calls.call('zero', at, this.#in_group * this.#in_plane)
    else this.#fill(at, this.#in_plane, this.#in_plane, g * this.#in_group, this.#in_group)
  }

  #zero(at: number, count: number): void {
    this.#memory.bytes.fill(0, at, at + count * this.#size)
  }

  /** Copies `count` elements of a contiguous operand to an address, or back. */
  #write({ memory, offset }: Operand, to: number, first: number, count: number): void {
    const from = memory.byte_offset + (offset + first) * this.#size
    this.#memory.write(to, memory.block.host(false), from, count * this.#size)
  }

  #read(from: number, { memory, offset }: Operand, first: number, count: number): void {
    const to = memory.byte_offset + (offset + first) * this.#size
    this.#memory.read(from, memory.block.host(true), to, count * this.#size)
  }
}

/** 0 to `end` in ranges of `step`: their firsts and counts. */
function ranges(end: number, step: number): (readonly [first: number, count: number])[] {
  const out: (readonly [number, number])[] = []
  for (let first = 0; first < end; first += step) out.push([first, Math.min(step, end - first)])
  return out
}

/** Whole rows of output positions, as many as `most` positions hold, or parts of rows. */
function blocks_of([height, width]: readonly [number, number], most: number): Block[] {
  const rows = Math.max(1, Math.floor(most / width))
  return ranges(height, rows).flatMap(([top, n]) =>
    ranges(width, n === 1 ? most : width).map(([left, count]) => ({
      top,
      bottom: top + n,
      left,
      right: left + count,
      first: top * width + left,
      count: n * count,
    })),
  )
}
