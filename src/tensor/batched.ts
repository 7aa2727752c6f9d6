// Batched tensors: what a function mapped by vmap sees. To it a batched tensor is one sample; the batch is the first
// dimension of the tensor inside. Ops hand calls with such arguments to `intercept` while a map is under way.
// They are never recorded themselves: the tensors inside are. Not here: how ops compute on batches (transforms/).
import type { ComplexScalar } from '../base/complex_scalar.ts'
import { RuntimeError } from '../base/errors.ts'
import { contiguous_strides, same_sizes } from '../base/shape.ts'
import { Block, Storage } from '../device/storage.ts'
import { modes } from './tape.ts'
import { Tensor } from './tensor.ts'

export type Randomness = 'error' | 'different' | 'same'

/** One vmap under way. */
export interface Level {
  /** The map around this one. */
  readonly outer: Level | null
  /** 1 for the outermost. */
  readonly depth: number
  /** The size of the batch. */
  readonly size: number
  readonly randomness: Randomness
}

/**
 * The innermost map under way, or null: then no op looks for batched tensors. `watched` says whether calls of ops are to be
 * given to `intercept` at all: while a map is under way, or autocast is on.
 */
export const batching: { top: Level | null; watched: boolean } = { top: null, watched: false }

/** Begins a map inside of those under way. */
export const next_level = (size: number, randomness: Randomness): Level => ({
  outer: batching.top,
  depth: (batching.top?.depth ?? 0) + 1,
  size,
  randomness,
})

/** Runs `f` with `top` as the innermost map. */
export function with_level<R>(top: Level | null, f: () => R): R {
  const before = batching.top
  batching.top = top
  batching.watched = top !== null || caster !== null
  try {
    return f()
  } finally {
    batching.top = before
    batching.watched = before !== null || caster !== null
  }
}

/** Thrown where single values of a batch are asked for. To users it is a RuntimeError. */
export class NeedsValues extends RuntimeError {}
Object.defineProperty(NeedsValues, 'name', { value: 'RuntimeError' })

/** Stands for the memory of batched tensors: an op that would read it has not looked for them. */
class NoMemory extends Storage {
  constructor() {
    super(new Block(0, null, true), 0, Number.POSITIVE_INFINITY)
    const refuse = (): never => {
      throw new NeedsValues(
        'vmap: a function that works on memory was called on a batched tensor, of which it would see one sample only',
      )
    }
    Object.defineProperty(this, 'block', { get: refuse })
    Object.defineProperty(this, 'address', { get: refuse })
    for (const method of ['array', 'peek', 'touch', 'alias', 'grow', 'share'])
      Object.defineProperty(this, method, { value: refuse })
  }
}
const no_memory = new NoMemory()

export class Batched extends Tensor {
  /** All samples, along the first dimension. */
  value: Tensor
  readonly level: Level

  constructor(value: Tensor, level: Level) {
    const { sizes, strides, offset, dtype } = value
    super(no_memory, offset, sizes.slice(1), strides.slice(1), dtype, undefined, false)
    this.value = value
    this.level = level
  }

  /** Takes over the geometry and dtype of the tensor inside, which an op in place may have changed. */
  renew(): this {
    const { sizes, strides, offset, dtype } = this.value
    this.set_geometry(offset, sizes.slice(1), strides.slice(1))
    this.dense = false
    this.dtype = dtype
    return this
  }

  override is_contiguous(): boolean {
    return same_sizes(this.strides, contiguous_strides(this.sizes))
  }

  override get requires_grad(): boolean {
    return this.value.requires_grad
  }

  override set requires_grad(flag: boolean) {
    this.requires_grad_(flag)
  }

  override requires_grad_(flag = true): this {
    if (flag)
      throw new RuntimeError(
        'You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside of a ' +
          'function being transformed by a functorch transform. This is unsupported, please attempt to use the functorch ' +
          'transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a function being ' +
          'transformed instead.',
      )
    return this
  }

  override get _version(): number {
    return this.value._version
  }

  override get data(): Tensor {
    return new Batched(this.value.data, this.level)
  }

  override set data(_: Tensor) {
    throw new RuntimeError('vmap: the data of a batched tensor cannot be replaced')
  }

  override item(): number | boolean | bigint | ComplexScalar {
    throw new NeedsValues(
      "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, " +
        "please try to rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch " +
        'internals, please file a bug report.',
    )
  }

  override toString(): string {
    const inside = this.value.toString().replaceAll('\n', '\n    ')
    return `BatchedTensor(lvl=${this.level.depth}, bdim=0, value=\n    ${inside}\n)`
  }

  override [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): number | boolean | bigint | string {
    if (hint === 'string' || (hint === 'default' && this.count !== 1)) return this.toString()
    throw new NeedsValues(
      "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet, " +
        'please shout over at https://github.com/pytorch/functorch/issues/257 .',
    )
  }
}

// ----------------------------------------------------------------------------------------------- finding them

/** The innermost level of the batched tensors among arguments, in lists and option objects too; null: none is. */
export function level_of(args: readonly unknown[]): Level | null {
  let found: Level | null = null
  for (const arg of args) {
    if (arg instanceof Tensor) {
      if (arg instanceof Batched && (found === null || arg.level.depth > found.depth)) found = arg.level
      continue
    }
    if (typeof arg !== 'object' || arg === null) continue
    const inner = Array.isArray(arg)
      ? level_of(arg)
      : Object.getPrototypeOf(arg) === Object.prototype
        ? level_of(Object.values(arg))
        : null
    if (inner !== null && (found === null || inner.depth > found.depth)) found = inner
  }
  return found
}

/** What an op returns where it has to compute as usual. */
export const ORDINARY: unique symbol = Symbol('ordinary')

/** Takes calls of ops while a map is under way: the result, or `ORDINARY`. The layer of transforms installs it. */
let handler: (call: unknown, args: readonly unknown[]) => unknown = () => ORDINARY
export function intercept(call: unknown, args: readonly unknown[]): unknown {
  const cast = caster === null ? ORDINARY : caster(call, args)
  return cast !== ORDINARY || batching.top === null ? cast : handler(call, args)
}
export function install_interceptor(f: typeof handler): void {
  handler = f
}

/** Takes calls of ops while autocast is on: the result, or `ORDINARY`. */
type Caster = (call: unknown, args: readonly unknown[]) => unknown
let caster: Caster | null = null
export function set_caster(f: Caster | null): void {
  caster = f
  batching.watched = batching.top !== null || f !== null
}

/** Throws for `out=` with batched tensors. */
export function refuse_batched_out(name: string, args: readonly unknown[]): void {
  if (batching.top !== null && level_of(args) !== null)
    throw new RuntimeError(
      `Batching rule not implemented for aten::${name}.out; the fallback path doesn't work on out= or view ops.`,
    )
}

/** Throws for a random op in a map that was not told what to do about it. */
export function refuse_randomness(): never {
  throw new RuntimeError(
    "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness " +
      'flags on vmap or perform the randomness operation out of vmap',
  )
}

/**
 * Draws a random tensor while a map may be under way: as it is, or the same for all samples, or (by `draw` with the
 * size of the batch, which is to be the first dimension) different ones.
 */
export function draw_batched(draw: (batch: readonly number[]) => Tensor): Tensor {
  const level = batching.top
  if (level === null) return draw([])
  if (level.randomness === 'error') refuse_randomness()
  if (level.randomness === 'same') return with_level(level.outer, () => draw_batched(draw))
  return new Batched(
    with_level(level.outer, () => draw_batched(batch => draw([...batch, level.size]))),
    level,
  )
}

// ------------------------------------------------------------------------------------------- moving between levels

/** `t` with the batch of `level` as an ordinary first dimension; expanded where it has none. */
export function remove_level(t: Tensor, level: Level): Tensor {
  if (!(t instanceof Batched) || t.level.depth < level.depth) return t.expand([level.size, ...t.sizes])
  if (t.level === level) return t.value
  return new Batched(remove_level(t.value, level).transpose(0, 1), t.level)
}

/** The reverse: the first dimension of `t` becomes the batch of `level`. */
export function add_level(t: Tensor, level: Level): Tensor {
  if (!(t instanceof Batched) || t.level.depth < level.depth) return new Batched(t, level)
  return new Batched(add_level(t.value.transpose(0, 1), level), t.level)
}

/** {@link remove_level} of all of `levels`, innermost first in the list: the last one's batch comes to be the first dimension. */
export const remove_levels = (t: Tensor, levels: readonly Level[]): Tensor => levels.reduce(remove_level, t)

/** The reverse of {@link remove_levels}. */
export const add_levels = (t: Tensor, levels: readonly Level[]): Tensor => levels.reduceRight(add_level, t)

/** The maps under way, innermost first. */
export function levels_under_way(): Level[] {
  const levels: Level[] = []
  for (let level = batching.top; level !== null; level = level.outer) levels.push(level)
  return levels
}

/** `value`, whose first dimension is the batch, with dimensions of size 1 after it so that samples have `rank` ones. */
export function padded(value: Tensor, rank: number): Tensor {
  const missing = rank - (value.sizes.length - 1)
  if (missing <= 0) return value
  const [batch, ...sizes] = value.sizes as [number, ...number[]]
  return value.reshape([batch, ...new Array<number>(missing).fill(1), ...sizes])
}

/** The tensor of all samples of all levels, whose memory it is. */
export function inside(t: Tensor): Tensor {
  let own = t
  while (own instanceof Batched) own = own.value
  return own
}

/** Whether a gradient has to be computed by ops: the pass is recorded, or the gradient is batched. */
export const needs_ops = (g: Tensor | null | undefined): boolean => modes.grad || g instanceof Batched

/** `f` of the samples of `tensors`, whose first dimension is a batch, for all samples: what backward functions of views do. */
export function by_samples(
  size: number,
  tensors: readonly Tensor[],
  f: (samples: Tensor[]) => Tensor,
): Tensor {
  const level = next_level(size, 'error')
  return with_level(level, () => remove_level(f(tensors.map(t => add_level(t, level))), level))
}
