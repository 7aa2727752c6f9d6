// nn.utils.parametrize: parameters and buffers that are functions of others, computed when they are read.
// `module.weight` becomes an accessor, and `module.parametrizations.weight` a module that holds what it is computed from.
// Not here: the parametrisations that come along (parametrizations.ts).
import { NotImplementedError, RuntimeError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import { attribute, put, take_out } from '../members.ts'
import { Module } from '../module.ts'
import { ModuleDict } from '../modules/container.ts'
import { position } from '../modules/entries.ts'
import { Parameter } from '../parameter.ts'
import { typename } from '../repr.ts'

/**
 * A module from one tensor, or several, to the tensor that takes the place of a parameter. `right_inverse` gives what a tensor is
 * computed from; where there is none, tensors are their own.
 */
export type Parametrization = Module & {
  forward(...originals: Tensor[]): Tensor
  right_inverse?(x: Tensor): Tensor | readonly Tensor[]
}

let caching = 0
let cache = new Map<Module, Map<string, Tensor>>()

/**
 * While this is on, a parametrised tensor is computed once, however often it is read: `cached(() => model(x))`, or
 * `using _ = cached()`.
 */
export function cached(): Disposable
export function cached<R>(run: () => R): R
export function cached<R>(run?: () => R): R | Disposable {
  caching++
  const end = (): void => {
    if (--caching === 0) cache = new Map()
  }
  if (run === undefined) return { [Symbol.dispose]: end }
  try {
    return run()
  } finally {
    end()
  }
}

function register(module: Module, name: string, x: Tensor): void {
  if (x instanceof Parameter) module.register_parameter(name, x)
  else module.register_buffer(name, x)
}

function require_same(
  what: string,
  x: unknown,
  y: Tensor,
  unsafe_text: string,
  names: [string, string],
): void {
  if (!(x instanceof torch.Tensor))
    throw new ValueError(`A parametrization must return a tensor. Got ${typename(x)}.`)
  for (const [field, a, b] of [
    ['dtype', y.dtype, x.dtype],
    ['shape', y.shape, x.shape],
  ] as const)
    if (String(a) !== String(b))
      throw new ValueError(
        `${what} may not change the ${field} of the tensor, unless ${unsafe_text} flag is enabled.\n${names[0].replace('?', field)}: ${a}\n${names[1].replace('?', field)}: ${b}`,
      )
}

/** `right_inverse` of a parametrisation, or the tensor itself where it has none that is implemented. */
function inverse(parametrization: Parametrization, x: Tensor): Tensor | readonly Tensor[] {
  if (parametrization.right_inverse === undefined) return x
  try {
    return parametrization.right_inverse(x)
  } catch (error) {
    if (error instanceof NotImplementedError) return x
    throw error
  }
}

/** The parametrisations of one tensor, in order, and the tensors that the first one is given: `original`, or `original0` and on. */
export class ParametrizationList extends Module {
  unsafe: boolean
  readonly is_tensor: boolean
  readonly ntensors: number

  constructor(
    modules: readonly Parametrization[],
    original: Tensor,
    unsafe: boolean | { unsafe?: boolean } = false,
  ) {
    super()
    if (modules.length === 0) throw new ValueError('ParametrizationList requires one or more modules.')
    this.unsafe = typeof unsafe === 'boolean' ? unsafe : (unsafe.unsafe ?? false)
    for (const module of modules) this.append(module)
    const before = { dtype: original.dtype, shape: original.shape }
    const made = torch.no_grad(() =>
      modules.reduceRight<Tensor | readonly Tensor[]>((x, module) => inverse(module, x as Tensor), original),
    ) as unknown
    this.is_tensor = made instanceof torch.Tensor
    if (!this.is_tensor && !Array.isArray(made))
      throw new ValueError(
        `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got ${typename(made)}`,
      )
    const tensors = (this.is_tensor ? [made] : made) as Tensor[]
    this.ntensors = tensors.length
    if (this.is_tensor) {
      const [x] = tensors as [Tensor]
      if (x.dtype !== original.dtype)
        throw new ValueError(
          `When \`right_inverse\` outputs one tensor, it may not change the dtype.\noriginal.dtype: ${original.dtype}\nright_inverse(original).dtype: ${x.dtype}`,
        )
      // The same tensor, so that an optimizer that has it goes on with it.
      original.data = x
      register(this, 'original', original)
    } else
      for (const [i, x] of tensors.entries()) {
        if (!(x instanceof torch.Tensor))
          throw new ValueError(
            `'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element ${i} of the sequence with type ${typename(x)}.`,
          )
        const own = original instanceof Parameter ? new Parameter(x) : (x as Tensor)
        own.requires_grad_(original.requires_grad)
        register(this, `original${i}`, own)
      }
    if (this.unsafe) return
    const z = this.forward()
    require_same('Registering a parametrization', z, before as Tensor, '`unsafe`', [
      'unparametrized ?',
      'parametrized ?',
    ])
  }

  override get length(): number {
    return this._own_children().length
  }

  at(index: number): Parametrization {
    const all = [...this]
    return all[position(index, all.length)] as Parametrization
  }

  append(module: Parametrization): this {
    this.add_module(String(this.length), module)
    return this
  }

  [Symbol.iterator](): Iterator<Parametrization> {
    return this._own_children()
      .map(([, child]) => child as Parametrization)
      [Symbol.iterator]()
  }

  private _originals(): Tensor[] {
    const own = this as unknown as Record<string, Tensor>
    if (this.is_tensor) return [own['original'] as Tensor]
    return Array.from({ length: this.ntensors }, (_, i) => own[`original${i}`] as Tensor)
  }

  /** Makes the originals those of `value`. Throws RuntimeError where a parametrisation has no `right_inverse`. */
  right_inverse(value: Tensor): void {
    torch.no_grad(() => {
      let x: Tensor | readonly Tensor[] = value
      for (const module of [...this].reverse()) {
        if (module.right_inverse === undefined)
          throw new RuntimeError(`parametrization ${module._get_name()} does not implement right_inverse.`)
        x = module.right_inverse(x as Tensor)
      }
      const originals = this._originals()
      if (this.is_tensor) {
        const [original] = originals as [Tensor]
        if (!(x instanceof torch.Tensor))
          throw new ValueError(`\`right_inverse\` should return a tensor. Got ${typename(x)}`)
        const made = x as Tensor
        if (made.dtype !== original.dtype)
          throw new ValueError(
            `The tensor returned by \`right_inverse\` has dtype ${made.dtype} while \`original\` has dtype ${original.dtype}`,
          )
        original.data = made
        return
      }
      if (!Array.isArray(x))
        throw new ValueError(`'right_inverse' must return a sequence of tensors. Got ${typename(x)}.`)
      if (x.length !== this.ntensors)
        throw new ValueError(
          `'right_inverse' must return a sequence of tensors of length ${this.ntensors}. Got a sequence of lenght ${x.length}.`,
        )
      for (const [i, original] of originals.entries()) {
        const made = x[i] as Tensor
        if (!(made instanceof torch.Tensor))
          throw new ValueError(
            `\`right_inverse\` must return a sequence of tensors. Got element ${i} of type ${typename(made)}`,
          )
        if (made.dtype !== original.dtype)
          throw new ValueError(
            `Tensor ${i} returned by \`right_inverse\` has dtype ${made.dtype} while \`original${i}\` has dtype ${original.dtype}`,
          )
        original.data = made
      }
    })
  }

  /** The tensor that takes the place of the parametrised one. */
  forward(): Tensor {
    const [first, ...rest] = [...this] as [Parametrization, ...Parametrization[]]
    return rest.reduce((x, module) => module(x), first(...this._originals()))
  }
}

/** The parametrisations of a module by the tensors' names. */
type Parametrized = Module & {
  parametrizations: ModuleDict<ParametrizationList> & Record<string, ParametrizationList>
}

/** Makes the module one of a class of its own, which says so by its name. */
function inject_class(module: Module): void {
  const before = module.constructor as unknown as abstract new () => object
  abstract class Injected extends before {}
  Object.defineProperty(Injected, 'name', { value: `Parametrized${before.name}` })
  Object.setPrototypeOf(module, Injected.prototype)
}

function inject_property(module: Module, name: string): void {
  Object.defineProperty(module, name, {
    configurable: true,
    get(this: Parametrized): Tensor {
      const list = this.parametrizations.at(name)
      if (caching === 0) return list()
      const own = cache.get(this) ?? new Map<string, Tensor>()
      cache.set(this, own)
      const known = own.get(name) ?? list()
      own.set(name, known)
      return known
    },
    set(this: Parametrized, value: Tensor): void {
      this.parametrizations.at(name).right_inverse(value)
    },
  })
}

/** Throws where `parametrization` cannot follow those that the tensor has. */
function check_next(module: Module, name: string, parametrization: Parametrization): void {
  const y = attribute(module, name) as Tensor
  const x = parametrization(y) as unknown
  require_same('Registering a parametrization', x, y, 'the `unsafe`', [
    `module.${name}.?`,
    `parametrization(module.${name}).?`,
  ])
  if (parametrization.right_inverse === undefined) return
  const z = inverse(parametrization, x as Tensor) as unknown
  if (!(z instanceof torch.Tensor))
    throw new ValueError(`parametrization.right_inverse must return a tensor. Got: ${typename(z)}`)
  for (const [field, a, b] of [
    ['dtype', y.dtype, z.dtype],
    ['shape', y.shape, z.shape],
  ] as const)
    if (String(a) !== String(b))
      throw new ValueError(
        `The tensor returned by parametrization.right_inverse must have the same ${field} as module.${name}, unless the \`unsafe\` flag is enabled.\nmodule.${name}.${field}: ${a}\nreturned ${field}: ${b}`,
      )
}

/**
 * Has the parameter or buffer `tensor_name` of `module` computed by `parametrization` whenever it is read, from what is then
 * `module.parametrizations.weight.original`; gradients reach that. Several on one tensor follow one another. Assigning to the tensor
 * goes through `right_inverse`. Gives back the module.
 * @param options.unsafe the parametrisation may change dtype and shape; nothing is checked
 */
export function register_parametrization<M extends Module>(
  module: M,
  tensor_name: string,
  parametrization: Parametrization,
  options: { unsafe?: boolean } = {},
): M {
  const { unsafe = false } = options
  parametrization.train(module.training)
  if (is_parametrized(module, tensor_name)) {
    if (!unsafe) check_next(module, tensor_name, parametrization)
    const list = (module as unknown as Parametrized).parametrizations.at(tensor_name)
    list.append(parametrization)
    list.unsafe ||= unsafe
    return module
  }
  const own = Object.hasOwn(module, tensor_name)
    ? (module as unknown as Record<string, unknown>)[tensor_name]
    : null
  if (
    !(own instanceof Parameter) &&
    !(module._module.buffers.has(tensor_name) && own instanceof torch.Tensor)
  )
    throw new ValueError(
      `Module '${module}' does not have a parameter, a buffer, or a parametrized element with name '${tensor_name}'`,
    )
  const list = new ParametrizationList([parametrization], own as Tensor, unsafe)
  take_out(module, tensor_name)
  if (!is_parametrized(module)) {
    inject_class(module)
    put(module, 'parametrizations', new ModuleDict())
  }
  inject_property(module, tensor_name)
  ;(module as unknown as Parametrized).parametrizations.set(tensor_name, list)
  return module
}

/** Whether a module, or one tensor of it, is parametrised. */
export function is_parametrized(module: Module, tensor_name: string | null = null): boolean {
  const { parametrizations } = module as { parametrizations?: unknown }
  if (!(parametrizations instanceof ModuleDict)) return false
  return tensor_name === null ? parametrizations.length > 0 : parametrizations.has(tensor_name)
}

/**
 * Takes the parametrisations off a tensor. It keeps its present value, or with `leave_parametrized: false`, where it is computed
 * from one tensor, gets that one's.
 */
export function remove_parametrizations<M extends Module>(
  module: M,
  tensor_name: string,
  leave_parametrized: boolean | { leave_parametrized?: boolean } = true,
): M {
  const leave =
    typeof leave_parametrized === 'boolean'
      ? leave_parametrized
      : (leave_parametrized.leave_parametrized ?? true)
  if (!is_parametrized(module, tensor_name))
    throw new ValueError(`Module ${module} does not have a parametrization on ${tensor_name}`)
  const { parametrizations } = module as unknown as Parametrized
  const list = parametrizations.at(tensor_name)
  let original: Tensor
  if (list.is_tensor) {
    original = attribute(list, 'original') as Tensor
    if (leave) original.data = torch.no_grad(() => attribute(module, tensor_name) as Tensor)
  } else {
    if (!leave)
      throw new ValueError(
        'Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of tensors.',
      )
    const value = attribute(module, tensor_name) as Tensor
    original = value.requires_grad ? new Parameter(value) : value
  }
  take_out(module, tensor_name)
  parametrizations.delete(tensor_name)
  register(module, tensor_name, original)
  if (!is_parametrized(module)) {
    take_out(module, 'parametrizations')
    Object.setPrototypeOf(module, Object.getPrototypeOf(Object.getPrototypeOf(module)) as object)
  }
  return module
}

/** The class of a module, or that which it had before it was parametrised. */
export function type_before_parametrizations(module: Module): unknown {
  return is_parametrized(module) ? Object.getPrototypeOf(module.constructor) : module.constructor
}

/** Puts the parametrisations of one module, or of one tensor of it, on another, with the same originals. */
export function transfer_parametrizations_and_params<M extends Module>(
  from_module: Module,
  to_module: M,
  tensor_name: string | null = null,
): M {
  if (!is_parametrized(from_module)) return to_module
  const { parametrizations } = from_module as unknown as Parametrized
  for (const name of tensor_name === null ? parametrizations.keys() : [tensor_name]) {
    if (!(name in to_module)) put(to_module, name, new Parameter(attribute(from_module, name) as Tensor))
    const list = parametrizations.at(name)
    for (const parametrization of list) register_parametrization(to_module, name, parametrization)
    const own = (to_module as unknown as Parametrized).parametrizations.at(name)
    for (const [key, x] of [...list._own_parameters(), ...list._own_buffers()]) put(own, key, x)
  }
  return to_module
}
