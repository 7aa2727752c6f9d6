// Rules of ops that rearrange, join, index and reduce without naming dimensions.
// Not here: views, which follow from their geometry (ops/define/view.ts).
import { RuntimeError } from '../../base/errors.ts'
import { broadcast_sizes, wrap_dim } from '../../base/shape.ts'
import { arange } from '../../ops/creation.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Call, padded, type Rule, shifted } from './call.ts'
import { loop, quiet_loop } from './common.ts'

const rank_of = (call: Call): number => (call.values[0] as Tensor).sizes.length

/** Samples as rows. */
const rows = (call: Call): Tensor => call.all(call.values[0] as Tensor).reshape([call.level.size, -1])

/** A reduction of everything to a number, by the reduction of rows. */
export const of_everything =
  (reduce: (rows: Tensor, call: Call) => Tensor): Rule =>
  call =>
    reduce(rows(call), call)

export const cat: Rule = call => {
  const tensors = call.get<readonly Tensor[]>('tensors')
  // What is empty and has one dimension joins anything; it has no dimensions to shift.
  const kept = tensors.filter(t => !(t.sizes.length === 1 && t.sizes[0] === 0))
  const used = kept.length > 0 ? kept : tensors
  const rank = used[0]!.sizes.length
  return call.run([used.map(t => call.all(t)), shifted(call.get('dim'), rank)])
}

export const stack: Rule = call => {
  const tensors = call.get<readonly Tensor[]>('tensors')
  return call.run([tensors.map(t => call.all(t)), shifted(call.get('dim'), tensors[0]!.sizes.length + 1)])
}

export const repeat: Rule = call => {
  const repeats = call.get<number[]>('repeats')
  return call.op(padded(call.all(call.values[0] as Tensor), repeats.length), 1, ...repeats)
}

export const roll: Rule = call => {
  const dims = call.get<number[]>('dims')
  const self = call.all(call.values[0] as Tensor)
  const shifts = call.get<number[]>('shifts')
  if (dims.length === 0) return (call.op(rows(call), shifts, [1]) as Tensor).reshape(self.sizes)
  const rank = rank_of(call)
  return call.op(
    self,
    shifts,
    dims.map(d => shifted(d, rank)),
  )
}

/** Dimensions that are given one by one, or none for none. */
export const flip: Rule = call => {
  const rank = rank_of(call)
  const dims = call.get<number[]>('dims').map(d => shifted(d, rank))
  return call.with({ self: call.all(call.values[0] as Tensor), dims })
}

export const diag: Rule = call => {
  const self = call.all(call.values[0] as Tensor)
  const diagonal = call.get<number>('diagonal')
  return self.sizes.length === 2 ? self.diag_embed(diagonal, 1, 2) : self.diagonal(diagonal, 1, 2).clone()
}

export const diag_embed: Rule = call => {
  const rank = rank_of(call) + 1
  return call.with({
    self: call.all(call.values[0] as Tensor),
    dim1: shifted(call.get('dim1'), rank),
    dim2: shifted(call.get('dim2'), rank),
  })
}

export const diagonal_scatter: Rule = call => {
  const rank = rank_of(call)
  return call.with({
    self: call.all(call.get('self')),
    src: call.all(call.get('src')),
    dim1: shifted(call.get('dim1'), rank),
    dim2: shifted(call.get('dim2'), rank),
  })
}

export const trace: Rule = call =>
  call
    .all(call.values[0] as Tensor)
    .diagonal(0, 1, 2)
    .sum(1)

// ---------------------------------------------------------------------------------------------- indexing

/** `x[..., i, j, ...]`: without a batch of their own indices stay, with one they are joined by the sample's number. */
export const index: Rule = call => {
  const self = call.values[0] as Tensor
  const indices = call.get<readonly Tensor[]>('indices')
  const dims = call.get<readonly number[]>('dims')
  const placed = place_indices(call, indices, dims)
  const result = call.op(call.all(self), placed.indices, placed.dims) as Tensor
  return result.movedim(placed.batch_at, 0).movedim(
    Array.from({ length: placed.width }, (_, i) => placed.first + i),
    Array.from({ length: placed.width }, (_, i) => placed.wanted + i),
  )
}

type Placed = {
  readonly indices: readonly Tensor[]
  readonly dims: readonly number[]
  /** Where the batch is in the result. */
  readonly batch_at: number
  /** After it is in front: where the dimensions of the index tensors are and should be, and how many there are. */
  readonly first: number
  readonly wanted: number
  readonly width: number
}

const are_adjacent = (dims: readonly number[]): boolean =>
  dims.every((d, i) => i === 0 || d === dims[i - 1]! + 1)

function place_indices(call: Call, indices: readonly Tensor[], dims: readonly number[]): Placed {
  const width = Math.max(...indices.map(t => t.sizes.length))
  const wanted = are_adjacent(dims) ? dims[0]! + 1 : 1
  const moved = dims.map(d => d + 1)
  if (!indices.some(t => call.varies(t))) {
    // Apart from each other, index tensors go in front of the batch.
    const adjacent = are_adjacent(dims)
    return { indices, dims: moved, batch_at: adjacent ? 0 : width, first: wanted, wanted, width }
  }
  const { size } = call.level
  const numbers = arange(size).reshape([size, ...new Array<number>(width).fill(1)])
  return {
    indices: [numbers, ...indices.map(t => (call.varies(t) ? padded(t.value, width) : t))],
    dims: [0, ...moved],
    batch_at: 0,
    first: 1,
    wanted,
    width,
  }
}

export const index_put: Rule = call => {
  const self = call.values[0] as Tensor
  const indices = call.get<readonly Tensor[]>('indices')
  const dims = call.get<readonly number[]>('dims')
  if (!are_adjacent(dims)) return quiet_loop(call)
  const placed = place_indices(call, indices, dims)
  if (placed.first !== placed.wanted) return quiet_loop(call)
  const values = call.get<Tensor>('values')
  const rank = self.sizes.length - dims.length + placed.width
  const spread = call.varies(values) ? padded(values.value, rank) : values
  return call.op(call.all(self), placed.indices, spread, placed.dims, call.get('accumulate'))
}

export const index_select: Rule = call => {
  const self = call.values[0] as Tensor
  const at = call.get<Tensor>('index')
  const rank = self.sizes.length
  if (rank === 0) return loop(call)
  const dim = wrap_dim(call.get('dim'), rank)
  if (!call.varies(at)) return call.op(call.all(self), dim + 1, at)
  const shape = [at.value.sizes[0]!, ...self.sizes.map((_, d) => (d === dim ? -1 : 1))]
  const wide = [at.value.sizes[0]!, ...self.sizes.with(dim, at.count)]
  return call.all(self).gather(dim + 1, at.value.reshape(shape).expand(wide))
}

/** Updates along a dimension at places that are the same for all samples. */
export const index_update: Rule = call => {
  const rank = rank_of(call)
  if (rank === 0 || call.varies(call.get('index'))) return quiet_loop(call)
  const changes: Record<string, unknown> = {
    dim: shifted(call.get('dim'), rank),
  }
  for (const name of ['self', 'g', 'source']) if (call.at(name) >= 0) changes[name] = call.all(call.get(name))
  if (call.at('value') >= 0 && call.varies(call.get('value'))) return quiet_loop(call)
  return call.with(changes)
}

export const take: Rule = call => {
  const at = call.get<Tensor>('index')
  if (!call.varies(call.values[0])) return call.op(call.values[0], call.own(at))
  const all = rows(call)
  const wrapped = call.all(at).reshape([call.level.size, -1])
  const positive = wrapped.add(wrapped.lt(0).mul(all.sizes[1]!))
  return all.gather(1, positive).reshape([call.level.size, ...at.sizes])
}

/** Places in what is sorted, which is one for all, or a row for each sample. */
export const search: Rule = call => {
  const [sorted, values] = [
    call.get<Tensor>(call.at('boundaries') < 0 ? 'sorted_sequence' : 'boundaries'),
    call.get<Tensor | number>('self'),
  ]
  const sorter = call.at('sorter') < 0 ? null : call.get<Tensor | null>('sorter')
  if (!call.varies(sorted) && sorter === null && sorted.sizes.length === 1)
    return call.with({ self: call.own(values as Tensor) })
  return quiet_loop(call)
}

/** With one mask for all samples, which then have the same number of elements. */
export const masked_select: Rule = call => {
  const [self, mask] = call.values as [Tensor, Tensor]
  if (call.varies(mask))
    throw new RuntimeError(
      'vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this because for each batch ' +
        'this would return a differently shaped Tensor. Please voice your support in ' +
        'https://github.com/pytorch/functorch/issues/256',
    )
  const sizes = broadcast_sizes(self.sizes, mask.sizes)
  const places = mask.expand(sizes).reshape([-1]).nonzero().squeeze(1)
  const all = padded(call.all(self), sizes.length).expand([call.level.size, ...sizes])
  return all.reshape([call.level.size, -1]).index_select(1, places)
}

/** A copy of `self` with one value for each sample. */
export const fill: Rule = call => {
  const self = call.get<Tensor>('self')
  const value = call.get<Tensor | number>('value')
  const made = call.all(self).clone()
  return call.varies(value) ? made.copy_(padded(value.value, self.sizes.length)) : made.fill_(value)
}
