// Activation functions of torch.nn.functional: the ops with their `inplace` flag, and the softmax family, whose `dim`
// may be left out with a warning. Not here: what they compute (ops/nn/activation.ts, ops/nn/softmax.ts).
import { RuntimeError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import {
  _nn,
  _composite as composite,
  type DType,
  type _Op as Op,
  type Tensor,
  _warn as warn,
  _with_plain as with_plain,
} from '../../torch.ts'

/** Whether the input itself is changed, as the last argument or by name. */
type Inplace = boolean | { inplace?: boolean }

/** An op with an `inplace` flag behind its own parameters. */
function with_inplace<A extends readonly unknown[]>(
  signature: string,
  plain: (...args: never[]) => Tensor,
  in_place: (...args: never[]) => Tensor,
): Op<A> {
  return composite(signature.replace(/\)$/, ', bool inplace=False)'), {
    body: (...values: never[]) => {
      const inplace = values.pop() as boolean | undefined
      return inplace ? in_place(...values) : plain(...values)
    },
    out: false,
  })
}

/** max(x, 0). */
export const relu: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'relu(Tensor input)',
  torch.relu,
  torch.relu_,
)
/** min(max(x, 0), 6). */
export const relu6: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'relu6(Tensor input)',
  _nn.relu6,
  _nn.relu6_,
)
/** x above 0, `alpha * (exp(x) - 1)` below. */
export const elu: Op<
  [input: Tensor, alpha?: number | { alpha?: number; inplace?: boolean }, inplace?: Inplace]
> = with_inplace('elu(Tensor input, float alpha=1.0)', _nn.elu, _nn.elu_)
/** ELU scaled so that activations keep mean 0 and variance 1. */
export const selu: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'selu(Tensor input)',
  _nn.selu,
  _nn.selu_,
)
/** max(0, x) + min(0, alpha * (exp(x / alpha) - 1)). */
export const celu: Op<
  [input: Tensor, alpha?: number | { alpha?: number; inplace?: boolean }, inplace?: Inplace]
> = with_inplace('celu(Tensor input, float alpha=1.0)', _nn.celu, _nn.celu_)
/** x above 0, `negative_slope * x` below. */
export const leaky_relu: Op<
  [input: Tensor, negative_slope?: number | { negative_slope?: number; inplace?: boolean }, inplace?: Inplace]
> = with_inplace('leaky_relu(Tensor input, float negative_slope=0.01)', _nn.leaky_relu, _nn.leaky_relu_)
/** x between `min_val` and `max_val`, else the nearer of them. */
export const hardtanh: Op<
  [
    input: Tensor,
    min_val?: number | { min_val?: number; max_val?: number; inplace?: boolean },
    max_val?: number | { max_val?: number; inplace?: boolean },
    inplace?: Inplace,
  ]
> = with_inplace('hardtanh(Tensor input, float min_val=-1.0, float max_val=1.0)', _nn.hardtanh, _nn.hardtanh_)
/** relu6(x + 3) / 6. */
export const hardsigmoid: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'hardsigmoid(Tensor input)',
  _nn.hardsigmoid,
  _nn.hardsigmoid_,
)
/** x * relu6(x + 3) / 6. */
export const hardswish: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'hardswish(Tensor input)',
  _nn.hardswish,
  _nn.hardswish_,
)
/** x * sigmoid(x). */
export const silu: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'silu(Tensor input)',
  _nn.silu,
  _nn.silu_,
)
/** x * tanh(softplus(x)). */
export const mish: Op<[input: Tensor, inplace?: Inplace]> = with_inplace(
  'mish(Tensor input)',
  _nn.mish,
  _nn.mish_,
)
/** x above `threshold`, else `value`. */
export const threshold: Op<
  [input: Tensor, threshold: number, value: number | { value: number; inplace?: boolean }, inplace?: Inplace]
> = with_inplace('threshold(Tensor input, float threshold, float value)', _nn.threshold, _nn.threshold_)

type RreluOptions = { lower?: number; upper?: number; training?: boolean; inplace?: boolean }

type RreluArgs = [
  input: Tensor,
  lower?: number | RreluOptions,
  upper?: number | RreluOptions,
  training?: boolean | RreluOptions,
]

/** x above 0, below a multiple of it: random in [lower, upper) for each element when `training`, else their mean. */
export const rrelu: Op<[...RreluArgs, inplace?: Inplace]> = composite(
  `rrelu(Tensor input, float lower=${1 / 8}, float upper=${1 / 3}, bool training=False, bool inplace=False)`,
  {
    body: (input: Tensor, lower: number, upper: number, training: boolean, inplace: boolean) => {
      if (lower > upper) throw new RuntimeError(`Lower bound should be less than or equal to the upper bound`)
      if (!input.is_floating_point())
        throw new RuntimeError(
          `"${training ? 'rrelu_with_noise_out_cpu' : 'leaky_relu_cpu'}" not implemented for '${input.dtype.tensor_type.replace('Tensor', '')}'`,
        )
      if (!training) return (inplace ? _nn.leaky_relu_ : _nn.leaky_relu)(input, (lower + upper) / 2)
      // A number is drawn, with the precision of float64, for every element that is not positive.
      const slopes = torch.no_grad(() => {
        const falls = input.le(0)
        const drawn = torch.empty(Number(falls.sum().item()), { dtype: torch.float64 }).uniform_(lower, upper)
        return torch.ones_like(input).masked_scatter(falls, drawn.to(input.dtype))
      })
      return inplace ? input.mul_(slopes) : input.mul(slopes)
    },
    out: false,
  },
)

/** In-place {@link rrelu}. */
export const rrelu_: Op<RreluArgs> = composite(
  `rrelu_(Tensor input, float lower=${1 / 8}, float upper=${1 / 3}, bool training=False)`,
  {
    body: (input: Tensor, lower: number, upper: number, training: boolean) =>
      rrelu(input, lower, upper, training, true),
    out: false,
  },
)

/** 1 / (1 + exp(-x)). */
export const sigmoid: Op<[input: Tensor]> = composite('sigmoid(Tensor input)', {
  body: (input: Tensor) => input.sigmoid(),
  out: false,
})
/** The hyperbolic tangent. */
export const tanh: Op<[input: Tensor]> = composite('tanh(Tensor input)', {
  body: (input: Tensor) => input.tanh(),
  out: false,
})

export const gelu: typeof _nn.gelu = _nn.gelu
export const glu: typeof _nn.glu = _nn.glu
export const hardshrink: typeof _nn.hardshrink = _nn.hardshrink
export const logsigmoid: typeof _nn.logsigmoid = _nn.logsigmoid
export const prelu: typeof _nn.prelu = _nn.prelu
export const softplus: typeof _nn.softplus = _nn.softplus
export const softshrink: typeof _nn.softshrink = _nn.softshrink
export const softsign: typeof _nn.softsign = _nn.softsign
export const tanhshrink: typeof _nn.tanhshrink = _nn.tanhshrink

export const relu_: typeof torch.relu_ = torch.relu_
export const elu_: typeof _nn.elu_ = _nn.elu_
export const selu_: typeof _nn.selu_ = _nn.selu_
export const celu_: typeof _nn.celu_ = _nn.celu_
export const leaky_relu_: typeof _nn.leaky_relu_ = _nn.leaky_relu_
export const hardtanh_: typeof _nn.hardtanh_ = _nn.hardtanh_
export const threshold_: typeof _nn.threshold_ = _nn.threshold_

/** The dimension that PyTorch guesses where none is given. */
function guessed_dim(name: string, ndim: number): number {
  warn(
    `Implicit dimension choice for ${name} has been deprecated. Change the call to include dim=X as an argument.`,
  )
  return ndim === 0 || ndim === 1 || ndim === 3 ? 0 : 1
}

type SoftmaxOptions = { dim?: number | null; dtype?: DType | null }
type SoftmaxArgs = [input: Tensor, dim?: number | null | SoftmaxOptions, opts?: SoftmaxOptions]

const over_dim = (
  name: string,
  compute: (input: Tensor, dim: number, opts?: { dtype: DType | null }) => Tensor,
): Op<SoftmaxArgs> =>
  with_plain(
    composite<SoftmaxArgs>(`${name}(Tensor input, int? dim=None, int _stacklevel=3, dtype? dtype=None)`, {
      body: (input: Tensor, dim: number | null, _stacklevel: number, dtype: DType | null) =>
        compute(input, dim ?? guessed_dim(name, input.ndim), { dtype }),
      out: false,
    }),
    (input, dim, ...rest) =>
      torch.is_tensor(input) && typeof dim === 'number' && rest.length === 0
        ? compute(input, dim)
        : undefined,
  )

/** exp(x) normalised to sum 1 along `dim`; `dtype` converts first. */
export const softmax: Op<SoftmaxArgs> = over_dim('softmax', _nn.softmax)
/** log(softmax(x)) along `dim`, computed without overflow. */
export const log_softmax: Op<SoftmaxArgs> = over_dim('log_softmax', _nn.log_softmax)
/** softmax(-x) along `dim`. */
export const softmin: Op<SoftmaxArgs> = over_dim('softmin', (input, dim, opts) =>
  _nn.softmax(input.neg(), dim, opts),
)

type GumbelOptions = { tau?: number; hard?: boolean; dim?: number }

/** A sample of the Gumbel-softmax distribution with temperature `tau`; `hard` makes it one-hot, with the same gradient. */
export const gumbel_softmax: Op<[logits: Tensor, tau?: number | GumbelOptions, opts?: GumbelOptions]> =
  composite('gumbel_softmax(Tensor logits, float tau=1, bool hard=False, float eps=1e-10, int dim=-1)', {
    body: (logits: Tensor, tau: number, hard: boolean, eps: number, dim: number) => {
      if (eps !== 1e-10) warn('`eps` parameter is deprecated and has no effect.')
      const gumbels = torch.empty_like(logits).exponential_().log().neg()
      const soft = _nn.softmax(logits.add(gumbels).div(tau), dim)
      if (!hard) return soft
      const index = soft.argmax(dim, true)
      return torch.zeros_like(logits).scatter(dim, index, 1).sub(soft.detach()).add(soft)
    },
    out: false,
  })
