// RAdam: Adam whose first steps are taken without the average of squares (Liu et al., arXiv:1908.03265).
import { _nn, type Tensor, zeros_like } from '../torch.ts'
import { step_count } from './adam.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_adam, signature } from './options.ts'

export type RAdamOptions = {
  lr?: number
  betas?: readonly [number, number]
  eps?: number
  weight_decay?: number
  foreach?: boolean | null
}

type Group = Required<RAdamOptions>
type State = { step: Tensor; exp_avg: Tensor; exp_avg_sq: Tensor }
type Positional = [
  lr: number,
  betas: readonly [number, number],
  eps: number,
  weight_decay: number,
  foreach: boolean | null,
]

const options_of = signature<Group>(
  'RAdam.__init__(any? params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, float weight_decay=0, ' +
    'bool? foreach=None)',
)

/** The update of {@link Adam}, rectified for the variance of `v`, and momentum alone while that is unbounded. */
export class RAdam extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, RAdamOptions>) {
    const options = options_of([params, ...args])
    require_adam(options)
    super(params, options)
  }

  protected override initial(p: Tensor): State {
    return { step: step_count(), exp_avg: zeros_like(p), exp_avg_sq: zeros_like(p) }
  }

  protected override in_pairs(): boolean {
    return false
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, betas, eps, weight_decay, foreach } = group
    const { exp_avg, exp_avg_sq } = state
    const [beta1, beta2] = betas
    const step = Number(state.step.add_(1).item())
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    _nn.decay_add_(exp_avg, grad, { decay: beta1, alpha: 1 - beta1 })
    _nn.decay_addcmul_(exp_avg_sq, grad, grad, { decay: beta2, value: 1 - beta2 })

    const bias2 = 1 - beta2 ** step
    const rho_inf = 2 / (1 - beta2) - 1
    const rho = rho_inf - (2 * step * beta2 ** step) / bias2
    const move = exp_avg.div(1 - beta1 ** step).mul_(lr)
    if (rho > 5) {
      const rectifier = Math.sqrt(((rho - 4) * (rho - 2) * rho_inf) / ((rho_inf - 4) * (rho_inf - 2) * rho))
      // As PyTorch: many tensors at once are divided without epsilon.
      const root = exp_avg_sq.sqrt().add_(foreach ? 0 : eps)
      move.mul_(root.reciprocal_().mul_(Math.sqrt(bias2))).mul_(rectifier)
    }
    p.add_(move, { alpha: -1 })
  }
}
