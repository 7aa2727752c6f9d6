// The von Mises distribution of angles: a normal distribution around a circle.
import * as torch from '../torch.ts'
import { no_grad, type Tensor, where } from '../torch.ts'
import type { Constraint } from './constraints.ts'
import * as constraints from './constraints.ts'
import { type Constraints, Distribution, lazy_properties } from './distribution.ts'
import {
  assign,
  broadcast_all,
  type Keywords,
  lazy,
  one_minus,
  type SampleShape,
  signature,
  uniform,
  type Validate,
  type Value,
} from './utils.ts'

/** The Bessel functions I_0 and I_1 (Abramowitz & Stegun 9.8.1 to 9.8.4), in powers of (x / 3.75)^2 and 3.75 / x. */
const SMALL: readonly (readonly number[])[] = [
  [1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.360768e-1, 0.45813e-2],
  [0.5, 0.87890594, 0.51498869, 0.15084934, 0.2658733e-1, 0.301532e-2, 0.32411e-3],
]
const LARGE: readonly (readonly number[])[] = [
  [
    0.39894228, 0.1328592e-1, 0.225319e-2, -0.157565e-2, 0.916281e-2, -0.2057706e-1, 0.2635537e-1,
    -0.1647633e-1, 0.392377e-2,
  ],
  [
    0.39894228, -0.3988024e-1, -0.362018e-2, 0.163801e-2, -0.1031555e-1, 0.2282967e-1, -0.2895312e-1,
    0.1787654e-1, -0.420059e-2,
  ],
]

function polynomial(x: Tensor, [first, ...rest]: readonly number[]): Tensor {
  const [last, ...above] = [...rest].reverse()
  const highest = x.mul(last as number)
  return above.reduce((sum, c) => sum.add(c).mul(x), highest).add(first as number)
}

/** log I_order(x), for x > 0. */
function log_bessel(x: Tensor, order: 0 | 1): Tensor {
  const series = polynomial(x.div(3.75).pow(2), SMALL[order] as readonly number[])
  const small = (order === 1 ? x.abs().mul(series) : series).log()
  const large = x
    .sub(x.log().mul(0.5))
    .add(polynomial(x.reciprocal().mul(3.75), LARGE[order] as readonly number[]).log())
  return where(x.lt(3.75), small, large)
}

type Settings = { loc: Value; concentration: Value; validate_args: Validate }
const read = signature<Settings>('VonMises(any loc, any concentration, bool? validate_args=None)')

/** Angles in radians around `loc`, the closer the greater the `concentration`. */
export class VonMises extends Distribution {
  static override readonly arg_constraints: Constraints = {
    loc: constraints.real,
    concentration: constraints.positive,
  }
  static override readonly support: Constraint = constraints.real
  declare readonly loc: Tensor
  declare readonly concentration: Tensor
  /** The parameter of the wrapped Cauchy distribution from which samples are accepted or not. */
  declare readonly _proposal_r: Tensor

  constructor(
    ...args: Keywords<[loc: Value, concentration: Value, validate_args: Validate], Partial<Settings>>
  ) {
    super()
    const settings = read(args)
    const [loc, concentration] = broadcast_all(settings.loc, settings.concentration) as [Tensor, Tensor]
    const tau = concentration.pow(2).mul(4).add(1).sqrt().add(1)
    const rho = tau.sub(tau.mul(2).sqrt()).div(concentration.mul(2))
    assign(this, { loc, concentration, _proposal_r: rho.pow(2).add(1).div(rho.mul(2)) })
    this._init(loc.shape, [], settings.validate_args)
  }

  override expand(batch_shape: readonly number[]): this {
    return this._copy(batch_shape, [], this._expanded(batch_shape, 'loc', 'concentration', '_proposal_r'))
  }

  override log_prob(value: Tensor): Tensor {
    this._check(value)
    return this.concentration
      .mul(value.sub(this.loc).cos())
      .sub(Math.log(2 * Math.PI))
      .sub(log_bessel(this.concentration, 0))
  }

  // Rejection from a wrapped Cauchy distribution (Best and Fisher 1979), of all elements until the last is accepted.
  override sample(sample_shape: SampleShape = []): Tensor {
    const shape = this._extended_shape(sample_shape)
    return no_grad(() => {
      let x = torch.zeros([...shape], { dtype: this.loc.dtype })
      let done = torch.zeros([...shape], { dtype: torch.bool })
      while (!done.all().item()) {
        const [u1, u2, u3] = uniform([3, ...shape], this.loc).unbind() as [Tensor, Tensor, Tensor]
        const z = u1.mul(Math.PI).cos()
        const f = this._proposal_r.mul(z).add(1).div(this._proposal_r.add(z))
        const c = this.concentration.mul(this._proposal_r.sub(f))
        const surely = c.mul(c.rsub(2)).sub(u2).gt(0)
        const accept = surely.bitwise_or(one_minus(c).add(c.div(u2).log()).ge(0))
        x = where(accept, u3.sub(0.5).sign().mul(f.acos()), x)
        done = done.bitwise_or(accept)
      }
      const turn = 2 * Math.PI
      return x.add(Math.PI).add(this.loc).remainder(turn).sub(Math.PI)
    })
  }

  override get mean(): Tensor {
    return this.loc
  }

  override get mode(): Tensor {
    return this.loc
  }

  /** The circular variance. */
  override get variance(): Tensor {
    return lazy(this, 'variance', () =>
      one_minus(log_bessel(this.concentration, 1).sub(log_bessel(this.concentration, 0)).exp()),
    )
  }
}
lazy_properties(VonMises, 'variance')
