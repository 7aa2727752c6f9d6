// Normalisations: batch_norm, layer_norm, group_norm, instance_norm. The forward passes are single kernels; the
// gradients are formulas of other ops. Not here: the modules that keep running statistics (nn/).
import { type DType, float16, float32 } from '../../base/dtype.ts'
import { RuntimeError, ValueError } from '../../base/errors.ts'
import { contiguous_strides, numel } from '../../base/shape.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { modes, no_grad } from '../../tensor/tape.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { composite, type Op, op } from '../define/op.ts'
import { window } from '../define/space.ts'

/** The dtype statistics are kept in: 16-bit floats use float32. */
const statistics_dtype = (dtype: DType): DType => (dtype.itemsize < 4 ? float32 : dtype)

const layer_norm_kernel = kernels('layer_norm', (k, dtype: DType, affine: string) => {
  const stats = statistics_dtype(dtype)
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const mean_out = k.output('mean', stats, 'flat')
  const rstd_out = k.output('rstd', stats, 'flat')
  const x = k.input('x', dtype, { rank: 2, inner: 1 })
  const weight = affine.includes('w') ? k.input('weight', dtype, 'flat') : null
  const bias = affine.includes('b') ? k.input('bias', dtype, 'flat') : null
  const eps = k.value('eps', x.type)
  const [m, n] = x.sizes as [Expr, Expr]
  k.for(m, 'parallel', i => {
    const sum = k.local(x.type, 0)
    k.for(n, 'reduce', j => k.assign(sum, sum.add(x.at(i, j))))
    const mean = k.local(x.type, sum.div(n.cast(x.type)))
    const squares = k.local(x.type, 0)
    k.for(n, 'reduce', j => {
      const d = x.at(i, j).sub(mean)
      k.assign(squares, squares.add(d.mul(d)))
    })
    const rstd = k.local(x.type, constant(1, x.type).div(squares.div(n.cast(x.type)).add(eps).sqrt()))
    k.store(mean_out, [i], mean)
    k.store(rstd_out, [i], rstd)
    k.for(n, 'vector', j => {
      const normal = x.at(i, j).sub(mean).mul(rstd)
      const scaled = weight === null ? normal : normal.mul(weight.at(j))
      k.store(out, [i, j], bias === null ? scaled : scaled.add(bias.at(j)))
    })
  })
})

type LayerNormFlat = [
  input: Tensor,
  normalized_shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
]

/** (out, mean, rstd) over the last dimensions; see {@link layer_norm}. */
export const native_layer_norm: Op<LayerNormFlat, [Tensor, Tensor, Tensor]> = op(
  'native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps)',
  {
    forward(
      input: Tensor,
      shape: number[],
      weight: Tensor | null,
      bias: Tensor | null,
      eps: number,
    ): [Tensor, Tensor, Tensor] {
      check_layer_norm(input, shape, weight, bias)
      require_float('LayerNormKernelImpl', input)
      const n = numel(shape)
      const m = numel(input.sizes.slice(0, input.ndim - shape.length))
      const stats = statistics_dtype(input.dtype)
      const out = empty(input.sizes, input.dtype)
      const kept = [...input.sizes.slice(0, input.ndim - shape.length), ...shape.map(() => 1)]
      const mean = empty(kept, stats)
      const rstd = empty(kept, stats)
      if (out.count === 0) return [out, mean, rstd]
      const rows = (t: Tensor): ReturnType<typeof window> => window(t, [m, n], [n, 1])
      const affine = [weight, bias].filter(t => t !== null).map(t => dense_as(t, input.dtype))
      const executable = layer_norm_kernel(
        input.dtype,
        `${weight === null ? '' : 'w'}${bias === null ? '' : 'b'}`,
      )
      executable([rows(out), mean, rstd, rows(dense(input)), ...affine], [eps])
      return [out, mean, rstd]
    },
    saves: ['input', 'weight', 'out.1', 'out.2'],
    gradcheck: false, // its second and third results are statistics; layer_norm is checked
    backward([g], [input, shape, weight, bias, eps], [, mean, rstd], needs) {
      if (!g) return [null, null, null]
      const dims = shape.map((_, i) => input.ndim - 1 - i)
      const [x_mean, x_rstd] = modes.grad ? statistics(input, dims, eps) : [mean, rstd]
      const normal = input.sub(x_mean).mul(x_rstd)
      const scaled = weight === null ? g : g.mul(weight)
      const outer = [...Array(input.ndim - shape.length).keys()]
      const over_rows = (t: Tensor): Tensor => (outer.length === 0 ? t : t.sum(outer))
      const grads: (Tensor | null)[] = [
        needs[0] ? centred(scaled, normal, x_rstd, dims).to(input.dtype) : null,
      ]
      let at = 1
      if (weight !== null) grads.push(needs[at++] ? over_rows(g.mul(normal)).to(weight.dtype) : null)
      if (bias !== null) grads.push(needs[at] ? over_rows(g).to(bias.dtype) : null)
      return grads
    },
  },
)

/** rstd * (g - mean(g) - x * mean(g * x)): how a gradient goes through normalisation. */
function centred(g: Tensor, normal: Tensor, rstd: Tensor, dims: readonly number[]): Tensor {
  const projection = normal.mul(g.mul(normal).mean(dims, true))
  return g.sub(g.mean(dims, true)).sub(projection).mul(rstd)
}

/** The mean and the reciprocal of the standard deviation, on the tape. */
function statistics(x: Tensor, dims: readonly number[], eps: number): [Tensor, Tensor] {
  const mean = x.mean(dims, true)
  const d = x.sub(mean)
  return [mean, d.mul(d).mean(dims, true).add(eps).rsqrt()]
}

const require_float = (name: string, t: Tensor): void => {
  if (!t.dtype.is_floating_point || t.dtype === float16)
    throw new RuntimeError(`"${name}" not implemented for '${t.dtype.tensor_type.slice(0, -6)}'`)
}

function check_layer_norm(
  input: Tensor,
  shape: readonly number[],
  weight: Tensor | null,
  bias: Tensor | null,
): void {
  const text = `[${shape.join(', ')}]`
  if (shape.length === 0)
    throw new RuntimeError(
      `Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = ${text}`,
    )
  for (const [name, t] of [
    ['weight', weight],
    ['bias', bias],
  ] as const)
    if (t !== null && t.sizes.join() !== shape.join())
      throw new RuntimeError(
        `Expected ${name} to be of same shape as normalized_shape, but got ${name} of shape [${t.sizes.join(', ')}] and normalized_shape = ${text}`,
      )
  if (input.ndim < shape.length || input.sizes.slice(-shape.length).join() !== shape.join())
    throw new RuntimeError(
      `Given normalized_shape=${text}, expected input with shape [*, ${shape.join(', ')}], but got input of size[${input.sizes.join(', ')}]`,
    )
}

type LayerNormOptions = { weight?: Tensor | null; bias?: Tensor | null; eps?: number }

/** Normalises over the last dimensions to mean 0 and variance 1, then scales and shifts. */
export const layer_norm: Op<
  [
    input: Tensor,
    normalized_shape: readonly number[],
    weight?: Tensor | null | LayerNormOptions,
    bias?: Tensor | null | LayerNormOptions,
    eps?: number | LayerNormOptions,
    cudnn_enable?: boolean,
  ]
> = composite(
  'layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True)',
  {
    body: (input: Tensor, shape: number[], weight: Tensor | null, bias: Tensor | null, eps: number) =>
      native_layer_norm(input, shape, weight, bias, eps)[0],
    samples: r => [
      [r(3, 4), [4], r(4), r(4)],
      [r(2, 3, 4), [3, 4]],
    ],
    out: false,
  },
)

const channel_affine = kernels('channel_affine', (k, dtype: DType) => {
  const stats = statistics_dtype(dtype)
  const out = k.output('out', dtype, { rank: 3, inner: 1 })
  const x = k.input('x', dtype, { rank: 3, inner: 1 })
  const [mean, rstd, weight, bias] = ['mean', 'rstd', 'weight', 'bias'].map(name =>
    k.input(name, stats, 'flat'),
  ) as [V, V, V, V]
  k.elementwise(x.sizes, (n, c, i) => {
    const normal = x.at(n, c, i).sub(mean.at(c)).mul(rstd.at(c))
    k.store(out, [n, c, i], normal.mul(weight.at(c)).add(bias.at(c)))
  })
})
type V = ReturnType<Parameters<Parameters<typeof kernels>[1]>[0]['input']>

/** Channels-in-dim-1 vectors against a tensor of `ndim` dimensions. */
const per_channel = (t: Tensor, ndim: number): Tensor =>
  t.view([1, -1, ...new Array<number>(ndim - 2).fill(1)])

type BatchNormFlat = [
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  mean: Tensor,
  variance: Tensor,
  training: boolean,
  eps: number,
]

/** Normalises with given statistics, which depend on the input when `training`. */
const normalise_batch: Op<BatchNormFlat> = op(
  'native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor mean, Tensor variance, bool training, float eps)',
  {
    node: 'NativeBatchNormBackward0',
    forward(
      input: Tensor,
      weight: Tensor | null,
      bias: Tensor | null,
      mean: Tensor,
      variance: Tensor,
      _training: boolean,
      eps: number,
    ) {
      const stats = statistics_dtype(input.dtype)
      const channels = input.sizes[1]!
      const length = numel(input.sizes.slice(2))
      const out = empty(input.sizes, input.dtype)
      if (out.count === 0) return out
      const view = (t: Tensor): ReturnType<typeof window> =>
        window(t, [input.sizes[0]!, channels, length], [channels * length, length, 1])
      const vector = (t: Tensor | null, fill: number): Tensor =>
        t === null ? mean.new_zeros([channels], { dtype: stats }).add(fill) : dense_as(t, stats)
      const rstd = dense_as(variance, stats).add(eps).rsqrt()
      channel_affine(input.dtype)(
        [view(out), view(dense(input)), dense_as(mean, stats), rstd, vector(weight, 1), vector(bias, 0)],
        [],
      )
      return out
    },
    saves: ['input', 'weight', 'mean', 'variance'],
    gradcheck: false, // batch_norm is checked; mean and variance are not independent inputs
    backward(g, [input, weight, bias, mean, variance, training, eps], _, needs) {
      const dims = [...input.sizes.keys()].filter(d => d !== 1)
      const nd = input.ndim
      const [x_mean, rstd] =
        training && modes.grad
          ? statistics(input, dims, eps)
          : [per_channel(mean, nd), per_channel(variance.add(eps).rsqrt(), nd)]
      const scaled = weight === null ? g : g.mul(per_channel(weight, nd))
      const normal = input.sub(x_mean).mul(rstd)
      const grads: (Tensor | null)[] = [
        needs[0] ? (training ? centred(scaled, normal, rstd, dims) : scaled.mul(rstd)).to(input.dtype) : null,
      ]
      let at = 1
      if (weight !== null) grads.push(needs[at++] ? g.mul(normal).sum(dims).to(weight.dtype) : null)
      if (bias !== null) grads.push(needs[at] ? g.sum(dims).to(bias.dtype) : null)
      return [...grads, null, null]
    },
  },
)

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
      if (!training)
        return normalise_batch(input, weight, bias, running_mean as Tensor, running_var as Tensor, false, eps)
      const dims = [...input.sizes.keys()].filter(d => d !== 1)
      const n = input.count / input.sizes[1]!
      if (n === 1)
        throw new ValueError(
          `Expected more than 1 value per channel when training, got input size torch.Size([${input.sizes.join(', ')}])`,
        )
      const [mean, variance] = no_grad(() => {
        const x = input.dtype.itemsize < 4 ? input.to(float32) : input.detach()
        const mean = x.mean(dims)
        const d = x.sub(per_channel(mean, x.ndim))
        return [mean, d.mul(d).mean(dims)] as const
      })
      no_grad(() => {
        running_mean?.mul_(1 - momentum).add_(mean.mul(momentum).to(running_mean.dtype))
        running_var?.mul_(1 - momentum).add_(variance.mul((momentum * n) / (n - 1)).to(running_var.dtype))
      })
      return normalise_batch(input, weight, bias, mean, variance, true, eps)
    },
    samples: r => [
      [r(4, 3), null, null, r(3), r(3), true],
      [r(2, 3, 4), r(3), r.range(0.5, 2, 3), r(3), r(3), false],
    ],
    out: false,
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

type GroupNormFlat = [
  input: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  num_groups: number,
  eps: number,
]

/** (out, mean, rstd) over groups of channels; see {@link group_norm}. */
const native_group_norm: Op<GroupNormFlat, [Tensor, Tensor, Tensor]> = op(
  'native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int num_groups, float eps)',
  {
    forward(...[input, weight, bias, num_groups, eps]: GroupNormFlat): [Tensor, Tensor, Tensor] {
      const rows = as_groups(dense(input), num_groups)
      const [normal, mean, rstd] = native_layer_norm(rows, rows.sizes.slice(1), null, null, eps)
      // The same memory, and no view of anything in the eyes of autograd.
      const out = alias(normal, input.sizes, contiguous_strides(input.sizes))
      if (weight !== null) out.mul_(per_channel(weight, input.ndim))
      if (bias !== null) out.add_(per_channel(bias, input.ndim))
      return [out, mean, rstd]
    },
    saves: ['input', 'weight', 'out.1', 'out.2'],
    gradcheck: false, // its second and third results are statistics; group_norm is checked
    backward([g], [input, weight, bias, num_groups, eps], [, mean, rstd], needs) {
      if (!g) return [null, null, null]
      const x = as_groups(input, num_groups)
      const [x_mean, x_rstd] = modes.grad ? statistics(x, [1], eps) : [mean, rstd]
      const normal = x.sub(x_mean).mul(x_rstd)
      const scaled = as_groups(weight === null ? g : g.mul(per_channel(weight, g.ndim)), num_groups)
      const dims = [...input.sizes.keys()].filter(d => d !== 1)
      const grads: (Tensor | null)[] = [
        needs[0] ? centred(scaled, normal, x_rstd, [1]).view(input.sizes).to(input.dtype) : null,
      ]
      let at = 1
      if (weight !== null)
        grads.push(needs[at++] ? g.mul(normal.view(input.sizes)).sum(dims).to(weight.dtype) : null)
      if (bias !== null) grads.push(needs[at] ? g.sum(dims).to(bias.dtype) : null)
      return grads
    },
  },
)

/** [N * groups, elements of a group] of a tensor (N, C, ...). */
const as_groups = (t: Tensor, num_groups: number): Tensor => {
  const rows = t.sizes[0]! * num_groups
  return t.reshape([rows, rows === 0 ? 0 : t.count / rows])
}

type GroupNormOptions = { weight?: Tensor | null; bias?: Tensor | null; eps?: number }

/** Normalises each group of channels of each sample, then scales and shifts the channels. */
export const group_norm: Op<
  [
    input: Tensor,
    num_groups: number,
    weight?: Tensor | null | GroupNormOptions,
    bias?: Tensor | null,
    eps?: number,
    cudnn_enabled?: boolean,
  ]
> = composite(
  'group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True)',
  {
    body: (input: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null, eps: number) => {
      const channels = input.size(1)
      if (channels % groups !== 0)
        throw new RuntimeError(
          `Expected number of channels in input to be divisible by num_groups, but got input of shape [${input.sizes.join(', ')}] and num_groups=${groups}`,
        )
      for (const [name, t] of [
        ['weight', weight],
        ['bias', bias],
      ] as const)
        if (t !== null && (t.ndim !== 1 || t.count !== channels))
          throw new RuntimeError(
            `Expected ${name} to be a vector of size equal to the number of channels in input, but got ${name} of shape [${t.sizes.join(', ')}] and input of shape [${input.sizes.join(', ')}]`,
          )
      return native_group_norm(input, weight, bias, groups, eps)[0]
    },
    samples: r => [
      [r(2, 4, 3), 2, r(4), r(4)],
      [r(2, 4), 1],
    ],
    out: false,
  },
)
