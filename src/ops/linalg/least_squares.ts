// What singular values and a threshold make: pinv, matrix_rank, lstsq. Not here: the pseudo-inverse as other
// derivatives need it (pseudo_inverse.ts).
import { int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { broadcast_sizes, same_sizes } from '../../base/shape.ts'
import { empty } from '../../tensor/dispatch.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { type Named, named_tuple } from '../define/named.ts'
import { composite, type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { eigvalsh } from './eigh.ts'
import { has_lapack, real_of, require_matrices, require_square } from './matrices.ts'
import {
  above,
  gradient,
  in_double,
  invert,
  pseudo_inverse,
  type Tolerance,
  usual_tolerance,
} from './pseudo_inverse.ts'
import { svdvals } from './svd.ts'

function check_tolerance(name: string, which: string, t: Tolerance): void {
  if (t instanceof Tensor && t.dtype.is_complex)
    throw new RuntimeError(
      `torch.linalg.${name}: ${which} tensor of complex type is not supported. Got ${scalar_name(t.dtype)}`,
    )
}

type PinvOptions = {
  rcond?: Tolerance
  atol?: Tolerance
  rtol?: Tolerance
  hermitian?: boolean
  out?: Tensor
}

/** The Moore-Penrose pseudo-inverse; singular values up to max(atol, rtol * the largest) count as zero. */
export const pinv: Op<
  [A: Tensor, rcond?: Tolerance | PinvOptions, hermitian?: boolean | PinvOptions, opts?: PinvOptions]
> = composite(
  'linalg_pinv(Tensor A, any? rcond=None, bool hermitian=False, *, any? atol=None, any? rtol=None)',
  {
    body(A: Tensor, rcond: Tolerance, hermitian: boolean, atol: Tolerance, rtol: Tolerance) {
      if (A.ndim < 2 || !has_lapack(A.dtype))
        throw new RuntimeError(
          `linalg.pinv(${scalar_name(A.dtype)}{[${A.sizes.join(', ')}]}): expected a tensor with 2 or more dimensions ` +
            'of float, double, cfloat or cdouble types',
        )
      check_tolerance('pinv', 'atol', atol)
      check_tolerance('pinv', 'rtol', rtol)
      if (hermitian) require_square('linalg.eigh', A)
      return pseudo_inverse(A, atol, rcond ?? rtol, hermitian)
    },
  },
)

type RankOptions = {
  tol?: Tolerance
  atol?: Tolerance
  rtol?: Tolerance
  hermitian?: boolean
  out?: Tensor
}

/** How many singular values are larger than max(atol, rtol * the largest). */
export const matrix_rank: Op<
  [input: Tensor, tol?: Tolerance | RankOptions, hermitian?: boolean | RankOptions, opts?: RankOptions]
> = composite(
  'linalg_matrix_rank(Tensor input, any? tol=None, bool hermitian=False, *, any? atol=None, any? rtol=None)',
  {
    body(input: Tensor, tol: Tolerance, hermitian: boolean, atol: Tolerance, rtol: Tolerance) {
      require_matrices('torch.linalg.matrix_rank', input, 'input')
      if (!has_lapack(input.dtype))
        throw new RuntimeError("This function doesn't handle types other than float and double")
      check_tolerance('matrix_rank', 'atol', atol)
      check_tolerance('matrix_rank', 'rtol', rtol)
      if (hermitian) require_square('linalg.eigh', input)
      if (input.numel() === 0) return input.new_zeros(input.sizes.slice(0, -2), { dtype: int64 })
      const wide = in_double(input)
      const values = hermitian ? eigvalsh(wide) : svdvals(wide)
      return above(values, input, tol ?? atol, tol === null ? rtol : 0).sum(-1)
    },
    gradcheck: false, // a count
  },
)

// ---------------------------------------------------------------------------------------- least squares

const solution_of: Op<[A: Tensor, B: Tensor, rcond: number]> = op(
  'linalg_lstsq(Tensor A, Tensor B, float rcond)',
  {
    forward: (A: Tensor, B: Tensor, rcond: number) =>
      to_dtype(invert(A, 0, rcond, false)[0].matmul(in_double(B)), A.dtype),
    saves: ['A', 'B'],
    backward(g, [A, B, rcond], _out, needs) {
      const p = pseudo_inverse(A, 0, rcond, false)
      return [needs[0] ? gradient(g.matmul(B.mH), p, A) : null, needs[1] ? p.mH.matmul(g) : null]
    },
  },
)

const drivers = ['gels', 'gelsy', 'gelsd', 'gelss']

function check_lstsq(a: Tensor, b: Tensor, driver: string | null): void {
  const refuse = (text: string): never => {
    throw new RuntimeError(`torch.linalg.lstsq: ${text}`)
  }
  if (!has_lapack(a.dtype))
    throw new RuntimeError("This function doesn't handle types other than float and double")
  if (a.ndim < 2) refuse('input must have at least 2 dimensions.')
  if (b.ndim < 1) refuse('other must have at least 1 dimension.')
  if (a.dtype !== b.dtype)
    refuse(
      "Expected input and other to have the same dtype, but got input's dtype " +
        `${scalar_name(a.dtype)} and other's dtype ${scalar_name(b.dtype)}`,
    )
  const less = a.ndim - b.ndim
  if (less < 0 || less > 1)
    refuse('input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1')
  if (less === 0 && a.sizes.at(-2) !== b.sizes.at(-2)) refuse('input.size(-2) should match other.size(-2)')
  if (less === 1 && a.sizes.at(-2) !== b.sizes.at(-1)) refuse('input.size(-2) should match other.size(-1)')
  if (driver !== null && !drivers.includes(driver))
    refuse('parameter `driver` should be one of (gels, gelsy, gelsd, gelss)')
}

/** A solution of least squares, and what else the driver tells. */
export type LeastSquares = Named<Tensor, 'solution' | 'residuals' | 'rank' | 'singular_values'>

type LstsqOptions = { rcond?: number | null; driver?: string | null; out?: readonly Tensor[] }

/** The X of least norm that makes ||A X - B|| least. `driver` says what else is returned, as in LAPACK. */
export const lstsq: Op<
  [self: Tensor, b: Tensor, rcond?: number | null | LstsqOptions, opts?: LstsqOptions],
  LeastSquares
> = composite('linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None)', {
  body(a: Tensor, b: Tensor, rcond: number | null, driver: string | null) {
    check_lstsq(a, b, driver)
    const how = driver ?? 'gelsy'
    const [m, n] = a.sizes.slice(-2) as [number, number]
    const is_vector = a.ndim - 1 === b.ndim
    const right = is_vector ? b.unsqueeze(-1) : b
    const batch = broadcast_sizes(a.sizes.slice(0, -2), right.sizes.slice(0, -2))
    const spread = (t: Tensor): Tensor =>
      same_sizes(t.sizes.slice(0, -2), batch) ? t : t.expand([...batch, ...t.sizes.slice(-2)])
    const [A, B] = [spread(a), spread(right)]
    const least = how === 'gels' ? 0 : rcond === null ? usual_tolerance(a) : rcond
    const X = solution_of(A, B, least)
    const [, ranks, values] = how === 'gels' ? [null, null, null] : invert(A, 0, least, false)
    const is_full = ranks === null || ranks.eq(n).all().item() === true
    const none = (): Tensor => empty([0], real_of(a))
    const residuals =
      m > n && how !== 'gelsy' && is_full
        ? to_dtype(in_double(A).matmul(in_double(X)).sub(in_double(B)).abs().square().sum(-2), real_of(a))
        : none()
    return named_tuple('linalg_lstsq', {
      solution: is_vector ? X.squeeze(-1) : X,
      residuals: is_vector && residuals.ndim > batch.length ? residuals.squeeze(-1) : residuals,
      rank: ranks ?? empty([0], int64),
      singular_values: values !== null && how !== 'gelsy' ? to_dtype(values, real_of(a)) : none(),
    })
  },
})
