// batch_norm and instance_norm: their checks and history. A backward pass that is recorded is made of other ops.
// Not here: the kernels (batch_norm_kernels.ts), the modules that keep running statistics (nn/).
import { RuntimeError, ValueError } from '../../base/errors.ts'
import { numel } from '../../base/shape.ts'
import { needs_ops } from '../../tensor/batched.ts'
import { empty } from '../../tensor/dispatch.ts'
import { bump_version, no_grad } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { composite, type Op } from '../define/op.ts'
import { dense_copy } from '../define/update.ts'
import { gradients, normalise_by, normalise_by_batch, shift_and_scale } from './batch_norm_kernels.ts'
import { centred, type Gradients, per_channel, record_norm, require_float, statistics } from './norm_parts.ts'

/** Normalises by the batch's statistics and moves the running ones, or by these. */
function normalise_batch(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  running_mean: Tensor | null,
  running_var: Tensor | null,
  training: boolean,
  momentum: number,
  eps: number,
): [out: Tensor, mean: Tensor, rstd: Tensor] {
  require_float('batch_norm', input)
  const [out, mean, rstd] = training
    ? by_batch(input, weight, bias, [running_mean, running_var], momentum, eps)
    : normalise_by(input, weight, bias, [running_mean as Tensor, running_var as Tensor], eps)
  record_norm('NativeBatchNormBackward0', [out], [input, weight, bias], (g, input, weight, needs) =>
    needs_ops(g)
      ? recorded_gradients(g, input, weight, mean, rstd, training, eps)
      : gradients(g, input, weight, mean, rstd, training, needs),
  )
  return [out, mean, rstd]
}

function by_batch(
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  running: readonly [Tensor | null, Tensor | null],
  momentum: number,
  eps: number,
): ReturnType<typeof normalise_by_batch> {
  const moved = running.map(t => (t === null || t.dense ? t : dense_copy(t))) as [
    Tensor | null,
    Tensor | null,
  ]
  let results = normalise_by_batch(input, weight, bias, moved, momentum, eps)
  // Where no parameter says otherwise, PyTorch keeps the statistics in the input's dtype and normalises by these.
  if (
    input.dtype.itemsize < 4 &&
    [weight, bias, ...running].every(t => t === null || t.dtype === input.dtype)
  ) {
    const [mean, rstd] = results.slice(1).map(t => to_dtype(to_dtype(t, input.dtype), t.dtype)) as [
      Tensor,
      Tensor,
    ]
    results = [shift_and_scale(input, weight, bias, mean, rstd), mean, rstd]
  }
  running.forEach((t, i) => {
    if (t === null) return
    if (t === moved[i]) bump_version(t)
    else no_grad(() => t.copy_(moved[i] as Tensor))
  })
  return results
}

/** By ops on the tape, all of them. */
function recorded_gradients(
  g: Tensor,
  input: Tensor,
  weight: Tensor | null,
  mean: Tensor,
  rstd: Tensor,
  training: boolean,
  eps: number,
): Gradients {
  const nd = input.ndim
  const dims = [...input.sizes.keys()].filter(d => d !== 1)
  const given = (): Tensor[] => [per_channel(mean, nd), per_channel(rstd, nd)]
  const [centre, scale] = (training ? statistics(input, dims, eps) : given()) as [Tensor, Tensor]
  const normal = input.sub(centre).mul(scale)
  const scaled = weight === null ? g : g.mul(per_channel(weight, nd))
  return [
    training ? centred(scaled, normal, scale, dims) : scaled.mul(scale),
    g.mul(normal).sum(dims),
    g.sum(dims),
  ]
}

type BatchNormOptions = {
  weight?: Tensor | null
  bias?: Tensor | null
  training?: boolean
  momentum?: number
  eps?: number
}
type BatchNormArgs = [
  input: Tensor,
  running_mean: Tensor | null,
  running_var: Tensor | null,
  weight?: Tensor | null | BatchNormOptions,
  bias?: Tensor | null | BatchNormOptions,
  training?: boolean | BatchNormOptions,
  momentum?: number | BatchNormOptions,
  eps?: number | BatchNormOptions,
]

/**
 * Normalises each channel (dim 1) over the batch when `training` (and moves the running statistics towards the
 * batch's by `momentum`), else by the running statistics.
 */
export const batch_norm: Op<BatchNormArgs> = composite(
  'batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? bias=None, bool training=False, float momentum=0.1, float eps=1e-05)',
  {
    body: (
      input: Tensor,
      running_mean: Tensor | null,
      running_var: Tensor | null,
      weight: Tensor | null,
      bias: Tensor | null,
      training: boolean,
      momentum: number,
      eps: number,
    ) => {
      if (input.count === 0) {
        const scaled = weight === null ? input.clone() : input.mul(weight.select(0, 0))
        return bias === null ? scaled : scaled.add(bias.select(0, 0))
      }
      check_batch_norm(input, running_mean, running_var, weight, bias, training)
      const n = input.count / input.sizes[1]!
      if (training && n === 1)
        throw new ValueError(
          `Expected more than 1 value per channel when training, got input size torch.Size([${input.sizes.join(', ')}])`,
        )
      return normalise_batch(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]
    },
    samples: r => [
      [r(4, 3), null, null, r(3), r(3), true],
      [r(2, 3, 4), r(3), r.range(0.5, 2, 3), r(3), r(3), false],
    ],
    out: false,
  },
)

/**
 * {@link batch_norm}, with the means and the reciprocals of the standard deviations that it normalised by; empty where these
 * are the running ones.
 */
export const native_batch_norm: Op<
  [
    input: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    running_mean: Tensor | null,
    running_var: Tensor | null,
    training: boolean,
    momentum: number,
    eps: number,
  ],
  Tensor[]
> = composite(
  'native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps)',
  {
    body: (
      input: Tensor,
      weight: Tensor | null,
      bias: Tensor | null,
      running_mean: Tensor | null,
      running_var: Tensor | null,
      training: boolean,
      momentum: number,
      eps: number,
    ) => {
      check_batch_norm(input, running_mean, running_var, weight, bias, training)
      const given = [weight, bias, running_mean, running_var].find(t => t !== null)
      const { dtype } = given ?? input
      const [out, mean, rstd] = normalise_batch(
        input,
        weight,
        bias,
        running_mean,
        running_var,
        training,
        momentum,
        eps,
      )
      if (!training) return [out, empty([0], dtype), empty([0], dtype)]
      return [out, to_dtype(mean, dtype), to_dtype(rstd, dtype)]
    },
    samples: r => [
      [r(4, 3), r(3), r(3), null, null, true, 0.1, 1e-5],
      [r(2, 3, 4), null, null, null, null, true, 0.1, 1e-5],
    ],
  },
)

function check_batch_norm(
  input: Tensor,
  mean: Tensor | null,
  variance: Tensor | null,
  weight: Tensor | null,
  bias: Tensor | null,
  training: boolean,
): void {
  if (input.ndim < 2) throw new RuntimeError(`Expected at least 2 dimensions, got ${input.ndim}`)
  const channels = input.sizes[1]!
  if (!training && (mean === null || variance === null))
    throw new RuntimeError(
      `${mean === null ? 'running_mean' : 'running_var'} must be defined in evaluation mode`,
    )
  require_float('batch_norm', input)
  if ([weight, mean, variance].some(t => t !== null && t.dtype !== input.dtype) && input.dtype.itemsize > 2)
    throw new RuntimeError('mixed dtype (CPU): expect input to have scalar type of BFloat16')
  for (const [name, t] of [
    ['running_mean', mean],
    ['running_var', variance],
    ['weight', weight],
    ['bias', bias],
  ] as const)
    if (t !== null && t.count !== channels)
      throw new RuntimeError(`${name} should contain ${channels} elements not ${t.count}`)
}

type InstanceNormOptions = {
  running_mean?: Tensor | null
  running_var?: Tensor | null
  weight?: Tensor | null
  bias?: Tensor | null
  use_input_stats?: boolean
  momentum?: number
  eps?: number
}

/** {@link batch_norm} of each sample on its own. */
export const instance_norm: Op<
  [
    input: Tensor,
    running_mean?: Tensor | null | InstanceNormOptions,
    running_var?: Tensor | null,
    weight?: Tensor | null,
    bias?: Tensor | null,
    use_input_stats?: boolean,
    momentum?: number,
    eps?: number,
  ]
> = composite(
  'instance_norm(Tensor input, Tensor? running_mean=None, Tensor? running_var=None, Tensor? weight=None, Tensor? bias=None, bool use_input_stats=True, float momentum=0.1, float eps=1e-05)',
  {
    body: (
      input: Tensor,
      running_mean: Tensor | null,
      running_var: Tensor | null,
      weight: Tensor | null,
      bias: Tensor | null,
      use_stats: boolean,
      momentum: number,
      eps: number,
    ) => {
      const [n, c] = input.sizes as [number, number]
      if (use_stats && numel(input.sizes.slice(2)) === 1)
        throw new ValueError(
          `Expected more than 1 spatial element when training, got input size torch.Size([${input.sizes.join(', ')}])`,
        )
      const tiled = (t: Tensor | null): Tensor | null => (t === null ? null : t.repeat(n))
      const [mean, variance] = [tiled(running_mean), tiled(running_var)]
      const out = batch_norm(
        input.reshape([1, n * c, ...input.sizes.slice(2)]),
        mean,
        variance,
        tiled(weight),
        tiled(bias),
        use_stats,
        momentum,
        eps,
      )
      no_grad(() => {
        if (use_stats && running_mean !== null && mean !== null) running_mean.copy_(mean.view(n, c).mean(0))
        if (use_stats && running_var !== null && variance !== null)
          running_var.copy_(variance.view(n, c).mean(0))
      })
      return out.view(input.sizes)
    },
    samples: r => [[r(2, 3, 5)], [r(2, 3, 5), null, null, r(3), r(3)]],
    out: false,
  },
)
