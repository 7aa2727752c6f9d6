// Stochastic gradient descent, with momentum, Nesterov's form of it, and weight decay.
import { ValueError } from '../base/errors.ts'
import { _nn, type Tensor } from '../torch.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_that, required, signature } from './options.ts'

export type SGDOptions = {
  /** the learning rate; required */
  lr?: number
  momentum?: number
  dampening?: number
  weight_decay?: number
  nesterov?: boolean
  /** climb instead of descend */
  maximize?: boolean
  foreach?: boolean | null
  differentiable?: boolean
}

type Group = Required<SGDOptions>
type State = { momentum_buffer: Tensor | null }
type Positional = [lr: number, momentum: number, dampening: number, weight_decay: number, nesterov: boolean]

const options_of = signature<Group>(
  'SGD.__init__(any? params, float? lr=None, float momentum=0, float dampening=0, float weight_decay=0, ' +
    'bool nesterov=False, *, bool maximize=False, bool? foreach=None, bool differentiable=False)',
)

/**
 * `p -= lr * v`, where `v = momentum * v + (1 - dampening) * (grad + weight_decay * p)`.
 * Throws ValueError for negative lr, momentum or weight_decay, and for Nesterov without plain momentum.
 */
export class SGD extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, SGDOptions>) {
    const options = options_of([params, ...args])
    const { lr, momentum, dampening, weight_decay, nesterov } = options
    require_that(!(lr < 0), 'learning rate', lr)
    require_that(!(momentum < 0), 'momentum value', momentum)
    require_that(!(weight_decay < 0), 'weight_decay value', weight_decay)
    if (nesterov && (momentum <= 0 || dampening !== 0))
      throw new ValueError('Nesterov momentum requires a momentum and zero dampening')
    super(params, { ...options, lr: lr ?? required })
  }

  protected override initial(): State {
    return { momentum_buffer: null }
  }

  protected override update_fused(p: Tensor, grad: Tensor, state: State, group: Group): boolean {
    const { momentum_buffer } = state
    if (group.momentum === 0) return _nn.sgd_step_(p, grad, null, group)
    return momentum_buffer !== null && _nn.sgd_step_(p, grad, momentum_buffer, group)
  }

  protected override in_pairs(): boolean {
    return false
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, momentum, dampening, weight_decay, nesterov } = group
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    if (momentum !== 0) {
      if (state.momentum_buffer === null) state.momentum_buffer = grad.clone().detach()
      else _nn.decay_add_(state.momentum_buffer, grad, { decay: momentum, alpha: 1 - dampening })
      grad = nesterov ? grad.add(state.momentum_buffer, { alpha: momentum }) : state.momentum_buffer
    }
    p.add_(grad, { alpha: -lr })
  }
}
