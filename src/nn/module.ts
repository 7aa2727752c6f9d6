// nn.Module: a callable tree of parameters, buffers and child modules. They are found among the module's own
// properties, in order of assignment, so no assignment is intercepted: a module costs what a plain object costs.
// Not here: hooks (hooks.ts), saving and loading (state_dict.ts), containers, the layers.
import { AttributeError, NotImplementedError, ValueError } from '../base/errors.ts'
import type { DeviceLike, DType, Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import {
  type BackwardHook,
  call_with_hooks,
  type ForwardHook,
  type ForwardPreHook,
  Hooks,
  type LoadHook,
  type RemovableHandle,
  type StateDictHook,
} from './hooks.ts'
import {
  attribute,
  join,
  type MembersOptions,
  named_members,
  own_members,
  require_new,
  split_path,
  unique,
} from './members.ts'
import { Parameter } from './parameter.ts'
import { typename } from './repr.ts'
import {
  type IncompatibleKeys,
  type LocalMetadata,
  load_into,
  load_state_dict,
  type StateDict,
  save_from,
} from './state_dict.ts'

/** What a module keeps about its properties; not enumerable, so that properties are only what was assigned. */
class ModuleState {
  readonly hooks: Hooks = new Hooks()
  /** Names of buffers, and whether they are saved. */
  readonly buffers: Map<string, boolean> = new Map()
  /** Names that were parameters, or children, when last looked at: tensors and other values may not replace them. */
  readonly parameters: Set<string> = new Set()
  readonly children: Set<string> = new Set()
  /** The order of properties where it is not JavaScript's, which puts names that are integers first. */
  order: string[] | null = null

  /** Makes this a copy of `other`: hooks are the same functions. */
  copy_from(other: ModuleState): void {
    this.hooks.copy_from(other.hooks)
    for (const [name, persistent] of other.buffers) this.buffers.set(name, persistent)
    for (const name of other.parameters) this.parameters.add(name)
    for (const name of other.children) this.children.add(name)
    this.order = other.order === null ? null : [...other.order]
  }
}

/** A function that runs its own hooks and forward, as an instance of the class that has `prototype`. */
function callable_module(prototype: object): Module {
  const state = new ModuleState()
  const { hooks } = state
  const self = ((...args: unknown[]) =>
    hooks.busy ? call_with_hooks(self, hooks, args) : self.forward(...(args as never[]))) as unknown as Module
  // The function's own names are free for parameters and children.
  delete (self as { name?: string }).name
  delete (self as { length?: number }).length
  Object.setPrototypeOf(self, prototype)
  Object.defineProperty(self, '_module', { value: state })
  return self
}

/**
 * The base of all modules, called like a function: `model(x)` runs the hooks and `forward`, and has its types.
 * Subclasses write `forward`; tensors, modules and parameters that they assign to properties are found there.
 * `Layer` is the type of a module from a tensor to a tensor, whichever it is.
 */
export interface Module {
  // biome-ignore lint/style/useShorthandFunctionType: it is merged with the class
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>
}

export abstract class Module {
  /** Whether the module is in training mode: Dropout and BatchNorm look at it. */
  declare training: boolean
  /** @internal */
  declare readonly _module: ModuleState

  // A field with an initialiser would land on the object that the constructor discards.
  constructor() {
    const self = callable_module(new.target.prototype)
    self.training = true
    // biome-ignore lint/correctness/noConstructorReturn: a callable module is a function
    return self
  }

  /**
   * What {@link torch.deepcopy} of a module is: a module of the same class with copies of all properties and the same hooks.
   * No constructor runs, so a subclass with `#private` members overrides this.
   */
  __deepcopy__(memo: torch.DeepcopyMemo): this {
    const made = callable_module(Object.getPrototypeOf(this)) as this
    memo.set(this, made)
    made._module.copy_from(this._module)
    torch._copy_fields(this, made, memo, kept_by_module)
    return made
  }

  /** What a call computes; hooks run around it. */
  abstract forward(...args: never[]): unknown

  /** @internal */
  get _version(): number {
    return 1
  }

  // ------------------------------------------------------------------------------------------ own members

  /** The own properties in the order of assignment. @internal */
  _entries(): [string, unknown][] {
    if (this._module.order === null) return Object.entries(this)
    const own = this as unknown as Record<string, unknown>
    return this._names().map(name => [name, own[name]])
  }

  /** The names of own properties in the order of assignment. @internal */
  _names(): string[] {
    const { order } = this._module
    if (order === null) return Object.keys(this)
    const kept = order.filter(name => Object.hasOwn(this, name))
    return [...kept, ...Object.keys(this).filter(name => !order.includes(name))]
  }

  /** Throws TypeError where a parameter's place has been taken by something else. @internal */
  _own_parameters(): [string, Parameter][] {
    const { parameters, buffers } = this._module
    return own_members(this, parameters, is_parameter, (name, x) => {
      if (x === null || x === undefined || buffers.has(name) || is_module(x)) return
      throw new TypeError(
        `cannot assign '${typename(x)}' as parameter '${name}' (torch.nn.Parameter or None expected)`,
      )
    })
  }

  /** Throws TypeError where a child's place has been taken by something else. @internal */
  _own_children(): [string, Module][] {
    return own_members(this, this._module.children, is_module, (name, x) => {
      if (x === null || x === undefined || is_parameter(x)) return
      throw new TypeError(
        `cannot assign '${typename(x)}' as child module '${name}' (torch.nn.Module or None expected)`,
      )
    })
  }

  /** @internal */
  _own_buffers(only_persistent = false): [string, Tensor][] {
    const { buffers } = this._module
    const own = this as unknown as Record<string, unknown>
    const found: [string, Tensor][] = []
    for (const [name, persistent] of buffers) {
      const x = own[name]
      if (x === null || x === undefined || is_parameter(x) || (only_persistent && !persistent)) continue
      if (!(x instanceof torch.Tensor))
        throw new TypeError(
          `cannot assign '${typename(x)}' as buffer '${name}' (torch.Tensor or None expected)`,
        )
      found.push([name, x])
    }
    return found
  }

  /** Assigns under a name that may be new. Names that are integers keep their place among the others. @internal */
  _set(name: string, x: unknown): void {
    if (/^\d+$/.test(name) && !Object.hasOwn(this, name)) {
      const names = this._entries().flatMap(([key, v]) =>
        v instanceof Module || v instanceof torch.Tensor ? [key] : [],
      )
      const natural = names.every(key => /^\d+$/.test(key) && Number(key) < Number(name))
      if (!natural || this._module.order !== null) this._module.order = [...names, name]
    }
    ;(this as unknown as Record<string, unknown>)[name] = x
  }

  /**
   * Adds a buffer: a tensor that belongs to the module's state but is not trained. It is the property `name`, and
   * saved with the state unless `persistent` is false. Throws KeyError for a name that is taken.
   */
  register_buffer(
    name: string,
    tensor: Tensor | null,
    persistent: boolean | { persistent?: boolean } = true,
  ): void {
    require_new(this, 'buffer', name, this._module.buffers)
    if (tensor !== null && !(tensor instanceof torch.Tensor))
      throw new TypeError(
        `cannot assign '${typename(tensor)}' object to buffer '${name}' (torch Tensor or None required)`,
      )
    this._module.buffers.set(
      name,
      typeof persistent === 'boolean' ? persistent : (persistent.persistent ?? true),
    )
    this._set(name, tensor)
  }

  /** Adds a parameter as the property `name`; null keeps the name free for one. */
  register_parameter(name: string, param: Parameter | null): void {
    this._own_parameters()
    require_new(this, 'parameter', name, this._module.parameters)
    if (param !== null) {
      if (!(param instanceof Parameter))
        throw new TypeError(
          `cannot assign '${typename(param)}' object to parameter '${name}' (torch.nn.Parameter or None required)`,
        )
      if (param.grad_fn !== null)
        throw new ValueError(
          `Cannot assign non-leaf Tensor to parameter '${name}'. Model parameters must be created explicitly. To express '${name}' ` +
            'as a function of another Tensor, compute the value in the forward() method.',
        )
    }
    this._module.parameters.add(name)
    this._set(name, param)
  }

  /** Adds a child as the property `name`. */
  add_module(name: string, module: Module | null): void {
    if (module !== null && !(module instanceof Module))
      throw new TypeError(`${typename(module)} is not a Module subclass`)
    this._own_children()
    require_new(this, 'module', name, this._module.children)
    this._module.children.add(name)
    this._set(name, module)
  }

  /** The same as {@link add_module}. */
  register_module(name: string, module: Module | null): void {
    this.add_module(name, module)
  }

  // ------------------------------------------------------------------------------------------ the tree

  /** The module and all below it, each once, by their paths; the root's is `prefix`. */
  named_modules(options?: { prefix?: string; remove_duplicate?: boolean }): [string, Module][] {
    const found: [string, Module][] = []
    const seen = new Set<Module>()
    const walk = (module: Module, path: string): void => {
      if (seen.has(module)) return
      if (options?.remove_duplicate ?? true) seen.add(module)
      found.push([path, module])
      for (const [name, child] of module._own_children()) walk(child, join(path, name))
    }
    walk(this, options?.prefix ?? '')
    return found
  }

  /** The module and all below it, each once. */
  modules(): Module[] {
    const seen = new Set<Module>()
    const walk = (module: Module): void => {
      if (seen.has(module)) return
      seen.add(module)
      for (const [, child] of module._own_children()) walk(child)
    }
    walk(this)
    return [...seen]
  }

  /** The immediate children, each once, with their names. */
  named_children(): [string, Module][] {
    return unique(this._own_children())
  }

  /** The immediate children, each once. */
  children(): Module[] {
    return this.named_children().map(([, module]) => module)
  }

  /** The parameters with their paths: the module's own, then (unless `recurse` is false) those below. Shared ones come once. */
  named_parameters(prefix: string | MembersOptions = '', recurse = true): [string, Parameter][] {
    return named_members(
      this,
      m => m._own_parameters(),
      typeof prefix === 'string' ? { prefix, recurse } : prefix,
    )
  }

  /** The parameters; see {@link named_parameters}. What an optimizer takes. */
  parameters(recurse: boolean | { recurse?: boolean } = true): Parameter[] {
    const all = typeof recurse === 'boolean' ? recurse : (recurse.recurse ?? true)
    const found = new Set<Parameter>()
    for (const module of all ? this.modules() : [this])
      for (const [, p] of module._own_parameters()) found.add(p)
    return [...found]
  }

  /** The buffers with their paths; see {@link named_parameters}. */
  named_buffers(prefix: string | MembersOptions = '', recurse = true): [string, Tensor][] {
    return named_members(
      this,
      m => m._own_buffers(),
      typeof prefix === 'string' ? { prefix, recurse } : prefix,
    )
  }

  /** The buffers; see {@link named_buffers}. */
  buffers(recurse: boolean | { recurse?: boolean } = true): Tensor[] {
    return this.named_buffers(typeof recurse === 'boolean' ? { recurse } : recurse).map(([, b]) => b)
  }

  /** The module at a path such as `layers.0.conv`; '' is this one. Throws AttributeError where there is none. */
  get_submodule(target: string): Module {
    let module: Module = this
    if (target === '') return module
    for (const item of target.split('.')) {
      const next = attribute(module, item)
      if (!(next instanceof Module)) throw new AttributeError(`\`${item}\` is not an nn.Module`)
      module = next
    }
    return module
  }

  /** The parameter at a path. Throws AttributeError where there is none. */
  get_parameter(target: string): Parameter {
    const [path, name] = split_path(target)
    const found = attribute(this.get_submodule(path), name)
    if (!(found instanceof Parameter)) throw new AttributeError(`\`${name}\` is not an nn.Parameter`)
    return found
  }

  /** The buffer at a path. Throws AttributeError where there is none. */
  get_buffer(target: string): Tensor {
    const [path, name] = split_path(target)
    const module = this.get_submodule(path)
    const found = attribute(module, name)
    if (!module._module.buffers.has(name)) throw new AttributeError(`\`${name}\` is not a buffer`)
    return found as Tensor
  }

  // ------------------------------------------------------------------------------------------ changing the whole tree

  /** Calls `fn` on every module below and on this one, children first. */
  apply(fn: (module: Module) => void): this {
    for (const module of this.children()) module.apply(fn)
    fn(this)
    return this
  }

  /** Sets training mode, here and below. Throws ValueError for what is no boolean. */
  train(mode = true): this {
    if (typeof mode !== 'boolean') throw new ValueError('training mode is expected to be boolean')
    this.training = mode
    for (const module of this.children()) module.train(mode)
    return this
  }

  /** Sets evaluation mode: the opposite of {@link train}. */
  eval(): this {
    return this.train(false)
  }

  /** Whether operations on the parameters are recorded: false freezes the module. */
  requires_grad_(requires_grad = true): this {
    for (const p of this.parameters()) p.requires_grad_(requires_grad)
    return this
  }

  /** Fills the parameters' gradients with zeros, or drops them (`set_to_none`). */
  zero_grad(set_to_none: boolean | { set_to_none?: boolean } = false): void {
    const drop = typeof set_to_none === 'boolean' ? set_to_none : (set_to_none.set_to_none ?? false)
    for (const p of this.parameters()) {
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

  /** Replaces the data of parameters, gradients and buffers, here and below, by what `fn` makes of them. @internal */
  _apply(fn: (t: Tensor) => Tensor): this {
    for (const module of this.children()) module._apply(fn)
    torch.no_grad(() => {
      for (const [, p] of this._own_parameters()) {
        const { grad } = p
        p.data = fn(p)
        if (grad !== null) grad.data = fn(grad)
      }
      for (const [name, buffer] of this._own_buffers())
        (this as unknown as Record<string, unknown>)[name] = fn(buffer)
    })
    return this
  }

  /** Moves and converts parameters and buffers, in place: `to(device)`, `to(dtype)`, `to(device, dtype)`, `to(tensor)`. */
  to(
    ...args: readonly (
      | DeviceLike
      | DType
      | Tensor
      | boolean
      | { device?: DeviceLike; dtype?: DType; non_blocking?: boolean }
    )[]
  ): this {
    const { values } = torch._bind(to_schemas, args)
    const other = values.find(x => x instanceof torch.Tensor)
    const dtype = other?.dtype ?? (values.find(x => x instanceof torch.DType) as DType | undefined)
    const device =
      other?.device ?? values.find((x, i): x is DeviceLike => i === 0 && x !== null && x !== dtype)
    if (dtype !== undefined && !dtype.is_floating_point && !dtype.is_complex)
      throw new TypeError(
        `nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=${dtype}`,
      )
    return this._apply(t => {
      const target = dtype !== undefined && (t.is_floating_point() || t.is_complex()) ? dtype : t.dtype
      return device === undefined ? t.to(target) : t.to(device, target)
    })
  }

  /** Parameters and buffers of floating dtype as float32. */
  float(): this {
    return this._apply(t => (t.is_floating_point() ? t.float() : t))
  }

  /** Parameters and buffers of floating dtype as float64. */
  double(): this {
    return this._apply(t => (t.is_floating_point() ? t.double() : t))
  }

  /** Parameters and buffers of floating dtype as float16. */
  half(): this {
    return this._apply(t => (t.is_floating_point() ? t.half() : t))
  }

  /** Parameters and buffers of floating dtype as bfloat16. */
  bfloat16(): this {
    return this._apply(t => (t.is_floating_point() ? t.bfloat16() : t))
  }

  /** All parameters and buffers as `dst_type`. */
  type(dst_type: DType): this {
    return this._apply(t => t.to(dst_type))
  }

  cpu(): this {
    return this._apply(t => t.cpu())
  }

  /** Throws where there is no such device. */
  cuda(device?: DeviceLike): this {
    return this._apply(t => t.cuda(device ?? 'cuda'))
  }

  /** Moves parameters and buffers to memory that workers can share. */
  share_memory(): this {
    return this._apply(t => t.share_memory_())
  }

  // ------------------------------------------------------------------------------------------ saving and loading

  /** Parameters and persistent buffers by their paths, detached unless `keep_vars`; memory is shared with the module. */
  state_dict(options?: { destination?: StateDict; prefix?: string; keep_vars?: boolean }): StateDict {
    return save_from(this, options?.destination, options?.prefix ?? '', options?.keep_vars ?? false)
  }

  /**
   * Copies parameters and buffers from `state_dict`. Throws RuntimeError that lists keys that are missing or unexpected
   * (unless `strict` is false) and sizes that differ; gives back the keys.
   */
  load_state_dict(
    state_dict: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
    strict: boolean | { strict?: boolean } = true,
  ): IncompatibleKeys {
    return load_state_dict(this, state_dict, typeof strict === 'boolean' ? strict : (strict.strict ?? true))
  }

  /** Loads this module's own state; subclasses may override it to read older files. @internal */
  _load_from_state_dict(
    state: StateDict,
    prefix: string,
    metadata: LocalMetadata,
    missing: string[],
    unexpected: string[],
    errors: string[],
  ): void {
    load_into(this, state, prefix, metadata, missing, unexpected, errors)
  }

  /** State that is no tensor; a subclass that writes it and {@link set_extra_state} has it saved under `_extra_state`. */
  get_extra_state?(): unknown
  set_extra_state?(state: unknown): void

  // ------------------------------------------------------------------------------------------ hooks

  /** Calls `hook(module, args)` before forward; it may return other arguments. */
  register_forward_pre_hook(hook: ForwardPreHook<this>): RemovableHandle {
    return this._module.hooks.add('forward_pre', hook)
  }

  /** Calls `hook(module, args, output)` after forward; it may return another output. */
  register_forward_hook(hook: ForwardHook<this>): RemovableHandle {
    return this._module.hooks.add('forward', hook)
  }

  /** Calls `hook(module, grad_input, grad_output)` when the gradients of the inputs are known; it may return others. */
  register_full_backward_hook(hook: BackwardHook<this>): RemovableHandle {
    return this._module.hooks.add_backward(hook, true)
  }

  /** The old form of {@link register_full_backward_hook}: sees the gradients of the last operation only. */
  register_backward_hook(hook: BackwardHook<this>): RemovableHandle {
    return this._module.hooks.add_backward(hook, false)
  }

  /** @internal */
  _register_state_dict_hook(hook: StateDictHook<this>): RemovableHandle {
    return this._module.hooks.add('state_dict', hook)
  }

  /** Calls `hook(module, incompatible_keys)` after loading; it may change the lists. */
  register_load_state_dict_post_hook(hook: (module: this, keys: IncompatibleKeys) => void): RemovableHandle {
    return this._module.hooks.add('load_post', hook)
  }

  /** @internal */
  _register_load_state_dict_pre_hook(hook: LoadHook): RemovableHandle {
    return this._module.hooks.add('load_pre', hook)
  }

  // ------------------------------------------------------------------------------------------ as text

  /** @internal */
  _get_name(): string {
    return this.constructor.name
  }

  /** What stands between the brackets of the module's text. */
  extra_repr(): string {
    return ''
  }

  /** The tree as PyTorch prints it. */
  toString(): string {
    const extra = this.extra_repr()
    const lines = extra === '' ? [] : extra.split('\n')
    const children = this._own_children().map(
      ([name, module]) => `(${name}): ${String(module).replaceAll('\n', '\n  ')}`,
    )
    const all = [...lines, ...children]
    const inner =
      lines.length === 1 && children.length === 0
        ? lines[0]
        : all.length > 0
          ? `\n  ${all.join('\n  ')}\n`
          : ''
    return `${this._get_name()}(${inner})`
  }
}

const kept_by_module: ReadonlySet<PropertyKey> = new Set(['_module'])

export const is_module = (x: unknown): x is Module => typeof x === 'function' && x instanceof Module

const is_parameter = (x: unknown): x is Parameter =>
  typeof x === 'object' && x !== null && '_is_parameter' in x && x._is_parameter === true

// Abstract, so that subclasses need not write `override`; there for those that have none when run.
Object.defineProperty(Module.prototype, 'forward', {
  value(this: Module): never {
    throw new NotImplementedError(`Module [${this._get_name()}] is missing the required "forward" function`)
  },
  writable: true,
  configurable: true,
})

torch._print_as(Module, self => self.toString())

/** Any module that is called with `A` and gives `R`: `function train(model: nn.Layer, ...)`. */
export type Layer<A extends readonly unknown[] = [input: Tensor], R = Tensor> = Module & {
  forward(...args: A): R
}

const to_schemas = [
  torch._parse_schema('to(device? device=None, dtype? dtype=None, bool non_blocking=False)'),
  torch._parse_schema('to(dtype dtype, bool non_blocking=False)'),
  torch._parse_schema('to(Tensor tensor, bool non_blocking=False)'),
]
