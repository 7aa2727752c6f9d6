// Copying several contiguous tensors side by side into one: the kernels under cat and stack, one launch for all of them.
// Not here: which sizes fit (join.ts), tensors that are not contiguous (copy.ts).
import type { DType } from '../../base/dtype.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr } from '../../ir/expr.ts'
import type { View } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { carrier_of } from './copy.ts'

/** The most tensors that one launch copies. */
const MOST = 8

/** How rows are copied: element by element (they have one each), whole, or cut in blocks (there are few). */
type Way = 'single' | 'rows' | 'blocks'

/** Few rows are cut in blocks of about so many elements. */
const BLOCK = 16384
const FEW = 16

const join_kernel = kernels('join', (k, way: Way, to: DType, ...from: DType[]) => {
  const out = k.output('out', to, { rank: 2, inner: 1 })
  const pieces = from.map((dtype, i) => k.input(`x${i}`, dtype, { rank: 2, inner: 1 }))
  const rows = out.sizes[0]!
  const store = (o: Expr, at: Expr, x: View, i: Expr): void =>
    k.store(out, [o, at], x.at(o, i).cast(out.type))
  if (way === 'single') {
    k.for(rows, 'vector', o => {
      for (const [i, x] of pieces.entries()) k.store(out, [o, i], x.at(o, 0).cast(out.type))
    })
    return
  }
  const starts = pieces.map((_, i) =>
    pieces.slice(0, i).reduce((sum, x) => sum.add(x.sizes[1]!), rows.sub(rows)),
  )
  if (way === 'rows') {
    k.for(rows, 'parallel', o => {
      for (const [p, x] of pieces.entries())
        k.for(x.sizes[1]!, 'vector', i => store(o, starts[p]!.add(i), x, i))
    })
    return
  }
  const blocks = k.value('blocks', 'index')
  k.nest([rows, blocks], 'parallel', 'parallel', (o, b) => {
    for (const [p, x] of pieces.entries()) {
      const width = x.sizes[1]!
      const first = k.local('index', b!.mul(width).floordiv(blocks))
      const end = k.local('index', b!.add(1).mul(width).floordiv(blocks))
      // the bound says how much work this is
      k.for(end.sub(first).min(2 * BLOCK), 'vector', i =>
        store(o!, starts[p]!.add(first).add(i), x, first.add(i)),
      )
    }
  })
})

/**
 * out[o][...] = the row `o` of each piece in turn. `out` is contiguous and of `rows` rows; so are the pieces, which fill
 * it.
 */
export function join_rows(out: Operand, rows: number, pieces: readonly Operand[]): void {
  let carrier = carrier_of(out.dtype)
  for (const x of pieces) if (x.dtype !== out.dtype) carrier = undefined
  const total = out.count / rows
  let start = 0
  for (let next = 0; next < pieces.length; ) {
    const operands: Operand[] = [out]
    let width = 0
    for (; next < pieces.length && operands.length <= MOST; next++) {
      const x = pieces[next]!
      if (x.count === 0) continue
      const own = x.count / rows
      operands.push(piece_of(x, carrier, x.offset, rows, own, own))
      width += own
    }
    if (width === 0) return
    operands[0] = piece_of(out, carrier, out.offset + start, rows, width, total)
    launch(operands, width)
    start += width
  }
}

const piece_of = (
  { memory, dtype }: Operand,
  carrier: DType | undefined,
  offset: number,
  rows: number,
  width: number,
  step: number,
): Operand => ({
  memory,
  offset,
  sizes: [rows, width],
  strides: [step, 1],
  count: rows * width,
  dtype: carrier ?? dtype,
})

function launch(operands: readonly Operand[], width: number): void {
  const blocks = operands[0]!.sizes[0]! < FEW ? Math.ceil(width / BLOCK) : 1
  const way = width === operands.length - 1 ? 'single' : blocks > 1 ? 'blocks' : 'rows'
  const kernel = join_kernel(way, ...(operands.map(x => x.dtype) as [DType, ...DType[]]))
  kernel(operands, way === 'blocks' ? [blocks] : [])
}
