// Dropout functions of torch.nn.functional. Not here: the random masks (ops/nn/dropout.ts).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import {
  _nn,
  _python_float,
  _composite as composite,
  type _Op as Op,
  type Tensor,
  _warn as warn,
} from '../../torch.ts'

type DropoutOptions = { p?: number; training?: boolean; inplace?: boolean }
type DropoutArgs = [
  input: Tensor,
  p?: number | DropoutOptions,
  training?: boolean | DropoutOptions,
  inplace?: boolean | DropoutOptions,
]
type Drop = (input: Tensor, p: number, training: boolean) => Tensor

const dropout_function = (
  name: string,
  training: 'True' | 'False',
  plain: Drop,
  in_place: Drop,
  check?: (name: string, input: Tensor) => void,
): Op<DropoutArgs> =>
  composite(`${name}(Tensor input, float p=0.5, bool training=${training}, bool inplace=False)`, {
    body: (input: Tensor, p: number, train: boolean, inplace: boolean) => {
      if (p < 0 || p > 1)
        throw new ValueError(`dropout probability has to be between 0 and 1, but got ${_python_float(p)}`)
      check?.(name, input)
      return (inplace ? in_place : plain)(input, p, train)
    },
    out: false,
  })

/** Zeroes each element with probability `p` and divides the others by 1 - p, where `training` (the default). */
export const dropout: Op<DropoutArgs> = dropout_function('dropout', 'True', _nn.dropout, _nn.dropout_)
/** {@link dropout} that keeps mean and variance of what SELU gives; off by default. */
export const alpha_dropout: Op<DropoutArgs> = dropout_function(
  'alpha_dropout',
  'False',
  _nn.alpha_dropout,
  _nn.alpha_dropout_,
)
/** {@link alpha_dropout} of whole channels; off by default. */
export const feature_alpha_dropout: Op<DropoutArgs> = dropout_function(
  'feature_alpha_dropout',
  'False',
  _nn.feature_alpha_dropout,
  _nn.feature_alpha_dropout_,
)

/** Runs `drop` on a batch of one where there is no batch dimension. */
const batched =
  (dims: number, drop: Drop): Drop =>
  (input, p, training) =>
    input.ndim === dims ? drop(input.unsqueeze(0), p, training).squeeze(0) : drop(input, p, training)

/** {@link dropout} of whole channels of (N, C, L) or (C, L). */
export const dropout1d: Op<DropoutArgs> = dropout_function(
  'dropout1d',
  'True',
  batched(2, _nn.feature_dropout),
  batched(2, _nn.feature_dropout_),
  (_, input) => {
    if (input.ndim !== 2 && input.ndim !== 3)
      throw new RuntimeError(
        `dropout1d: Expected 2D or 3D input, but received a ${input.ndim}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 ` +
          'spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs).',
      )
  },
)

function warn_of_dimensions(name: string, input: Tensor, dims: number): void {
  if (input.ndim === dims + 1 || input.ndim === dims + 2) return
  warn(
    `${name}: Received a ${input.ndim}-D input to ${name}, which is deprecated and will result in an error in a future release. To retain the behavior ` +
      `and silence this warning, please use dropout instead. Note that ${name} exists to provide channel-wise dropout on inputs with ${dims} spatial ` +
      `dimensions, a channel dimension, and an optional batch dimension (i.e. ${dims + 1}D or ${dims + 2}D inputs).`,
  )
}

/** {@link dropout} of whole channels of (N, C, H, W); three dimensions are taken as (N, C, L), with a warning. */
export const dropout2d: Op<DropoutArgs> = dropout_function(
  'dropout2d',
  'True',
  _nn.feature_dropout,
  _nn.feature_dropout_,
  (name, input) => {
    warn_of_dimensions(name, input, 2)
    if (input.ndim === 3)
      warn(
        'dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C ' +
          'is the channel dim. This behavior will change in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D ' +
          'channel-wise dropout behavior, please switch to using dropout1d instead.',
      )
  },
)

/** {@link dropout} of whole channels of (N, C, D, H, W) or (C, D, H, W). */
export const dropout3d: Op<DropoutArgs> = dropout_function(
  'dropout3d',
  'True',
  batched(4, _nn.feature_dropout),
  batched(4, _nn.feature_dropout_),
  (name, input) => warn_of_dimensions(name, input, 3),
)
