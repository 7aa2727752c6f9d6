// Resilient backpropagation (Riedmiller and Braun, 1993): step sizes of their own, by the signs of the gradients.
import { ValueError } from '../base/errors.ts'
import { type Tensor, zeros_like } from '../torch.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { in_both_parts, type Keywords, require_that, signature } from './options.ts'

export type RpropOptions = {
  lr?: number
  /** factors by which a step shrinks and grows */
  etas?: readonly [number, number]
  /** the smallest and the largest step */
  step_sizes?: readonly [number, number]
  foreach?: boolean | null
  maximize?: boolean
}

type Group = Required<RpropOptions>
type State = { step: number; prev: Tensor; step_size: Tensor }
type Positional = [
  lr: number,
  etas: readonly [number, number],
  step_sizes: readonly [number, number],
  foreach: boolean | null,
  maximize: boolean,
]

const options_of = signature<Group>(
  'Rprop.__init__(any? params, float lr=1e-2, float[] etas=[0.5, 1.2], float[] step_sizes=[1e-6, 50], ' +
    'bool? foreach=None, bool maximize=False)',
)

/** `p -= sign(grad) * step_size`; a step grows while its gradient keeps its sign, and shrinks and waits when it turns. */
export class Rprop extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, RpropOptions>) {
    const options = options_of([params, ...args])
    require_that(options.lr >= 0, 'learning rate', options.lr)
    const [minus, plus] = options.etas
    if (!(0 < minus && minus < 1 && 1 < plus)) throw new ValueError(`Invalid eta values: ${minus}, ${plus}`)
    super(params, options)
  }

  protected override initial(p: Tensor, { lr }: Group): State {
    return { step: 0, prev: zeros_like(p), step_size: zeros_like(p).fill_(in_both_parts(lr, p)) }
  }

  protected override update(p: Tensor, grad: Tensor, state: State, group: Group): void {
    const { etas, step_sizes } = group
    const { prev, step_size } = state
    state.step++
    const turn = grad.mul(prev)
    const turned = turn.lt(0)
    const factor = turn
      .sign()
      .masked_fill_(turn.gt(0), etas[1])
      .masked_fill_(turned, etas[0])
      .masked_fill_(turn.eq(0), 1)
    step_size.mul_(factor).clamp_(step_sizes[0], step_sizes[1])
    prev.copy_(grad.masked_fill(turned, 0))
    p.addcmul_(prev.sign(), step_size, { value: -1 })
  }
}
