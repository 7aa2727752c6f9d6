// A module's state: parameters and persistent buffers by their paths, out of a module and into one.
// Not here: files (torch.save, torch.load).
import { RuntimeError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import type { Module } from './module.ts'
import { typename } from './repr.ts'
import { is_lazy } from './uninitialized.ts'

/** Tensors by path, in order of registration. Versions of modules hang on it unseen, as `_metadata`. */
export type StateDict = Record<string, Tensor>

/** What a module says of its own part of a state. */
export type LocalMetadata = { version?: number }
type Metadata = Record<string, LocalMetadata>

/** The keys that loading missed or could not use. */
export class IncompatibleKeys {
  readonly missing_keys: string[]
  readonly unexpected_keys: string[]

  constructor(missing_keys: string[], unexpected_keys: string[]) {
    this.missing_keys = missing_keys
    this.unexpected_keys = unexpected_keys
  }

  /** As a pair: `const [missing, unexpected] = model.load_state_dict(...)`. */
  *[Symbol.iterator](): Iterator<string[]> {
    yield this.missing_keys
    yield this.unexpected_keys
  }

  toString(): string {
    if (this.missing_keys.length === 0 && this.unexpected_keys.length === 0)
      return '<All keys matched successfully>'
    const list = (keys: readonly string[]): string => `[${keys.map(k => `'${k}'`).join(', ')}]`
    return `_IncompatibleKeys(missing_keys=${list(this.missing_keys)}, unexpected_keys=${list(this.unexpected_keys)})`
  }
}

torch._print_as(IncompatibleKeys, self => self.toString())

const EXTRA = '_extra_state'

const metadata_of = (state: object): Metadata | undefined => (state as { _metadata?: Metadata })._metadata

function new_state(metadata: Metadata): StateDict {
  return Object.defineProperty({}, '_metadata', { value: metadata, writable: true, configurable: true })
}

/** The state of `module` and all below it, added to `destination`. */
export function save_from(
  module: Module,
  destination: StateDict | undefined,
  prefix: string,
  keep_vars: boolean,
): StateDict {
  let state = destination ?? new_state({})
  const local: LocalMetadata = { version: module._version }
  const metadata = metadata_of(state)
  if (metadata) metadata[prefix.slice(0, -1)] = local
  for (const [name, t] of [...module._own_parameters(), ...module._own_buffers(true)])
    state[prefix + name] = keep_vars || is_lazy(t) ? t : t.detach()
  if (module.get_extra_state) (state as Record<string, unknown>)[prefix + EXTRA] = module.get_extra_state()
  for (const [name, child] of module._own_children())
    child.state_dict({ destination: state, prefix: `${prefix}${name}.`, keep_vars })
  for (const hook of module._module.hooks.of('state_dict'))
    state = hook(module, state, prefix, local) ?? state
  return state
}

/** Copies into the module's own parameters and buffers; problems are added to the lists. */
export function load_into(
  module: Module,
  state: StateDict,
  prefix: string,
  metadata: LocalMetadata,
  missing: string[],
  unexpected: string[],
  errors: string[],
): void {
  for (const hook of module._module.hooks.of('load_pre'))
    hook(state, prefix, metadata, true, missing, unexpected, errors)
  const local = new Map([...module._own_parameters(), ...module._own_buffers(true)] as [string, Tensor][])
  for (const [name, t] of local) {
    const key = prefix + name
    if (Object.hasOwn(state, key)) copy_into(key, t, state[key], errors)
    else missing.push(key)
  }
  const extra = prefix + EXTRA
  if (module.set_extra_state) {
    if (Object.hasOwn(state, extra)) module.set_extra_state(state[extra])
    else missing.push(extra)
  } else if (Object.hasOwn(state, extra)) unexpected.push(extra)
  const children = new Set(module._own_children().map(([name]) => name))
  for (const key of Object.keys(state)) {
    if (!key.startsWith(prefix) || key === extra) continue
    const name = key.slice(prefix.length).split('.', 1)[0] as string
    if (!children.has(name) && !local.has(name)) unexpected.push(key)
  }
}

function copy_into(key: string, target: Tensor, source: unknown, errors: string[]): void {
  if (!(source instanceof torch.Tensor)) {
    errors.push(
      `While copying the parameter named "${key}", expected torch.Tensor or Tensor-like object from checkpoint but received <class '${typename(source)}'>`,
    )
    return
  }
  if (is_lazy(target)) {
    if (is_lazy(source)) return
    target.materialize(source.shape)
  }
  // A scalar of PyTorch 0.3 was a vector of one.
  const given = target.ndim === 0 && source.ndim === 1 ? source.select(0, 0) : source
  if (given.shape.join() !== target.shape.join()) {
    errors.push(
      `size mismatch for ${key}: copying a param with shape ${given.shape} from checkpoint, the shape in current model is ${target.shape}.`,
    )
    return
  }
  try {
    torch.no_grad(() => target.copy_(given))
  } catch (error) {
    errors.push(
      `While copying the parameter named "${key}", whose dimensions in the model are ${target.shape} and whose dimensions in ` +
        `the checkpoint are ${given.shape}, an exception occurred : ('${error instanceof Error ? error.message : String(error)}',).`,
    )
  }
}

/** Loads a whole state; see Module.load_state_dict. */
export function load_state_dict(
  module: Module,
  given: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  strict: boolean,
): IncompatibleKeys {
  if (
    typeof given !== 'object' ||
    given === null ||
    Array.isArray(given) ||
    (given as unknown) instanceof torch.Tensor
  )
    throw new TypeError(`Expected state_dict to be dict-like, got <class '${typename(given)}'>.`)
  const metadata = metadata_of(given)
  // Hooks may change the copy.
  const state = Object.assign(
    new_state(metadata ?? {}),
    given instanceof Map ? Object.fromEntries(given) : given,
  )
  const missing: string[] = []
  const unexpected: string[] = []
  const errors: string[] = []
  const load = (m: Module, part: StateDict, prefix: string): void => {
    m._load_from_state_dict(part, prefix, metadata?.[prefix.slice(0, -1)] ?? {}, missing, unexpected, errors)
    for (const [name, child] of m._own_children()) {
      const below = `${prefix}${name}.`
      load(child, Object.fromEntries(Object.entries(part).filter(([key]) => key.startsWith(below))), below)
    }
    const keys = new IncompatibleKeys(missing, unexpected)
    for (const hook of m._module.hooks.of('load_post')) hook(m, keys)
  }
  load(module, state, '')
  if (strict) {
    const quoted = (keys: readonly string[]): string => keys.map(k => `"${k}"`).join(', ')
    if (unexpected.length > 0) errors.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpected)}. `)
    if (missing.length > 0) errors.unshift(`Missing key(s) in state_dict: ${quoted(missing)}. `)
  }
  if (errors.length > 0)
    throw new RuntimeError(
      `Error(s) in loading state_dict for ${module._get_name()}:\n\t${errors.join('\n\t')}`,
    )
  return new IncompatibleKeys(missing, unexpected)
}
