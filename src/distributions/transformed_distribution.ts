// TransformedDistribution: what a chain of transforms makes of the samples of another distribution.
// Not here: those that have names (transformed.ts), the transforms.
import { AssertionError, ValueError } from '../base/errors.ts'
import { no_grad, type Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import { Independent } from './independent.ts'
import { ComposeTransform, type Sign, Transform, times } from './transforms/transform.ts'
import { assign, type Keywords, type SampleShape, signature, sum_rightmost, type Validate } from './utils.ts'

type Transforms = Transform | readonly Transform[]
type Settings = { base_distribution: Distribution; transforms: Transforms; validate_args: Validate }
const read = signature<Settings>(
  'TransformedDistribution(any base_distribution, any transforms, bool? validate_args=None)',
)

function list_of(transforms: Transforms): readonly Transform[] {
  if (transforms instanceof Transform) return [transforms]
  if (!Array.isArray(transforms))
    throw new ValueError(`transforms must be a Transform or list, but was ${transforms}`)
  if (!transforms.every(t => t instanceof Transform))
    throw new ValueError('transforms must be a Transform or a list of Transforms')
  return transforms
}

/** The distribution of `transforms`, one after the other, of samples of `base_distribution`. */
export class TransformedDistribution extends Distribution {
  static override readonly arg_constraints: Constraints = {}
  static override readonly support: Constraint = constraints.dependent_property({ is_discrete: false })
  declare readonly base_dist: Distribution
  declare readonly transforms: readonly Transform[]

  /** Without arguments, a subclass sets its parameters first and then calls {@link _transform}. */
  constructor(
    ...args:
      | []
      | Keywords<
          [base_distribution: Distribution, transforms: Transforms, validate_args: Validate],
          Partial<Settings>
        >
  ) {
    super()
    if (args.length === 0) return
    const { base_distribution, transforms, validate_args } = read(args)
    this._transform(base_distribution, transforms, validate_args)
  }

  /** Notes the base distribution, expanded as the transforms ask, and the transforms; then the shapes. */
  protected _transform(base: Distribution, given: Transforms, validate_args: Validate): void {
    const transforms = list_of(given)
    const transform = new ComposeTransform(transforms)
    const base_shape = base.batch_shape.concat(base.event_shape)
    const base_event_dim = base.event_shape.length
    const domain_event_dim = transform.domain.event_dim
    if (base_shape.length < domain_event_dim)
      throw new ValueError(
        `base_distribution needs to have shape with size at least ${domain_event_dim}, but got ${base_shape}.`,
      )
    const shape = transform.forward_shape(base_shape)
    const needed = transform.inverse_shape(shape)
    let base_dist = base
    if (!base_shape.equals(needed)) base_dist = base.expand(needed.slice(0, needed.length - base_event_dim))
    const reinterpreted = domain_event_dim - base_event_dim
    if (reinterpreted > 0) base_dist = new Independent(base_dist, reinterpreted)
    assign(this, { base_dist, transforms })
    const event_dim = transform.codomain.event_dim + Math.max(base_event_dim - domain_event_dim, 0)
    const cut = shape.length - event_dim
    if (cut < 0) throw new AssertionError()
    this._init(shape.slice(0, cut), shape.slice(cut), validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { transforms, base_dist } = this
    const shape = transforms.reduceRight<readonly number[]>(
      (sizes, t) => t.inverse_shape(sizes),
      [...batch_shape, ...this._event_shape],
    )
    const expanded = base_dist.expand(shape.slice(0, shape.length - base_dist.event_shape.length))
    return this._copy(batch_shape, this._event_shape, { base_dist: expanded, transforms })
  }

  override get support(): Constraint {
    const { support } = this.constructor as typeof Distribution
    if (support !== undefined && !constraints.is_dependent(support)) return support
    const last = this.transforms.at(-1)
    if (last === undefined) return this.base_dist.support
    const { codomain } = last
    const more = this._event_shape.length - codomain.event_dim
    return more > 0 ? constraints.independent(codomain, more) : codomain
  }

  override get has_rsample(): boolean {
    return super.has_rsample || this.base_dist.has_rsample
  }

  protected _forward(x: Tensor): Tensor {
    return this.transforms.reduce((value, t) => t(value), x)
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return no_grad(() => this._forward(this.base_dist.sample(sample_shape)))
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    return this._forward(this.base_dist.rsample(sample_shape))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    let event_dim = this._event_shape.length
    let y = value
    let jacobians: Tensor | null = null
    for (const t of [...this.transforms].reverse()) {
      const x = t.inv(y)
      event_dim += t.domain.event_dim - t.codomain.event_dim
      const term = sum_rightmost(t.log_abs_det_jacobian(x, y), event_dim - t.domain.event_dim)
      jacobians = jacobians === null ? term.neg() : jacobians.sub(term)
      y = x
    }
    const base = sum_rightmost(this.base_dist.log_prob(y), event_dim - this.base_dist.event_shape.length)
    return jacobians === null ? base : jacobians.add(base)
  }

  /** The probability of the side on which a descending chain of transforms puts it. */
  protected _side(value: Tensor): Tensor {
    const sign = this.transforms.reduce<Sign>((product, t) => times(product, t.sign), 1)
    return sign === 1 ? value : value.sub(0.5).mul(sign).add(0.5)
  }

  override cdf(value: Tensor): Tensor {
    const x = this.transforms.reduceRight((y, t) => t.inv(y), value)
    if (this._validate_args) this.base_dist._validate_sample(x)
    return this._side(this.base_dist.cdf(x))
  }

  override icdf(value: Tensor): Tensor {
    return this._forward(this.base_dist.icdf(this._side(value)))
  }
}
