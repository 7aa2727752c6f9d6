// The pseudo-inverse with its gradient, by singular values or, of a Hermitian matrix, eigenvalues.
// Not here: the decompositions (svd.ts, eigh.ts), the functions (least_squares.ts).
import { float32, float64, int64 } from '../../base/dtype.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Op, op } from '../define/op.ts'
import { eigh } from './eigh.ts'
import { double_of, real_of } from './matrices.ts'
import { svd } from './svd.ts'

/** A tolerance: a number, or one per matrix. */
export type Tolerance = number | Tensor | null

/** max(m, n) times the machine epsilon of the dtype. */
export function usual_tolerance(a: Tensor): number {
  const epsilon = real_of(a) === float32 ? 2 ** -23 : 2 ** -52
  return Math.max(...a.sizes.slice(-2)) * epsilon
}

/** Which of the values (in double precision, of any sign) count as not zero. */
export function above(values: Tensor, a: Tensor, atol: Tolerance, rtol: Tolerance): Tensor {
  const as_column = (t: number | Tensor): number | Tensor =>
    t instanceof Tensor ? to_dtype(t.detach(), float64).unsqueeze(-1) : t
  const relative =
    rtol ??
    (atol instanceof Tensor
      ? to_dtype(atol.detach().le(0), float64).mul(usual_tolerance(a))
      : (atol ?? 0) > 0
        ? 0
        : usual_tolerance(a))
  const size = values.abs()
  const least = size.amax(-1, true).mul(as_column(relative))
  const absolute = as_column(atol ?? 0)
  return size.gt(absolute instanceof Tensor ? least.maximum(absolute) : least.clamp(absolute))
}

export const in_double = (a: Tensor): Tensor => to_dtype(a.detach(), double_of(a.dtype))

/** The pseudo-inverse in double precision, with the rank and the values. */
export function invert(
  a: Tensor,
  atol: Tolerance,
  rtol: Tolerance,
  hermitian: boolean,
): [Tensor, Tensor, Tensor] {
  const wide = in_double(a)
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const batch = a.sizes.slice(0, -2)
  if (Math.min(m, n) === 0)
    return [
      wide.new_zeros([...batch, n, m]),
      wide.new_zeros(batch, { dtype: int64 }),
      wide.new_zeros([...batch, 0], { dtype: float64 }),
    ]
  const [U, S, Vh] = hermitian ? as_svd(eigh(wide)) : svd(wide, false)
  const used = above(S!, a, atol, rtol)
  const inverted = S!.reciprocal().masked_fill(used.logical_not(), 0)
  return [Vh!.mH.mul(inverted.unsqueeze(-2)).matmul(U!.mH), used.sum(-1), S!]
}

const as_svd = ([L, V]: readonly Tensor[]): readonly Tensor[] => [V!, L!, V!.mH]

/** The gradient of the pseudo-inverse `p` of `a`. */
export function gradient(g: Tensor, p: Tensor, a: Tensor): Tensor {
  const [m, n] = a.sizes.slice(-2) as [number, number]
  const [pH, gH] = [p.mH, g.mH]
  if (m <= n) {
    const K = gH.matmul(p)
    const KpH = K.matmul(pH)
    return KpH.sub(p.matmul(K).mH)
      .sub(a.matmul(p).matmul(KpH))
      .add(pH.matmul(p).matmul(gH.sub(K.matmul(a))))
  }
  const K = p.matmul(gH)
  const pHK = pH.matmul(K)
  return gH.sub(a.matmul(K)).matmul(p).matmul(pH).add(pHK).sub(pHK.matmul(p).matmul(a)).sub(K.matmul(p).mH)
}

/** The pseudo-inverse by plain arguments. */
export const pseudo_inverse: Op<[A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean]> = op(
  'linalg_pinv(Tensor A, any? atol, any? rtol, bool hermitian)',
  {
    forward: (A: Tensor, atol: Tolerance, rtol: Tolerance, hermitian: boolean) =>
      to_dtype(invert(A, atol, rtol, hermitian)[0], A.dtype),
    saves: ['A', 'out'],
    backward: (g, [A], out, needs) => needs.map((_, i) => (i === 0 ? gradient(g, out, A) : null)),
  },
)
