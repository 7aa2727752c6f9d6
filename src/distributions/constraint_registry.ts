// biject_to and transform_to: a transform from unconstrained numbers into a region. Not here: regions
// (constraints.ts), transforms.
import { NotImplementedError } from '../base/errors.ts'
import * as torch from '../torch.ts'
import * as constraints from './constraints.ts'
import { Constraint } from './constraints.ts'
import * as transforms from './transforms/index.ts'
import type { Transform } from './transforms/transform.ts'
import { is_number, type Value } from './utils.ts'

type Factory<C extends Constraint> = (constraint: C) => Transform
type ConstraintClass = { readonly prototype: Constraint }

/** Called with a region, gives a transform from unconstrained numbers into it. */
export interface ConstraintRegistry {
  (constraint: Constraint): Transform
  /**
   * Says how to make the transform for a class of regions, given as the class or one of them. Without a factory gives
   * the function that takes one. Throws TypeError for what is no constraint.
   */
  register<C extends Constraint>(constraint: C | (new (...args: never) => C), factory: Factory<C>): Factory<C>
  register<C extends Constraint>(
    constraint: C | (new (...args: never) => C),
  ): (factory: Factory<C>) => Factory<C>
}

/** An empty registry. */
export function ConstraintRegistry(): ConstraintRegistry {
  const factories: Map<object, Factory<never>> = new Map()
  const lookup = (constraint: Constraint): Transform => {
    const factory = factories.get(Object.getPrototypeOf(constraint))
    if (factory === undefined)
      throw new NotImplementedError(`Cannot transform _${class_name(constraint)} constraints`)
    return factory(constraint as never)
  }
  const register = (constraint: unknown, factory?: Factory<never>): unknown => {
    if (factory === undefined) return (given: Factory<never>) => register(constraint, given)
    factories.set(prototype_of(constraint), factory)
    return factory
  }
  return Object.assign(lookup, { register }) as ConstraintRegistry
}

const class_name = (constraint: Constraint): string => String(constraint).replace(/\(.*/s, '')

function prototype_of(constraint: unknown): object {
  if (constraint instanceof Constraint) return Object.getPrototypeOf(constraint)
  const prototype: unknown = (constraint as ConstraintClass | null)?.prototype
  if (prototype instanceof Constraint) return prototype
  throw new TypeError(
    `Expected constraint to be either a Constraint subclass or instance, but got ${torch._type_name(constraint)}`,
  )
}

/** One-to-one transforms, for variables whose densities are compared: Hamiltonian Monte Carlo, say. */
export const biject_to: ConstraintRegistry = ConstraintRegistry()
/** Transforms that are cheap and need not be one to one, for parameters that are optimised. */
export const transform_to: ConstraintRegistry = ConstraintRegistry()

type Between = InstanceType<typeof constraints.interval>

for (const registry of [biject_to, transform_to]) {
  registry.register(constraints.real, () => transforms.identity_transform)
  registry.register(
    constraints.independent,
    c => new transforms.IndependentTransform(registry(c.base_constraint), c.reinterpreted_batch_ndims),
  )
  for (const c of [constraints.greater_than, constraints.greater_than_eq])
    registry.register(c as typeof constraints.greater_than, above)
  registry.register(constraints.less_than, c => exp_then(c.upper_bound, -1))
  for (const c of [constraints.interval, constraints.half_open_interval])
    registry.register(c as typeof constraints.interval, between)
  registry.register(constraints.corr_cholesky, () => new transforms.CorrCholeskyTransform())
  registry.register(constraints.cat, c => new transforms.CatTransform(c.cseq.map(registry), c.dim, c.lengths))
  registry.register(constraints.stack, c => new transforms.StackTransform(c.cseq.map(registry), c.dim))
}
biject_to.register(constraints.simplex, () => new transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, () => new transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, () => new transforms.LowerCholeskyTransform())

function exp_then(loc: Value, scale: number): Transform {
  return new transforms.ComposeTransform([
    new transforms.ExpTransform(),
    new transforms.AffineTransform(loc, scale),
  ])
}

function above(c: InstanceType<typeof constraints.greater_than>): Transform {
  return exp_then(c.lower_bound, 1)
}

function between({ lower_bound: low, upper_bound: high }: Between): Transform {
  const sigmoid = new transforms.SigmoidTransform()
  if (low === 0 && high === 1) return sigmoid
  return new transforms.ComposeTransform([sigmoid, new transforms.AffineTransform(low, minus(high, low))])
}

function minus(a: Value, b: Value): Value {
  if (!is_number(a)) return a.sub(b)
  if (is_number(b)) return a - b
  return b.rsub(a)
}
