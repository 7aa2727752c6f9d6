// AdamW: Adam with weight decay apart from the gradient (Loshchilov and Hutter, arXiv:1711.05101).
import type { Tensor } from '../torch.ts'
import { type AdamState, adam_state, adam_update, adam_update_fused } from './adam.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_adam, signature } from './options.ts'

export type AdamWOptions = {
  lr?: number
  /** how slowly the averages of the gradient and of its square decay */
  betas?: readonly [number, number]
  /** added to the denominator */
  eps?: number
  weight_decay?: number
  /** divide by the largest average of squares so far */
  amsgrad?: boolean
  maximize?: boolean
  foreach?: boolean | null
  capturable?: boolean
}

type Group = Required<AdamWOptions>
type Positional = [
  lr: number,
  betas: readonly [number, number],
  eps: number,
  weight_decay: number,
  amsgrad: boolean,
]

const options_of = signature<Group>(
  'AdamW.__init__(any? params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, ' +
    'float weight_decay=1e-2, bool amsgrad=False, *, bool maximize=False, bool? foreach=None, bool capturable=False)',
)

/** `p *= 1 - lr * weight_decay`, then the update of {@link Adam}. */
export class AdamW extends Optimizer<Group, AdamState> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, AdamWOptions>) {
    const options = options_of([params, ...args])
    require_adam(options)
    super(params, options)
  }

  protected override initial(p: Tensor, { amsgrad }: Group): AdamState {
    return adam_state(p, amsgrad)
  }

  protected override update_fused(p: Tensor, grad: Tensor, state: AdamState, group: Group): boolean {
    return adam_update_fused(p, grad, state, group, true)
  }

  protected override update(p: Tensor, grad: Tensor, state: AdamState, group: Group): void {
    p.mul_(1 - group.lr * group.weight_decay)
    adam_update(p, grad, state, group)
  }
}
