// Autograd's methods on tensors: backward, hooks, retain_grad, detach_; and the old Variable, which is a tensor.
// Not here: the walk (engine.ts).
import { RuntimeError } from '../base/errors.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { edge_of, push_hook, type TensorHook } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { backward } from './engine.ts'

declare module '../tensor/tensor.ts' {
  interface TensorMethods {
    /** Sums the gradient of this tensor into the `.grad` of the graph's leaves; see torch.autograd.backward. */
    backward(
      gradient?: Tensor | null | BackwardCall,
      retain_graph?: boolean | null,
      create_graph?: boolean,
      options?: BackwardCall,
    ): void
    /** Calls `hook(grad)` when the gradient of this tensor has been computed; it may return another one. */
    register_hook(hook: TensorHook): { remove(): void }
    /** Keeps `.grad` of a tensor that is no leaf. */
    retain_grad(): void
    readonly retains_grad: boolean
    /** Takes this tensor out of the graph, in place. */
    detach_(): this
  }
}

type BackwardCall = {
  gradient?: Tensor | null
  retain_graph?: boolean | null
  create_graph?: boolean
  inputs?: Tensor | readonly Tensor[] | null
  /** The name of retain_graph before PyTorch 0.2. */
  retain_variables?: boolean
}

const backward_schema = parse_schema(
  'backward(Tensor self, Tensor? gradient=None, bool? retain_graph=None, bool create_graph=False, any? inputs=None, *, bool? retain_variables=None)',
)

function tensor_backward(this: Tensor, ...args: readonly unknown[]): void {
  if (args.length === 0) return backward(this)
  const [self, gradient, retain_graph, create_graph, inputs, retain_variables] = bind(
    [backward_schema],
    [this, ...args],
  ).values as [Tensor, Tensor | null, boolean | null, boolean, Tensor[] | null, boolean | null]
  backward(self, gradient === null ? null : [gradient], {
    retain_graph: retain_graph ?? retain_variables,
    create_graph,
    inputs,
  })
}

function register_hook(this: Tensor, hook: TensorHook): { remove(): void } {
  const edge = edge_of(this)
  if (edge === null)
    throw new RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
  const { node, nr } = edge
  node.pre_hooks ??= []
  return push_hook(node.pre_hooks, grads => {
    const grad = grads[nr]
    if (!grad) return
    const replaced = hook(grad)
    if (replaced !== null && replaced !== undefined) grads[nr] = check_replacement(replaced, grad)
  })
}

function check_replacement(replaced: unknown, grad: Tensor): Tensor {
  if (!(replaced instanceof Tensor))
    throw new TypeError(`expected Variable, but hook returned '${typeof replaced}'`)
  if (replaced.sizes.join() !== grad.sizes.join())
    throw new RuntimeError(`hook 'hook' has changed the size of value`)
  replaced.memory.owned = true
  return replaced
}

function retain_grad(this: Tensor): void {
  if (!this._requires_grad) throw new RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
  const edge = edge_of(this)
  if (this.grad_fn === null || edge === null || this._retains_grad) return
  this._retains_grad = true
  const { node, nr } = edge
  node.pre_hooks ??= []
  node.pre_hooks.push(grads => {
    const grad = grads[nr]
    if (grad) this._grad = this._grad === null ? grad.clone() : this._grad.add(grad)
  })
}

/** Takes a tensor out of the graph, in place. */
export const detach_ = (input: Tensor): Tensor => input.detach_()

function detach_self(this: Tensor): Tensor {
  if (this._view !== null)
    throw new RuntimeError(
      "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as a solution.",
    )
  this._grad_fn = null
  this._output_nr = 0
  this._requires_grad = false
  return this
}

/** Puts the methods on the prototype. */
export function install_autograd(): void {
  Object.assign(Tensor.prototype, {
    backward: tensor_backward,
    register_hook,
    retain_grad,
    detach_: detach_self,
  })
  Object.defineProperty(Tensor.prototype, 'retains_grad', {
    get(this: Tensor) {
      return this._retains_grad
    },
  })
}

/**
 * The wrapper of PyTorch before 0.4: gives a tensor on the same memory that may require grad.
 * `volatile: true` is accepted and means `requires_grad: false`.
 */
export function Variable(
  data: Tensor,
  options: { requires_grad?: boolean; volatile?: boolean } | boolean = {},
): Tensor {
  const wanted = typeof options === 'boolean' ? options : (options.requires_grad ?? false)
  const variable = data.requires_grad ? data.detach() : data
  return variable === data && !wanted ? data : (variable.detach().requires_grad_(wanted) as Tensor)
}
