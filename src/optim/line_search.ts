// A line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6),
// by cubic interpolation. Not here: the direction.
import type { Tensor } from '../torch.ts'

/** A point on the line: where, with the loss, the gradient and the slope there. */
type Point = { t: number; loss: number; grad: Tensor; slope: number }

const C1 = 1e-4
const C2 = 0.9
const MAX_TRIALS = 25
const SMALLEST_CHANGE = 1e-9

/**
 * Looks for a length that lowers the loss enough and flattens its slope.
 * @param evaluate the loss and the gradient at `t * d` from here
 * @param t the first length to try
 * @param slope the derivative of the loss along `d`, here; negative
 */
export function strong_wolfe(
  evaluate: (t: number, d: Tensor) => [loss: number, grad: Tensor],
  t: number,
  d: Tensor,
  loss: number,
  grad: Tensor,
  slope: number,
): { loss: number; grad: Tensor; t: number; evals: number } {
  let evals = 0
  const at = (length: number): Point => {
    evals++
    const [loss, grad] = evaluate(length, d)
    return { t: length, loss, grad, slope: Number(grad.dot(d).item()) }
  }
  const too_high = (p: Point): boolean => p.loss > loss + C1 * p.t * slope
  const flat = (p: Point): boolean => Math.abs(p.slope) <= -C2 * slope

  // Grow the length until a point fits, or until a fitting point must lie between the last two.
  let trials = 0
  let previous: Point = { t: 0, loss, grad, slope }
  let current = at(t)
  let bracket: [Point, Point] | null = null
  while (bracket === null && trials < MAX_TRIALS) {
    if (too_high(current) || (trials > 1 && current.loss >= previous.loss)) bracket = [previous, current]
    else if (flat(current)) return { ...result(current), evals }
    else if (current.slope >= 0) bracket = [previous, current]
    else {
      const bounds: [number, number] = [current.t + 0.01 * (current.t - previous.t), current.t * 10]
      const next = cubic_minimum(previous, current, bounds)
      previous = current
      current = at(next)
      trials++
    }
  }
  bracket ??= [{ t: 0, loss, grad, slope }, current]

  // Shrink the bracket.
  const d_norm = Number(d.abs().max().item())
  let [low, high] = bracket[0].loss <= bracket[1].loss ? [0, 1] : [1, 0]
  let stalled = false
  while (trials < MAX_TRIALS && Math.abs(bracket[1].t - bracket[0].t) * d_norm >= SMALLEST_CHANGE) {
    const left = Math.min(bracket[0].t, bracket[1].t)
    const right = Math.max(bracket[0].t, bracket[1].t)
    let next = cubic_minimum(bracket[0], bracket[1], [left, right])
    // A point next to an end twice in a row, or at it, makes too little progress: step a tenth inside.
    const margin = 0.1 * (right - left)
    if (Math.min(right - next, next - left) < margin) {
      if (stalled || next >= right || next <= left) {
        next = Math.abs(next - right) < Math.abs(next - left) ? right - margin : left + margin
        stalled = false
      } else stalled = true
    } else stalled = false

    const point = at(next)
    trials++
    if (too_high(point) || point.loss >= bracket[low]!.loss) {
      bracket[high] = point
      ;[low, high] = bracket[0].loss <= bracket[1].loss ? [0, 1] : [1, 0]
      continue
    }
    const done = flat(point)
    if (!done && point.slope * (bracket[high]!.t - bracket[low]!.t) >= 0) bracket[high] = bracket[low]!
    bracket[low] = point
    if (done) break
  }
  return { ...result(bracket[low]!), evals }
}

const result = ({ loss, grad, t }: Point): { loss: number; grad: Tensor; t: number } => ({ loss, grad, t })

/** Where the cubic through two points and their slopes is least, within bounds; their middle where it has no minimum. */
function cubic_minimum(p: Point, q: Point, [low, high]: [number, number]): number {
  const [a, b] = p.t <= q.t ? [p, q] : [q, p]
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t)
  const square = d1 ** 2 - a.slope * b.slope
  if (!(square >= 0)) return (low + high) / 2
  const d2 = Math.sqrt(square)
  const least = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
  return Math.min(Math.max(least, low), high)
}
