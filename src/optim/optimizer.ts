// The base of all optimizers: parameters in groups with options, a state per parameter, and the loop of a step.
// A subclass says how a state begins (`initial`) and how one parameter moves (`update`), or overrides `step`.
// Not here: any update rule.
import { AssertionError, NotImplementedError, ValueError } from '../base/errors.ts'
import {
  _is_options,
  _print_as,
  _python_float,
  _python_scalar,
  enable_grad,
  set_grad_enabled,
  Tensor,
  view_as_real,
} from '../torch.ts'
import { required, type_name } from './options.ts'

/** A group as it is given: tensors, with options that differ from the optimizer's. */
export type GroupInit<Options> = Partial<Options> & { params: Tensor | Iterable<Tensor> }

/** What optimizers are given: tensors, or groups of them, in a list or from a generator. */
export type Params<Options> = Iterable<Tensor> | Iterable<GroupInit<Options>>

/** A group as the optimizer keeps it. Schedulers write its `lr` and leave marks of their own. */
export type ParamGroup<Options> = Options & { params: Tensor[]; [mark: string]: unknown }

/** What {@link Optimizer.state_dict} gives: parameters are numbers, counted over all groups. */
export interface OptimizerStateDict {
  state: { [index: number]: object } | Map<number, object>
  param_groups: { params: number[]; [option: string]: unknown }[]
}

export class Optimizer<
  Options extends object = Record<string, unknown>,
  State extends object = Record<string, unknown>,
> {
  readonly defaults: Options
  state: Map<Tensor, State> = new Map()
  param_groups: ParamGroup<Options>[] = []
  /** Steps since a scheduler was attached; see lr_scheduler.ts. */
  _step_count = 0

  /**
   * @param params tensors, or groups of them: `[{ params: model.parameters(), lr: 0.01 }, ...]`
   * @param defaults the options of groups that do not give them
   */
  constructor(params: Params<Options>, defaults: Options) {
    this.defaults = defaults
    if (params instanceof Tensor)
      throw new TypeError(
        `params argument given to the optimizer should be an iterable of Tensors or dicts, but got ${type_name(params)}`,
      )
    const given = list<Tensor | GroupInit<Options>>(params)
    if (given.length === 0) throw new ValueError('optimizer got an empty parameter list')
    const groups = _is_options(given[0]) ? given : [{ params: given }]
    for (const group of groups) this.add_param_group(group as GroupInit<Options>)
  }

  /** Adds parameters with options of their own, for example layers that thaw during training. */
  add_param_group(param_group: GroupInit<Options>): void {
    if (!_is_options(param_group)) throw new AssertionError('param group must be a dict')
    const given: unknown = param_group.params
    if (given instanceof Set)
      throw new TypeError(
        'optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets ' +
          'will change between runs. Please use a list instead.',
      )
    const params = given instanceof Tensor ? [given] : list(given as Iterable<Tensor>)
    const differentiable = (this.defaults as { differentiable?: boolean }).differentiable ?? false
    for (const p of params) {
      if (!(p instanceof Tensor))
        throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${type_name(p)}`)
      if (!differentiable && !p.is_leaf && !p.retains_grad)
        throw new ValueError("can't optimize a non-leaf Tensor")
    }
    const options = { ...this.defaults } as Record<string, unknown>
    for (const [name, value] of Object.entries(param_group)) if (value !== undefined) options[name] = value
    const missing = Object.keys(options).find(name => options[name] === required)
    if (missing !== undefined)
      throw new ValueError(
        `parameter group didn't specify a value of required optimization parameter ${missing}`,
      )
    if (new Set(params).size < params.length)
      console.warn(
        'UserWarning: optimizer contains a parameter group with duplicate parameters; in future, this will cause ' +
          'an error; see github.com/pytorch/pytorch/issues/40967 for more information',
      )
    const taken = new Set(this.param_groups.flatMap(group => group.params))
    if (params.some(p => taken.has(p)))
      throw new ValueError('some parameters appear in more than one parameter group')
    this.param_groups.push({ ...options, params } as ParamGroup<Options>)
  }

  /**
   * Moves every parameter that has a gradient. `closure` computes the loss anew, with its gradients, and is called
   * first; what it returns is returned.
   */
  step(): null
  step<Loss>(closure: (() => Loss) | null): Loss
  step<Loss>(closure: (() => Loss) | null = null): Loss | null {
    const loss = closure === null ? null : enable_grad(closure)
    const { differentiable = false } = this.defaults as { differentiable?: boolean }
    for (const group of this.param_groups)
      set_grad_enabled(differentiable && group['foreach'] !== true, () => {
        for (const p of group.params) {
          const { grad } = p
          if (grad === null) continue
          const state = this.state_of(p, group)
          if (p.is_complex() && this.in_pairs(group)) this.update_pairs(p, grad, state, group)
          else if (!this.update_fused(p, grad, state, group))
            this.update(p, group['maximize'] ? grad.neg() : grad, state, group)
        }
      })
    return loss
  }

  /** Whether the parts of complex parameters move as if they were parameters of their own. */
  protected in_pairs(_group: ParamGroup<Options>): boolean {
    return true
  }

  /** {@link update} of a complex parameter: everything complex is shown as pairs of real numbers. */
  private update_pairs(p: Tensor, grad: Tensor, state: State, group: ParamGroup<Options>): void {
    const is_complex = (x: unknown): x is Tensor => x instanceof Tensor && x.is_complex()
    const shown = (x: unknown): unknown => (is_complex(x) ? view_as_real(x) : x)
    const real = Object.fromEntries(Object.entries(state).map(([key, x]) => [key, shown(x)]))
    const parts = view_as_real(grad)
    this.update(view_as_real(p), group['maximize'] ? parts.neg() : parts, real as State, group)
    const kept = state as Record<string, unknown>
    for (const key of Object.keys(real)) if (!is_complex(kept[key])) kept[key] = real[key]
  }

  /** Moves one parameter, in place, against its gradient. */
  protected update(_p: Tensor, _grad: Tensor, _state: State, _group: ParamGroup<Options>): void {
    throw new NotImplementedError('optimizers define step, or update for one parameter')
  }

  /** Does what `update` does in one pass over memory, where it can. `maximize` has not been applied to the gradient. */
  protected update_fused(_p: Tensor, _grad: Tensor, _state: State, _group: ParamGroup<Options>): boolean {
    return false
  }

  /** The state that a parameter begins with. */
  protected initial(_p: Tensor, _group: ParamGroup<Options>): State {
    return {} as State
  }

  protected state_of(p: Tensor, group: ParamGroup<Options>): State {
    let state = this.state.get(p)
    if (state === undefined) this.state.set(p, (state = this.initial(p, group)))
    return state
  }

  /** Sets the gradients to zero, or drops them (`set_to_none`). */
  zero_grad(set_to_none: boolean | { set_to_none?: boolean } = false): void {
    const drop = typeof set_to_none === 'boolean' ? set_to_none : (set_to_none.set_to_none ?? false)
    for (const { params } of this.param_groups)
      for (const p of params) {
        const { grad } = p
        if (grad === null) continue
        if (drop) p.grad = null
        else {
          if (grad.grad_fn !== null) grad.detach_()
          else grad.requires_grad_(false)
          grad.zero_()
        }
      }
  }

  /** The state and the options, with parameters as numbers; its tensors are the optimizer's own. */
  state_dict(): OptimizerStateDict {
    const index = new Map<Tensor, number>()
    let start = 0
    const param_groups = this.param_groups.map(({ params, ...options }) => {
      params.forEach((p, i) => {
        if (!index.has(p)) index.set(p, start + i)
      })
      start += params.length
      return { ...options, params: params.map(p => index.get(p) as number) }
    })
    const state: { [index: number]: object } = {}
    for (const [p, values] of this.state) state[index.get(p) as number] = { ...values }
    return { state, param_groups }
  }

  /**
   * Takes over what {@link state_dict} gave, by copies in the dtypes of the parameters, which stay as they are.
   * Throws ValueError where the groups differ in number or size.
   */
  load_state_dict(state_dict: OptimizerStateDict): void {
    const { state, param_groups: saved } = state_dict
    const groups = this.param_groups
    if (groups.length !== saved.length)
      throw new ValueError('loaded state dict has a different number of parameter groups')
    if (groups.some((group, i) => group.params.length !== saved[i]!.params.length))
      throw new ValueError(
        "loaded state dict contains a parameter group that doesn't match the size of optimizer's group",
      )

    const params = new Map<number, Tensor>()
    groups.forEach((group, g) => {
      for (const [i, p] of group.params.entries()) params.set(saved[g]!.params[i]!, p)
    })
    const entries = state instanceof Map ? [...state] : Object.entries(state)
    this.state = new Map()
    for (const [index, values] of entries) {
      const p = params.get(Number(index))
      if (p !== undefined) this.state.set(p, copy_for(p, values) as State)
    }
    this.param_groups = groups.map(
      ({ params }, i) =>
        ({ ...this.defaults, ...(copy_for(null, saved[i]) as object), params }) as ParamGroup<Options>,
    )
  }

  /** Options whose default is a float in Python though it is whole: Adadelta's lr prints as 1.0. */
  protected get float_options(): readonly string[] {
    return []
  }

  /** What PyTorch prints: the options of each group, sorted by name. */
  toString(): string {
    const shown = (key: string, value: unknown): string =>
      typeof value === 'number' && this.float_options.includes(key)
        ? _python_float(value)
        : python_text(value)
    const groups = this.param_groups.map((group, i) => {
      const keys = Object.keys(group).filter(key => key !== 'params')
      return `Parameter Group ${i}\n${keys
        .sort()
        .map(key => `    ${key}: ${shown(key, group[key])}\n`)
        .join('')}`
    })
    return `${this.constructor.name} (\n${groups.join('\n')})`
  }
}

_print_as(Optimizer, self => self.toString())

function list<T>(items: Iterable<T>): T[] {
  if (items === null || items === undefined || typeof items[Symbol.iterator] !== 'function')
    throw new TypeError(`'${type_name(items)}' object is not iterable`)
  return [...items]
}

/** A deep copy. Tensors get the dtype of `p`, except the count of steps. */
function copy_for(p: Tensor | null, value: unknown, key?: string): unknown {
  if (value instanceof Tensor) {
    const copy = value.clone()
    return p === null || key === 'step' || !p.is_floating_point() ? copy : copy.to(p.dtype)
  }
  if (Array.isArray(value)) return value.map(item => copy_for(p, item))
  if (!_is_options(value)) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, copy_for(p, v, k)]))
}

function python_text(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (Array.isArray(value)) return `(${value.map(python_text).join(', ')}${value.length === 1 ? ',' : ''})`
  return typeof value === 'number' || typeof value === 'boolean' ? _python_scalar(value) : String(value)
}
