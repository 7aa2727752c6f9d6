// Which part of each operand a range of a kernel's outermost iterations touches: the base of running large kernels
// in pieces. Not here: how pieces are run (launch.ts).
import { type Expr, topological } from '../../ir/expr.ts'
import type { Buffer, Kernel, Param, Stmt } from '../../ir/kernel.ts'
import { own_expressions } from '../../lower/loops.ts'
import { affine, inline_index_locals, is_constant } from '../../render/wasm/affine.ts'
import { visit_statements } from '../../render/wasm/walk.ts'

/** The whole operand, or its elements begin to end in memory order; else a dimension. */
export const WHOLE = -1
export const FLAT = -2

/**
 * For each buffer, what iterations begin to end of the loop `split` touch: the same range along one dimension, the same
 * range of a flat operand, or WHOLE where that is not known.
 */
export function slices(kernel: Kernel, split: Stmt & { kind: 'for' }): number[] {
  const indices = new Map<Buffer, Expr[]>(kernel.buffers.map(b => [b, []]))
  visit_statements(inline_index_locals(kernel.body), s => {
    if (s.kind === 'store') indices.get(s.buffer)!.push(s.index)
    for (const e of topological(...own_expressions(s)))
      if (e.op === 'load') indices.get(e.arg as Buffer)!.push(e.src[0]!)
  })
  return kernel.buffers.map((b, at) => {
    const dims = indices.get(b)!.map(index => slice_of(kernel.params, at, index, split.var.arg as string))
    return dims.length > 0 && dims.every(d => d === dims[0]) ? dims[0]! : WHOLE
  })
}

function slice_of(params: readonly Param[], buffer: number, index: Expr, counter: string): number {
  const a = affine(index, counter)
  if (a === null) return WHOLE
  const own = params.filter(p => p.source.kind !== 'value' && p.source.buffer === buffer)
  const is_flat = own.some(p => p.source.kind === 'numel')
  if (is_flat) return is_constant(a.coefficient, 1) && is_constant(a.rest, 0) ? FLAT : WHOLE
  const rank = own.filter(p => p.source.kind === 'size').length
  const strides = own.filter(p => p.source.kind === 'stride')
  const inner = strides.length < rank ? rank - 1 : WHOLE // its stride is pinned to a constant
  const stride_of = (e: Expr): Param | undefined =>
    e.op === 'param' ? strides.find(p => p === e.arg) : undefined
  const along = stride_of(a.coefficient)
  const dim = is_constant(a.coefficient, 1)
    ? inner
    : along?.source.kind === 'stride'
      ? along.source.dim
      : WHOLE
  if (dim === WHOLE) return WHOLE
  // The rest must be the other dimensions' part: products with their strides, or the plain index of the inner one.
  for (const term of terms(a.rest)) {
    const by = topological(term)
      .map(stride_of)
      .filter(p => p !== undefined)
    const other = by.length === 1 && by[0] !== along && term.op === 'mul' && term.src.some(e => stride_of(e))
    const plain = by.length === 0 && inner !== WHOLE && dim !== inner
    if (!is_constant(term, 0) && !other && !plain) return WHOLE
  }
  return dim
}

const terms = (e: Expr): Expr[] => (e.op === 'add' ? e.src.flatMap(terms) : [e])
