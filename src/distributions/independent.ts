// Independent: a distribution of which the last dimensions of the batch count to the event.
import { NotImplementedError, ValueError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import type { Expand } from './probs.ts'
import { assign, type Keywords, type SampleShape, signature, sum_rightmost, type Validate } from './utils.ts'

type Settings = {
  base_distribution: Distribution
  reinterpreted_batch_ndims: number
  validate_args: Validate
}
const read = signature<Settings>(
  'Independent(any base_distribution, int reinterpreted_batch_ndims, bool? validate_args=None)',
)

/** Several independent variables as one event: the last `reinterpreted_batch_ndims` dimensions of the batch. */
export class Independent extends Distribution {
  static override readonly arg_constraints: Constraints = {}
  static override readonly support: Constraint = constraints.dependent_property()
  declare readonly base_dist: Distribution
  declare readonly reinterpreted_batch_ndims: number

  constructor(
    ...args: Keywords<
      [base_distribution: Distribution, reinterpreted_batch_ndims: number, validate_args: Validate],
      Partial<Settings>
    >
  ) {
    super()
    const { base_distribution: base_dist, reinterpreted_batch_ndims, validate_args } = read(args)
    const { batch_shape, event_shape } = base_dist
    if (reinterpreted_batch_ndims > batch_shape.length)
      throw new ValueError(
        'Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), ' +
          `actual ${reinterpreted_batch_ndims} vs ${batch_shape.length}`,
      )
    const kept = batch_shape.length - reinterpreted_batch_ndims
    assign(this, { base_dist, reinterpreted_batch_ndims })
    this._init(batch_shape.slice(0, kept), batch_shape.slice(kept).concat(event_shape), validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { reinterpreted_batch_ndims, _event_shape } = this
    const base_dist = this.base_dist.expand([
      ...batch_shape,
      ..._event_shape.slice(0, reinterpreted_batch_ndims),
    ])
    return this._copy(batch_shape, _event_shape, { base_dist, reinterpreted_batch_ndims })
  }

  override get has_rsample(): boolean {
    return this.base_dist.has_rsample
  }

  override get has_enumerate_support(): boolean {
    return this.reinterpreted_batch_ndims === 0 && this.base_dist.has_enumerate_support
  }

  override get support(): Constraint {
    const { reinterpreted_batch_ndims: dims } = this
    const { support } = this.base_dist
    return dims > 0 ? constraints.independent(support, dims) : support
  }

  override get mean(): Tensor {
    return this.base_dist.mean
  }

  override get mode(): Tensor {
    return this.base_dist.mode
  }

  override get variance(): Tensor {
    return this.base_dist.variance
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    return this.base_dist.sample(sample_shape)
  }

  override rsample(sample_shape: SampleShape = []): Tensor {
    return this.base_dist.rsample(sample_shape)
  }

  override log_prob(value: Tensor): Tensor {
    return sum_rightmost(this.base_dist.log_prob(value), this.reinterpreted_batch_ndims)
  }

  override entropy(): Tensor {
    return sum_rightmost(this.base_dist.entropy(), this.reinterpreted_batch_ndims)
  }

  override enumerate_support(expand: Expand = true): Tensor {
    if (this.reinterpreted_batch_ndims > 0)
      throw new NotImplementedError('Enumeration over cartesian product is not implemented')
    return this.base_dist.enumerate_support(expand)
  }

  override toString(): string {
    return `${this.constructor.name}(${this.base_dist}, ${this.reinterpreted_batch_ndims})`
  }
}
