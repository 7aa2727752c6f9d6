// Activation functions, elementwise, as torch.nn.functional has them. Derivatives follow from the formulas; a
// backward is written where PyTorch fixes the value at a kink or reads the result.
// Not here: relu, sigmoid and tanh (unary.ts, they are methods too), softmax (softmax.ts), random ones (dropout.ts).
import { bool, type DType, uint8 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { numel, wrap_dim } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { in_place } from '../define/inplace.ts'
import { composite, type Op, op } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { pointwise } from '../define/pointwise.ts'
import { floating, lift, not_implemented, ordered, real_floating } from '../define/rules.ts'
import { window } from '../define/space.ts'
import { cat } from '../join.ts'

const one = (x: Expr): Expr => constant(1, x.type)
const sigmoid_of = (x: Expr): Expr => one(x).div(x.neg().exp().add(1))
/** log(1 + exp(x)) without overflow. */
const softplus_of = (x: Expr): Expr => x.max(0).add(x.abs().neg().exp().log1p())

type Unary = [input: Tensor]

const NO_BOOL_LIMITS = 'Bool inputs not supported for hardtanh'
const NO_DIFFERENCE =
  'Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.'
function refuse_bool(dtype: DType, message: string): DType {
  if (dtype === bool) throw new RuntimeError(message)
  return dtype
}

/** x Phi(x): the Gaussian error linear unit; `approximate` is 'none' or 'tanh'. */
export const gelu: Op<[input: Tensor, opts?: { approximate?: 'none' | 'tanh' }]> = pointwise(
  "gelu(Tensor self, *, str approximate='none')",
  {
    dtype: real_floating('GeluKernelImpl'),
    forward: (x: Expr, approximate: string) => {
      if (approximate === 'tanh') {
        const inner = x
          .mul(x)
          .mul(x)
          .mul(0.044715)
          .add(x)
          .mul(Math.sqrt(2 / Math.PI))
        return x.mul(0.5).mul(inner.tanh().add(1))
      }
      if (approximate !== 'none') throw new RuntimeError('approximate argument must be either none or tanh.')
      return x.mul(0.5).mul(x.mul(Math.SQRT1_2).erf().add(1))
    },
    samples: r => [[r(3, 4)], [r(7), { approximate: 'tanh' }], [r()]],
  },
)

type EluOptions = { alpha?: number }

/** x above 0, `alpha (exp(x) - 1)` below. */
export const elu: Op<[input: Tensor, alpha?: number | EluOptions]> = pointwise(
  'elu(Tensor self, Scalar alpha=1)',
  {
    dtype: real_floating('elu_cpu'),
    forward: (x: Expr, alpha: Expr) => x.gt(0).where(x, alpha.mul(x.expm1())),
    samples: r => [[r(3, 4)], [r(5), 0.5]],
  },
)
/** In-place {@link elu}. */
export const elu_: typeof elu = in_place(elu)

const SELU_ALPHA = 1.6732632423543772
const SELU_SCALE = 1.0507009873554805

/** {@link elu} with the constants that keep mean 0 and variance 1, scaled. */
export const selu: Op<Unary> = pointwise('selu(Tensor self)', {
  dtype: real_floating('elu_cpu'),
  node: 'EluBackward0',
  forward: x => x.gt(0).where(x.mul(SELU_SCALE), x.expm1().mul(SELU_SCALE * SELU_ALPHA)),
  samples: r => [[r(3, 4)]],
})
/** In-place {@link selu}. */
export const selu_: typeof selu = in_place(selu)

/** x above 0, `alpha (exp(x / alpha) - 1)` below. */
export const celu: Op<[input: Tensor, alpha?: number | EluOptions]> = pointwise(
  'celu(Tensor self, Scalar alpha=1)',
  {
    dtype: real_floating('elu_cpu'),
    node: 'CeluBackward0',
    check_options: (_: Tensor, alpha: number) => {
      if (Number(alpha) === 0) throw new RuntimeError('ZeroDivisionError: alpha cannot be 0 for CELU')
    },
    forward: (x: Expr, alpha: Expr) => x.gt(0).where(x, alpha.mul(x.div(alpha).expm1())),
    samples: r => [[r(3, 4)], [r(5), 0.5]],
  },
)
/** In-place {@link celu}. */
export const celu_: typeof celu = in_place(celu)

/** x above 0, `negative_slope x` below. */
export const leaky_relu: Op<[input: Tensor, negative_slope?: number | { negative_slope?: number }]> =
  pointwise('leaky_relu(Tensor self, Scalar negative_slope=0.01)', {
    dtype: floating('leaky_relu_cpu'),
    forward: (x: Expr, slope: Expr) => x.gt(0).where(x, x.mul(slope)),
    samples: r => [[r(3, 4)], [r(5), 0.2]],
  })
/** In-place {@link leaky_relu}. */
export const leaky_relu_: typeof leaky_relu = in_place(leaky_relu)

/** `log(1 + exp(beta x)) / beta`, and x itself where `beta x > threshold`. */
export const softplus: Op<
  [input: Tensor, beta?: number | { beta?: number; threshold?: number }, threshold?: number]
> = pointwise('softplus(Tensor self, Scalar beta=1, Scalar threshold=20)', {
  dtype: floating('softplus_cpu'),
  forward: (x: Expr, beta: Expr, threshold: Expr) => {
    const scaled = x.mul(beta)
    return scaled.gt(threshold).where(x, softplus_of(scaled).div(beta))
  },
  backward: (g, [x, beta, threshold]) => {
    const scaled = x.mul(beta)
    return [scaled.gt(threshold).where(g, g.mul(sigmoid_of(scaled)))]
  },
  samples: r => [[r(3, 4)], [r(5), 2, 1]],
})

/** x limited to [min_val, max_val]; the gradient at the limits is 0. */
export const hardtanh: Op<
  [input: Tensor, min_val?: number | { min_val?: number; max_val?: number }, max_val?: number]
> = pointwise('hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1)', {
  dtype: dtype => ordered(refuse_bool(dtype, NO_BOOL_LIMITS)),
  check_options: (input: Tensor, low: number, high: number) => {
    if (input.dtype === uint8 && (low < 0 || high < 0))
      throw new RuntimeError('cannot do hardtanh on an unsigned type with negative limits')
  },
  forward: (x: Expr, low: Expr, high: Expr) => x.max(low).min(high),
  backward: (g, [x, low, high]) => [x.gt(low).and(x.lt(high)).where(g, 0)],
  samples: r => [[r(3, 4)], [r(5), -0.5, 1.5]],
})
/** In-place {@link hardtanh}. */
export const hardtanh_: typeof hardtanh = in_place(hardtanh)

/** x limited to [0, 6]. */
export const relu6: Op<Unary> = pointwise('relu6(Tensor self)', {
  dtype: dtype => ordered(refuse_bool(dtype, NO_BOOL_LIMITS)),
  node: 'HardtanhBackward0',
  forward: x => x.max(0).min(6),
  backward: (g, [x]) => [x!.gt(0).and(x!.lt(6)).where(g, 0)],
  samples: r => [[r.range(-3, 9, 3, 4)]],
})
/** In-place {@link relu6}. */
export const relu6_: typeof relu6 = in_place(relu6)

/** relu6(x + 3) / 6. */
export const hardsigmoid: Op<Unary> = pointwise('hardsigmoid(Tensor self)', {
  dtype: floating('hardsigmoid_cpu'),
  forward: x => x.add(3).max(0).min(6).div(6),
  backward: (g, [x]) => [x!.gt(-3).and(x!.lt(3)).where(g.div(6), 0)],
  samples: r => [[r.range(-5, 5, 3, 4)]],
})
/** In-place {@link hardsigmoid}. */
export const hardsigmoid_: typeof hardsigmoid = in_place(hardsigmoid)

/** x relu6(x + 3) / 6. */
export const hardswish: Op<Unary> = pointwise('hardswish(Tensor self)', {
  dtype: floating('hardswish_cpu'),
  forward: x => x.mul(x.add(3).max(0).min(6)).div(6),
  backward: (g, [x]) => [x!.lt(-3).where(0, x!.le(3).where(g.mul(x!.div(3).add(0.5)), g))],
  samples: r => [[r.range(-5, 5, 3, 4)]],
})
/** In-place {@link hardswish}. */
export const hardswish_: typeof hardswish = in_place(hardswish)

/** x sigmoid(x). */
export const silu: Op<Unary> = pointwise('silu(Tensor self)', {
  dtype: floating('silu_cpu'),
  forward: x => x.div(x.neg().exp().add(1)),
  backward: (g, [x]) => {
    const s = sigmoid_of(x!)
    return [g.mul(s.mul(x!.mul(one(x!).sub(s)).add(1)))]
  },
  samples: r => [[r(3, 4)]],
})
/** In-place {@link silu}. */
export const silu_: typeof silu = in_place(silu)

/** x tanh(softplus(x)). */
export const mish: Op<Unary> = pointwise('mish(Tensor self)', {
  dtype: floating('mish_cpu'),
  forward: x => x.mul(softplus_of(x).tanh()),
  backward: (g, [x]) => {
    const t = softplus_of(x!).tanh()
    const slope = one(x!).sub(t.mul(t)).mul(sigmoid_of(x!))
    return [g.mul(t.add(x!.mul(slope)))]
  },
  samples: r => [[r(3, 4)]],
})
/** In-place {@link mish}. */
export const mish_: typeof mish = in_place(mish)

/** log(sigmoid(x)) without overflow. */
export const logsigmoid: Op<Unary> = pointwise('logsigmoid(Tensor self)', {
  dtype: real_floating('log_sigmoid_cpu'),
  node: 'LogSigmoidBackward0',
  forward: x => x.min(0).sub(x.abs().neg().exp().log1p()),
  backward: (g, [x]) => [g.mul(sigmoid_of(x!.neg()))],
  samples: r => [[r(3, 4)]],
})

type Lambda = [input: Tensor, lambd?: number | { lambd?: number }]

/** x moved towards 0 by `lambd`, and 0 within. */
export const softshrink: Op<Lambda> = pointwise('softshrink(Tensor self, Scalar lambd=0.5)', {
  dtype: floating('softshrink_cpu'),
  forward: (x: Expr, lambd: Expr) =>
    x.gt(lambd).where(x.sub(lambd), x.lt(lambd.neg()).where(x.add(lambd), 0)),
  backward: (g, [x, lambd]) => [x.ge(lambd.neg()).and(x.le(lambd)).where(0, g)],
  check: (_: Tensor, lambd: number) => {
    if (Number(lambd) < 0)
      throw new RuntimeError(`lambda must be greater or equal to 0, but found to be ${lambd}.`)
  },
  samples: r => [[r(3, 4)], [r(5), 1]],
})

/** x, and 0 within `lambd` of 0. */
export const hardshrink: Op<Lambda> = pointwise('hardshrink(Tensor self, Scalar lambd=0.5)', {
  dtype: floating('hardshrink_cpu'),
  forward: (x: Expr, lambd: Expr) => x.ge(lambd.neg()).and(x.le(lambd)).where(0, x),
  samples: r => [[r(3, 4)], [r(5), 1]],
})

/** x - tanh(x). */
export const tanhshrink: Op<Unary> = pointwise('tanhshrink(Tensor self)', {
  dtype: dtype => lift(refuse_bool(dtype, NO_DIFFERENCE)),
  node: 'SubBackward0',
  forward: x => x.sub(x.tanh()),
  samples: r => [[r(3, 4)]],
})

/** x / (1 + |x|). */
export const softsign: Op<Unary> = pointwise('softsign(Tensor self)', {
  dtype: dtype => lift(dtype === bool ? not_implemented('abs_cpu', bool) : dtype),
  node: 'DivBackward0',
  forward: x => x.div(x.abs().add(1).cast(x.type)),
  samples: r => [[r(3, 4)]],
})

/** x above `threshold`, else `value`. */
export const threshold: Op<[input: Tensor, threshold: number, value: number]> = pointwise(
  'threshold(Tensor self, Scalar threshold, Scalar value)',
  {
    forward: (x: Expr, limit: Expr, value: Expr) => x.le(limit).where(value, x),
    samples: r => [[r(3, 4), 0.5, -1]],
  },
)
/** In-place {@link threshold}. */
export const threshold_: typeof threshold = in_place(threshold)

const prelu_element: Op<[self: Tensor, weight: Tensor]> = pointwise('prelu(Tensor self, Tensor weight)', {
  dtype: 'float',
  forward: (x: Expr, weight: Expr) => x.gt(0).where(x, weight.mul(x)),
})

/** x above 0, `weight x` below; one weight, or one for each channel (dim 1). */
export const prelu: Op<[input: Tensor, weight: Tensor]> = composite('prelu(Tensor input, Tensor weight)', {
  body: (input: Tensor, weight: Tensor) => {
    if (weight.count !== 1) {
      if (input.ndim === 0) throw new RuntimeError('Not allow zero-dim input tensor.')
      const channels = input.ndim === 1 ? 1 : input.sizes[1]!
      if (channels !== weight.count)
        throw new RuntimeError(
          `Mismatch of parameter numbers and input channel size. Found parameter numbers = ${weight.count} and channel size = ${channels}.`,
        )
    }
    if (weight.ndim > 1)
      throw new RuntimeError(
        `prelu: Expected \`weight\` to be a scalar or 1D tensor, but got ndim = ${weight.ndim}`,
      )
    if (input.dtype !== weight.dtype)
      throw new RuntimeError(
        `Found dtype ${scalar_name(weight.dtype)} but expected ${scalar_name(input.dtype)}`,
      )
    const spread =
      weight.count === 1
        ? weight.reshape([])
        : weight.view([-1, ...new Array<number>(input.ndim - 2).fill(1)])
    return prelu_element(
      input,
      weight.count === 1 && input.ndim > 0 ? spread.expand(input.sizes.map(() => 1)) : spread,
    )
  },
  samples: r => [
    [r(2, 3, 4), r(3)],
    [r(5), r(1)],
  ],
})

const gate_kernel = kernels('glu', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  k.elementwise(out.sizes, (o, i) => k.store(out, [o, i], x.at(o, 0, i).mul(sigmoid_of(x.at(o, 1, i)))))
})

const gate_grad_kernel = kernels('glu_grad', (k, dtype: DType) => {
  const grad = k.output('grad', dtype, { rank: 3, inner: 1 })
  const g = k.input('g', dtype, { rank: 2, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  k.elementwise(g.sizes, (o, i) => {
    const open = k.local(x.type, sigmoid_of(x.at(o, 1, i)))
    const first = k.local(x.type, g.at(o, i).mul(open))
    k.store(grad, [o, 1, i], first.mul(x.at(o, 0, i)).mul(one(open).sub(open)))
    k.store(grad, [o, 0, i], first)
  })
})

/** A contiguous tensor as [outer, 2, half], or what has half as many elements as [outer, half]. */
function in_halves(t: Tensor, dim: number, whole: boolean): Operand {
  const outer = numel(t.sizes.slice(0, dim))
  const half = numel(t.sizes.slice(dim)) / (whole ? 2 : 1)
  return whole ? window(t, [outer, 2, half], [2 * half, half, 1]) : window(t, [outer, half], [half, 1])
}

type Gated = [input: Tensor, dim: number]
const gated: Op<Gated> = op<Gated, Gated, Tensor>('glu(Tensor self, int dim)', {
  forward(input, dim) {
    const { dtype } = input
    if (!dtype.is_floating_point) not_implemented('glu_cpu', dtype)
    const out = empty(
      input.sizes.map((n, d) => (d === dim ? n / 2 : n)),
      dtype,
    )
    if (out.count > 0)
      gate_kernel(dtype)([in_halves(out, dim, false), in_halves(dense(input), dim, true)], [])
    return out
  },
  saves: ['self'],
  backward: {
    self(g, [input, dim]) {
      const half = (input.sizes[dim] as number) / 2
      if (needs_ops(g)) {
        const [a, b] = [input.narrow(dim, 0, half), input.narrow(dim, half, half).sigmoid()]
        const first = g.mul(b)
        return cat([first, first.mul(a).mul(b.neg().add(1))], dim)
      }
      const grad = empty(input.sizes, input.dtype)
      const operands = [in_halves(grad, dim, true), in_halves(dense_as(g, input.dtype), dim, false)]
      if (grad.count > 0) gate_grad_kernel(input.dtype)([...operands, in_halves(dense(input), dim, true)], [])
      return grad
    },
  },
})

/** The first half along `dim`, times the sigmoid of the second. */
export const glu: Op<[input: Tensor, dim?: number | { dim?: number }]> = composite(
  'glu(Tensor input, int dim=-1)',
  {
    body: (input: Tensor, dim: number) => {
      if (input.ndim === 0)
        throw new RuntimeError('glu does not support scalars because halving size must be even')
      const d = wrap_dim(dim, input.ndim)
      const n = input.sizes[d]!
      if (n % 2 !== 0)
        throw new RuntimeError(`Halving dimension must be even, but dimension ${d} is size ${n}`)
      return gated(input, d)
    },
    samples: r => [[r(3, 4)], [r(4, 3), 0]],
  },
)
