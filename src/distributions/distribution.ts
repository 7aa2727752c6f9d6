// The base of all distributions: shapes, validation of parameters and samples, and how a distribution reads.
// Not here: any distribution, or what exponential families share (exp_family.ts).
import { NotImplementedError, ValueError } from '../base/errors.ts'
import { _print_as, _warn, no_grad, Size, type Tensor } from '../torch.ts'
import { type Constraint, is_dependent } from './constraints.ts'
import { assign, format, is_tensor, type SampleShape, to_size, tuple, type Validate } from './utils.ts'

export type Constraints = Readonly<Record<string, Constraint>>

let validate_by_default = true

/** Whether `name` is an accessor of a class that {@link lazy} fills in: it is not computed to be checked. */
const lazies: WeakMap<object, Set<string>> = new WeakMap()

/** Declares which accessors of a class are computed on demand. */
export function lazy_properties(cls: { readonly prototype: object }, ...names: readonly string[]): void {
  lazies.set(cls.prototype, new Set(names))
}

function is_lazy(self: object, name: string): boolean {
  for (let p: object | null = self; p !== null; p = Object.getPrototypeOf(p)) {
    if (lazies.get(p)?.has(name)) return true
    if (Object.hasOwn(p, name)) return false
  }
  return false
}

/**
 * A probability distribution over events of `event_shape`, `batch_shape` of them with parameters of their own.
 * Subclasses give `arg_constraints` and `support` as static properties (a getter where it depends on parameters) and
 * override what they can compute.
 */
export abstract class Distribution {
  /** What the parameters have to satisfy, by name. */
  static readonly arg_constraints?: Constraints
  /** Where the samples lie. */
  static readonly support?: Constraint
  /** Whether {@link rsample} is there: samples that are differentiable in the parameters. */
  static readonly has_rsample: boolean = false
  /** Whether {@link enumerate_support} is there. */
  static readonly has_enumerate_support: boolean = false

  declare _batch_shape: Size
  declare _event_shape: Size
  declare _validate_args: boolean

  /** Sets whether distributions check their arguments where they are not told; at first they do. */
  static set_default_validate_args(value: boolean): void {
    if (typeof value !== 'boolean') throw new ValueError('')
    validate_by_default = value
  }

  /** Without arguments, a subclass sets its parameters first and then calls {@link _init}. */
  constructor(
    batch_shape?: readonly number[],
    event_shape: readonly number[] = [],
    opts: { validate_args?: Validate } = {},
  ) {
    if (batch_shape !== undefined) this._init(batch_shape, event_shape, opts.validate_args)
  }

  /** Notes the shapes and checks the parameters, which have to be there. */
  protected _init(
    batch_shape: readonly number[],
    event_shape: readonly number[] = [],
    validate_args: Validate | undefined = null,
  ): void {
    Object.assign(this, {
      _batch_shape: new Size(batch_shape),
      _event_shape: new Size(event_shape),
      _validate_args: validate_args ?? validate_by_default,
    })
    if (this._validate_args) this._check_parameters()
  }

  protected _check_parameters(): void {
    const constraints = this._known_constraints()
    for (const [name, constraint] of Object.entries(constraints)) {
      if (is_dependent(constraint) || (!Object.hasOwn(this, name) && is_lazy(this, name))) continue
      const value = (this as unknown as Record<string, Tensor>)[name] as Tensor
      if (constraint.check(value).all().item()) continue
      throw new ValueError(
        `Expected parameter ${name} (${described(value)}) of distribution ${this} ` +
          `to satisfy the constraint ${constraint}, but found invalid values:\n${format(value)}`,
      )
    }
  }

  protected _known_constraints(): Constraints {
    try {
      return this.arg_constraints
    } catch (error) {
      if (!(error instanceof NotImplementedError)) throw error
      _warn(
        `${python_class(this)} does not define \`arg_constraints\`. Please set \`arg_constraints = {}\` or ` +
          'initialize the distribution with `validate_args=False` to turn off validation.',
      )
      return {}
    }
  }

  /** A distribution of this class with the fields given, of which nothing is checked. */
  protected _copy(
    batch_shape: readonly number[],
    event_shape: readonly number[],
    fields: Readonly<Record<string, unknown>>,
  ): this {
    const made = Object.create(Object.getPrototypeOf(this)) as this
    assign(made, fields)
    Distribution.prototype._init.call(made, batch_shape, event_shape, false)
    made._validate_args = this._validate_args
    return made
  }

  /** Those of the named tensors that this has as its own, expanded. */
  protected _expanded(shape: readonly number[], ...names: readonly string[]): Record<string, Tensor> {
    const own = this as unknown as Record<string, Tensor>
    return Object.fromEntries(
      names.filter(name => Object.hasOwn(this, name)).map(name => [name, own[name]!.expand([...shape])]),
    )
  }

  /** The same distribution with `batch_shape`, to which the parameters are expanded without being copied. */
  expand(_batch_shape: readonly number[]): this {
    throw new NotImplementedError()
  }

  /** The sizes over which there are parameters. */
  get batch_shape(): Size {
    return this._batch_shape
  }

  /** The sizes of one sample. */
  get event_shape(): Size {
    return this._event_shape
  }

  /** What the parameters have to satisfy, by name. */
  get arg_constraints(): Constraints {
    const { arg_constraints } = this.constructor as typeof Distribution
    if (arg_constraints === undefined) throw new NotImplementedError()
    return arg_constraints
  }

  /** Where the samples lie. */
  get support(): Constraint {
    const { support } = this.constructor as typeof Distribution
    if (support === undefined) throw new NotImplementedError()
    return support
  }

  /** Whether {@link rsample} is there. */
  get has_rsample(): boolean {
    return (this.constructor as typeof Distribution).has_rsample
  }

  /** Whether {@link enumerate_support} is there. */
  get has_enumerate_support(): boolean {
    return (this.constructor as typeof Distribution).has_enumerate_support
  }

  /** The mean. */
  get mean(): Tensor {
    throw new NotImplementedError()
  }

  /** The value of the greatest probability or density. */
  get mode(): Tensor {
    throw new NotImplementedError(`${python_class(this)} does not implement mode`)
  }

  /** The variance. */
  get variance(): Tensor {
    throw new NotImplementedError()
  }

  /** The root of the variance. */
  get stddev(): Tensor {
    return this.variance.sqrt()
  }

  /** Draws `sample_shape` samples, each of batch_shape and event_shape. */
  sample(sample_shape: SampleShape = []): Tensor {
    return no_grad(() => this.rsample(sample_shape))
  }

  /** Draws samples that are differentiable in the parameters. */
  rsample(_sample_shape: SampleShape = []): Tensor {
    throw new NotImplementedError()
  }

  /** Deprecated: `sample([n])`. */
  sample_n(n: number): Tensor {
    _warn('sample_n will be deprecated. Use .sample((n,)) instead')
    return this.sample([n])
  }

  /** The logarithm of the density, or of the probability, at `value`. */
  log_prob(_value: Tensor): Tensor {
    throw new NotImplementedError()
  }

  /** The probability of at most `value`. */
  cdf(_value: Tensor): Tensor {
    throw new NotImplementedError()
  }

  /** The inverse of {@link cdf}. */
  icdf(_value: Tensor): Tensor {
    throw new NotImplementedError()
  }

  /**
   * All values of a discrete distribution along a new first dimension, expanded to the batch unless `expand` is false.
   */
  enumerate_support(_expand: boolean | { expand?: boolean } = true): Tensor {
    throw new NotImplementedError()
  }

  /** The entropy, of batch_shape. */
  entropy(): Tensor {
    throw new NotImplementedError()
  }

  /** e to the entropy. */
  perplexity(): Tensor {
    return this.entropy().exp()
  }

  /** The sizes of samples. */
  _extended_shape(sample_shape: SampleShape = []): Size {
    return to_size(sample_shape).concat(this._batch_shape, this._event_shape)
  }

  /** Checks a value for log_prob, cdf and icdf where this distribution validates. Throws ValueError. */
  protected _check(value: Tensor): void {
    if (this._validate_args) this._validate_sample(value)
  }

  /** Throws ValueError where `value` has other sizes than samples have, or is not in the support. */
  _validate_sample(value: Tensor): void {
    if (!is_tensor(value)) throw new ValueError('The value argument to log_prob must be a Tensor')
    const { shape } = value
    const start = shape.length - this._event_shape.length
    if (start < 0 || !this._event_shape.equals(shape.slice(start)))
      throw new ValueError(
        `The right-most size of value must match event_shape: ${shape} vs ${this._event_shape}.`,
      )
    const expected = this._batch_shape.concat(this._event_shape)
    for (let d = 1; d <= Math.min(shape.length, expected.length); d++) {
      const [i, j] = [shape.at(-d), expected.at(-d)]
      if (i !== 1 && j !== 1 && i !== j)
        throw new ValueError(
          `Value is not broadcastable with batch_shape+event_shape: ${shape} vs ${expected}.`,
        )
    }
    const support = this._known_support()
    if (support === null || support.check(value).all().item()) return
    throw new ValueError(
      `Expected value argument (${described(value)}) to be within the support (${support}) ` +
        `of the distribution ${this}, but found invalid values:\n${format(value)}`,
    )
  }

  protected _known_support(): Constraint | null {
    try {
      return this.support
    } catch (error) {
      if (!(error instanceof NotImplementedError)) throw error
      _warn(
        `${python_class(this)} does not define \`support\` to enable sample validation. Please initialize the ` +
          'distribution with `validate_args=False` to turn off validation.',
      )
      return null
    }
  }

  toString(): string {
    const own = this as unknown as Record<string, Tensor>
    const shown = Object.keys(this.arg_constraints)
      .filter(name => Object.hasOwn(this, name))
      .map(name => `${name}: ${own[name]!.numel() === 1 ? format(own[name]) : own[name]!.shape}`)
    return `${this.constructor.name}(${shown.join(', ')})`
  }
}
_print_as(Distribution, self => self.toString())

/** `Tensor of shape (2,)`. */
const described = (value: Tensor): string =>
  `${value.constructor.name === 'Parameter' ? 'Parameter' : 'Tensor'} of shape ${tuple(value.shape)}`

const MODULES: Readonly<Record<string, string>> = {
  ContinuousBernoulli: 'continuous_bernoulli',
  LKJCholesky: 'lkj_cholesky',
  LogisticNormal: 'logistic_normal',
  LogitRelaxedBernoulli: 'relaxed_bernoulli',
  MixtureSameFamily: 'mixture_same_family',
  Multinomial: 'multinomial',
  RelaxedBernoulli: 'relaxed_bernoulli',
  RelaxedOneHotCategorical: 'relaxed_categorical',
  ExpRelaxedCategorical: 'relaxed_categorical',
  TransformedDistribution: 'transformed_distribution',
}

/** How Python shows the class, of those for which errors do. */
function python_class(d: Distribution): string {
  const { name } = d.constructor
  return `<class '${name in MODULES ? `torch.distributions.${MODULES[name]}` : '__main__'}.${name}'>`
}
