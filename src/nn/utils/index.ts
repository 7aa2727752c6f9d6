// torch.nn.utils: limiting gradients; and the namespace.
import { RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'

export { parameters_to_vector, vector_to_parameters } from './convert_parameters.ts'
export {
  fuse_conv_bn_eval,
  fuse_conv_bn_weights,
  fuse_linear_bn_eval,
  fuse_linear_bn_weights,
} from './fusion.ts'
export { skip_init } from './init.ts'
export { convert_conv2d_weight_memory_format } from './memory_format.ts'
export * as parametrizations from './parametrizations.ts'
export * as parametrize from './parametrize.ts'
export * as prune from './prune.ts'
export * as rnn from './rnn.ts'
export { remove_spectral_norm, type SpectralNormOptions, spectral_norm } from './spectral_norm.ts'
export * as stateless from './stateless.ts'
export { remove_weight_norm, weight_norm } from './weight_norm.ts'

const list_of = (parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  parameters instanceof torch.Tensor ? [parameters] : [...parameters]

const gradients = (parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  list_of(parameters).flatMap(p => (p.grad === null ? [] : [p.grad.detach()]))

type ClipOptions = { norm_type?: number; error_if_nonfinite?: boolean }

/**
 * Scales the gradients in place so that their norm, taken over all of them as one vector, is at most `max_norm`.
 * Returns the norm that they had.
 */
export function clip_grad_norm_(
  parameters: Tensor | Iterable<Tensor>,
  max_norm: number,
  norm_type: number | ClipOptions = 2,
  error_if_nonfinite = false,
): Tensor {
  const options = typeof norm_type === 'number' ? { norm_type, error_if_nonfinite } : norm_type
  const order = Number(options.norm_type ?? 2)
  const grads = gradients(parameters)
  const [first] = grads
  if (first === undefined) return torch.tensor(torch.float_scalar(0))
  const norms = torch.stack(
    grads.map(g => (order === Infinity ? g.abs().max() : g.norm(order)).to(first.dtype)),
  )
  const total = order === Infinity ? norms.max() : norms.norm(order)
  if ((options.error_if_nonfinite ?? false) && total.isfinite().item() === false)
    throw new RuntimeError(
      `The total norm of order ${torch._python_float(order)} for gradients from \`parameters\` is non-finite, so it cannot be clipped. To disable ` +
        'this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`',
    )
  const factor = total.add(1e-6).reciprocal().mul(max_norm).clamp_max(1)
  for (const g of grads) g.mul_(factor.to(g.dtype))
  return total
}

/** The old name of {@link clip_grad_norm_}. */
export function clip_grad_norm(
  parameters: Tensor | Iterable<Tensor>,
  max_norm: number,
  norm_type = 2,
): Tensor {
  torch._warn('torch.nn.utils.clip_grad_norm is now deprecated in favor of torch.nn.utils.clip_grad_norm_.')
  return clip_grad_norm_(parameters, max_norm, norm_type)
}

/** Limits every element of the gradients, in place, to [-clip_value, clip_value]. */
export function clip_grad_value_(parameters: Tensor | Iterable<Tensor>, clip_value: number): void {
  for (const g of gradients(parameters)) g.clamp_(-clip_value, clip_value)
}
