// NAdam: Adam with Nesterov momentum (Dozat, ICLR workshop 2016).
import { _nn, get_default_dtype, type Tensor, tensor, zeros_like } from '../torch.ts'
import { step_count } from './adam.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_adam, require_that, signature } from './options.ts'

export type NAdamOptions = {
  lr?: number
  betas?: readonly [number, number]
  eps?: number
  weight_decay?: number
  momentum_decay?: number
  foreach?: boolean | null
}

type Group = Required<NAdamOptions>
type State = { step: Tensor; mu_product: Tensor; exp_avg: Tensor; exp_avg_sq: Tensor }
type Positional = [
  lr: number,
  betas: readonly [number, number],
  eps: number,
  weight_decay: number,
  momentum_decay: number,
  foreach: boolean | null,
]

const options_of = signature<Group>(
  'NAdam.__init__(any? params, float lr=2e-3, float[] betas=[0.9, 0.999], float eps=1e-8, float weight_decay=0, ' +
    'float momentum_decay=4e-3, bool? foreach=None)',
)

/** The update of {@link Adam} with the momentum that the next step will have. */
export class NAdam extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, NAdamOptions>) {
    const options = options_of([params, ...args])
    require_adam(options)
    require_that(options.momentum_decay >= 0, 'momentum_decay value', options.momentum_decay)
    super(params, options)
  }

  protected override initial(p: Tensor): State {
    const mu_product = tensor(1, { dtype: get_default_dtype() })
    return { step: step_count(), mu_product, exp_avg: zeros_like(p), exp_avg_sq: zeros_like(p) }
  }

  protected override in_pairs(): boolean {
    return false
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, betas, eps, weight_decay, momentum_decay, foreach } = group
    const { exp_avg, exp_avg_sq, mu_product } = state
    const [beta1, beta2] = betas
    const step = Number(state.step.add_(1).item())
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    const mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    const product = Number(mu_product.mul_(mu).item())
    // As PyTorch: one tensor at a time, the momentum of this step counts twice.
    const product_next = foreach ? product * mu_next : Number(mu_product.mul(mu).mul(mu_next).item())
    _nn.decay_add_(exp_avg, grad, { decay: beta1, alpha: 1 - beta1 })
    _nn.decay_addcmul_(exp_avg_sq, grad, grad, { decay: beta2, value: 1 - beta2 })
    const denominator = exp_avg_sq
      .div(1 - beta2 ** step)
      .sqrt()
      .add_(eps)
    p.addcdiv_(grad, denominator, { value: (-lr * (1 - mu)) / (1 - product) })
    p.addcdiv_(exp_avg, denominator, { value: (-lr * mu_next) / (1 - product_next) })
  }
}
