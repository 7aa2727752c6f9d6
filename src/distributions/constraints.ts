// torch.distributions.constraints: regions over which values are valid. `check` says where they are. Not here: how
// to get into a region from anywhere (constraint_registry.ts).
import { AssertionError, NotImplementedError, ValueError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import { type _Callable, _callable, _print_as, float_scalar, type Tensor } from '../torch.ts'
import { format, is_number, is_tensor, type Value } from './utils.ts'

function assert(holds: boolean): void {
  if (!holds) throw new AssertionError()
}

/** A region: {@link check} gives for each event of `event_dim` dimensions whether it lies in it. */
export abstract class Constraint {
  /** Whether the values in it are separate. */
  get is_discrete(): boolean {
    return false
  }

  /** The number of last dimensions that make one event. */
  get event_dim(): number {
    return 0
  }

  /** For each event whether it is valid, as booleans. */
  abstract check(value: Tensor): Tensor

  toString(): string {
    return `${this.constructor.name}()`
  }
}
_print_as(Constraint, self => self.toString())

type Static = { is_discrete?: boolean; event_dim?: number }

/** Stands for a region that depends on other variables, of which perhaps the event's dimensions are known. */
class Dependent extends Constraint {
  readonly _static: Static

  constructor(known: Static = {}) {
    super()
    this._static = known
  }

  override get is_discrete(): boolean {
    const { is_discrete } = this._static
    if (is_discrete === undefined)
      throw new NotImplementedError('.is_discrete cannot be determined statically')
    return is_discrete
  }

  override get event_dim(): number {
    const { event_dim } = this._static
    if (event_dim === undefined) throw new NotImplementedError('.event_dim cannot be determined statically')
    return event_dim
  }

  check(_: Tensor): Tensor {
    throw new ValueError('Cannot determine validity of dependent constraint')
  }
}

/** Marks a property of instances that a class cannot know: the class has this, the instances have a getter. */
class DependentProperty extends Dependent {}

class IndependentConstraint extends Constraint {
  readonly base_constraint: Constraint
  readonly reinterpreted_batch_ndims: number

  constructor(base_constraint: Constraint, reinterpreted_batch_ndims: number) {
    super()
    assert(base_constraint instanceof Constraint)
    assert(Number.isInteger(reinterpreted_batch_ndims) && reinterpreted_batch_ndims >= 0)
    this.base_constraint = base_constraint
    this.reinterpreted_batch_ndims = reinterpreted_batch_ndims
  }

  override get is_discrete(): boolean {
    return this.base_constraint.is_discrete
  }

  override get event_dim(): number {
    return this.base_constraint.event_dim + this.reinterpreted_batch_ndims
  }

  check(value: Tensor): Tensor {
    const result = this.base_constraint.check(value)
    const kept = result.ndim - this.reinterpreted_batch_ndims
    if (kept < 0) throw new ValueError(`Expected value.dim() >= ${this.event_dim} but got ${value.ndim}`)
    return result.reshape([...result.shape.slice(0, kept), -1]).all(-1)
  }

  override toString(): string {
    return `IndependentConstraint(${this.base_constraint}, ${this.reinterpreted_batch_ndims})`
  }
}

class Boolean_ extends Constraint {
  override get is_discrete(): boolean {
    return true
  }

  check(value: Tensor): Tensor {
    return value.eq(0).bitwise_or(value.eq(1))
  }

  override toString(): string {
    return 'Boolean()'
  }
}

class OneHot extends Constraint {
  override get is_discrete(): boolean {
    return true
  }

  override get event_dim(): number {
    return 1
  }

  check(value: Tensor): Tensor {
    return value.eq(0).bitwise_or(value.eq(1)).all(-1).bitwise_and(value.sum(-1).eq(1))
  }
}

// ---------------------------------------------------------------------------------------------- bounds

/** What a bound can be given as: `float_scalar(0)` reads as 0.0, where 0 reads as 0. */
type Given = Value | torch.FloatScalar
const value_of = (given: Given): Value => (is_tensor(given) ? given : Number(given))
const text_of = (given: Given): string =>
  is_tensor(given) || is_number(given) ? format(given) : torch._python_float(Number(given))
const [ZERO, ONE] = [float_scalar(0), float_scalar(1)]

const at_least = (value: Tensor, bound: Value): Tensor => value.ge(bound)
const is_whole = (value: Tensor): Tensor => value.remainder(1).eq(0)

/** A region with a lower bound. */
abstract class Lower extends Constraint {
  readonly lower_bound: Value
  readonly #text: string

  constructor(lower_bound: Given) {
    super()
    this.lower_bound = value_of(lower_bound)
    this.#text = text_of(lower_bound)
  }

  override toString(): string {
    return `${this.constructor.name}(lower_bound=${this.#text})`
  }
}

/** A region with an upper bound. */
abstract class Upper extends Constraint {
  readonly upper_bound: Value
  readonly #text: string

  constructor(upper_bound: Given) {
    super()
    this.upper_bound = value_of(upper_bound)
    this.#text = text_of(upper_bound)
  }

  override toString(): string {
    return `${this.constructor.name}(upper_bound=${this.#text})`
  }
}

/** A region between two bounds. */
abstract class Between extends Constraint {
  readonly lower_bound: Value
  readonly upper_bound: Value
  readonly #text: string

  constructor(lower_bound: Given, upper_bound: Given) {
    super()
    this.lower_bound = value_of(lower_bound)
    this.upper_bound = value_of(upper_bound)
    this.#text = `lower_bound=${text_of(lower_bound)}, upper_bound=${text_of(upper_bound)}`
  }

  override toString(): string {
    return `${this.constructor.name}(${this.#text})`
  }
}

class IntegerInterval extends Between {
  override get is_discrete(): boolean {
    return true
  }

  check(value: Tensor): Tensor {
    return is_whole(value)
      .bitwise_and(at_least(value, this.lower_bound))
      .bitwise_and(value.le(this.upper_bound))
  }
}

class IntegerGreaterThan extends Lower {
  override get is_discrete(): boolean {
    return true
  }

  check(value: Tensor): Tensor {
    return is_whole(value).bitwise_and(at_least(value, this.lower_bound))
  }
}

class Real extends Constraint {
  check(value: Tensor): Tensor {
    return value.eq(value)
  }
}

class GreaterThan extends Lower {
  check(value: Tensor): Tensor {
    return value.gt(this.lower_bound)
  }
}

class GreaterThanEq extends Lower {
  check(value: Tensor): Tensor {
    return at_least(value, this.lower_bound)
  }
}

class LessThan extends Upper {
  check(value: Tensor): Tensor {
    return value.lt(this.upper_bound)
  }
}

class Interval extends Between {
  check(value: Tensor): Tensor {
    return at_least(value, this.lower_bound).bitwise_and(value.le(this.upper_bound))
  }
}

class HalfOpenInterval extends Between {
  check(value: Tensor): Tensor {
    return at_least(value, this.lower_bound).bitwise_and(value.lt(this.upper_bound))
  }
}

// ---------------------------------------------------------------------------------------------- vectors, matrices

class Simplex extends Constraint {
  override get event_dim(): number {
    return 1
  }

  check(value: Tensor): Tensor {
    return value.ge(0).all(-1).bitwise_and(value.sum(-1).sub(1).abs().lt(1e-6))
  }
}

class Multinomial extends Constraint {
  readonly upper_bound: Value

  constructor(upper_bound: Value) {
    super()
    this.upper_bound = upper_bound
  }

  override get is_discrete(): boolean {
    return true
  }

  override get event_dim(): number {
    return 1
  }

  check(value: Tensor): Tensor {
    return value.ge(0).all(-1).bitwise_and(value.sum(-1).le(this.upper_bound))
  }
}

abstract class Matrix extends Constraint {
  override get event_dim(): number {
    return 2
  }
}

class LowerTriangular extends Matrix {
  check(value: Tensor): Tensor {
    return value.tril().eq(value).flatten(-2).all(-1)
  }
}

class LowerCholesky extends Matrix {
  check(value: Tensor): Tensor {
    const positive = value.diagonal(0, -2, -1).gt(0).all(-1)
    return value.tril().eq(value).flatten(-2).all(-1).bitwise_and(positive)
  }
}

class CorrCholesky extends Matrix {
  check(value: Tensor): Tensor {
    const tolerance = torch.finfo(value.dtype).eps * value.size(-1) * 10
    const norm = torch.linalg.norm(value.detach(), { dim: -1 })
    return lower_cholesky.check(value).bitwise_and(norm.sub(1).abs().le(tolerance).all(-1))
  }
}

class Square extends Matrix {
  check(value: Tensor): Tensor {
    return torch.full(value.shape.slice(0, -2), value.size(-2) === value.size(-1), { dtype: torch.bool })
  }
}

class Symmetric extends Square {
  override check(value: Tensor): Tensor {
    const square = super.check(value)
    if (!square.all().item()) return square
    return torch.isclose(value, value.mT, { atol: 1e-6 }).all(-2).all(-1)
  }
}

class PositiveSemidefinite extends Symmetric {
  override check(value: Tensor): Tensor {
    const symmetric = super.check(value)
    if (!symmetric.all().item()) return symmetric
    return torch.linalg.eigvalsh(value).ge(0).all(-1)
  }
}

class PositiveDefinite extends Symmetric {
  override check(value: Tensor): Tensor {
    const symmetric = super.check(value)
    if (!symmetric.all().item()) return symmetric
    return torch.linalg.cholesky_ex(value).info.eq(0)
  }
}

// ---------------------------------------------------------------------------------------------- of parts

const all_constraints = (list: readonly Constraint[]): boolean => list.every(c => c instanceof Constraint)
const require_dim = (value: Tensor, dim: number): void => assert(-value.ndim <= dim && dim < value.ndim)

/** Different regions for slices along a dimension, as torch.cat joins them. */
class Cat extends Constraint {
  readonly cseq: readonly Constraint[]
  readonly dim: number
  readonly lengths: readonly number[]

  constructor(cseq: readonly Constraint[], dim = 0, lengths: readonly number[] | null = null) {
    super()
    assert(all_constraints(cseq))
    this.cseq = [...cseq]
    this.lengths = lengths === null ? cseq.map(() => 1) : [...lengths]
    assert(this.lengths.length === this.cseq.length)
    this.dim = dim
  }

  override get is_discrete(): boolean {
    return this.cseq.some(c => c.is_discrete)
  }

  override get event_dim(): number {
    return Math.max(...this.cseq.map(c => c.event_dim))
  }

  check(value: Tensor): Tensor {
    require_dim(value, this.dim)
    let start = 0
    const checks = this.cseq.map((c, i) => {
      const length = this.lengths[i] as number
      start += length
      return c.check(value.narrow(this.dim, start - length, length))
    })
    return torch.cat(checks, this.dim)
  }
}

/** A region for each index along a dimension, as torch.stack joins them. */
class Stack extends Constraint {
  readonly cseq: readonly Constraint[]
  readonly dim: number

  constructor(cseq: readonly Constraint[], dim = 0) {
    super()
    assert(all_constraints(cseq))
    this.cseq = [...cseq]
    this.dim = dim
  }

  override get is_discrete(): boolean {
    return this.cseq.some(c => c.is_discrete)
  }

  override get event_dim(): number {
    const dim = Math.max(...this.cseq.map(c => c.event_dim))
    return this.dim + dim < 0 ? dim + 1 : dim
  }

  check(value: Tensor): Tensor {
    require_dim(value, this.dim)
    const slices = Array.from({ length: value.size(this.dim) }, (_, i) => value.select(this.dim, i))
    const checked = slices.slice(0, this.cseq.length)
    return torch.stack(
      checked.map((v, i) => (this.cseq[i] as Constraint).check(v)),
      this.dim,
    )
  }
}

// ---------------------------------------------------------------------------------------------- what users see

/** Whether a constraint stands for one that depends on other variables. */
export const is_dependent = (constraint: Constraint): boolean => constraint instanceof Dependent

const make_dependent = (known?: Static): Dependent => new Dependent(known)
/** A region that depends on other variables; called, one of which something is known: `dependent({ event_dim: 1 })`. */
export const dependent: Dependent & ((known?: Static) => Dependent) = Object.setPrototypeOf(
  Object.defineProperty(make_dependent, '_static', { value: {} }),
  Dependent.prototype,
)
/** What a class has in the place of a property that only its instances know. */
export const dependent_property: _Callable<typeof DependentProperty> = _callable(DependentProperty)
/** A region of which the last dimensions of the batch count to the event. */
export const independent: _Callable<typeof IndependentConstraint> = _callable(IndependentConstraint)
/** 0 and 1. */
export const boolean: Constraint = new Boolean_()
/** Vectors with one 1 among zeros. */
export const one_hot: Constraint = new OneHot()
/** 0, 1, 2, ... */
export const nonnegative_integer: IntegerGreaterThan = new IntegerGreaterThan(0)
/** 1, 2, 3, ... */
export const positive_integer: IntegerGreaterThan = new IntegerGreaterThan(1)
/** Whole numbers from one to another, both included. */
export const integer_interval: _Callable<typeof IntegerInterval> = _callable(IntegerInterval)
/** Every number but NaN. */
export const real: Constraint = new Real()
/** Vectors without NaN. */
export const real_vector: IndependentConstraint = new IndependentConstraint(real, 1)
/** Above 0. */
export const positive: GreaterThan = new GreaterThan(ZERO)
/** 0 and above. */
export const nonnegative: GreaterThanEq = new GreaterThanEq(ZERO)
/** Above a bound. */
export const greater_than: _Callable<typeof GreaterThan> = _callable(GreaterThan)
/** A bound and above. */
export const greater_than_eq: _Callable<typeof GreaterThanEq> = _callable(GreaterThanEq)
/** Below a bound. */
export const less_than: _Callable<typeof LessThan> = _callable(LessThan)
/** Vectors of counts that sum to at most a bound. */
export const multinomial: _Callable<typeof Multinomial> = _callable(Multinomial)
/** From 0 to 1. */
export const unit_interval: Interval = new Interval(ZERO, ONE)
/** From one bound to another. */
export const interval: _Callable<typeof Interval> = _callable(Interval)
/** From one bound to less than another. */
export const half_open_interval: _Callable<typeof HalfOpenInterval> = _callable(HalfOpenInterval)
/** Vectors that are not negative and sum to 1. */
export const simplex: Constraint = new Simplex()
/** Matrices with zeros above the diagonal. */
export const lower_triangular: Constraint = new LowerTriangular()
/** Lower triangular matrices with a positive diagonal. */
export const lower_cholesky: Constraint = new LowerCholesky()
/** Lower triangular matrices with a positive diagonal and rows of length 1. */
export const corr_cholesky: Constraint = new CorrCholesky()
/** Square matrices. */
export const square: Constraint = new Square()
/** Symmetric matrices. */
export const symmetric: Constraint = new Symmetric()
/** Symmetric matrices without negative eigenvalues. */
export const positive_semidefinite: Constraint = new PositiveSemidefinite()
/** Symmetric matrices with positive eigenvalues. */
export const positive_definite: Constraint = new PositiveDefinite()
/** Different regions for slices along a dimension. */
export const cat: _Callable<typeof Cat> = _callable(Cat)
/** A region for each index along a dimension. */
export const stack: _Callable<typeof Stack> = _callable(Stack)
