// SparseAdam: Adam that moves only the rows which a sparse gradient names. There are no sparse gradients, so a step with any
// gradient throws what PyTorch throws for dense ones. Not here: Adam.
import { RuntimeError } from '../base/errors.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, require_adam, require_that, signature } from './options.ts'

export type SparseAdamOptions = {
  lr?: number
  /** how slowly the averages of the gradient and of its square decay */
  betas?: readonly [number, number]
  /** added to the denominator */
  eps?: number
  maximize?: boolean
}

type Group = Required<SparseAdamOptions>
type Positional = [lr: number, betas: readonly [number, number], eps: number, maximize: boolean]

const options_of = signature<Group>(
  'SparseAdam.__init__(any? params, float lr=1e-3, float[] betas=[0.9, 0.999], float eps=1e-8, bool maximize=False)',
)

/** Adam for sparse gradients. Throws RuntimeError at a step with dense ones, which all are. */
export class SparseAdam extends Optimizer<Group> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, SparseAdamOptions>) {
    const options = options_of([params, ...args])
    require_that(options.lr > 0, 'learning rate', options.lr)
    require_that(options.eps > 0, 'epsilon value', options.eps)
    require_adam({ ...options, weight_decay: 0 })
    super(params, options)
  }

  protected override update(): void {
    throw new RuntimeError('SparseAdam does not support dense gradients, please consider Adam instead')
  }
}
