// Averaged stochastic gradient descent (Polyak and Juditsky, SIAM J. Control Optim. 30, 1992).
import { get_default_dtype, type Tensor, tensor, zeros_like } from '../torch.ts'
import { step_count } from './adam.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_that, signature } from './options.ts'

export type ASGDOptions = {
  lr?: number
  /** decay of the parameters */
  lambd?: number
  /** power of the decay of the learning rate */
  alpha?: number
  /** the step at which averaging starts */
  t0?: number
  weight_decay?: number
  foreach?: boolean | null
  maximize?: boolean
}

type Group = Required<ASGDOptions>
type State = { step: Tensor; eta: Tensor; mu: Tensor; ax: Tensor }
type Positional = [
  lr: number,
  lambd: number,
  alpha: number,
  t0: number,
  weight_decay: number,
  foreach: boolean | null,
  maximize: boolean,
]

const options_of = signature<Group>(
  'ASGD.__init__(any? params, float lr=1e-2, float lambd=1e-4, float alpha=0.75, float t0=1e6, ' +
    'float weight_decay=0, bool? foreach=None, bool maximize=False)',
)

/** `p = (1 - lambd * eta) * p - eta * grad`, with `eta` falling; the average of `p` is kept in the state as `ax`. */
export class ASGD extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, ASGDOptions>) {
    const options = options_of([params, ...args])
    require_that(options.lr >= 0, 'learning rate', options.lr)
    require_that(options.weight_decay >= 0, 'weight_decay value', options.weight_decay)
    super(params, options)
  }

  protected override get float_options(): readonly string[] {
    return ['t0']
  }

  protected override initial(p: Tensor, { lr }: Group): State {
    const dtype = get_default_dtype()
    return { step: step_count(), eta: tensor(lr, { dtype }), mu: tensor(1, { dtype }), ax: zeros_like(p) }
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, lambd, alpha, t0, weight_decay } = group
    const { eta, mu, ax } = state
    const step = Number(state.step.add_(1).item())
    const rate = Number(eta.item())
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    p.mul_(1 - lambd * rate).add_(grad, { alpha: -rate })
    if (mu.item() === 1) ax.copy_(p)
    else ax.add_(p.sub(ax).mul_(mu))
    // Rounded to the default dtype, even where they were loaded in another.
    const dtype = get_default_dtype()
    eta.copy_(tensor(lr / (1 + lambd * lr * step) ** alpha, { dtype }))
    mu.copy_(tensor(1 / Math.max(1, step - t0), { dtype }))
  }
}
