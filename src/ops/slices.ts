// Slices along one dimension by one index tensor: reading them, and adding them up in a tensor of zeros, which is the
// gradient of reading. Under index_select, embedding and index syntax. Not here: writing into a tensor (index_ops.ts).
import { type DType, int32, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { contiguous_strides } from '../base/shape.ts'
import type { Expr } from '../ir/expr.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import {
  each_in_range,
  if_in_range,
  note_of,
  range_note,
  require_range,
  was_out_of_range,
} from './define/bounds.ts'
import { dense } from './define/copy.ts'
import { type Op, op } from './define/op.ts'
import { empty_result } from './define/out.ts'
import { around, wrapped } from './define/rows.ts'
import { window } from './define/space.ts'

/** Bools are added and multiplied as integers. */
export const arithmetic = (e: Expr): Expr => (e.type === 'bool' ? e.cast('i32') : e)

export const is_index = (dtype: DType): boolean => dtype === int64 || dtype === int32

const read_kernel = kernels(
  'index_select',
  (k, dtype: DType, index_dtype: DType, rank: number, wrap: boolean) => {
    const out = k.output('out', dtype, { rank, inner: 1 })
    const x = k.input('x', dtype, { rank, inner: 1 })
    const index = k.input('index', index_dtype, 'flat')
    const note = note_of(k)
    const [outer, rows, inner] = out.sizes as [Expr, Expr, Expr | undefined]
    const n = x.sizes[1]!
    const low = wrap ? n.neg() : 0
    const place = (j: Expr): Expr => (wrap ? wrapped(k, index.at(j), n) : index.at(j).cast('index'))
    if (inner === undefined) {
      each_in_range(
        k,
        note,
        [outer, rows],
        (_, j) => index.at(j!),
        low,
        n,
        (o, j) => k.store(out, [o!, j!], x.at(o!, place(j!))),
      )
      return
    }
    k.nest([outer, rows], 'parallel', 'parallel', (o, j) =>
      if_in_range(k, note, index.at(j!), low, n, () => {
        const at = k.local('index', place(j!))
        k.for(inner, 'vector', i => k.store(out, [o!, j!, i], x.at(o!, at, i)))
      }),
    )
  },
)

/**
 * The slices of `dim` that `index` (int32 or int64) names, as a tensor of `sizes`; with `wrap`, negative ones count from
 * the end. Throws `error(value)` for the first index out of range.
 */
export function read_slices(
  self: Tensor,
  dim: number,
  index: Tensor,
  sizes: readonly number[],
  wrap: boolean,
  error: (value: number) => Error,
): Tensor {
  const n = self.sizes[dim] ?? 1
  const out = empty_result(sizes, self.dtype)
  if (out.count === 0) {
    require_range(index, wrap ? -n : 0, n, error)
    return out
  }
  const source = around(dense(self), dim)
  const [before, , inner] = source.sizes as [number, number, number | undefined]
  const window_sizes = inner === undefined ? [before, index.count] : [before, index.count, inner]
  const target = window(out, window_sizes, contiguous_strides(window_sizes))
  const kernel = read_kernel(self.dtype, index.dtype, window_sizes.length, wrap)
  kernel([target, source, dense(index), range_note()], [])
  if (was_out_of_range()) require_range(index, wrap ? -n : 0, n, error)
  return out
}

/** Results of so many elements are cut in blocks, whose slices each looks for: if they are not too short. */
const LARGE = 32768
const LONG = 16
const BLOCKS = 8

const add_up_kernel = kernels('add_slices', (k, dtype: DType, index_dtype: DType, rank: number) => {
  const out = k.inout('out', dtype, { rank, inner: 1 })
  const g = k.input('g', dtype, { rank, inner: 1 })
  const index = k.input('index', index_dtype, 'flat')
  const blocks = k.value('blocks', 'index')
  const skipped = k.value('skipped', 'index')
  const [outer, n, inner] = out.sizes as [Expr, Expr, Expr | undefined]
  const height = n.add(blocks).sub(1).floordiv(blocks)
  k.nest([outer, blocks], 'parallel', 'parallel', (o, b) => {
    const start = k.local('index', b!.mul(height).min(n))
    const count = k.local('index', n.sub(start).min(height))
    const rest = (i?: Expr): Expr[] => (i === undefined ? [] : [i])
    if (inner === undefined) k.for(count, 'vector', r => k.store(out, [o!, start.add(r)], 0))
    else k.for(count.mul(inner), 'vector', e => k.store(out, [o!, start, e], 0))
    k.for(index.sizes[0]!, 'serial', j => {
      const at = k.local('index', wrapped(k, index.at(j), n))
      k.if(
        at
          .ge(start)
          .and(at.lt(start.add(count)))
          .and(at.ne(skipped)),
        () => {
          const add = (i?: Expr): void => {
            const sum = arithmetic(out.at(o!, at, ...rest(i))).add(arithmetic(g.at(o!, j, ...rest(i))))
            k.store(out, [o!, at, ...rest(i)], sum)
          }
          if (inner === undefined) add()
          else k.for(inner, 'vector', add)
        },
      )
    })
  })
})

/**
 * A tensor with `n` slices along `dim`, zero but for the slices of `g` that are added up where `index` (1-d, in range)
 * says; those for the slice `skipped` are left out.
 */
export const add_slices: Op<[g: Tensor, dim: number, index: Tensor, n: number, skipped?: number]> = op(
  'index_add(Tensor g, int dim, Tensor index, int n, int skipped=-1)',
  {
    forward(g: Tensor, dim: number, index: Tensor, n: number, skipped: number) {
      if (index.count !== (g.sizes[dim] ?? 1))
        throw new RuntimeError(
          `${index.count} indices for slices of a tensor of sizes [${g.sizes.join(', ')}]`,
        )
      const out = empty(g.sizes.length === 0 ? [] : g.sizes.with(dim, n), g.dtype)
      if (out.count === 0) return out
      const target = around(out, dim)
      const long = target.sizes[0]! < BLOCKS && (target.sizes[2] ?? 1) >= LONG && out.count >= LARGE
      const kernel = add_up_kernel(g.dtype, index.dtype, target.sizes.length)
      kernel([target, around(dense(g), dim), dense(index)], [long ? BLOCKS : 1, skipped])
      return out
    },
    saves: ['index'],
    backward: {
      g: (gg, [, dim, index, , skipped]) => {
        const picked = gg.index_select(dim, index)
        if (skipped < 0) return picked
        const sizes = picked.sizes.map((_, d) => (d === dim ? -1 : 1))
        return picked.mul(index.ne(skipped).view(sizes))
      },
    },
  },
)
