// Adadelta (Zeiler, arXiv:1212.5701): steps in the units of the parameters, from running averages alone.
import { _nn, type Tensor, zeros_like } from '../torch.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_that, signature } from './options.ts'

export type AdadeltaOptions = {
  /** scales the step */
  lr?: number
  /** how slowly the averages decay */
  rho?: number
  eps?: number
  weight_decay?: number
  foreach?: boolean | null
  maximize?: boolean
}

type Group = Required<AdadeltaOptions>
type State = { step: number; square_avg: Tensor; acc_delta: Tensor }
type Positional = [lr: number, rho: number, eps: number, weight_decay: number, foreach: boolean | null]

const options_of = signature<Group>(
  'Adadelta.__init__(any? params, float lr=1.0, float rho=0.9, float eps=1e-6, float weight_decay=0, ' +
    'bool? foreach=None, *, bool maximize=False)',
)

/** `p -= lr * grad * rms(steps) / rms(grads)`, by running averages of the squares of both. */
export class Adadelta extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, AdadeltaOptions>) {
    const options = options_of([params, ...args])
    require_that(options.lr >= 0, 'learning rate', options.lr)
    require_that(options.rho >= 0 && options.rho <= 1, 'rho value', options.rho)
    require_that(options.eps >= 0, 'epsilon value', options.eps)
    require_that(options.weight_decay >= 0, 'weight_decay value', options.weight_decay)
    super(params, options)
  }

  protected override get float_options(): readonly string[] {
    return ['lr']
  }

  protected override initial(p: Tensor): State {
    return { step: 0, square_avg: zeros_like(p), acc_delta: zeros_like(p) }
  }

  /** As PyTorch: many tensors at once stay complex. */
  protected override in_pairs({ foreach }: Group): boolean {
    return !foreach
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, rho, eps, weight_decay } = group
    const { square_avg, acc_delta } = state
    state.step++
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    _nn.decay_addcmul_(square_avg, grad, grad, { decay: rho, value: 1 - rho })
    const rms = square_avg.add(eps).sqrt_()
    const delta = acc_delta.add(eps).sqrt_().div_(rms).mul_(grad)
    _nn.decay_addcmul_(acc_delta, delta, delta, { decay: rho, value: 1 - rho })
    p.add_(delta, { alpha: -lr })
  }
}
