// What distributions of an exponential family share: their entropy, by differentiating the log normalizer.
// Not here: their divergences (kl/).
import { NotImplementedError } from '../base/errors.ts'
import { autograd, type Tensor } from '../torch.ts'
import { Distribution } from './distribution.ts'

/**
 * A distribution of density exp(<t(x), theta> - F(theta) + k(x)): natural parameters theta, of log normalizer F, and a
 * carrier k of known mean.
 */
export abstract class ExponentialFamily extends Distribution {
  /** The natural parameters. */
  get _natural_params(): readonly Tensor[] {
    throw new NotImplementedError()
  }

  /** F of the natural parameters. */
  _log_normalizer(..._params: readonly Tensor[]): Tensor {
    throw new NotImplementedError()
  }

  /** The mean of k. */
  get _mean_carrier_measure(): number | Tensor {
    throw new NotImplementedError()
  }

  override entropy(): Tensor {
    const { normalizer, params, gradients } = differentiate(this)
    const start = normalizer.sub(this._mean_carrier_measure)
    return params.reduce((sum, param, i) => {
      const term = param.mul(gradients[i] as Tensor)
      return sum.sub(term.reshape([...this._batch_shape, -1]).sum(-1))
    }, start)
  }
}

/** The log normalizer and its gradients, at natural parameters cut off from what they were computed from. */
export function differentiate(p: ExponentialFamily): {
  normalizer: Tensor
  params: readonly Tensor[]
  gradients: readonly Tensor[]
} {
  const params = p._natural_params.map(param => param.detach().requires_grad_())
  const normalizer = p._log_normalizer(...params)
  const gradients = autograd.grad(normalizer.sum(), params, { create_graph: true }) as Tensor[]
  return { normalizer, params, gradients }
}
