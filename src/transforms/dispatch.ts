// Calls with batched tensors: finds the op's rule and runs it one level further out. Elementwise ops and views need none;
// functions of other ops run as they are; ops without a rule loop over the batch.
// Not here: the rules (rules/), the map itself (vmap.ts).
import { RuntimeError } from '../base/errors.ts'
import { broadcast_sizes, expand_strides, same_sizes } from '../base/shape.ts'
import { require_castable } from '../ops/define/out.ts'
import {
  Batched,
  batching,
  install_interceptor,
  type Level,
  level_of,
  NeedsValues,
  ORDINARY,
  refuse_batched_out,
  with_level,
} from '../tensor/batched.ts'
import { bind, is_options } from '../tensor/schema.ts'
import { modes } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { type AnyOp, Call, each_result, padded, type Rule } from './rules/call.ts'
import { loop } from './rules/common.ts'
import { function_rules, op_rules, random_rules } from './rules/table.ts'

function handle(called: unknown, args: readonly unknown[]): unknown {
  const op = called as AnyOp
  const { op_name: name, spec } = op
  const random = random_rules.get(name)
  if (random !== undefined) return random(op, args, batching.top!)
  const level = level_of(args)
  if (level === null) return ORDINARY
  const last = args[args.length - 1]
  if (is_options(last) && (last['out'] ?? null) !== null) refuse_batched_out(name, args)
  const special = special_rules.get(name)
  if (special !== undefined) return special(op, args, level)
  if (spec.form !== undefined) return in_place(op, spec.form as AnyOp, args, level)
  const rule = rule_for(op)
  if (rule === undefined && (spec.run === undefined || spec.quick !== undefined)) return ORDINARY
  const { overload, values } = bind(spec.schemas, args)
  const call = new Call(op, spec.schemas[overload]!, values, level)
  const result = rule === undefined ? ORDINARY : run_rule(call, rule)
  return result === ORDINARY && spec.run !== undefined ? run_body(call, overload) : result
}

/** The body of a function of other ops; sample by sample where it asks for values. */
function run_body(call: Call, overload: number): unknown {
  try {
    return call.op.spec.run!([...call.values], overload, null)
  } catch (error) {
    if (!(error instanceof NeedsValues)) throw error
    return run_rule(call, loop)
  }
}

function run_rule(call: Call, rule: Rule): unknown {
  const { level } = call
  return with_level(level.outer, () => {
    const result = rule(call)
    return result === ORDINARY ? result : each_result(result, t => new Batched(t, level))
  })
}

function rule_for({ op_name: name, spec }: AnyOp): Rule | undefined {
  if (spec.node === undefined) return function_rules.get(name)
  if (spec.quick !== undefined) return undefined
  return op_rules.get(name) ?? loop
}

// ---------------------------------------------------------------------------------------------- writing in place

const impossible = (): never => {
  throw new RuntimeError(
    'vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that ' +
      'has more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over in ' +
      'a vmap. Please try to use out-of-place operators instead of inplace arithmetic. If said operator is being called ' +
      'inside the PyTorch framework, please file a bug report instead.',
  )
}

/** In-place forms: elementwise ones on the tensors that hold all samples, others write their result there. */
function in_place(op: AnyOp, form: AnyOp, args: readonly unknown[], level: Level): unknown {
  const self = args[0]
  if (!(self instanceof Batched) || self.level !== level) return impossible()
  if (form.spec.quick !== undefined) {
    const sizes = broadcast_sizes(...args.filter(v => v instanceof Tensor).map(t => t.sizes))
    require_sizes(self, sizes)
    const own = (v: unknown): unknown =>
      v instanceof Batched && v.level === level ? padded(v.value, self.sizes.length) : v
    with_level(level.outer, () => op(self.value, ...args.slice(1).map(own)))
    return self
  }
  // What the op saves for backward must not be overwritten.
  const input = modes.grad && self.requires_grad ? self.clone() : self
  const result = form(input, ...args.slice(1)) as Tensor
  require_castable(result.dtype, self.dtype)
  require_sizes(self, result.sizes)
  return self.copy_(result)
}

function require_sizes(self: Tensor, sizes: readonly number[]): void {
  if (!same_sizes(sizes, self.sizes))
    throw new RuntimeError(
      `output with shape [${self.sizes.join(', ')}] doesn't match the broadcast shape [${sizes.join(', ')}]`,
    )
}

function copy_(op: AnyOp, args: readonly unknown[], level: Level): unknown {
  const [self, src] = bind(op.spec.schemas, args).values as [Tensor, Tensor]
  if (!(self instanceof Batched) || self.level !== level) return impossible()
  expand_strides(src.sizes, src.strides, self.sizes, src.dtype.tensor_type)
  const varies = src instanceof Batched && src.level === level
  const from = varies ? padded(src.value, self.sizes.length) : src
  with_level(level.outer, () => self.value.copy_(from))
  return self
}

/** t_, squeeze_, ...: the view that each is like becomes what the batched tensor holds. */
function reshape_in_place(op: AnyOp, args: readonly unknown[]): unknown {
  const [self, ...rest] = args as [Batched, ...unknown[]]
  const method = op.op_name.slice(0, -1) as 't'
  self.value = ((self as Tensor)[method] as (...args: unknown[]) => Batched)(...rest).value
  return self.renew()
}

/** new_zeros and its like: the sizes are a sample's. */
function new_like(op: AnyOp, args: readonly unknown[], level: Level): unknown {
  const [self, size, ...rest] = bind(op.spec.schemas, args).values as [Tensor, number[], ...unknown[]]
  const own = self instanceof Batched ? self.value : self
  const { params } = op.spec.schemas[0]!
  const given: unknown[] = [[level.size, ...size]]
  const options: Record<string, unknown> = {}
  rest.forEach((v, i) => {
    const param = params[i + 2]!
    if (!param.keyword_only) given.push(v)
    else if (v !== param.default) options[param.name] = v
  })
  return with_level(level.outer, () => new Batched(op(own, ...given, options) as Tensor, level))
}

type Special = (op: AnyOp, args: readonly unknown[], level: Level) => unknown

const refuse_dynamic =
  (name: string): Special =>
  () => {
    throw new RuntimeError(
      `vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::${name}. ` +
        'Please voice your support in https://github.com/pytorch/functorch/issues/256',
    )
  }

const special_rules: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['copy_', copy_],
  ...['t_', 'squeeze_', 'unsqueeze_', 'transpose_', 'swapaxes_', 'swapdims_', 'as_strided_'].map(
    name => [name, reshape_in_place] as const,
  ),
  ...['new_zeros', 'new_ones', 'new_empty', 'new_full'].map(name => [name, new_like] as const),
  ...[
    ['nonzero', 'nonzero'],
    ['argwhere', 'nonzero'],
    ['unique', '_unique2'],
    ['unique_consecutive', 'unique_consecutive'],
    ['bincount', 'bincount'],
  ].map(([name, aten]) => [name!, refuse_dynamic(aten!)] as const),
])

/** Makes ops look for batched tensors. */
export const install_batching = (): void => install_interceptor(handle)
