// Rules of the ops of neural networks: convolutions fold the batch into samples or into groups, normalisations into rows
// or channels, losses into rows. Not here: pooling, padding and softmax, which have common rules.
import { RuntimeError } from '../../base/errors.ts'
import { arange } from '../../ops/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Call, folded, ORDINARY, padded, type Rule, unfolded } from './call.ts'
import { into_first, leading, quiet_loop } from './common.ts'

// ---------------------------------------------------------------------------------------------- convolutions

/** (N, C, ...) samples as (N, batch * C, ...): a group, or several, each. */
const as_groups = (value: Tensor): Tensor => {
  const [batch, n, c, ...rest] = value.sizes as [number, number, number, ...number[]]
  return value.transpose(0, 1).reshape([n, batch * c, ...rest])
}

/** The reverse of {@link as_groups}. */
function from_groups(t: Tensor, batch: number): Tensor {
  const [n, channels, ...rest] = t.sizes as [number, number, ...number[]]
  return t.reshape([n, batch, channels / batch, ...rest]).transpose(0, 1)
}

/** A convolution of `input` by `weight`, whose `sizes` (where there are any) are those of the result. */
export const convolution: Rule = call => {
  const [input, weight] = call.values as [Tensor, Tensor]
  const batch = call.level.size
  const sizes = call.at('sizes') < 0 ? null : call.get<number[]>('sizes')
  const bias = call.at('bias') < 0 ? null : call.get<Tensor | null>('bias')
  const [first, second] = [call.schema.params[0]!.name, call.schema.params[1]!.name]
  const has_bias = call.at('bias') >= 0
  if (!call.varies(weight)) {
    const apart = bias !== null && call.varies(bias)
    const made = unfolded(
      call.with({
        [first]: folded(call.all(input)),
        ...(apart ? { bias: null } : {}),
        ...(sizes && { sizes: [batch * sizes[0]!, ...sizes.slice(1)] }),
      }) as Tensor,
      batch,
    )
    return apart ? made.add(per_channel(bias.value, made.sizes.length)) : made
  }
  const made = call.with({
    [first]: as_groups(call.all(input)),
    [second]: folded(weight.value),
    groups: call.get<number>('groups') * batch,
    ...(has_bias && { bias: bias === null ? null : call.all(bias).reshape([-1]) }),
    ...(sizes && { sizes: [sizes[0]!, batch * sizes[1]!, ...sizes.slice(2)] }),
  }) as Tensor
  return from_groups(made, batch)
}

/** (batch, C) against a tensor (batch, N, C, ...). */
const per_channel = (t: Tensor, ndim: number): Tensor =>
  t.reshape([t.sizes[0]!, 1, t.sizes[1]!, ...new Array<number>(ndim - 3).fill(1)])

/** The gradient of the weight for each sample: groups of their own. */
export const convolution_weight_grad: Rule = call => {
  const [output, input] = call.values as [Tensor, Tensor]
  const batch = call.level.size
  const sizes = call.get<number[]>('sizes')
  const made = call.with({
    output: as_groups(call.all(output)),
    input: as_groups(call.all(input)),
    sizes: [batch * sizes[0]!, ...sizes.slice(1)],
    groups: call.get<number>('groups') * batch,
  }) as Tensor
  return unfolded(made, batch)
}

// ---------------------------------------------------------------------------------------------- normalisations

/** Scales and shifts by weight and bias, which broadcast from their last dimensions on. */
function affine(
  call: Call,
  t: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  spread: (p: Tensor) => Tensor,
): Tensor {
  const scaled = weight === null ? t : t.mul(spread(call.all(weight)))
  return bias === null ? scaled : scaled.add(spread(call.all(bias)))
}

export const layer_norm: Rule = call => {
  const input = call.all(call.get('input'))
  const [weight, bias] = [call.get<Tensor | null>('weight'), call.get<Tensor | null>('bias')]
  if (!call.varies(weight) && !call.varies(bias)) return call.with({ input })
  const made = call.with({ input, weight: null, bias: null })
  const rank = input.sizes.length - 1
  const apply = (t: Tensor): Tensor => affine(call, t, weight, bias, p => padded(p, rank))
  // The statistics, where they are returned, are not scaled.
  if (!Array.isArray(made)) return apply(made as Tensor)
  made[0] = apply(made[0])
  return made
}

export const group_norm: Rule = call => {
  const input = folded(call.all(call.get('input')))
  const batch = call.level.size
  const [weight, bias] = [call.get<Tensor | null>('weight'), call.get<Tensor | null>('bias')]
  if (!call.varies(weight) && !call.varies(bias)) return unfolded(call.with({ input }) as Tensor, batch)
  const made = unfolded(call.with({ input, weight: null, bias: null }) as Tensor, batch)
  return affine(call, made, weight, bias, p => per_channel(p, made.sizes.length))
}

export const batch_norm: Rule = call => {
  const input = call.get<Tensor>('input')
  const batch = call.level.size
  const [mean, variance] = [call.get<Tensor | null>('running_mean'), call.get<Tensor | null>('running_var')]
  const training = call.get<boolean>('training')
  const updated = training ? [mean, variance].filter(t => t !== null) : []
  if (call.varies(input) && updated.some(t => !call.varies(t)))
    throw new RuntimeError(
      'Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, were ' +
        'not batched.\nIf you are using a module and do not need eval mode, please set `track_running_stats` to be False.If ' +
        'you are using a prebuilt module and do not need eval mode, please see the functorch website for resources on how ' +
        'to patch your module to work with vmap',
    )
  const others = ['running_mean', 'running_var', 'weight', 'bias']
  if (!training && !others.some(name => call.varies(call.get(name))))
    return unfolded(call.with({ input: folded(call.all(input)) }) as Tensor, batch)
  const channels = (name: string): Tensor | null => {
    const t = call.get<Tensor | null>(name)
    return t === null ? null : call.all(t).reshape([-1])
  }
  const flat = Object.fromEntries(others.map(name => [name, channels(name)]))
  const made = call.with({ input: as_groups(call.all(input)), ...flat }) as Tensor
  for (const [name, t] of [
    ['running_mean', mean],
    ['running_var', variance],
  ] as const)
    if (training && call.varies(t) && flat[name]!.memory !== t.value.memory)
      t.value.copy_(flat[name]!.detach().reshape(t.value.sizes))
  return from_groups(made, batch)
}

// ---------------------------------------------------------------------------------------------- embedding

export const embedding: Rule = call => {
  const [weight, indices] = call.values as [Tensor, Tensor]
  const [padding, scale] = [call.get<number>('padding_idx'), call.get<boolean>('scale_grad_by_freq')]
  if (!call.varies(weight))
    return scale || !call.varies(indices) ? quiet_loop(call) : call.with({ indices: indices.value })
  if (scale || padding >= 0) return quiet_loop(call)
  const [batch, rows] = weight.value.sizes as [number, number]
  const at = call.all(indices)
  const first = arange(batch)
    .mul(rows)
    .reshape([batch, ...indices.sizes.map(() => 1)])
  return call.with({ weight: folded(weight.value), indices: at.add(first.to(at.dtype)) })
}

// ---------------------------------------------------------------------------------------------- losses

/** Losses of elements that are reduced at once: reduced for each sample instead. */
export const elementwise_loss: Rule = call => {
  const reduction = call.get<string>('reduction')
  const tensors = call.values.slice(0, 2) as [Tensor, Tensor]
  const rank = Math.max(...tensors.map(t => t.sizes.length))
  const [self, target] = tensors.map(t => (call.varies(t) ? padded(t.value, rank) : t)) as [Tensor, Tensor]
  const each = call.with({ self, target, reduction: 'none' }) as Tensor
  if (reduction === 'none') return each
  const rows = each.reshape([call.level.size, -1])
  return reduction === 'mean' ? rows.mean(1) : rows.sum(1)
}

/** Losses of classes: of the rows of all samples, then reduced for each. */
export const class_loss: Rule = call => {
  const [input, target, weight] = call.values as [Tensor, Tensor, Tensor | null]
  const old = call.get('size_average') !== null || call.get('reduce') !== null
  const soft = target.sizes.join() === input.sizes.join() && target.dtype.is_floating_point
  const reduction = call.get<string>('reduction')
  const known = reduction === 'mean' || reduction === 'sum' || reduction === 'none'
  if (old || soft || !known || call.varies(weight) || input.sizes.length === 0) return ORDINARY
  const batch = call.level.size
  const single = input.sizes.length === 1
  const rows = (t: Tensor): Tensor => (single ? call.all(t) : folded(call.all(t)))
  const labels = rows(target)
  const each = call.with({ input: rows(input), target: labels, reduction: 'none' }) as Tensor
  if (reduction === 'none') return single ? each : unfolded(each, batch)
  const losses = each.reshape([batch, -1])
  if (reduction === 'sum') return losses.sum(1)
  const kept = labels.ne(call.get<number>('ignore_index'))
  const share =
    weight === null
      ? kept.to(losses.dtype)
      : weight.index_select(0, labels.mul(kept).reshape([-1])).mul(kept.reshape([-1]))
  return losses.sum(1).div(share.reshape([batch, -1]).sum(1))
}

/** The gradient of a loss of classes, when gradients are mapped: of the rows of all samples. */
export const nll_loss_backward: Rule = call => {
  const [g, target, weight, total] = call.values as [Tensor, Tensor, Tensor | null, Tensor | null]
  const sizes = call.get<number[]>('sizes')
  if ([weight, total].some(t => call.varies(t)) || g.sizes.length > 0 || sizes.length === 1)
    return quiet_loop(call)
  const batch = call.level.size
  const scale = call.all(g).reshape([batch, ...sizes.map(() => 1)])
  if (call.varies(target)) return quiet_loop(call)
  // Linear in the one number: the gradient for 1, times each.
  const one = call.with({ g: scale.detach().new_ones([]) }) as Tensor
  return one.unsqueeze(0).mul(scale)
}

/** Attention: leading dimensions are batches anyhow. */
export const attention: Rule = call => {
  if (call.get<number>('dropout_p') > 0) return quiet_loop(call)
  const query = call.get<Tensor>('query')
  const mask = call.get<Tensor | null>('attn_mask')
  const rank = query.sizes.length
  return call.with({
    query: call.all(query),
    key: call.all(call.get('key')),
    value: call.all(call.get('value')),
    attn_mask: mask === null ? null : call.varies(mask) ? padded(mask.value, rank) : mask,
  })
}

/** The reverse of pooling: samples may have a batch of their own. */
export const max_unpool: Rule = call => {
  const dims = Number(call.op.op_name.at(-2))
  return call.get<Tensor>('input').sizes.length === dims + 1 ? leading(call) : into_first(call)
}
