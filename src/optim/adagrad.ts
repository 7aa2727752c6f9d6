// Adagrad (Duchi et al., JMLR 12, 2011): steps shrink with the sum of squared gradients.
import { _nn, type Tensor, zeros_like } from '../torch.ts'
import { step_count } from './adam.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { in_both_parts, type Keywords, require_that, signature } from './options.ts'

export type AdagradOptions = {
  lr?: number
  /** the learning rate of step n is `lr / (1 + (n - 1) * lr_decay)` */
  lr_decay?: number
  weight_decay?: number
  initial_accumulator_value?: number
  eps?: number
  foreach?: boolean | null
  maximize?: boolean
}

type Group = Required<AdagradOptions>
type State = { step: Tensor; sum: Tensor }
type Positional = [
  lr: number,
  lr_decay: number,
  weight_decay: number,
  initial_accumulator_value: number,
  eps: number,
  foreach: boolean | null,
]

const options_of = signature<Group>(
  'Adagrad.__init__(any? params, float lr=1e-2, float lr_decay=0, float weight_decay=0, ' +
    'float initial_accumulator_value=0, float eps=1e-10, bool? foreach=None, *, bool maximize=False)',
)

/** `p -= lr * grad / (sqrt(sum) + eps)`, where `sum` gathers the squares of the gradients. */
export class Adagrad extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, AdagradOptions>) {
    const options = options_of([params, ...args])
    require_that(options.lr >= 0, 'learning rate', options.lr)
    require_that(options.lr_decay >= 0, 'lr_decay value', options.lr_decay)
    require_that(options.weight_decay >= 0, 'weight_decay value', options.weight_decay)
    require_that(
      options.initial_accumulator_value >= 0,
      'initial_accumulator_value value',
      options.initial_accumulator_value,
    )
    require_that(options.eps >= 0, 'epsilon value', options.eps)
    super(params, options)
    for (const group of this.param_groups) for (const p of group.params) this.state_of(p, group)
  }

  protected override initial(p: Tensor, { initial_accumulator_value }: Group): State {
    return { step: step_count(), sum: zeros_like(p).fill_(in_both_parts(initial_accumulator_value, p)) }
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { lr, lr_decay, weight_decay, eps, foreach } = group
    const step = Number(state.step.add_(1).item())
    if (weight_decay !== 0) grad = grad.add(p, { alpha: weight_decay })
    state.sum.addcmul_(grad, grad)
    // As PyTorch: for many tensors at once the rate is computed in the dtype of the count.
    const rate = foreach
      ? Number(state.step.sub(1).mul(lr_decay).add(1).reciprocal().mul(lr).item())
      : lr / (1 + (step - 1) * lr_decay)
    _nn.add_over_root_(p, grad, state.sum, { value: -rate, eps })
  }
}
