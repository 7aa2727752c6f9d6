// L-BFGS (Nocedal, Math. Comp. 35, 1980): quasi-Newton steps from the last few gradients, with a line search as an
// option. All parameters move as one vector. Not here: the line search (line_search.ts).
import { RuntimeError, ValueError } from '../base/errors.ts'
import { cat, enable_grad, no_grad, type Tensor } from '../torch.ts'
import { strong_wolfe } from './line_search.ts'
import { Optimizer, type Params } from './optimizer.ts'
import { type Keywords, signature } from './options.ts'

export type LBFGSOptions = {
  lr?: number
  /** iterations in one step */
  max_iter?: number
  /** calls of the closure in one step; by default 5/4 of max_iter */
  max_eval?: number | null
  /** a gradient whose largest component is no larger ends the step */
  tolerance_grad?: number
  /** a change of the loss or of the parameters that is no larger ends the step */
  tolerance_change?: number
  /** how many steps the approximation of the Hessian is made from */
  history_size?: number
  line_search_fn?: 'strong_wolfe' | null
}

type Group = Required<LBFGSOptions> & { max_eval: number }
type Positional = [
  lr: number,
  max_iter: number,
  max_eval: number | null,
  tolerance_grad: number,
  tolerance_change: number,
  history_size: number,
  line_search_fn: 'strong_wolfe' | null,
]

/** Kept with the first parameter, for all of them. */
type State = {
  func_evals: number
  n_iter: number
  /** direction and length of the last step */
  d?: Tensor
  t?: number
  /** differences of gradients, the steps that made them, and 1 / their products */
  old_dirs?: Tensor[]
  old_stps?: Tensor[]
  ro?: Tensor[]
  /** scale of the first approximation of the inverse Hessian */
  H_diag?: Tensor | number
  prev_flat_grad?: Tensor
  prev_loss?: number
}

const options_of = signature<Required<LBFGSOptions>>(
  'LBFGS.__init__(any? params, float lr=1, int max_iter=20, int? max_eval=None, float tolerance_grad=1e-7, ' +
    'float tolerance_change=1e-9, int history_size=100, str? line_search_fn=None)',
)

/** Throws ValueError for more than one parameter group. `step` needs a closure and calls it several times. */
export class LBFGS extends Optimizer<Group, State> {
  constructor(params: Params<Group>, ...args: Keywords<Positional, LBFGSOptions>) {
    const options = options_of([params, ...args])
    super(params, { ...options, max_eval: options.max_eval ?? Math.floor((options.max_iter * 5) / 4) })
    if (this.param_groups.length !== 1)
      throw new ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
  }

  private get _params(): Tensor[] {
    return this.param_groups[0]!.params
  }

  private _flat_grad(): Tensor {
    return cat(this._params.map(p => (p.grad === null ? p.new_zeros(p.numel()) : p.grad.reshape(-1))))
  }

  /** Adds `t * d` to the parameters. */
  private _move(t: number, d: Tensor): void {
    let offset = 0
    for (const p of this._params) {
      p.add_(d.narrow(0, offset, p.numel()).view_as(p), { alpha: t })
      offset += p.numel()
    }
  }

  /** The loss and the gradient after a move of `t * d`, which is taken back. */
  private _try(closure: () => number, t: number, d: Tensor): [loss: number, grad: Tensor] {
    const before = this._params.map(p => p.clone())
    this._move(t, d)
    const loss = closure()
    const grad = this._flat_grad()
    this._params.forEach((p, i) => {
      p.copy_(before[i] as Tensor)
    })
    return [loss, grad]
  }

  /** Iterates up to `max_iter` times; gives back the loss that `closure` had at first. */
  override step(): never
  override step<Loss>(closure: (() => Loss) | null): Loss
  override step<Loss>(closure: (() => Loss) | null = null): Loss {
    if (closure === null)
      throw new TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
    return no_grad(() => this._iterate(() => enable_grad(closure)))
  }

  private _iterate<Loss>(closure: () => Loss): Loss {
    const group = this.param_groups[0]!
    const { max_iter, max_eval, tolerance_grad, tolerance_change, line_search_fn } = group
    if (line_search_fn !== null && line_search_fn !== 'strong_wolfe')
      throw new RuntimeError("only 'strong_wolfe' is supported")
    if (this.state.size === 0) this.state.set(this._params[0] as Tensor, { func_evals: 0, n_iter: 0 })
    const state = this.state.get(this._params[0] as Tensor) as State
    const evaluate = (): number => as_number(closure())

    const first_loss = closure()
    let loss = as_number(first_loss)
    let evals = 1
    let flat_grad = this._flat_grad()
    let converged = largest(flat_grad) <= tolerance_grad
    for (let n = 1; n <= max_iter && !converged; n++) {
      state.n_iter++
      const d = direction(state, flat_grad, group.history_size)
      state.d = d
      state.prev_flat_grad = flat_grad
      state.prev_loss = loss
      const slope = as_number(flat_grad.dot(d))
      let t = group.lr
      if (state.n_iter === 1) t *= Math.min(1, as_number(flat_grad.abs().sum().reciprocal()))
      state.t = t
      if (slope > -tolerance_change) break

      if (line_search_fn !== null) {
        const found = strong_wolfe(
          (at, along) => this._try(evaluate, at, along),
          t,
          d,
          loss,
          flat_grad,
          slope,
        )
        ;({ loss, grad: flat_grad, t } = found)
        state.t = t
        this._move(t, d)
        evals += found.evals
        converged = largest(flat_grad) <= tolerance_grad
      } else {
        this._move(t, d)
        // What follows the last iteration is not known: in a stochastic setting the loss will be another.
        if (n < max_iter) {
          loss = evaluate()
          evals++
          flat_grad = this._flat_grad()
          converged = largest(flat_grad) <= tolerance_grad
        }
      }
      if (evals >= max_eval || largest(d.mul(t)) <= tolerance_change) break
      if (Math.abs(loss - state.prev_loss) < tolerance_change) break
    }
    state.func_evals += evals
    return first_loss
  }
}

/** Minus the gradient times the approximate inverse Hessian, whose history takes in the last step. */
function direction(state: State, flat_grad: Tensor, history_size: number): Tensor {
  const { d, t, prev_flat_grad } = state
  if (d === undefined || t === undefined || prev_flat_grad === undefined || state.n_iter === 1) {
    Object.assign(state, { old_dirs: [], old_stps: [], ro: [], H_diag: 1 })
    return flat_grad.neg()
  }
  const { old_dirs, old_stps, ro } = state as Required<State>
  const y = flat_grad.sub(prev_flat_grad)
  const s = d.mul(t)
  const ys = y.dot(s)
  if (as_number(ys) > 1e-10) {
    for (const history of [old_dirs, old_stps, ro]) if (history.length === history_size) history.shift()
    old_dirs.push(y)
    old_stps.push(s)
    ro.push(ys.reciprocal())
    state.H_diag = ys.div(y.dot(y))
  }
  const q = flat_grad.neg()
  const al: number[] = []
  for (let i = old_dirs.length - 1; i >= 0; i--) {
    const a = as_number(old_stps[i]!.dot(q).mul(ro[i]!))
    al[i] = a
    q.add_(old_dirs[i]!, { alpha: -a })
  }
  const r = q.mul(state.H_diag as Tensor | number)
  for (let i = 0; i < old_dirs.length; i++) {
    const b = as_number(old_dirs[i]!.dot(r).mul(ro[i]!))
    r.add_(old_stps[i]!, { alpha: (al[i] as number) - b })
  }
  return r
}

/** Python's float(x), of a number or a tensor of one element. */
const as_number = (x: unknown): number => Number(x)

const largest = (t: Tensor): number => as_number(t.abs().max())
