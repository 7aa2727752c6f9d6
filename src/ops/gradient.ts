// torch.gradient: derivatives of sampled functions by finite differences. Made of other ops, which autograd follows.
// Not here: differences of neighbours (differences.ts), gradients of tensors (autograd/).
import { RuntimeError } from '../base/errors.ts'
import { wrap_dims } from '../base/shape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { to_dtype } from './convert.ts'
import { composite, type Op } from './define/op.ts'
import { lift } from './define/rules.ts'
import { cat } from './join.ts'

type Spacing = number | readonly number[] | readonly Tensor[] | Tensor | null
type Options = { spacing?: Spacing; dim?: number | readonly number[] | null; edge_order?: number }

/** Second-order accurate inside; at the edges of the order asked for. `h` is the distance of neighbours. */
function even(x: Tensor, dim: number, h: number, order: number): Tensor {
  const n = x.sizes[dim]!
  const at = (i: number, length = 1): Tensor => x.narrow(dim, i, length)
  const middle = at(2, n - 2)
    .sub(at(0, n - 2))
    .div(2 * h)
  if (order === 1)
    return cat(
      [
        at(1).sub(at(0)).div(h),
        middle,
        at(n - 1)
          .sub(at(n - 2))
          .div(h),
      ],
      dim,
    )
  const edge = (a: number, b: number, c: number, sign: number): Tensor =>
    at(a)
      .mul(-1.5)
      .add(at(b).mul(2))
      .sub(at(c).mul(0.5))
      .mul(sign / h)
  return cat([edge(0, 1, 2, 1), middle, edge(n - 1, n - 2, n - 3, -1)], dim)
}

/** The same where the places of the samples are given. */
function uneven(x: Tensor, dim: number, places: Tensor, order: number): Tensor {
  const n = x.sizes[dim]!
  const at = (i: number, length = 1): Tensor => x.narrow(dim, i, length)
  const steps = places.narrow(0, 1, n - 1).sub(places.narrow(0, 0, n - 1))
  const sizes = x.sizes.map((_, d) => (d === dim ? -1 : 1))
  const step = (i: number, length = 1): Tensor => steps.narrow(0, i, length).reshape(sizes)
  const [left, right] = [step(0, n - 2), step(1, n - 2)]
  const both = left.add(right)
  const middle = at(0, n - 2)
    .mul(right.neg().div(left.mul(both)))
    .add(at(1, n - 2).mul(right.sub(left).div(left.mul(right))))
    .add(at(2, n - 2).mul(left.div(right.mul(both))))
  if (order === 1)
    return cat(
      [
        at(1).sub(at(0)).div(step(0)),
        middle,
        at(n - 1)
          .sub(at(n - 2))
          .div(step(n - 2)),
      ],
      dim,
    )
  // the parabola through the three samples at an edge: `a` is the step at the edge, `b` the next one
  const edge = (i: number, direction: 1 | -1, a: Tensor, b: Tensor): Tensor => {
    const sum = a.add(b)
    const slope = at(i)
      .mul(a.mul(2).add(b).div(a.mul(sum)).neg())
      .add(at(i + direction).mul(sum.div(a.mul(b))))
      .sub(at(i + 2 * direction).mul(a.div(b.mul(sum))))
    return slope.mul(direction)
  }
  return cat([edge(0, 1, step(0), step(1)), middle, edge(n - 1, -1, step(n - 2), step(n - 3))], dim)
}

/**
 * The derivative of sampled values along each of `dim` (default: all), a tensor each. `spacing` is the distance of the
 * samples, one for each dimension, or the places of the samples. Throws RuntimeError where there are too few of them.
 */
export const gradient: Op<[self: Tensor, opts?: Options], Tensor[]> = composite(
  'gradient(Tensor self, *, any? spacing=None, int[]? dim=None, int edge_order=1)',
  {
    body(self: Tensor, spacing: Spacing, dim: readonly number[] | null, order: number): Tensor[] {
      const dims = dim === null ? self.sizes.map((_, d) => d) : wrap_dims(dim, self.ndim)
      const given = spacing instanceof Tensor ? [spacing] : (spacing ?? 1)
      if (order !== 1 && order !== 2)
        throw new RuntimeError('torch.gradient only supports edge_order=1 and edge_order=2.')
      if (typeof given === 'object' && given.length !== dims.length)
        throw new RuntimeError(
          `torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = ${dims.length}', since dim argument was not given, but got a list of length ${given.length}`,
        )
      for (const d of dims)
        if (self.sizes[d]! < order + 1)
          throw new RuntimeError('torch.gradient expected each dimension size to be at least edge_order+1')
      const x = to_dtype(self, lift(self.dtype))
      return dims.map((d, i) => {
        const h = typeof given === 'object' ? given[i]! : given
        return h instanceof Tensor ? uneven(x, d, h, order) : even(x, d, h, order)
      })
    },
    out: false,
  },
)
