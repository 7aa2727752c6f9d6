// Kernels that draw numbers by rejection: how many words of the stream each takes is known only once it is drawn, so
// they come one after another. A kernel stops before a number for which its stretch of words does not suffice, and is
// called again with the next. Not here: what is accepted (gamma.ts, counts.ts), fixed numbers of words (words.ts).
import { type DType, float64, int32, type TypedArray } from '../../base/dtype.ts'
import type { Generator } from '../../base/generator.ts'
import type { Executable, Operand } from '../../device/device.ts'
import type { Expr, Scalar } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { scratch } from '../define/scratch.ts'
import { double_at, MOST, peek } from './words.ts'

/** The numbers that a kernel draws with, in the order in which it asks for them. */
export type Source = {
  /** The next double in [0, 1). */
  uniform(): Expr
  /** The logarithm of the next double in [0, 1), which for all of them is computed beforehand. */
  log_uniform(): Expr
  /** The next standard normal double: of each pair that is made the second is kept for the next time. */
  normal(): Expr
}

/** How many doubles an attempt takes at most: two for a pair of normal numbers and another one. */
const OF_AN_ATTEMPT = 3

/** What a call leaves for the next: elements done, doubles used, the normal number that is kept, whether there is one, */
const [DONE, USED, KEPT, HAS] = [0, 1, 2, 3]
/** and whether an element was refused. */
const REFUSED = 4

/** How a number is drawn from the elements `x` of the inputs. Returns what emits an attempt. */
export type Draw = (sampler: {
  readonly k: Builder
  /** Its place, the elements of the inputs there, and the other results. */
  readonly i: Expr
  readonly x: readonly Expr[]
  readonly more: readonly View[]
  readonly source: Source
  /** Ends the attempts with a number. */
  accept(drawn: Scalar): void
  /** Ends all drawing: these inputs are an error. */
  refuse(): void
}) => () => void

type Operands = {
  /** Of the numbers that are accepted. */
  readonly dtype: DType
  /** Of other results, which `draw` stores itself. */
  readonly more?: readonly DType[]
  readonly inputs: readonly DType[]
  /** Whether it asks for logarithms. */
  readonly logs?: boolean
}

/**
 * Writes the kernel of a sampler. `draw` emits what comes before the first attempt
 * (at most one double) and returns what emits an attempt, which is repeated until a number is accepted.
 */
export function write_sampler(
  k: Builder,
  { dtype, more = [], inputs, logs = false }: Operands,
  draw: Draw,
): void {
  const words = k.input('words', int32, 'flat')
  const uniforms = k.inout('uniforms', float64, { rank: 2, inner: 1 }) // and their logarithms
  const state = k.inout('state', float64, 'flat')
  const out = k.output('out', dtype, 'flat')
  const results = more.map((dtype, i) => k.output(`more${i}`, dtype, 'flat'))
  const views = inputs.map((dtype, i) => k.input(`x${i}`, dtype, 'flat'))
  const known = words.sizes[0]!.floordiv(2)
  const last = known.sub(OF_AN_ATTEMPT)
  k.for(known, 'vector', i => {
    const u = double_at(words, i)
    k.store(uniforms, [0, i], u)
    if (logs) k.store(uniforms, [1, i], u.log())
  })
  const at = k.local('index', state.at(DONE).cast('i64').cast('index'))
  const used = k.local('index', 0)
  const kept = k.local('f64', state.at(KEPT))
  const has = k.local('bool', state.at(HAS).ne(0))
  const refused = k.local('bool', false)
  const going = k.local('bool', true)
  const accepted = k.local('bool', false)
  const drawn = k.local('f64', 0)

  const next = (row: number): Expr => {
    const u = k.local('f64', uniforms.at(row, used))
    k.assign(used, used.add(1))
    return u
  }
  const uniform = (): Expr => next(0)
  const log_uniform = (): Expr => next(1)
  const normal = (): Expr => {
    const x = k.local('f64', kept)
    k.if(
      has,
      () => k.assign(has, false),
      () => {
        const theta = k.local('f64', uniform().mul(2 * Math.PI))
        const radius = k.local('f64', uniform().neg().add(1).log().mul(-2).sqrt())
        k.assign(x, radius.mul(theta.cos()))
        k.assign(kept, radius.mul(theta.sin()))
        k.assign(has, true)
      },
    )
    return x
  }
  const accept = (x: Scalar): void => {
    k.assign(drawn, x)
    k.assign(accepted, true)
  }
  const refuse = (): void => k.assign(refused, true)

  k.while(going.and(at.lt(out.sizes[0]!)), () => {
    const [used_before, kept_before, has_before] = [
      k.local('index', used),
      k.local('f64', kept),
      k.local('bool', has),
    ]
    k.assign(accepted, false)
    k.if(used.le(last), () => {
      const x = views.map(view => k.local(view.type, view.at(at)))
      const attempt = draw({
        k,
        i: at,
        x,
        more: results,
        source: { uniform, log_uniform, normal },
        accept,
        refuse,
      })
      k.while(accepted.not().and(refused.not()).and(used.le(last)), attempt)
    })
    k.if(
      accepted,
      () => {
        k.store(out, [at], drawn.cast(out.type))
        k.assign(at, at.add(1))
      },
      () => {
        k.assign(used, used_before)
        k.assign(kept, kept_before)
        k.assign(has, has_before)
        k.assign(going, false)
      },
    )
  })
  k.store(state, [DONE], at.cast('f64'))
  k.store(state, [USED], used.cast('f64'))
  k.store(state, [KEPT], kept)
  k.store(state, [HAS], has.cast('f64'))
  k.store(state, [REFUSED], refused.cast('f64'))
}

/**
 * Runs a sampler's kernel over all elements of operands without gaps, of which the first is the result; `per` is about
 * how many doubles a number takes. Throws what `refusal` gives where the kernel refused an element.
 */
export function draw_by_rejection(
  g: Generator,
  per: number,
  kernel: Executable,
  operands: readonly Operand[],
  refusal?: () => Error,
): void {
  const total = operands[0]!.count
  if (total === 0) return
  const { engine } = g
  const { fresh } = engine
  const state = scratch(0, [5], float64)
  const doubles = (): TypedArray => state.memory.touch(float64)
  let drawn = 0
  let least = 32 // of doubles
  for (let done = 0; done < total; ) {
    const before = doubles()
    before[DONE] = done
    before[KEPT] = g.next_normal ?? 0
    before[HAS] = Number(g.next_normal !== null)
    const words = peek(g, 2 * Math.max(least, Math.min(MOST / 4, (total - done) * per)))
    const uniforms = scratch(1, [2, words.count / 2], float64)
    kernel([words, uniforms, state, ...operands], [])
    const after = doubles()
    const used = 2 * Number(after[USED])
    engine.position += used
    drawn += used
    done = Number(after[DONE])
    g.next_normal = after[HAS] === 0 ? null : Number(after[KEPT])
    if (after[REFUSED] !== 0 && refusal) throw refusal()
    if (used === 0 && done < total) least *= 4 // too few for the next number
    if (drawn === 0) engine.fresh = fresh // as long as nothing is drawn, its state says so
  }
}
