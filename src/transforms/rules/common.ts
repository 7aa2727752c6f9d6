// Rules that many ops share: elementwise, over given dimensions, over the last dimensions, with the batch folded into the
// first dimension, and the loop over the batch that serves where there is no rule. Not here: rules of single ops.
import { RuntimeError } from '../../base/errors.ts'
import { warn } from '../../base/warn.ts'
import { stack } from '../../ops/join.ts'
import { Tensor } from '../../tensor/tensor.ts'
import {
  type Call,
  each_result,
  each_tensor,
  every_dim,
  folded,
  padded,
  type Rule,
  shifted,
  unfolded,
} from './call.ts'

/** Elementwise in tensors that broadcast: samples get as many dimensions as the largest has. */
export const elementwise: Rule = call => {
  const tensors = call.values.filter(v => v instanceof Tensor)
  const rank = Math.max(...tensors.map(t => t.sizes.length))
  return call.run(call.values.map(v => (call.varies(v) ? padded(v.value, rank) : v)))
}

/**
 * Over dimensions that are given as `dim` (null or none: all of them). Every tensor gets the batch; samples without
 * dimensions get one for the time being.
 */
export const over_dims: Rule = call => {
  const first = call.values.find(v => v instanceof Tensor) as Tensor
  const rank = first.sizes.length
  const scalar = rank === 0
  const batch = call.level.size
  const spread = (t: Tensor): Tensor =>
    scalar && t.sizes.length === 0 ? call.all(t).unsqueeze(1) : call.all(t)
  const at = call.schema.params.findIndex(p => p.name === 'dim' || p.name === 'dims')
  const values = call.values.map((v, i) => (i === at ? v : each_tensor(v, spread)))
  const dim = call.values[at] as number | readonly number[] | null
  const one = call.schema.params[at]!.type === 'int'
  if (dim === null && one) return flattened(call, values, at, rank)
  const r = Math.max(rank, 1)
  if (typeof dim === 'number') values[at] = shifted(dim, r)
  else values[at] = dim === null || dim.length === 0 ? every_dim(r) : dim.map(d => shifted(d, r))
  const result = call.run(values)
  return scalar ? each_result(result, t => (t.sizes.length === 2 ? t.reshape([batch]) : t)) : result
}

/** With no dimension named: over all of them as one. */
function flattened(call: Call, values: unknown[], at: number, rank: number): unknown {
  const batch = call.level.size
  const flat = values.map(v => (v instanceof Tensor ? v.reshape([batch, -1]) : v))
  flat[at] = 1
  const keep = call.at('keepdim') >= 0 && call.get<boolean>('keepdim')
  const result = call.run(flat)
  return keep ? each_result(result, t => t.reshape([batch, ...new Array<number>(rank).fill(1)])) : result
}

/** Over the last dimensions, with any number of others before them: `sizes` of whole results get the batch too. */
export const over_last: Rule = call => {
  const tensors = call.values.filter(v => v instanceof Tensor)
  const rank = Math.max(...tensors.map(t => t.sizes.length))
  return call.run(
    call.values.map((v, i) =>
      v instanceof Tensor
        ? padded(call.all(v), rank)
        : call.schema.params[i]!.name === 'sizes'
          ? [call.level.size, ...(v as number[])]
          : v,
    ),
  )
}

/** The same, of tensors of different ranks that mean different things: none is padded. */
export const leading: Rule = call => call.run(call.all_values())

/** With samples of samples: the batch is folded into the first dimension. */
export const into_first: Rule = call => {
  const batch = call.level.size
  const result = call.run(
    call.values.map((v, i) =>
      v instanceof Tensor
        ? folded(call.all(v))
        : call.schema.params[i]!.name === 'sizes'
          ? [batch * (v as number[])[0]!, ...(v as number[]).slice(1)]
          : v,
    ),
  )
  return each_result(result, t => unfolded(t, batch))
}

/** Where there is no rule: sample by sample. Says so once for each op. */
export const loop: Rule = call => {
  warn(
    `There is a performance drop because we have not yet implemented the batching rule for aten::${call.op.op_name}. ` +
      'Please file us an issue on GitHub so that we can prioritize its implementation.',
  )
  return quiet_loop(call)
}

/** {@link loop} of an op whose kernel is a loop over samples anyway, or which is seldom mapped. */
export const quiet_loop: Rule = call => {
  const n = call.level.size
  if (n === 0)
    throw new RuntimeError(`vmap: aten::${call.op.op_name} has no batching rule, and the batch is empty`)
  const results: unknown[] = []
  for (let b = 0; b < n; b++)
    results.push(
      call.run(call.values.map(v => each_tensor(v, t => (call.varies(t) ? t.value.select(0, b) : t)))),
    )
  return stacked(results)
}

/** The results of samples, tensor by tensor, on top of each other. */
function stacked(results: readonly unknown[]): unknown {
  const [first] = results
  if (first instanceof Tensor) return stack(results as Tensor[], 0)
  if (!Array.isArray(first)) return first
  first.forEach(
    (_, i) => (first[i] = stacked(results.map(r => (r === first ? first[i] : (r as unknown[])[i])))),
  )
  return first
}
