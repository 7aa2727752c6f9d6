// The positions of a triangle's elements: tril_indices, triu_indices. Not here: triangles of matrices (triangular.ts).
import { type DType, int64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { clip_diagonal } from '../base/shape.ts'
import { constant, type Expr } from '../ir/expr.ts'
import { empty, kernels } from '../tensor/dispatch.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { make_op, type Op } from './define/op.ts'

// ------------------------------------------------------------------------------------ indices

const clamp = (x: Expr, high: Expr): Expr => x.max(0).min(high)

const indices_kernel = kernels('triangle_indices', (k, dtype: DType, lower: boolean) => {
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const rows = k.value('rows', 'index')
  const cols = k.value('cols', 'index')
  const offset = k.value('offset', 'index')
  const at = k.local('index', 0)
  k.for(rows, 'serial', i => {
    const edge = k.local('index', clamp(i.add(offset).add(lower ? 1 : 0), cols))
    const first = lower ? constant(0, 'index') : edge
    const count = k.local('index', lower ? edge : cols.sub(edge))
    k.for(count, 'serial', j => {
      k.store(out, [0, at.add(j)], i.cast(out.type))
      k.store(out, [1, at.add(j)], first.add(j).cast(out.type))
    })
    k.assign(at, at.add(count))
  })
})

/** How many elements a triangle of a matrix has. */
function triangle_count(rows: number, cols: number, offset: number, lower: boolean): number {
  let count = 0
  for (let i = 0; i < rows; i++) {
    const edge = Math.min(Math.max(i + offset + (lower ? 1 : 0), 0), cols)
    count += lower ? edge : cols - edge
  }
  return count
}

type IndicesOptions = { offset?: number; dtype?: DType | null; device?: PlaceLike | null; layout?: unknown }
type IndicesArgs = [row: number, col: number, offset?: number | IndicesOptions, opts?: IndicesOptions]

function triangle_indices(name: string, lower: boolean): Op<IndicesArgs> {
  const schema = parse_schema(
    `${name}(int row, int col, int offset=0, *, dtype? dtype=None, any? layout=None, device? device=None, bool pin_memory=False)`,
  )
  return make_op(
    (...args: IndicesArgs) => {
      const [row, col, offset, given, , device] = bind([schema], args).values as [
        number,
        number,
        number,
        DType | null,
        unknown,
        PlaceLike | null,
      ]
      require_available(device)
      if (row < 0) throw new RuntimeError(`row must be non-negative, got${row}`)
      if (col < 0) throw new RuntimeError(`col must be non-negative, got${col}`)
      const dtype = given ?? int64
      if (dtype.name !== 'int64' && dtype.name !== 'int32')
        throw new RuntimeError(
          `"${name}" not implemented for '${dtype.tensor_type.slice(0, -'Tensor'.length)}'`,
        )
      const bounded = clip_diagonal(offset, row, col)
      const out = empty([2, triangle_count(row, col, bounded, lower)], dtype)
      if (out.count > 0) indices_kernel(dtype, lower)([out], [row, col, bounded])
      return out
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** The row and column numbers of the lower triangle of a `row` by `col` matrix, as [2, n]. */
export const tril_indices: Op<IndicesArgs> = triangle_indices('tril_indices', true)
/** The row and column numbers of the upper triangle of a `row` by `col` matrix, as [2, n]. */
export const triu_indices: Op<IndicesArgs> = triangle_indices('triu_indices', false)
