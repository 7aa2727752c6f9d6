// In-place forms: `export const mul_: typeof mul = in_place(mul)`. The op writes into its first argument, whose
// version goes up and whose history becomes the op. Not here: which memory is written (out.ts, form.ts).
import { RuntimeError } from '../../base/errors.ts'
import { overlaps, same_sizes } from '../../base/shape.ts'
import { batching, intercept, ORDINARY } from '../../tensor/batched.ts'
import { bind, bind_one, type Schema } from '../../tensor/schema.ts'
import { bump_version, edge_of, modes, records } from '../../tensor/tape.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { copy_elements } from './copy.ts'
import { make_op, type Op, type Spec, tensors_of, without_recording } from './op.ts'
import { require_castable, self_overlap, share_memory } from './out.ts'
import { check_inplace, rebase_history, snapshot } from './view.ts'

/** The in-place form of an op: same arguments, same types; returns its first argument. */
export function in_place<A extends readonly unknown[]>(form: Op<A>): Op<A> {
  const { spec } = form
  const name = `${spec.name}_`
  const { quick } = spec
  const single = spec.schemas.length === 1 ? (spec.schemas[0] as Schema) : null
  const call = (...args: A): Tensor => {
    if (quick !== undefined && args.length <= 2 && args[0] instanceof Tensor) {
      const other: unknown = args[1]
      if ((args.length === 1 || other instanceof Tensor) && quick(args[0], other as Tensor | undefined))
        return args[0]
    }
    if (batching.top !== null) {
      const result = intercept(call, args)
      if (result !== ORDINARY) return result as Tensor
    }
    if (single !== null) {
      const values = bind_one(single, args)
      return run_inplace(spec, name, values, 0, values[0] as Tensor)
    }
    const { overload, values } = bind(spec.schemas, args)
    return run_inplace(spec, name, values, overload, values[0] as Tensor)
  }
  return make_op(call, {
    name,
    schemas: spec.schemas,
    samples: spec.samples,
    differentiable: spec.differentiable,
    form: form as Op<never>,
  })
}

/** Runs a bound op into `self`, checking first so that a call that throws has changed nothing. */
function run_inplace(spec: Spec, name: string, values: unknown[], overload: number, self: Tensor): Tensor {
  if (!(self instanceof Tensor))
    throw new TypeError(`${name}(): argument 'input' (position 1) must be Tensor, not ${typeof self}`)
  const inputs = tensors_of(values)
  const recording = records(inputs)
  check_inplace(self, recording)
  if (!self.dense && overlaps(self.sizes, self.strides)) throw self_overlap()
  if (!recording || spec.node === undefined) {
    if (recording) return rewrite_by_copy(spec, values, overload, self)
    if (modes.grad) without_recording(() => write(spec, values, overload, self))
    else write(spec, values, overload, self)
    return self
  }
  const edges = (spec.inputs ?? tensors_of)(values).map(edge_of)
  const kept = [...values]
  if (spec.saves_self?.(values, overload)) kept[0] = snapshot(self, t => dense_copy(t))
  without_recording(() => write(spec, values, overload, self))
  rebase_history(self, spec.node(kept, overload, self, edges))
  return self
}

const dense_copy = (t: Tensor): Tensor => without_recording(() => t.clone())

/** Computes into `self` directly where nothing else of the arguments shares its memory, else through a copy. */
function write(spec: Spec, values: unknown[], overload: number, self: Tensor): void {
  let entangled = false
  for (const t of tensors_of(values))
    if (t !== self && !same_window(t, self) && share_memory(t, self)) entangled = true
  if (spec.writes_out && !entangled) {
    spec.run?.(values, overload, self)
    return
  }
  const value = spec.run?.(values, overload, null) as Tensor
  require_fitting(value, self)
  copy_elements(self, value)
  bump_version(self)
}

function require_fitting(value: Tensor, self: Tensor): void {
  require_castable(value.dtype, self.dtype)
  if (!same_sizes(value.sizes, self.sizes))
    throw new RuntimeError(
      `output with shape [${self.sizes.join(', ')}] doesn't match the broadcast shape [${value.sizes.join(', ')}]`,
    )
}

const same_window = (a: Tensor, b: Tensor): boolean =>
  a.memory.byte_offset + a.offset * a.dtype.itemsize === b.memory.byte_offset + b.offset * b.dtype.itemsize &&
  a.dtype === b.dtype &&
  same_sizes(a.sizes, b.sizes) &&
  same_sizes(a.strides, b.strides)

/** Composite ops in place: the new value is computed with its history, then copied in. */
function rewrite_by_copy(spec: Spec, values: unknown[], overload: number, self: Tensor): Tensor {
  const value = spec.run?.(values, overload, null) as Tensor
  require_fitting(value, self)
  return self.copy_(value)
}
