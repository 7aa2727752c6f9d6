// Adam (Kingma and Ba, arXiv:1412.6980), with AMSGrad (Reddi et al., arXiv:1904.09237) as an option.
import { AssertionError, RuntimeError } from '../base/errors.ts'
import { _nn, get_default_dtype, maximum, type Tensor, tensor, zeros_like } from '../torch.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, refuse_foreach, require_adam, signature } from './options.ts'

export type AdamOptions = {
  lr?: number
  /** how slowly the averages of the gradient and of its square decay */
  betas?: readonly [number, number]
  /** added to the denominator */
  eps?: number
  weight_decay?: number
  /** divide by the largest average of squares so far */
  amsgrad?: boolean
  foreach?: boolean | null
  maximize?: boolean
  capturable?: boolean
  differentiable?: boolean
  fused?: boolean
}

type Group = Required<AdamOptions>
type Positional = [
  lr: number,
  betas: readonly [number, number],
  eps: number,
  weight_decay: number,
  amsgrad: boolean,
]

/** What Adam and AdamW keep of a parameter. */
export type AdamState = { step: Tensor; exp_avg: Tensor; exp_avg_sq: Tensor; max_exp_avg_sq?: Tensor }

const options_of = signature<Group>(
  'Adam.__init__(any? params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, float weight_decay=0, ' +
    'bool amsgrad=False, *, bool? foreach=None, bool maximize=False, bool capturable=False, ' +
    'bool differentiable=False, bool fused=False)',
)

/**
 * `p -= lr * m / (sqrt(v) + eps)`, where `m` and `v` are running averages of the gradient and of its square, each
 * divided by `1 - beta ** step`. Weight decay is added to the gradient.
 */
export class Adam extends Optimizer<Group, AdamState> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, AdamOptions>) {
    const options = options_of([params, ...args])
    require_adam(options)
    super(params, options)
    if (options.fused) {
      if (options.differentiable) throw new RuntimeError('`fused` cannot be `differentiable`')
      throw new RuntimeError('FusedAdam requires all the params to be CUDA, floating point')
    }
  }

  protected override initial(p: Tensor, { amsgrad }: Group): AdamState {
    return adam_state(p, amsgrad)
  }

  protected override update_fused(p: Tensor, grad: Tensor, state: AdamState, group: Group): boolean {
    refuse_foreach(group)
    return adam_update_fused(p, grad, state, group, false)
  }

  protected override update(p: Tensor, grad: Tensor, state: AdamState, group: Group): void {
    if (group.weight_decay !== 0) grad = grad.add(p, { alpha: group.weight_decay })
    adam_update(p, grad, state, group)
  }
}

export function adam_state(p: Tensor, amsgrad: boolean): AdamState {
  const state = { step: step_count(), exp_avg: zeros_like(p), exp_avg_sq: zeros_like(p) }
  return amsgrad ? { ...state, max_exp_avg_sq: zeros_like(p) } : state
}

/** A count of steps, as PyTorch keeps it: a 0-dim tensor of the default dtype. */
export const step_count = (): Tensor => tensor(0, { dtype: get_default_dtype() })

/** The whole step in one pass, with weight decay in the gradient or apart from it; false where that cannot be. */
export function adam_update_fused(
  p: Tensor,
  grad: Tensor,
  state: AdamState,
  group: Pick<Group, 'lr' | 'betas' | 'eps' | 'weight_decay' | 'maximize' | 'capturable'>,
  apart: boolean,
): boolean {
  if (group.capturable) return false
  const step = Number(state.step.item()) + 1
  if (!_nn.adam_step_(p, grad, state, step, group, apart)) return false
  _nn.count_step_(state.step)
  return true
}

/** The update without weight decay. */
export function adam_update(
  p: Tensor,
  grad: Tensor,
  state: AdamState,
  { lr, betas, eps, capturable }: Pick<Group, 'lr' | 'betas' | 'eps' | 'capturable'>,
): void {
  if (capturable) throw new AssertionError('If capturable=True, params and state_steps must be CUDA tensors.')
  const { exp_avg, exp_avg_sq, max_exp_avg_sq } = state
  const [beta1, beta2] = betas
  const step = Number(state.step.add_(1).item())
  _nn.decay_add_(exp_avg, grad, { decay: beta1, alpha: 1 - beta1 })
  _nn.decay_addcmul_(exp_avg_sq, grad, grad, { decay: beta2, value: 1 - beta2 })
  const second = max_exp_avg_sq?.copy_(maximum(max_exp_avg_sq, exp_avg_sq)) ?? exp_avg_sq
  _nn.add_over_root_(p, exp_avg, second, {
    value: -lr / (1 - beta1 ** step),
    scale: Math.sqrt(1 - beta2 ** step),
    eps,
  })
}
