// Distances of all pairs of rows: cdist. Not here: the distance of two tensors (dist, norms.ts).
import { RuntimeError, ValueError } from '../base/errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Op, op } from './define/op.ts'
import { norm_grad, norm_over } from './p_norm.ts'

// ---------------------------------------------------------------------------------------------- distances of all pairs

const away_from = (x1: Tensor, x2: Tensor): Tensor => x1.unsqueeze(-2).sub(x2.unsqueeze(-3))

/**
 * The p-norm of the difference of each row of `x1` and each of `x2`: [..., P, M] and [..., R, M] give [..., P, R]. How it
 * is computed does not depend on `compute_mode`.
 */
export const cdist: Op<
  [x1: Tensor, x2: Tensor, p?: number | { p?: number; compute_mode?: string }, compute_mode?: string]
> = op("cdist(Tensor x1, Tensor x2, float p=2, str? compute_mode='use_mm_for_euclid_dist_if_necessary')", {
  forward(x1: Tensor, x2: Tensor, p: number, mode: string | null) {
    if (x1.ndim < 2 || x2.ndim < 2)
      throw new RuntimeError(`cdist only supports at least 2D tensors, X1 got: ${x1.ndim}D`)
    if (x1.sizes.at(-1) !== x2.sizes.at(-1))
      throw new RuntimeError(
        `X1 and X2 must have the same number of columns. X1: ${x1.sizes.at(-1)} X2: ${x2.sizes.at(-1)}`,
      )
    if (!(p >= 0)) throw new RuntimeError('cdist only supports non-negative p values')
    const modes = [
      'use_mm_for_euclid_dist_if_necessary',
      'use_mm_for_euclid_dist',
      'donot_use_mm_for_euclid_dist',
    ]
    if (mode !== null && !modes.includes(mode))
      throw new ValueError(`${mode} is not a valid value for compute_mode`)
    const away = away_from(x1, x2)
    return norm_over(away, p, [away.ndim - 1])
  },
  saves: ['x1', 'x2', 'out'],
  backward(g, [x1, x2, p], out) {
    const away = away_from(x1, x2)
    const last = [away.ndim - 1]
    const grad = p === 0 ? null : norm_grad(g.unsqueeze(-1), away, p, out.unsqueeze(-1), last)
    if (grad === null) return [x1.new_zeros(x1.sizes), x2.new_zeros(x2.sizes)]
    return [grad.sum(-2).sum_to_size(x1.sizes), grad.sum(-3).neg().sum_to_size(x2.sizes)]
  },
  node: 'CdistBackward0',
  samples: r => [
    [r(3, 4), r(2, 4)],
    [r(2, 3, 4), r(2, 4), 1],
    [r(3, 4), r(2, 4), 3],
  ],
})
