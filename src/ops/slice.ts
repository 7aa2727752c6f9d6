// Python's slice as a value: an index of x.at. Not here: the view that it makes (slice_view.ts).
import { Tensor } from '../tensor/tensor.ts'
import { Slice } from './indexing.ts'

type Bound = number | bigint | Tensor | null

/** Python's slice: `slice(stop)` or `slice(start, stop, step)`; null leaves a bound open. */
export function slice(stop: Bound): Slice
export function slice(start: Bound, stop: Bound, step?: Bound): Slice
export function slice(...args: (Bound | undefined)[]): Slice {
  const [start, stop, step] = args.length === 1 ? [null, args[0], null] : args
  return new Slice(bound(start), bound(stop), bound(step))
}

function bound(x: Bound | undefined): number | null {
  if (x === null || x === undefined) return null
  const n = Number(x instanceof Tensor ? x.item() : x)
  if (!Number.isInteger(n))
    throw new TypeError('slice indices must be integers or None or have an __index__ method')
  return n
}
