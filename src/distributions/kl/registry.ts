// kl_divergence and the table of pairs of classes that it looks in, of which the most derived that fits is taken.
// Not here: the divergences (same.ts, pairs.ts).
import { NotImplementedError } from '../../base/errors.ts'
import { _type_name, _warn, type Tensor } from '../../torch.ts'
import { Distribution } from '../distribution.ts'

/** A class of distributions. */
export type Family<D extends Distribution = Distribution> = {
  readonly name: string
  readonly prototype: D
}
type Divergence = (p: never, q: never) => Tensor
type Entry = readonly [type_p: Family, type_q: Family, divergence: Divergence]

const registry: Entry[] = []
/** What was found for a pair of prototypes; null: nothing. */
let found: WeakMap<object, WeakMap<object, Divergence | null>> = new WeakMap()

function require_family(name: string, type: unknown): void {
  const prototype = (type as { prototype?: unknown } | null)?.prototype
  if (!(prototype instanceof Distribution))
    throw new TypeError(
      `Expected ${name} to be a Distribution subclass but got ${typeof type === 'function' ? type.name : _type_name(type)}`,
    )
}

/**
 * Says how to compute the divergence of distributions of two classes, and of classes derived from them for which
 * nothing closer is known: `register_kl(Normal, Normal)((p, q) => ...)`. Throws TypeError for other classes.
 */
export function register_kl<P extends Distribution, Q extends Distribution>(
  type_p: Family<P>,
  type_q: Family<Q>,
): <F extends (p: P, q: Q) => Tensor>(divergence: F) => F {
  require_family('type_p', type_p)
  require_family('type_q', type_q)
  return divergence => {
    const at = registry.findIndex(([p, q]) => same(p, type_p) && same(q, type_q))
    const entry: Entry = [type_p, type_q, divergence]
    if (at >= 0) registry[at] = entry
    else registry.push(entry)
    found = new WeakMap()
    return divergence
  }
}

const same = (a: Family, b: Family): boolean => a.prototype === b.prototype
const derives = (a: object, b: Family): boolean =>
  a === b.prototype || a instanceof (b as unknown as typeof Distribution)

/** Whether the pair `a` fits no worse than `b`, the first class counting first. */
function no_worse(a: readonly Family[], b: readonly Family[]): boolean {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as Family, b[i] as Family]
    if (!derives(x.prototype, y)) return false
    if (!same(x, y)) return true
  }
  return true
}

/** The entry that fits best when the class at `order[0]` counts first. */
const best = (matches: readonly Entry[], order: readonly [0 | 1, 0 | 1]): Entry =>
  matches.reduce((least, entry) => {
    const pair = (e: Entry): Family[] => order.map(i => e[i])
    return no_worse(pair(entry), pair(least)) ? entry : least
  })

function dispatch(p: object, q: object): Divergence | null {
  const matches = registry.filter(([type_p, type_q]) => derives(p, type_p) && derives(q, type_q))
  if (matches.length === 0) return null
  const left = best(matches, [0, 1])
  const right = best(matches, [1, 0])
  if (left[2] !== right[2])
    _warn(
      `Ambiguous kl_divergence(${p.constructor.name}, ${q.constructor.name}). ` +
        `Please register_kl(${left[0].name}, ${right[1].name})`,
    )
  return left[2]
}

/**
 * The Kullback-Leibler divergence KL(p || q) of two distributions, of their batch_shape: the mean over p of the
 * logarithm of p / q. Throws NotImplementedError for pairs of which it is not known.
 */
export function kl_divergence(p: Distribution, q: Distribution): Tensor {
  const [at_p, at_q] = [Object.getPrototypeOf(p) as object, Object.getPrototypeOf(q) as object]
  let row = found.get(at_p)
  if (row === undefined) found.set(at_p, (row = new WeakMap()))
  let divergence = row.get(at_q)
  if (divergence === undefined) row.set(at_q, (divergence = dispatch(at_p, at_q)))
  if (divergence === null)
    throw new NotImplementedError(
      `No KL(p || q) is implemented for p type ${p.constructor.name} and q type ${q.constructor.name}`,
    )
  return divergence(p as never, q as never)
}

/** The pairs of names of classes that are registered. */
export const registered_pairs = (): [string, string][] => registry.map(([p, q]) => [p.name, q.name])
