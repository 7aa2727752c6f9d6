// Parameters and buffers whose sizes are not known yet, for lazy modules. They are tensors without memory: only their dtype can
// be asked for and changed, and every operation on them throws; `materialize` makes the same object an ordinary tensor.
// Not here: the modules that find the sizes (modules/lazy.ts).
import { RuntimeError, ValueError } from '../base/errors.ts'
import type { DeviceLike, DType, Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import type { Parameter } from './parameter.ts'

type Kind = 'UninitializedParameter' | 'UninitializedBuffer'
type Unknown = { readonly kind: Kind; readonly dtype: DType; readonly requires_grad: boolean }

/** What is known of tensors that are not initialised. */
const unknown = new WeakMap<object, Unknown>()

type Materialize = {
  /** Gives the tensor these sizes, with contents that are not specified; it stays the same object. */
  materialize(
    shape: readonly number[],
    device?: DeviceLike | null | { device?: DeviceLike | null; dtype?: DType | null },
    dtype?: DType | null,
  ): void
}
export type UninitializedParameter = Parameter & Materialize
export type UninitializedBuffer = Tensor & Materialize

export type UninitializedOptions = {
  requires_grad?: boolean
  device?: DeviceLike | null
  dtype?: DType | null
}
export interface UninitializedConstructor<T> {
  /** A tensor of unknown sizes; `new` may be left out. */
  new (
    requires_grad?: boolean | UninitializedOptions,
    device?: DeviceLike | null | UninitializedOptions,
    dtype?: DType | null | UninitializedOptions,
  ): T
  (
    requires_grad?: boolean | UninitializedOptions,
    device?: DeviceLike | null | UninitializedOptions,
    dtype?: DType | null | UninitializedOptions,
  ): T
  readonly prototype: T
}

/** Whether a tensor's sizes are not known yet. */
export const is_lazy = (x: unknown): x is UninitializedParameter | UninitializedBuffer =>
  typeof x === 'object' && x !== null && unknown.has(x)

function refuse(self: object, what: string): never {
  throw new ValueError(
    `Attempted to use an uninitialized parameter in ${what}. This error happens when you are using a \`LazyModule\` or explicitly ` +
      `manipulating \`torch.nn.parameter.${known(self).kind}\` objects. When using LazyModules Call \`forward\` with a dummy ` +
      'batch to initialize the parameters before calling torch functions',
  )
}

const known = (self: object): Unknown => unknown.get(self) as Unknown

function make(of: Unknown): Tensor {
  const made = Object.create(lazy_prototype()) as Tensor
  unknown.set(made, of)
  return made
}

const converted =
  (dtype: (self: Unknown) => DType) =>
  (self: object): Tensor =>
    make({ ...known(self), dtype: dtype(known(self)) })

/** What can be done with them, besides asking for the fields below. */
const METHODS: Readonly<Record<string, (self: object, ...args: readonly unknown[]) => unknown>> = {
  to: (self, ...args) => {
    const dtype = args.find(x => x instanceof torch.DType) as DType | undefined
    return make({ ...known(self), dtype: dtype ?? known(self).dtype })
  },
  half: converted(() => torch.float16),
  bfloat16: converted(() => torch.bfloat16),
  float: converted(() => torch.float32),
  double: converted(() => torch.float64),
  cpu: converted((self: Unknown) => self.dtype),
  is_floating_point: self => known(self).dtype.is_floating_point,
  is_complex: (self: object) => known(self).dtype.is_complex,
  toString: (self: object) => `<${known(self).kind}>`,
  share_memory_: () => {
    throw new RuntimeError(
      "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before calling " +
        '`module.share_memory()`.',
    )
  },
  materialize: (self, shape, device, dtype) => {
    const options = torch._is_options(device) ? (device as { dtype?: DType | null }) : {}
    const { kind, ...own } = known(self)
    const type = options.dtype ?? (dtype as DType | null | undefined) ?? own.dtype
    const fresh = torch.empty(shape as readonly number[], { dtype: type })
    unknown.delete(self)
    Object.setPrototypeOf(self, torch.Tensor.prototype)
    Object.assign(self, fresh)
    const tensor = self as Tensor
    tensor._is_parameter = kind === 'UninitializedParameter'
    tensor.requires_grad_(own.requires_grad)
  },
  __deepcopy__: self => make(known(self)),
}

const FIELDS: Readonly<Record<string, (self: object) => unknown>> = {
  dtype: self => known(self).dtype,
  requires_grad: self => known(self).requires_grad,
  _requires_grad: self => known(self).requires_grad,
  is_leaf: () => true,
  grad: () => null,
  grad_fn: () => null,
  _grad: () => null,
  _grad_fn: () => null,
  _view: () => null,
  _is_parameter: self => known(self).kind === 'UninitializedParameter',
  shape: () => {
    throw new RuntimeError(
      "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when " +
        'trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before ' +
        'accessing their attributes.',
    )
  },
}

/** What kernels read of a tensor. */
const MEMORY = ['memory', 'offset', 'sizes', 'strides', 'count', 'dense', 'ndim', 'length']
/** What the prototype has that is as good for these. */
const KEPT = ['constructor', 'device', 'is_cuda']

let prototype: object | null = null

/** Made when first needed: it has every method that tensors have. */
function lazy_prototype(): object {
  if (prototype !== null) return prototype
  const made: object = Object.create(torch.Tensor.prototype)
  const define = (name: PropertyKey, property: PropertyDescriptor): void => {
    Object.defineProperty(made, name, { configurable: true, ...property })
  }
  const tensors: object = torch.Tensor.prototype
  const all = {
    ...Object.getOwnPropertyDescriptors(Object.getPrototypeOf(tensors) as object),
    ...Object.getOwnPropertyDescriptors(tensors),
  }
  for (const [name, { value }] of Object.entries<PropertyDescriptor>(all)) {
    if (KEPT.includes(name)) continue
    const method = `<method '${name}' of 'torch._C._TensorBase' objects>`
    if (typeof value === 'function')
      define(name, {
        value(this: object): never {
          return refuse(this, method)
        },
        writable: true,
      })
    else
      define(name, {
        get(this: object): never {
          return refuse(this, `<attribute '${name}' of 'torch._C._TensorBase' objects>`)
        },
      })
  }
  for (const name of MEMORY)
    define(name, {
      get(this: object): never {
        return refuse(this, 'a torch function')
      },
    })
  for (const [name, get] of Object.entries(FIELDS))
    define(name, {
      get(this: object) {
        return get(this)
      },
    })
  for (const [name, method] of Object.entries(METHODS))
    define(name, {
      value(this: object, ...args: readonly unknown[]) {
        return method(this, ...args)
      },
      writable: true,
    })
  define('data', {
    get(this: object) {
      return this
    },
    set(this: object, source: object) {
      unknown.set(this, { ...known(this), dtype: known(source).dtype })
    },
  })
  define(Symbol.toPrimitive, {
    value(this: object) {
      return String(METHODS['toString']!(this))
    },
  })
  torch._print_as({ prototype: made }, self => String(self))
  prototype = made
  return made
}

function constructor_of<T>(kind: Kind, requires_grad: boolean): UninitializedConstructor<T> {
  const schema = torch._parse_schema(
    `${kind}(bool requires_grad=${requires_grad ? 'True' : 'False'}, device? device=None, dtype? dtype=None)`,
  )
  function construct(...args: readonly unknown[]): Tensor {
    const [requires_grad, , dtype] = torch._bind([schema], args).values as [boolean, unknown, DType | null]
    return make({ kind, requires_grad, dtype: dtype ?? torch.get_default_dtype() })
  }
  Object.defineProperties(construct, {
    name: { value: kind },
    prototype: { value: torch.Tensor.prototype },
    [Symbol.hasInstance]: { value: (x: unknown) => is_lazy(x) && known(x).kind === kind },
  })
  return construct as unknown as UninitializedConstructor<T>
}

/** A parameter whose sizes are not known yet: see {@link Materialize}. Its state says so, and loading a state gives it sizes. */
export const UninitializedParameter: UninitializedConstructor<UninitializedParameter> = constructor_of(
  'UninitializedParameter',
  true,
)
/** A buffer whose sizes are not known yet. */
export const UninitializedBuffer: UninitializedConstructor<UninitializedBuffer> = constructor_of(
  'UninitializedBuffer',
  false,
)
