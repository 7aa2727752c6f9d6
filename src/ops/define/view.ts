// Declares views: ops whose result shares the memory of their input. Writing through a view changes the history of
// its base (CopySlices) and, when next asked for, that of the base's other views. Not here: index syntax.

import type { DType } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { keep_exemplar } from '../../base/exemplar.ts'
import { overlaps, wrap_dim } from '../../base/shape.ts'
import { Batched, batching, by_samples } from '../../tensor/batched.ts'
import { empty_strided } from '../../tensor/dispatch.ts'
import { bind, parse_schema } from '../../tensor/schema.ts'
import { type Edge, edge_of, type Grads, modes, Node, set_history } from '../../tensor/tape.ts'
import { alias, set_renew_view, Tensor, type ViewOf } from '../../tensor/tensor.ts'
import { arange } from '../creation.ts'
import { make_op, node_name, type Op, type Samples, type Spec, unsaved_memory } from './op.ts'

/** Strides and offset count elements of `dtype`, which is the input's unless given. */
export type Geometry = {
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  readonly offset?: number
  readonly dtype?: DType
}

export interface ViewDef<A extends readonly unknown[], V extends readonly unknown[]> {
  /** Sizes, strides and offset of the result. */
  readonly geometry: (self: Tensor, ...values: V) => Geometry
  /** The gradient of self. `self` has no memory here: only sizes, strides and dtype. */
  readonly backward: (g: Tensor, self: Tensor, ...values: V) => Tensor
  readonly node?: string
  readonly samples?: Samples<NoInfer<A>>
}

class ViewNode extends Node {
  readonly #backward: (g: Tensor) => Tensor
  constructor(name: string, edges: (Edge | null)[], backward: (g: Tensor) => Tensor) {
    super(name, edges)
    this.#backward = backward
  }
  apply([g]: Grads): Grads {
    return [g ? this.#backward(g) : null]
  }
}

keep_exemplar(new ViewNode('', [null], g => g))

/** What a view's backward keeps of its input: not the memory, for the view may die before the graph does. */
const shape_only = ({ sizes, strides, offset, dtype }: Tensor): Tensor =>
  new Tensor(unsaved_memory, offset, sizes, strides, dtype)

const not_recorded = (): never => {
  throw new Error('the view was made without a history')
}

/** A view of `self` with the given geometry, on the tape. `multi_output` names an op that returns several. */
export function make_view(
  self: Tensor,
  { sizes, strides, offset = self.offset, dtype = self.dtype }: Geometry,
  name: string,
  backward: (g: Tensor) => Tensor,
  multi_output: string | null = null,
): Tensor {
  if (batching.top !== null && self instanceof Batched)
    return batched_view(self, { sizes, strides, offset, dtype }, name, backward, multi_output)
  const edge = modes.grad ? edge_of(self) : null
  const view = new Tensor(self.memory, offset, sizes, strides, dtype)
  view._inference = self._inference
  if (modes.inference) return view
  const base = self._view?.base ?? self
  view._view = {
    base,
    base_fn: base._grad_fn,
    multi_output: multi_output ?? self._view?.multi_output ?? null,
    made_in_no_grad: !modes.grad && base._requires_grad,
  }
  if (edge !== null) set_history(new ViewNode(name, [edge], backward), [view])
  return view
}

/** The same view of every sample. */
function batched_view(
  self: Batched,
  geometry: Geometry,
  name: string,
  backward: (g: Tensor) => Tensor,
  multi_output: string | null,
): Batched {
  const { value, level } = self
  const all = (g: Tensor): Tensor => by_samples(level.size, [g], ([own]) => backward(own!))
  return new Batched(make_view(value, batched_geometry(self, geometry), name, all, multi_output), level)
}

/** The geometry of all samples, from that of a view of one. */
export function batched_geometry(
  { value, dtype: own }: Batched,
  { sizes, strides, offset, dtype = own }: Geometry,
): Geometry {
  const step = (value.strides[0]! * own.itemsize) / dtype.itemsize
  return {
    sizes: [value.sizes[0]!, ...sizes],
    strides: [step, ...strides],
    dtype,
    ...(offset === undefined ? {} : { offset }),
  }
}

/** Declares an op whose result is a view of its first parameter, `self`. */
export function view_op<A extends readonly unknown[], V extends readonly unknown[]>(
  signatures: string | readonly string[],
  def: ViewDef<A, V>,
): Op<A> {
  const schemas = [signatures].flat().map(parse_schema)
  const name = schemas[0]!.name
  const node = def.node ?? node_name(name)
  const call = (...args: A): Tensor => {
    const [self, ...values] = bind(schemas, args).values as [Tensor, ...V]
    const geometry = def.geometry(self, ...values)
    if (batching.top === null && (!modes.grad || !self._requires_grad))
      return make_view(self, geometry, node, not_recorded)
    const meta = shape_only(self)
    return make_view(self, geometry, node, g => def.backward(g, meta, ...values))
  }
  const spec: Spec = {
    name,
    schemas,
    samples: def.samples as Samples<readonly unknown[]> | undefined,
    differentiable: true,
  }
  return make_op(call, spec)
}

// ------------------------------------------------------------------------------ writing through views

/**
 * The history of a base that was written through a view: the gradient of the written window goes through `fn` (the
 * in-place op's own node), the rest passes unchanged.
 */
class CopySlices extends Node {
  readonly #fn: Node
  readonly #base: Tensor
  readonly #window: Tensor

  constructor(base_edge: Edge | null, fn: Node, base: Tensor, window: Tensor) {
    super('CopySlices', [base_edge, ...fn.edges.slice(1)])
    this.#fn = fn
    this.#base = shape_only(base)
    this.#window = shape_only(window)
  }

  apply([g]: Grads): Grads {
    const { sizes, strides, offset, dtype } = this.#window
    // The gradient may have other strides than the base had: bring it to the base's layout first.
    const full = numbers_of(with_layout(g as Tensor, this.#base), dtype)
    const at = full.storage_offset() + offset - place_of(this.#base, dtype)
    const window = full.as_strided(sizes, strides, at)
    const [own, ...others] = this.#fn.apply([window.clone()])
    const inside = own ?? window.mul(0)
    return [pairs_of(full.as_strided_scatter(inside, sizes, strides, at), this.#base.dtype), ...others]
  }

  override release(): void {
    this.#fn.release()
  }
}

/** Views of complex tensors as real ones and back, which are declared in ../complex_parts.ts. */
let parts = { as_real: (t: Tensor): Tensor => t, as_complex: (t: Tensor): Tensor => t }
export const set_complex_views = (views: typeof parts): void => {
  parts = views
}

/** A complex tensor as pairs of real numbers where `dtype` is real, as a view of its parts has them; others as they are. */
const numbers_of = (t: Tensor, dtype: DType): Tensor =>
  t.dtype.is_complex && !dtype.is_complex ? parts.as_real(t) : t
const pairs_of = (t: Tensor, dtype: DType): Tensor =>
  dtype.is_complex && !t.dtype.is_complex ? parts.as_complex(t) : t
/** Where a tensor begins, in elements of `dtype`. */
const place_of = (t: Tensor, dtype: DType): number =>
  t.offset * (t.dtype.is_complex && !dtype.is_complex ? 2 : 1)

/** `g` contiguous; a base that is itself not row-major gets its gradient in its own strides. */
function with_layout(g: Tensor, base: Tensor): Tensor {
  if (base.dense) return g.dense ? g : g.clone()
  const laid_out = empty_strided(base.sizes, base.strides, g.dtype)
  return laid_out.copy_(g)
}

/**
 * Makes `fn` the history of `self`, which an in-place op has just written. Where `self` is a view, its base's
 * history becomes CopySlices, and the view's own is renewed from it.
 */
export function rebase_history(self: Tensor, fn: Node): void {
  const view = self._view
  if (view === null) {
    set_history(fn, [self])
    return
  }
  fn.outputs = [{ sizes: self.sizes, dtype: self.dtype }]
  const { base } = view
  const node = new CopySlices(edge_of(base), fn, base, self)
  set_history(node, [base])
  renew(self, view)
}

/** The history of a view over the present history of its base. */
function renew(view: Tensor, info: ViewOf): void {
  const { base } = info
  info.base_fn = base._grad_fn
  const edge = edge_of(base)
  if (edge === null) return
  const meta = shape_only(base)
  const { sizes, strides, offset } = view
  const { dtype } = view
  const input = base.dtype.is_complex && !dtype.is_complex ? shape_only(parts.as_real(base.detach())) : meta
  const node = new ViewNode('AsStridedBackward0', [edge], g =>
    pairs_of(as_strided_backward(g, input, sizes, strides, offset), meta.dtype),
  )
  set_history(node, [view])
}
set_renew_view(renew)

/** The gradient of as_strided: `g` placed (added where elements repeat) into zeros of the input's layout. */
export function as_strided_backward(
  g: Tensor,
  input: Tensor,
  sizes: readonly number[],
  strides: readonly number[],
  offset: number,
): Tensor {
  const zeros = g.new_zeros(input.sizes)
  const same_layout = input.dense
  if (same_layout && !overlaps(sizes, strides))
    return zeros.as_strided_scatter(g, sizes, strides, offset - input.offset)
  // Elements are numbered in the input's memory; each of `g` is added to the element it came from.
  const extent_of = (s: readonly number[], st: readonly number[]): number =>
    s.reduce((m, n, d) => m + (n - 1) * (st[d] as number), 0) + 1
  const low = Math.min(input.offset, offset)
  const span =
    Math.max(input.offset + extent_of(input.sizes, input.strides), offset + extent_of(sizes, strides)) - low
  const numbers = arange(span)
  const flat = g
    .new_zeros([span])
    .index_add(0, numbers.as_strided(sizes, strides, offset - low).reshape([-1]), g.reshape([-1]))
  return flat.as_strided(input.sizes, input.strides, input.offset - low)
}

/** Throws where `self` may not be written in place with recording on. */
export function check_inplace(self: Tensor, recording: boolean): void {
  if (self._inference && !modes.inference)
    throw new RuntimeError(
      'Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.',
    )
  if (!modes.grad) return
  const view = self._view
  if (self._requires_grad && self.grad_fn === null)
    throw new RuntimeError('a leaf Variable that requires grad is being used in an in-place operation.')
  if (view === null) return
  if (view.base._requires_grad && view.base._grad_fn === null)
    throw new RuntimeError(
      'a view of a leaf Variable that requires grad is being used in an in-place operation.',
    )
  if (!recording && !self._requires_grad) return
  if (view.multi_output !== null)
    throw new RuntimeError(
      `Output 0 of ${view.multi_output} is a view and is being modified inplace. This view is the output of a function that ` +
        'returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.',
    )
  if (view.made_in_no_grad)
    throw new RuntimeError(
      'A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is ' +
        'ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either ' +
        "both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).",
    )
}

/** A tensor over a copy of the memory of `t`, with the history `t` has now: what an in-place op saves of its input. */
export function snapshot(t: Tensor, copy: (t: Tensor) => Tensor): Tensor {
  const kept = copy(alias(t))
  kept._grad_fn = t.grad_fn
  kept._output_nr = t._output_nr
  kept._requires_grad = t._requires_grad
  return kept
}

export function swapped(self: Tensor, dim0: number, dim1: number): { sizes: number[]; strides: number[] } {
  const a = wrap_dim(dim0, self.sizes.length)
  const b = wrap_dim(dim1, self.sizes.length)
  const sizes = [...self.sizes]
  const strides = [...self.strides]
  if (sizes.length > 0) {
    ;[sizes[a], sizes[b]] = [sizes[b]!, sizes[a]!]
    ;[strides[a], strides[b]] = [strides[b]!, strides[a]!]
  }
  return { sizes, strides }
}
