// Mixtures: a categorical variable chooses among distributions of one family.
import { ValueError } from '../base/errors.ts'
import type { Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import { Categorical } from './categorical.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution } from './distribution.ts'
import { assign, type Keywords, type SampleShape, signature, to_size, type Validate } from './utils.ts'

type Settings = {
  mixture_distribution: Categorical
  component_distribution: Distribution
  validate_args: Validate
}
const read = signature<Settings>(
  'MixtureSameFamily(any mixture_distribution, any component_distribution, bool? validate_args=None)',
)

/** The last dimension of the batch of `component_distribution`, of which `mixture_distribution` chooses one. */
export class MixtureSameFamily extends Distribution {
  static override readonly arg_constraints: Constraints = {}
  static override readonly support: Constraint = constraints.dependent_property()
  declare readonly mixture_distribution: Categorical
  declare readonly component_distribution: Distribution
  declare readonly _num_component: number

  constructor(
    ...args: Keywords<
      [mixture_distribution: Categorical, component_distribution: Distribution, validate_args: Validate],
      Partial<Settings>
    >
  ) {
    super()
    const { mixture_distribution: mixture, component_distribution: component, validate_args } = read(args)
    if (!(mixture instanceof Categorical))
      throw new ValueError(
        ' The Mixture distribution needs to be an  instance of torch.distribtutions.Categorical',
      )
    if (!(component instanceof Distribution))
      throw new ValueError(
        'The Component distribution need to be an instance of torch.distributions.Distribution',
      )
    const chosen = mixture.batch_shape
    const batch = component.batch_shape.slice(0, -1)
    for (let d = 1; d <= Math.min(chosen.length, batch.length); d++) {
      const [a, b] = [chosen.at(-d), batch.at(-d)]
      if (a !== 1 && b !== 1 && a !== b)
        throw new ValueError(
          `\`mixture_distribution.batch_shape\` (${chosen}) is not compatible with ` +
            `\`component_distribution.batch_shape\`(${batch})`,
        )
    }
    const km = mixture.logits.size(-1)
    const kc = component.batch_shape.at(-1)
    if (km !== kc)
      throw new ValueError(
        `\`mixture_distribution component\` (${km}) does not equal ` +
          `\`component_distribution.batch_shape[-1]\` (${kc})`,
      )
    assign(this, {
      mixture_distribution: mixture,
      component_distribution: component,
      _num_component: km,
    })
    this._init(batch, component.event_shape, validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    const { _num_component } = this
    const component_distribution = this.component_distribution.expand([...batch_shape, _num_component])
    const mixture_distribution = this.mixture_distribution.expand(batch_shape)
    return this._copy(batch_shape, component_distribution.event_shape, {
      component_distribution,
      mixture_distribution,
      _num_component,
    })
  }

  override get support(): Constraint {
    return this.component_distribution.support
  }

  /** The dimension of components, from the end. */
  protected get _dim(): number {
    return -1 - this._event_shape.length
  }

  /** The probabilities of components, with a dimension for each of an event. */
  protected _weights(): Tensor {
    const { probs, batch_shape } = this.mixture_distribution
    const missing = batch_shape.numel() === 1 ? 0 : this._batch_shape.numel() - batch_shape.numel()
    const ones = (n: number): number[] => new Array<number>(Math.max(n, 0)).fill(1)
    const { shape } = probs
    return probs.reshape([
      ...shape.slice(0, -1),
      ...ones(missing),
      shape.at(-1) as number,
      ...ones(this._event_shape.length),
    ])
  }

  override get mean(): Tensor {
    return this._weights().mul(this.component_distribution.mean).sum(this._dim)
  }

  override get variance(): Tensor {
    const weights = this._weights()
    const { mean, variance } = this.component_distribution
    const within = weights.mul(variance).sum(this._dim)
    const off = mean.sub(this.mean.unsqueeze(this._dim))
    return within.add(weights.mul(off.pow(2)).sum(this._dim))
  }

  override cdf(value: Tensor): Tensor {
    const each = this.component_distribution.cdf(value.unsqueeze(this._dim))
    return each.mul(this.mixture_distribution.probs).sum(-1)
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    const each = this.component_distribution.log_prob(value.unsqueeze(this._dim))
    return each.add(torch.log_softmax(this.mixture_distribution.logits, -1)).logsumexp(-1)
  }

  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = to_size(sample_shape)
    return torch.no_grad(() => {
      const dim = shape.length + this._batch_shape.length
      const chosen = this.mixture_distribution.sample(shape)
      const samples = this.component_distribution.sample(shape)
      const index = chosen
        .reshape([...chosen.shape, 1, ...this._event_shape.map(() => 1)])
        .expand([...chosen.shape, 1, ...this._event_shape])
      return samples.gather(dim, index).squeeze(dim)
    })
  }

  override toString(): string {
    return `MixtureSameFamily(\n  ${this.mixture_distribution},\n  ${this.component_distribution})`
  }
}
