// Adamax: Adam with the infinity norm in place of the average of squares (Kingma and Ba, arXiv:1412.6980).
import { _nn, maximum, type Tensor, zeros_like } from '../torch.ts'
import { step_count } from './adam.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_adam, signature } from './options.ts'

export type AdamaxOptions = {
  lr?: number
  betas?: readonly [number, number]
  eps?: number
  weight_decay?: number
  foreach?: boolean | null
  maximize?: boolean
}

type Group = Required<AdamaxOptions>
type State = { step: Tensor; exp_avg: Tensor; exp_inf: Tensor }
type Positional = [
  lr: number,
  betas: readonly [number, number],
  eps: number,
  weight_decay: number,
  foreach: boolean | null,
]

const options_of = signature<Group>(
  'Adamax.__init__(any? params, float lr=2e-3, float[] betas=[0.9, 0.999], float eps=1e-8, float weight_decay=0, ' +
    'bool? foreach=None, *, bool maximize=False)',
)

/** `p -= lr * m / u`, where `m` is the corrected average of the gradient and `u` its decaying largest size. */
export class Adamax extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, AdamaxOptions>) {
    const options = options_of([params, ...args])
    require_adam(options)
    super(params, options)
  }

  protected override initial(p: Tensor): State {
    return { step: step_count(), exp_avg: zeros_like(p), exp_inf: zeros_like(p) }
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, betas, eps, weight_decay } = group
    const { exp_avg, exp_inf } = state
    const [beta1, beta2] = betas
    const step = Number(state.step.add_(1).item())
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    _nn.decay_add_(exp_avg, grad, { decay: beta1, alpha: 1 - beta1 })
    exp_inf.copy_(maximum(exp_inf.mul_(beta2), grad.abs().add_(eps)))
    p.addcdiv_(exp_avg, exp_inf, { value: -lr / (1 - beta1 ** step) })
  }
}
