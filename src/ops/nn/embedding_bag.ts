// Bags of embeddings: sums, means and maxima of rows that are looked up by index, without the rows themselves.
// Not here: single lookups (embedding.ts), the arguments of nn.functional.embedding_bag.
import { type DType, float16, float32, float64, int32, int64 } from '../../base/dtype.ts'
import { IndexError, RuntimeError } from '../../base/errors.ts'
import type { Expr } from '../../ir/expr.ts'
import { empty, kernels, zeros } from '../../tensor/dispatch.ts'
import { records } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import {
  if_in_range,
  note_of,
  range_note,
  require_range,
  value_range,
  was_out_of_range,
} from '../define/bounds.ts'
import { dense } from '../define/copy.ts'
import { composite, type Op, op } from '../define/op.ts'
import { cat } from '../join.ts'
import { add_slices } from '../slices.ts'
import { where } from '../where.ts'

const SUM = 0
const MEAN = 1
const MAX = 2

const bag_kernel = kernels(
  'embedding_bag',
  (k, dtype: DType, to: DType, index_dtype: DType, mode: number, weighted: boolean) => {
    const out = k.inout('out', to, { rank: 2, inner: 1 })
    const best = mode === MAX ? k.output('best', index_dtype, { rank: 2, inner: 1 }) : null
    const bag_of = k.output('bag_of', index_dtype, 'flat')
    const sizes = k.output('sizes', index_dtype, 'flat')
    const weight = k.input('weight', dtype, { rank: 2, inner: 1 })
    const indices = k.input('indices', index_dtype, 'flat')
    const offsets = k.input('offsets', index_dtype, 'flat')
    const shares = weighted ? k.input('shares', dtype, 'flat') : null
    const note = note_of(k)
    const padding = k.value('padding', 'index')
    const [bags, columns] = out.sizes as [Expr, Expr]
    const rows = weight.sizes[0]!
    k.for(bags, 'parallel', b => {
      const start = k.local('index', offsets.at(b).cast('index'))
      const length = k.local('index', offsets.at(b.add(1)).cast('index').sub(start))
      const used = k.local('index', 0)
      k.for(columns, 'vector', c => k.store(out, [b, c], 0))
      if (best !== null) k.for(columns, 'vector', c => k.store(best, [b, c], 0))
      k.for(length, 'serial', t => {
        const j = start.add(t)
        k.store(bag_of, [j], b.cast(bag_of.type))
        if_in_range(k, note, indices.at(j), 0, rows, () => {
          const row = k.local('index', indices.at(j).cast('index'))
          k.if(row.ne(padding), () => {
            const value = (c: Expr): Expr => weight.at(row, c).cast(out.type)
            if (best === null) {
              const share = shares === null ? null : k.local(out.type, shares.at(j).cast(out.type))
              k.for(columns, 'vector', c => {
                const term = share === null ? value(c) : value(c).mul(share)
                k.store(out, [b, c], out.at(b, c).add(term))
              })
            } else
              k.for(columns, 'serial', c =>
                k.if(used.eq(0).or(value(c).gt(out.at(b, c))), () => {
                  k.store(out, [b, c], value(c))
                  k.store(best, [b, c], row.cast(best.type))
                }),
              )
            k.assign(used, used.add(1))
          })
        })
      })
      if (mode === MEAN)
        k.if(used.gt(0), () => {
          const divisor = k.local(out.type, used.cast(out.type))
          k.for(columns, 'vector', c => k.store(out, [b, c], out.at(b, c).div(divisor)))
        })
      k.store(sizes, [b], used.cast(sizes.type))
    })
  },
)

type Bags = [out: Tensor, bag_of: Tensor, sizes: Tensor, best: Tensor]

/** `offsets` says where each bag begins, and at its end where the last one ends. `best` is of mode 'max' alone. */
const bags: Op<
  [
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    per_sample_weights: Tensor | null,
    mode: number,
    padding_idx: number,
    scale_grad_by_freq: boolean,
  ],
  Bags
> = op(
  'embedding_bag(Tensor weight, Tensor indices, Tensor offsets, Tensor? per_sample_weights, int mode, int padding_idx, bool scale_grad_by_freq)',
  {
    forward(
      weight: Tensor,
      indices: Tensor,
      offsets: Tensor,
      shares: Tensor | null,
      mode: number,
      padding: number,
      _scale: boolean,
    ): Bags {
      const count = offsets.count - 1
      const [rows, columns] = weight.sizes as [number, number]
      const index_dtype = indices.dtype
      const to = weight.dtype === float16 ? float32 : weight.dtype
      const out = empty([count, columns], to)
      const bag_of = empty(indices.sizes, index_dtype)
      const sizes = empty([count], index_dtype)
      const best = empty(mode === MAX ? out.sizes : [0], index_dtype)
      if (count > 0) {
        const results = mode === MAX ? [out, best, bag_of, sizes] : [out, bag_of, sizes]
        const operands = [...results, dense(weight), dense(indices), dense(offsets)]
        if (shares !== null) operands.push(dense(shares))
        const kernel = bag_kernel(weight.dtype, to, index_dtype, mode, shares !== null)
        kernel([...operands, range_note()], [padding])
        if (was_out_of_range())
          require_range(
            indices,
            0,
            rows,
            index =>
              new RuntimeError(
                `embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be ${index}`,
              ),
          )
      }
      return [out.to(weight.dtype), bag_of, sizes, best]
    },
    saves: ['weight', 'indices', 'per_sample_weights', 'out.1', 'out.2', 'out.3'],
    backward: (grads, [weight, indices, , shares, mode, padding, scale], [, bag_of, sizes, best], needs) => {
      const g = grads[0]
      if (!g) return needs.map(() => null)
      const rows = weight.sizes[0]!
      const of_weight = (): Tensor => {
        if (mode === MAX) {
          const shown = g.mul(sizes.gt(0).unsqueeze(1))
          return g.new_zeros(weight.sizes).scatter_add(0, best.to(int64), shown)
        }
        const each = mode === MEAN ? g.div(sizes.clamp({ min: 1 }).unsqueeze(1)) : g
        let parts = each.index_select(0, bag_of)
        if (shares !== null) parts = parts.mul(shares.unsqueeze(1))
        if (scale) {
          const counts = g.new_zeros([rows]).index_add(0, indices, g.new_ones(indices.sizes))
          parts = parts.div(counts.index_select(0, indices).unsqueeze(1))
        }
        return add_slices(parts, 0, indices, rows, padding)
      }
      const of_shares = (): Tensor =>
        where(indices.ne(padding), g.index_select(0, bag_of).mul(weight.index_select(0, indices)).sum(1), 0)
      return needs.map((needed, i) => (!needed ? null : i === 0 ? of_weight() : i === 3 ? of_shares() : null))
    },
  },
)

function require_dtype(t: Tensor, place: string, dtypes: readonly DType[], names: string): void {
  if (!dtypes.includes(t.dtype))
    throw new RuntimeError(
      `Expected tensor for argument #1 '${place}' to have one of the following scalar types: ${names}; but got torch.${t.dtype.tensor_type} instead (while checking arguments for embedding_bag)`,
    )
}

/** Where bags begin, in the indices' dtype, and where the last one ends. Throws where that is out of order. */
function ends_of(indices: Tensor, offsets: Tensor, include_last: boolean): Tensor {
  const n = indices.count
  if (include_last && offsets.count === 0)
    throw new RuntimeError('include_last_offset: number of offset should be at least 1')
  if (offsets.count === 0) return offsets.new_zeros([1])
  const first = Number(offsets.select(0, 0).item())
  const last = Number(offsets.select(0, -1).item())
  if (first !== 0)
    throw new RuntimeError(
      `offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ${first}\n[ torch.${offsets.dtype.tensor_type}{} ]`,
    )
  if (last > n)
    throw new RuntimeError(
      `offsets[-1] can not be greater than input's length ${n} but got offsets[-1] of ${last}`,
    )
  if (offsets.count > 1 && value_range(offsets.diff()).low < 0)
    throw new RuntimeError('offsets have to be in ascending order')
  return include_last ? offsets : cat([offsets, offsets.new_full([1], n)])
}

type BagOptions = {
  scale_grad_by_freq?: boolean
  mode?: number
  sparse?: boolean
  per_sample_weights?: Tensor | null
  include_last_offset?: boolean
  padding_idx?: number | null
}

/**
 * Sums (mode 0), means (1) or maxima (2) of the rows of `weight` at `indices`, which `offsets` cut into bags; rows at
 * `padding_idx` do not count. Returns what PyTorch does: the result, and for its own use the bag of each index, the sizes
 * of bags, and the rows with the maxima.
 */
export const embedding_bag: Op<
  [
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    ...rest: readonly (boolean | number | Tensor | null | BagOptions)[],
  ],
  Tensor[]
> = composite(
  'embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None)',
  {
    body: (
      weight: Tensor,
      indices: Tensor,
      offsets: Tensor,
      scale: boolean,
      mode: number,
      sparse: boolean,
      shares: Tensor | null,
      include_last: boolean,
      padding_idx: number | null,
    ) => {
      for (const t of [indices, offsets]) require_dtype(t, 'indices', [int64, int32], 'Long, Int')
      require_dtype(weight, 'weight', [float16, float32, float64], 'Half, Float, Double')
      if (weight.ndim < 2)
        throw new IndexError('Dimension out of range (expected to be in range of [-1, 0], but got 1)')
      const rows = weight.sizes[0]!
      if (padding_idx !== null && (padding_idx >= rows || padding_idx < -rows))
        throw new RuntimeError(
          `padding_idx must be within the number of embeddings, -${rows} through ${rows - 1}, but got ${padding_idx}`,
        )
      const padding = padding_idx === null ? -1 : padding_idx < 0 ? padding_idx + rows : padding_idx
      if (shares !== null) require_shares(shares, weight, indices, mode)
      if (sparse && records([weight]))
        throw new RuntimeError('embedding_bag: sparse gradients are not supported')
      const dtype = indices.dtype === offsets.dtype ? indices.dtype : int64
      let list = indices.reshape([-1]).to(dtype)
      const ends = ends_of(list, offsets.to(dtype), include_last)
      const used = Number(ends.select(0, -1).item())
      let factors = shares?.reshape([-1]) ?? null
      if (used < list.count) {
        list = list.narrow(0, 0, used)
        factors = factors?.narrow(0, 0, used) ?? null
      }
      const [out, bag_of, sizes, best] = bags(weight, list, ends, factors, mode, padding, scale)
      if (mode === MAX) return [out, bag_of, sizes, best]
      if (mode === MEAN) return [out, bag_of, sizes, sizes]
      const none = zeros(offsets.sizes, dtype)
      const quick = weight.dtype !== float64 && padding < 0
      return [out, quick ? zeros([0], dtype) : bag_of, none, none]
    },
    samples: r => [
      [r(6, 3), r.ints(0, 6, 5), r.ints(0, 1, 1)],
      [r(4, 2), r.ints(2, 4, 4), r.ints(0, 1, 2), false, 1],
      [r.distinct(5, 2), r.ints(0, 5, 4), r.ints(0, 1, 1), { mode: 2 }],
      [r(6, 3), r.ints(0, 6, 5), r.ints(0, 1, 1), false, 0, false, r(5), false, 2],
    ],
    out: false,
  },
)

function require_shares(shares: Tensor, weight: Tensor, indices: Tensor, mode: number): void {
  if (mode !== SUM) throw new RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
  if (shares.dtype !== weight.dtype)
    throw new RuntimeError(
      `Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type torch.${weight.dtype.tensor_type} does not equal torch.${shares.dtype.tensor_type} (while checking arguments for embedding_bag)`,
    )
  if (shares.ndim !== 1)
    throw new RuntimeError(
      `Expected per_sample_weights.value().dim() == 1 to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)`,
    )
  if (shares.count !== indices.count)
    throw new RuntimeError(
      'Expected per_sample_weights.value().numel() == indices.numel() to be true, but got false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)',
    )
}
