// The pointwise machinery: a form is an expression over operands and run-time scalars; applying one broadcasts,
// picks a kernel by dtypes and layout, runs it and records. A form's gradients are forms too, derived symbolically,
// so every derivative of every order is a kernel. Not here: how an op's declaration becomes a form (pointwise.ts).
import { bool, type DType, float32, to_complex_dtype, to_real_dtype } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { keep_exemplar } from '../../base/exemplar.ts'
import {
  broadcast_sizes,
  coalesce,
  expand_strides,
  non_overlapping_and_dense,
  same_sizes,
} from '../../base/shape.ts'
import type { Executable, LaunchValue } from '../../device/device.ts'
import { NoComplexMeaning, realify } from '../../ir/complex.ts'
import { differentiate } from '../../ir/differentiate.ts'
import { type Expr, rewrite, topological, variable } from '../../ir/expr.ts'
import { type Builder, build } from '../../ir/kernel.ts'
import { is_complex, type ScalarType } from '../../ir/types.ts'
import { Batched, batching, type Level, level_of, padded, with_level } from '../../tensor/batched.ts'
import { compile, empty, empty_in_order, is_sole, zeros } from '../../tensor/dispatch.ts'
import { type Edge, edge_of, type Grads, modes, Node, Saved, set_history } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { reduce_to } from './reduce_to.ts'
import { inner_class, inner_stride, window } from './space.ts'

/** PyTorch's name for the node of an op that has no derivative; backward through it throws. */
export const NOT_DIFFERENTIABLE = 'torch::autograd::NotImplemented'

/** An elementwise function in one computing type. */
export class Form {
  readonly key: string
  /** PyTorch's name for the node that records it. */
  readonly node: string
  readonly operands: readonly Expr[]
  readonly scalars: readonly Expr[]
  readonly body: Expr
  readonly #derive: ((g: Expr, out: Expr) => (Expr | null)[]) | undefined
  readonly #kernels = new Map<string, Executable>()
  /** Kernels for dense operands, by the codes of result and operand dtypes. */
  readonly flat: (Executable | undefined)[] = []
  /** Those for dense operands with single numbers among them. */
  readonly spread: Map<number, Executable> = new Map()
  #grads: (Derived | null)[] | undefined
  readonly #reads: number[] = []

  constructor(
    key: string,
    node: string,
    operands: readonly Expr[],
    scalars: readonly Expr[],
    body: Expr,
    derive?: (g: Expr, out: Expr) => (Expr | null)[],
  ) {
    this.key = key
    this.node = node
    this.operands = operands
    this.scalars = scalars
    this.body = body
    this.#derive = derive
  }

  /** The gradient for each operand as a form of (gradient, operands, result), or null where it is zero. */
  get grads(): readonly (Derived | null)[] {
    if (this.#grads !== undefined) return this.#grads
    const g = variable(this.body.type, 'g')
    const out = variable(this.body.type, 'out')
    const exprs =
      this.node === NOT_DIFFERENTIABLE
        ? []
        : (this.#declared(g, out) ?? differentiate(this.body, g, this.operands))
    this.#grads = this.operands.map((_, i) => {
      const e = exprs[i]
      return e === null || e === undefined ? null : this.#derived(e, i, g, out)
    })
    return this.#grads
  }

  /** The declared gradients, unless they are made of what complex numbers do not have. */
  #declared(g: Expr, out: Expr): (Expr | null)[] | undefined {
    const exprs = this.#derive?.(g, out)
    if (exprs === undefined || !this.operands.some(x => is_complex(x.type))) return exprs
    try {
      for (const e of exprs) if (e !== null) realify(e)
      return exprs
    } catch (error) {
      if (error instanceof NoComplexMeaning) return undefined
      throw error
    }
  }

  #derived(body: Expr, i: number, g: Expr, out: Expr): Derived {
    if (body === g) return { form: null, uses: [-1], scalars: [] }
    const reads = new Set(topological(body))
    const all = [g, ...this.operands, out]
    const uses = all.flatMap((e, k) => (reads.has(e) ? [k - 1] : []))
    const scalars = this.scalars.flatMap((e, k) => (reads.has(e) ? [k] : []))
    // A gradient that reads no tensor at all still has the gradient's shape.
    if (uses.length === 0) uses.push(-1)
    const form = new Form(
      `${this.key}_grad${i}`,
      `${this.node.replace(/Backward\d*$/, '')}BackwardBackward0`,
      uses.map(k => all[k + 1] as Expr),
      scalars.map(k => this.scalars[k] as Expr),
      body,
    )
    return { form, uses, scalars }
  }

  /**
   * What the gradients of some operands read, as bits: the operands, then the result. `wanted` has a bit for each operand
   * that needs a gradient.
   */
  reads(wanted: number): number {
    let reads = this.#reads[wanted]
    if (reads === undefined) {
      reads = 0
      this.grads.forEach((d, i) => {
        if (d !== null && (wanted >> i) & 1) for (const u of d.uses) if (u >= 0) (reads as number) |= 1 << u
      })
      this.#reads[wanted] = reads
    }
    return reads
  }

  /** The executable for a layout; `layout` has a letter per operand (see `write_kernel`). */
  kernel(out: DType, operands: readonly DType[], layout: string, rank: number): Executable {
    const key = `${out.code},${operands.map(d => d.code).join()},${layout},${rank}`
    let executable = this.#kernels.get(key)
    if (executable === undefined) {
      const name = `${this.key}_${out.name}_${operands.map(d => d.name).join('_')}_${layout}${rank || ''}`
      executable = compile(
        build(name.replaceAll(/[^A-Za-z0-9_]+/g, '_'), k =>
          write_kernel(k, this, out, operands, layout, rank),
        ),
      )
      this.#kernels.set(key, executable)
    }
    return executable
  }
}

/** A gradient: what form computes it (null: the incoming gradient itself), from which tensors and scalars. */
type Derived = {
  readonly form: Form | null
  /** -1: the incoming gradient; 0..: operands; the operand count: the result. */
  readonly uses: readonly number[]
  readonly scalars: readonly number[]
}

/**
 * rank 0: dense operands, layout has `f` (dense) or `s` (one element) each. Else a nest over `rank` dimensions and
 * a letter for each inner stride (1, 0, x), the result's first.
 */
function write_kernel(
  k: Builder,
  form: Form,
  out_dtype: DType,
  dtypes: readonly DType[],
  layout: string,
  rank: number,
): void {
  const flat = rank === 0
  const out = k.output('out', out_dtype, flat ? 'flat' : { rank, ...inner_stride(layout[0] as string) })
  const views = dtypes.map((dtype, i) =>
    k.input(`x${i}`, dtype, flat ? 'flat' : { rank, ...inner_stride(layout[i + 1] as string) }),
  )
  const values = form.scalars.map((s, i) => k.value(`s${i}`, s.type))
  const body = (load: (i: number) => Expr): Expr => {
    const known = new Map<Expr, Expr>()
    form.operands.forEach((e, i) => known.set(e, load(i).cast(e.type)))
    form.scalars.forEach((e, i) => known.set(e, values[i] as Expr))
    return rewrite(form.body, () => undefined, known)
  }
  if (flat)
    k.for(out.sizes[0] as Expr, 'vector', i => {
      k.store(
        out,
        [i],
        body(n => (views[n] as (typeof views)[0]).at(layout[n] === 's' ? 0 : i)),
      )
    })
  else
    k.elementwise(out.sizes, (...i) =>
      k.store(
        out,
        i,
        body(n => (views[n] as (typeof views)[0]).at(...i)),
      ),
    )
}

/** Runs a form into `out`, or into a new tensor of `dtype`. Nothing is recorded. */
export function run_form(
  form: Form,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
  dtype: DType,
  out: Tensor | null,
): Tensor {
  const first = xs[0] as Tensor
  let flat = true
  for (const x of xs) if (!x.dense || !same_sizes(x.sizes, first.sizes)) flat = false
  if (flat && (out === null || (out.dense && same_sizes(out.sizes, first.sizes)))) {
    const result = out ?? empty(first.sizes, dtype)
    if (result.count > 0) flat_kernel(form, xs, result)([result, ...xs], values)
    return result
  }
  return run_spread(form, xs, values, dtype, out) ?? run_strided(form, xs, values, dtype, out)
}

/** Whether all elements are one in memory: a number, or one expanded. */
function is_single({ count, sizes, strides }: Tensor): boolean {
  if (count === 1) return true
  for (let d = 0; d < strides.length; d++) if (strides[d] !== 0 && sizes[d] !== 1) return false
  return true
}

/** Whether `sizes` broadcast to `wide` as they are. */
function reaches(sizes: readonly number[], wide: readonly number[]): boolean {
  const missing = wide.length - sizes.length
  for (let d = 0; d < sizes.length; d++) if (sizes[d] !== 1 && sizes[d] !== wide[d + missing]) return false
  return missing >= 0
}

/** Dense operands of one size, with single numbers among them; null for any others. */
function run_spread(
  form: Form,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
  dtype: DType,
  out: Tensor | null,
): Tensor | null {
  let model: Tensor | null = null
  for (const x of xs)
    if (!is_single(x)) {
      if (!x.dense || (model !== null && !same_sizes(x.sizes, model.sizes))) return null
      model ??= x
    }
  if (model === null || model.count === 0) return null
  let singles = 0
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i] as Tensor
    if (!reaches(x.sizes, model.sizes)) return null
    if (is_single(x)) singles |= 1 << i
  }
  if (out !== null && (!out.dense || !same_sizes(out.sizes, model.sizes))) return null
  const result = out ?? empty(model.sizes, dtype)
  spread_kernel(form, xs, result, singles)([result, ...xs], values)
  return result
}

/** The kernel for dense operands and single numbers (bits). Up to two operands are found without making a key. */
function spread_kernel(form: Form, xs: readonly Tensor[], out: Tensor, singles: number): Executable {
  const make = (): Executable =>
    form.kernel(
      out.dtype,
      xs.map(x => x.dtype),
      xs.map((_, i) => ((singles >> i) & 1 ? 's' : 'f')).join(''),
      0,
    )
  if (xs.length > 2) return make()
  const pair = (xs[0] as Tensor).dtype.code * 16 + (xs[1]?.dtype.code ?? 15)
  const code = (singles * 16 + out.dtype.code) * 256 + pair
  const found = form.spread.get(code)
  if (found !== undefined) return found
  const made = make()
  form.spread.set(code, made)
  return made
}

/** The kernel for dense operands of one size. Up to two operands are found without making a key. */
export function flat_kernel(form: Form, xs: readonly Tensor[], out: Tensor): Executable {
  const layout = 'ffffffff'.slice(0, xs.length)
  if (xs.length > 2)
    return form.kernel(
      out.dtype,
      xs.map(x => x.dtype),
      layout,
      0,
    )
  const code = (out.dtype.code * 16 + (xs[0] as Tensor).dtype.code) * 16 + (xs[1]?.dtype.code ?? 15)
  return (form.flat[code] ??= form.kernel(
    out.dtype,
    xs.map(x => x.dtype),
    layout,
    0,
  ))
}

function run_strided(
  form: Form,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
  dtype: DType,
  given: Tensor | null,
): Tensor {
  const sizes = broadcast_sizes(...xs.map(x => x.sizes))
  const out = given ?? new_like_operands(xs, sizes, dtype)
  if (!same_sizes(out.sizes, sizes))
    throw new RuntimeError(
      `output with shape [${out.sizes.join(', ')}] doesn't match the broadcast shape [${sizes.join(', ')}]`,
    )
  if (out.count === 0) return out
  const full = xs.filter(x => x.count !== 1)
  const same_memory_order = full.every(x => same_sizes(x.sizes, sizes) && same_sizes(x.strides, out.strides))
  if (same_memory_order && (out.dense || non_overlapping_and_dense(sizes, out.strides))) {
    const layout = xs.map(x => (x.count === 1 ? 's' : 'f')).join('')
    const executable = form.kernel(
      out.dtype,
      xs.map(x => x.dtype),
      layout,
      0,
    )
    executable(
      [out, ...xs].map(x => (x.dense ? x : window(x, [x.count], [1]))),
      values,
    )
    return out
  }
  const space = coalesce(sizes, [out.strides, ...xs.map(x => expand_strides(x.sizes, x.strides, sizes))])
  if (space.sizes.length === 0) {
    space.sizes.push(1)
    for (const s of space.strides_list) s.push(1)
  }
  const layout = space.strides_list.map(inner_class).join('')
  const executable = form.kernel(
    out.dtype,
    xs.map(x => x.dtype),
    layout,
    space.sizes.length,
  )
  executable(
    [out, ...xs].map((x, i) => window(x, space.sizes, space.strides_list[i] as number[])),
    values,
  )
  return out
}

/** A new result: in the memory order of the first operand of its sizes. */
function new_like_operands(xs: readonly Tensor[], sizes: readonly number[], dtype: DType): Tensor {
  const model = xs.find(x => same_sizes(x.sizes, sizes))
  return model === undefined || model.dense
    ? empty(sizes, dtype)
    : empty_in_order(sizes, model.strides, dtype)
}

/** The node of an applied form. */
export class FormNode extends Node {
  readonly #form: Form
  /** The operands and the result, where a gradient reads them. */
  readonly #saved: (Saved | null)[]
  readonly #sizes: (readonly number[])[]
  readonly #dtypes: DType[]
  readonly #values: readonly LaunchValue[]

  constructor(
    form: Form,
    xs: readonly Tensor[],
    values: readonly LaunchValue[],
    out: Tensor,
    edges: (Edge | null)[],
  ) {
    super(form.node, edges)
    this.#form = form
    this.#values = values
    const n = xs.length
    let wanted = 0
    for (let i = 0; i < n; i++) if (edges[i] !== null) wanted |= 1 << i
    this.#sizes = xs.map(x => x.sizes)
    this.#dtypes = xs.map(x => x.dtype)
    const reads = form.reads(wanted)
    this.#saved = xs.map((x, i) => ((reads >> i) & 1 ? new Saved(x) : null))
    if ((reads >> n) & 1) this.#saved[n] = new Saved(out)
  }

  apply([g]: Grads): Grads {
    const form = this.#form
    if (form.node === NOT_DIFFERENTIABLE)
      throw new RuntimeError(
        `derivative for aten::${form.key.replace(/_(f32|f64)(_\d+)?$/, '')} is not implemented`,
      )
    return this.edges.map((edge, i) => (edge === null ? null : this.#gradient(i, g as Tensor)))
  }

  #gradient(i: number, g: Tensor): Tensor {
    const [sizes, dtype] = [this.#sizes[i] as readonly number[], this.#dtypes[i] as DType]
    const d = this.#form.grads[i]
    if (d === null || d === undefined) return zeros(sizes, dtype)
    if (d.form === null) return reduce_to(g, sizes, dtype)
    const operands = d.uses.map(u => (u < 0 ? g : (this.#saved[u] as Saved).get()))
    const values = d.scalars.length === 0 ? no_values : d.scalars.map(s => this.#values[s] as LaunchValue)
    const own = is_complex(d.form.body.type) ? to_complex_dtype(g.dtype) : to_real_dtype(g.dtype)
    if (is_sole(g.memory) && g.dense && own === g.dtype && d.uses[0] === -1 && this.#has_one_edge())
      return reduce_to(run_form(d.form, operands, values, own, g), sizes, dtype)
    return reduce_to(apply_form(d.form, operands, values, own, null), sizes, dtype)
  }

  /** Whether one operand alone wants a gradient, so that nobody reads the incoming one after it. */
  #has_one_edge(): boolean {
    let count = 0
    for (const edge of this.edges) if (edge !== null) count++
    return count === 1
  }

  override release(): void {
    for (const s of this.#saved) if (s !== null) s.release()
  }
}

{
  const x = variable('f32', 'x')
  const number = empty([], float32)
  keep_exemplar(new FormNode(new Form('same', 'AliasBackward0', [x], [], x), [number], [], number, [null]))
}

const no_values: readonly LaunchValue[] = []

/** The gradient of operand `i`, from that of the result; only of forms whose gradients do not read the result. */
export function apply_gradient(
  form: Form,
  i: number,
  g: Tensor,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
): Tensor | null {
  const d = form.grads[i]
  if (d === null || d === undefined) return null
  if (d.form === null) return g
  return apply_form(
    d.form,
    d.uses.map(u => (u < 0 ? g : (xs[u] as Tensor))),
    d.scalars.map(s => values[s] as LaunchValue),
    g.dtype,
    null,
  )
}

/** Whether any gradient of the form reads its operand `i` (or, at the operand count, its result). */
export const reads_for_backward = (form: Form, i: number): boolean =>
  form.grads.some(d => d?.uses.includes(i))

/** Runs a form and records it. `dtype` is the result's. */
export function apply_form(
  form: Form,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
  dtype: DType,
  out: Tensor | null,
): Tensor {
  if (batching.top !== null) {
    const level = level_of(xs)
    if (level !== null) return apply_to_batches(level, form, xs, values, dtype)
  }
  const result = run_form(form, xs, values, dtype, out)
  if (modes.grad && out === null && dtype !== bool) record_form(form, xs, values, result)
  return result
}

/** The same of all samples at once, which get as many dimensions as the largest has. */
function apply_to_batches(
  level: Level,
  form: Form,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
  dtype: DType,
): Tensor {
  const rank = Math.max(...xs.map(x => x.sizes.length))
  const own = (x: Tensor): Tensor => (x instanceof Batched && x.level === level ? padded(x.value, rank) : x)
  return with_level(level.outer, () => new Batched(apply_form(form, xs.map(own), values, dtype, null), level))
}

/** Makes the history of a form's result where an operand requires grad. */
export function record_form(
  form: Form,
  xs: readonly Tensor[],
  values: readonly LaunchValue[],
  result: Tensor,
): void {
  let needed = false
  for (const x of xs) if (x._requires_grad) needed = true
  if (!needed || !(result.dtype.is_floating_point || result.dtype.is_complex)) return
  set_history(new FormNode(form, xs, values, result, xs.map(edge_of)), [result])
}

/** The computing type of forms whose declaration computes bools as numbers. */
export const arithmetic_type = (type: ScalarType): ScalarType => (type === 'bool' ? 'i32' : type)
