// The trapezoidal rule: integrals of samples, whole and running. Not here: differences (differences.ts).
import { bool } from '../base/dtype.ts'
import { IndexError, RuntimeError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Op, overloaded } from './define/op.ts'
import type { Number } from './define/pointwise.ts'

// ---------------------------------------------------------------------------------------------- trapezoids

type TrapezoidOptions = { x?: Tensor; dx?: Number; dim?: number }
type TrapezoidArgs = [y: Tensor, x?: Tensor | TrapezoidOptions, opts?: TrapezoidOptions]
type Finish = (areas: Tensor, dim: number) => Tensor

/** `x` with dimensions of size 1 before, as many as `ndim` has more. */
const lifted = (x: Tensor, ndim: number): Tensor =>
  x.ndim >= ndim ? x : x.view([...new Array<number>(ndim - x.ndim).fill(1), ...x.sizes])

const trapezoids = (name: string, error: string, finish: Finish, running: boolean): Op<TrapezoidArgs> => {
  const require_dim = (y: Tensor, dim: number): number => {
    if (y.ndim > 0) return wrap_dim(dim, y.ndim)
    throw new IndexError(
      running
        ? 'slice() cannot be applied to a 0-dim tensor.'
        : `Dimension specified as ${dim} but tensor has no dimensions`,
    )
  }
  const parts = (y: Tensor, dim: number): [Tensor, Tensor] => {
    const n = Math.max(0, y.sizes[dim]! - 1)
    return [y.narrow(dim, 0, n), y.narrow(dim, y.sizes[dim]! - n, n)]
  }
  const by_points = (y: Tensor, x: Tensor, dim: number): Tensor => {
    const d = require_dim(y, dim)
    if (y.dtype === bool || x.dtype === bool)
      throw new RuntimeError(`${error}: received a bool input for \`x\` or \`y\`, but bool is not supported`)
    if (!running && y.sizes[d] === 0) return y.sum(d).mul(0).add(0)
    if (x.ndim === 1 && x.count !== y.sizes[d])
      throw new RuntimeError(`${error}: There must be one \`x\` value for each sample point`)
    let points = x
    if (x.ndim === 1) {
      const sizes = new Array<number>(y.ndim).fill(1)
      sizes[d] = x.count
      points = x.view(sizes)
    } else points = lifted(x, y.ndim)
    const wide = lifted(y, points.ndim)
    const along = d + wide.ndim - y.ndim
    const [x0, x1] = parts(points, along)
    const [y0, y1] = parts(wide, along)
    return finish(x1.sub(x0).mul(y0.add(y1)), along).div(2)
  }
  const by_step = (y: Tensor, dx: Number, dim: number): Tensor => {
    const d = require_dim(y, dim)
    if (y.dtype === bool)
      throw new RuntimeError(`${error}: received a bool input for \`y\`, but bool is not supported`)
    if (typeof dx === 'boolean')
      throw new RuntimeError(`${error}: Currently, we only support dx as a real number.`)
    const [y0, y1] = parts(y, d)
    const areas = finish(y0.add(y1), d)
    return running ? areas.mul(dx).div(2) : areas.mul(Number(dx) / 2)
  }
  return overloaded<TrapezoidArgs>(
    [
      [`${name}(Tensor y, Tensor x, *, int dim=-1)`, by_points],
      [`${name}(Tensor y, *, Scalar dx=1, int dim=-1)`, by_step],
    ],
    {
      out: false,
      samples: r => [
        [r(5)],
        [r(3, 4), { dx: 0.5, dim: 0 }],
        [r(3, 4), r(4)],
        [r(3, 4), r(3, 4), { dim: 0 }],
        [r(2, 3), r(1, 3)],
      ],
    },
  )
}

const total: Finish = (areas, dim) => areas.sum(dim)
/** The integral of `y` along `dim` by the trapezoidal rule, at the points `x` or at distances `dx`. */
export const trapezoid: Op<TrapezoidArgs> = trapezoids('trapezoid', 'trapezoid', total, false)
/** {@link trapezoid} by its older name. */
export const trapz: Op<TrapezoidArgs> = trapezoids('trapz', 'trapezoid', total, false)
/** The running integrals of `y` along `dim`: {@link trapezoid} of the first two points, of three, and so on. */
export const cumulative_trapezoid: Op<TrapezoidArgs> = trapezoids(
  'cumulative_trapezoid',
  'cumulative_trapezoid',
  (areas, dim) => areas.cumsum(dim),
  true,
)
