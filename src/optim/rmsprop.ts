// RMSprop (Hinton's lectures), plain or centered (Graves, arXiv:1308.0850), with momentum as an option.
import { _nn, type Tensor, zeros_like } from '../torch.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, refuse_foreach, require_that, signature } from './options.ts'

export type RMSpropOptions = {
  lr?: number
  /** how slowly the average of squares decays */
  alpha?: number
  eps?: number
  weight_decay?: number
  momentum?: number
  /** divide by an estimate of the variance rather than of the mean square */
  centered?: boolean
  foreach?: boolean | null
  maximize?: boolean
  differentiable?: boolean
}

type Group = Required<RMSpropOptions>
type State = { step: number; square_avg: Tensor; momentum_buffer?: Tensor; grad_avg?: Tensor }
type Positional = [
  lr: number,
  alpha: number,
  eps: number,
  weight_decay: number,
  momentum: number,
  centered: boolean,
  foreach: boolean | null,
  maximize: boolean,
  differentiable: boolean,
]

const options_of = signature<Group>(
  'RMSprop.__init__(any? params, float lr=1e-2, float alpha=0.99, float eps=1e-8, float weight_decay=0, ' +
    'float momentum=0, bool centered=False, bool? foreach=None, bool maximize=False, bool differentiable=False)',
)

/** `p -= lr * grad / (sqrt(v) + eps)`, where `v` is a running average of the squared gradient. */
export class RMSprop extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, RMSpropOptions>) {
    const options = options_of([params, ...args])
    require_that(options.lr >= 0, 'learning rate', options.lr)
    require_that(options.eps >= 0, 'epsilon value', options.eps)
    require_that(options.momentum >= 0, 'momentum value', options.momentum)
    require_that(options.weight_decay >= 0, 'weight_decay value', options.weight_decay)
    require_that(options.alpha >= 0, 'alpha value', options.alpha)
    super(params, options)
  }

  protected override initial(p: Tensor, { momentum, centered }: Group): State {
    const state: State = { step: 0, square_avg: zeros_like(p) }
    if (momentum > 0) state.momentum_buffer = zeros_like(p)
    if (centered) state.grad_avg = zeros_like(p)
    return state
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, alpha, eps, weight_decay, momentum, centered, differentiable } = group
    const { square_avg, momentum_buffer, grad_avg } = state
    refuse_foreach(group)
    state.step++
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    _nn.decay_addcmul_(square_avg, grad, grad, { decay: alpha, value: 1 - alpha })
    if (!centered && momentum === 0) {
      _nn.add_over_root_(p, grad, square_avg, { value: -lr, eps })
      return
    }
    let average: Tensor
    if (centered && grad_avg) {
      _nn.decay_add_(grad_avg, grad, { decay: alpha, alpha: 1 - alpha })
      average = square_avg.addcmul(grad_avg, grad_avg, { value: -1 }).sqrt_()
    } else average = square_avg.sqrt()
    average = differentiable ? average.add(eps) : average.add_(eps)
    if (momentum > 0 && momentum_buffer) {
      momentum_buffer.mul_(momentum).addcdiv_(grad, average)
      p.add_(momentum_buffer, { alpha: -lr })
    } else p.addcdiv_(grad, average, { value: -lr })
  }
}
