// nn.utils.prune: parameters of which parts are kept at zero by a mask, which is applied before each call. A pruned `weight` is
// the parameter `weight_orig` times the buffer `weight_mask`. Not here: what to do with the zeros.
import { AssertionError, IndexError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { attribute, put, take_out } from '../members.ts'
import type { Module } from '../module.ts'
import type { Parameter } from '../parameter.ts'
import { parameters_to_vector } from './convert_parameters.ts'

/** How many: a whole number of entries or channels, or a share of them between 0 and 1 (all: `torch.float_scalar(1)`). */
export type Amount = number | torch.FloatScalar
export type PruningType = 'unstructured' | 'structured' | 'global'

type Hook = (module: Module, args: readonly unknown[]) => unknown
/** The methods behind hooks. */
const methods = new WeakMap<Hook, BasePruningMethod>()

const tensor_of = (module: Module, name: string): Tensor => attribute(module, name) as Tensor
const same_shape = (a: Tensor, b: Tensor): boolean => a.shape.join() === b.shape.join()

/** The method that prunes the tensor `name`, with its hook. */
function pruning_of(module: Module, name: string): [Hook, BasePruningMethod] | null {
  for (const hook of module._module.hooks.of('forward_pre')) {
    const method = methods.get(hook)
    if (method?._tensor_name === name) return [hook, method]
  }
  return null
}

type Scores = { importance_scores?: Tensor | null }

/** A way of choosing what to prune. Subclasses define `PRUNING_TYPE` and `compute_mask`, and are used by their `apply`. */
export abstract class BasePruningMethod {
  /** What of a tensor that is pruned already is looked at: entries that are left, channels that are left, or everything. */
  abstract readonly PRUNING_TYPE: PruningType
  /** @internal */
  _tensor_name: string | null = null

  /** The mask for a tensor of the importance of its entries; `default_mask` is what is masked already. */
  abstract compute_mask(t: Tensor, default_mask: Tensor): Tensor

  /** The module's tensor with the mask applied. */
  apply_mask(module: Module): Tensor {
    if (this._tensor_name === null) throw new AssertionError(`Module ${module} has to be pruned`)
    const orig = tensor_of(module, `${this._tensor_name}_orig`)
    return tensor_of(module, `${this._tensor_name}_mask`).to(orig.dtype).mul(orig)
  }

  /** A tensor with the parts that this method chooses set to zero. */
  prune(t: Tensor, options: { default_mask?: Tensor | null } & Scores = {}): Tensor {
    const { default_mask, importance_scores } = options
    if (importance_scores && !same_shape(importance_scores, t))
      throw new AssertionError('importance_scores should have the same shape as tensor t')
    return t.mul(this.compute_mask(importance_scores ?? t, default_mask ?? torch.ones_like(t)))
  }

  /** Makes the tensor an ordinary parameter again, of its pruned value. */
  remove(module: Module): void {
    const name = this._tensor_name
    if (name === null)
      throw new AssertionError(`Module ${module} has to be pruned before pruning can be removed`)
    const weight = this.apply_mask(module)
    take_out(module, name)
    const orig = take_out(module, `${name}_orig`) as Parameter
    take_out(module, `${name}_mask`)
    orig.data = weight.data
    module.register_parameter(name, orig)
  }

  /**
   * Prunes the tensor `name` of `module` by a method of this class, made of the arguments that follow; a last argument
   * `{ importance_scores }` says what counts instead of the values. On what is pruned already, the masks are combined.
   */
  static apply<A extends readonly unknown[]>(
    this: new (
      ...args: A
    ) => BasePruningMethod,
    module: Module,
    name: string,
    ...args: readonly [...args: A, scores?: Scores]
  ): BasePruningMethod {
    const last = args[args.length - 1]
    const scored = torch._is_options(last) && 'importance_scores' in last
    const given = (scored ? args.slice(0, -1) : args) as unknown as A
    return apply_method(
      new this(...given),
      module,
      name,
      (scored && (last as Scores).importance_scores) || null,
    )
  }
}

function apply_method(
  made: BasePruningMethod,
  module: Module,
  name: string,
  importance_scores: Tensor | null,
): BasePruningMethod {
  made._tensor_name = name
  const old = pruning_of(module, name)
  const orig = tensor_of(module, name)
  if (importance_scores !== null && !same_shape(importance_scores, orig))
    throw new AssertionError(`importance_scores should have the same shape as parameter ${name} of ${module}`)
  const before = old === null ? [] : old[1] instanceof PruningContainer ? [...old[1]] : [old[1]]
  const method = old === null ? made : new PruningContainer(...before, made)
  const default_mask =
    old === null ? torch.ones_like(orig) : tensor_of(module, `${name}_mask`).detach().clone()
  const mask = method.compute_mask(importance_scores ?? orig, default_mask)
  if (old === null) {
    take_out(module, name)
    module.register_parameter(`${name}_orig`, orig as Parameter)
  } else module._module.hooks.remove('forward_pre', hook => hook === old[0])
  module.register_buffer(`${name}_mask`, mask)
  const hook: Hook = m => put(m, name, method.apply_mask(m))
  hook(module, [])
  methods.set(hook, method)
  module.register_forward_pre_hook(hook)
  return method
}

/** Several methods on one tensor: the last one chooses from what those before it have left. */
export class PruningContainer extends BasePruningMethod {
  readonly PRUNING_TYPE = 'global'
  private readonly _pruning_methods: BasePruningMethod[] = []

  constructor(...args: readonly BasePruningMethod[]) {
    super()
    this._tensor_name = args[0]?._tensor_name ?? null
    for (const method of args) this.add_pruning_method(method)
  }

  add_pruning_method(method: BasePruningMethod): void {
    if (!(method instanceof BasePruningMethod))
      throw new TypeError(`<class '${torch._type_name(method)}'> is not a BasePruningMethod subclass`)
    if (this._tensor_name !== method._tensor_name)
      throw new ValueError(
        `Can only add pruning methods acting on the parameter named '${this._tensor_name}' to PruningContainer. Found '${method._tensor_name}'`,
      )
    this._pruning_methods.push(method)
  }

  get length(): number {
    return this._pruning_methods.length
  }

  at(index: number): BasePruningMethod | undefined {
    return this._pruning_methods.at(index)
  }

  [Symbol.iterator](): Iterator<BasePruningMethod> {
    return this._pruning_methods[Symbol.iterator]()
  }

  compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    const method = this.at(-1) as BasePruningMethod
    const mask = default_mask.to(t.dtype).clone()
    if (method.PRUNING_TYPE === 'global') return method.compute_mask(t, default_mask).to(mask.dtype)
    if (method.PRUNING_TYPE === 'unstructured') {
      const left = default_mask.eq(1)
      const part = method.compute_mask(t.masked_select(left), default_mask.masked_select(left))
      return mask.masked_scatter_(left, part.to(mask.dtype))
    }
    const { dim: given } = method as unknown as { dim: number }
    const dim = given < 0 ? t.ndim + given : given
    if (dim < 0) throw new IndexError(`Index is out of bounds for tensor with dimensions ${t.ndim}`)
    const others = Array.from({ length: t.ndim }, (_, d) => d).filter(d => d !== dim)
    const channels = default_mask.sum(others).ne(0).nonzero().squeeze(1)
    const part = method.compute_mask(t.index_select(dim, channels), default_mask.index_select(dim, channels))
    return mask.index_copy_(dim, channels, part.to(mask.dtype))
  }
}

/** A {@link BasePruningMethod} that takes an amount. */
abstract class ByAmount extends BasePruningMethod {
  readonly amount: Amount

  constructor(amount: Amount) {
    super()
    const whole = typeof amount === 'number' && Number.isInteger(amount)
    if (typeof amount !== 'number' && !(amount instanceof torch.FloatScalar))
      throw new TypeError(`Invalid type for amount: ${amount}. Must be int or float.`)
    const value = Number(amount)
    if (value < 0 || (!whole && value > 1))
      throw new ValueError(
        `amount=${whole ? value : torch._python_float(value)} should either be a float in the range [0, 1] or a non-negative integer`,
      )
    this.amount = amount
  }

  /** How many of `size` are pruned. */
  protected count(size: number): number {
    const { amount } = this
    if (typeof amount === 'number' && Number.isInteger(amount)) {
      if (amount > size)
        throw new ValueError(
          `amount=${amount} should be smaller than the number of parameters to prune=${size}`,
        )
      return amount
    }
    // Python rounds halves to even numbers.
    const exact = Number(amount) * size
    const floor = Math.floor(exact)
    return exact - floor === 0.5 ? floor + (floor % 2) : Math.round(exact)
  }
}

/** Masks nothing, but makes a parameter one that is pruned. */
export class Identity extends BasePruningMethod {
  readonly PRUNING_TYPE = 'unstructured'

  compute_mask(_t: Tensor, default_mask: Tensor): Tensor {
    return default_mask
  }
}

/** Masks entries at random. */
export class RandomUnstructured extends ByAmount {
  readonly PRUNING_TYPE = 'unstructured'

  compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    const n = this.count(t.numel())
    if (n === 0) return default_mask.clone()
    return without(default_mask, torch.topk(torch.rand_like(t).view(-1), n).indices)
  }
}

/** Masks the entries of smallest magnitude. */
export class L1Unstructured extends ByAmount {
  readonly PRUNING_TYPE = 'unstructured'

  compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    const n = this.count(t.numel())
    if (n === 0) return default_mask.clone()
    return without(default_mask, torch.topk(t.detach().abs().reshape([-1]), n, { largest: false }).indices)
  }
}

/** A copy of a mask with zeros at the places of `indices`, counted over all of it. */
const without = (mask: Tensor, indices: Tensor): Tensor => {
  const made = mask.contiguous().clone()
  made.view(-1).index_fill_(0, indices, 0)
  return made
}

/** A {@link BasePruningMethod} for whole channels. */
abstract class OfChannels extends ByAmount {
  readonly PRUNING_TYPE = 'structured'
  readonly dim: number

  constructor(amount: Amount, dim: number) {
    super(amount)
    this.dim = dim
  }

  /** The channels to keep, of which `n` are not. */
  protected abstract kept(t: Tensor, n: number): Tensor

  compute_mask(t: Tensor, default_mask: Tensor): Tensor {
    if (t.ndim <= 1)
      throw new ValueError(
        `Structured pruning can only be applied to multidimensional tensors. Found tensor of shape ${t.shape} with ${t.ndim} dims`,
      )
    if (this.dim >= t.ndim) throw new IndexError(`Invalid index ${this.dim} for tensor of size ${t.shape}`)
    const n = this.count(t.size(this.dim))
    if (n === 0) return default_mask
    const channels = this.kept(t.detach(), n)
    return torch.zeros_like(t).index_fill_(this.dim, channels, 1).mul_(default_mask.to(t.dtype))
  }
}

/** Masks channels along `dim` at random. */
export class RandomStructured extends OfChannels {
  constructor(amount: Amount, dim: number | { dim?: number } = -1) {
    super(amount, typeof dim === 'number' ? dim : (dim.dim ?? -1))
  }

  protected kept(t: Tensor, n: number): Tensor {
    const chance = torch.rand(t.size(this.dim))
    return chance.gt(torch.kthvalue(chance, n).values).nonzero().squeeze(1)
  }
}

/** Masks the channels along `dim` of smallest norm of order `n`. */
export class LnStructured extends OfChannels {
  readonly n: number | 'fro' | 'nuc'

  constructor(amount: Amount, n: number | 'fro' | 'nuc', dim: number | { dim?: number } = -1) {
    super(amount, typeof dim === 'number' ? dim : (dim.dim ?? -1))
    this.n = n
  }

  protected kept(t: Tensor, n: number): Tensor {
    const dim = this.dim < 0 ? t.ndim + this.dim : this.dim
    const others = Array.from({ length: t.ndim }, (_, d) => d).filter(d => d !== dim)
    return torch.topk(torch.norm(t, this.n, others), t.size(dim) - n).indices
  }
}

/** Masks what a given mask masks. */
export class CustomFromMask extends BasePruningMethod {
  readonly PRUNING_TYPE = 'global'
  readonly mask: Tensor

  constructor(mask: Tensor) {
    super()
    this.mask = mask
  }

  compute_mask(_t: Tensor, default_mask: Tensor): Tensor {
    if (!same_shape(default_mask, this.mask)) throw new AssertionError('')
    return default_mask.mul(this.mask.to(default_mask.dtype))
  }
}

// ---------------------------------------------------------------------------------------------- functions

/** Makes a parameter one that is pruned, without pruning anything. */
export function identity<M extends Module>(module: M, name: string): M {
  apply_method(new Identity(), module, name, null)
  return module
}

/** Prunes entries at random. */
export function random_unstructured<M extends Module>(module: M, name: string, amount: Amount): M {
  apply_method(new RandomUnstructured(amount), module, name, null)
  return module
}

const scores_of = (given: Tensor | null | Scores): Tensor | null =>
  given instanceof torch.Tensor ? (given as Tensor) : ((given as Scores | null)?.importance_scores ?? null)

/** Prunes the entries of smallest magnitude, or of smallest scores. */
export function l1_unstructured<M extends Module>(
  module: M,
  name: string,
  amount: Amount,
  importance_scores: Tensor | null | Scores = null,
): M {
  apply_method(new L1Unstructured(amount), module, name, scores_of(importance_scores))
  return module
}

/** Prunes channels along `dim` at random. */
export function random_structured<M extends Module>(
  module: M,
  name: string,
  amount: Amount,
  dim: number | { dim?: number },
): M {
  apply_method(new RandomStructured(amount, dim), module, name, null)
  return module
}

/** Prunes the channels along `dim` of smallest norm of order `n`. */
export function ln_structured<M extends Module>(
  module: M,
  name: string,
  amount: Amount,
  n: number | 'fro' | 'nuc',
  dim: number,
  importance_scores: Tensor | null | Scores = null,
): M {
  apply_method(new LnStructured(amount, n, dim), module, name, scores_of(importance_scores))
  return module
}

/** Prunes by a mask of zeros and ones. */
export function custom_from_mask<M extends Module>(
  module: M,
  name: string,
  mask: Tensor | { mask: Tensor },
): M {
  const given = mask instanceof torch.Tensor ? (mask as Tensor) : (mask as { mask: Tensor }).mask
  apply_method(new CustomFromMask(given), module, name, null)
  return module
}

/**
 * Prunes several parameters at once, as if they were one: `parameters` are pairs of a module and a name, and `options` the amount
 * that the method takes. `importance_scores` says, by module and name, what counts instead of the values.
 */
export function global_unstructured(
  parameters: Iterable<readonly [Module, string]>,
  pruning_method: new (amount: Amount) => BasePruningMethod,
  options: {
    amount: Amount
    importance_scores?: ReadonlyMap<Module, Readonly<Record<string, Tensor>>> | null
  },
): void {
  if (typeof (parameters as Iterable<unknown> | null)?.[Symbol.iterator] !== 'function')
    throw new TypeError('global_unstructured(): parameters is not an Iterable')
  const all = [...parameters]
  const { amount, importance_scores: scores } = options
  if (scores && !(scores instanceof Map))
    throw new TypeError('global_unstructured(): importance_scores must be of type dict')
  const importance = parameters_to_vector(
    all.map(([module, name]) => scores?.get(module)?.[name] ?? tensor_of(module, name)),
  )
  const masks = parameters_to_vector(
    all.map(([module, name]) =>
      `${name}_mask` in module ? tensor_of(module, `${name}_mask`) : torch.ones_like(tensor_of(module, name)),
    ),
  )
  const method = new pruning_method(amount)
  if (method.PRUNING_TYPE !== 'unstructured')
    throw new TypeError(
      `Only "unstructured" PRUNING_TYPE supported for the \`pruning_method\`. Found method ${pruning_method.name} of type ${method.PRUNING_TYPE}`,
    )
  const mask = new PruningContainer(method).compute_mask(importance, masks)
  let at = 0
  for (const [module, name] of all) {
    const t = tensor_of(module, name)
    custom_from_mask(module, name, mask.narrow(0, at, t.numel()).view_as(t))
    at += t.numel()
  }
}

/** Makes a pruned tensor an ordinary parameter again, with zeros where the mask has them. */
export function remove<M extends Module>(module: M, name: string): M {
  const found = pruning_of(module, name)
  if (found === null)
    throw new ValueError(
      `Parameter '${name}' of module ${module} has to be pruned before pruning can be removed`,
    )
  found[1].remove(module)
  module._module.hooks.remove('forward_pre', hook => hook === found[0])
  return module
}

/** Whether any tensor of a module or of those below it is pruned. */
export const is_pruned = (module: Module): boolean =>
  module.modules().some(m => [...m._module.hooks.of('forward_pre')].some(hook => methods.has(hook)))
