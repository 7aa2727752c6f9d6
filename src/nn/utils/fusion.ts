// nn.utils.fuse_conv_bn_eval and its kin: a convolution or linear map with the BatchNorm after it, as one, for evaluation.
import { AssertionError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import type { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'

type Weighted = Module & { weight: Parameter; bias: Parameter | null }
type Normalised = Module & {
  readonly eps: number
  weight: Parameter | null
  bias: Parameter | null
  running_mean: Tensor | null
  running_var: Tensor | null
}

function require_eval(...modules: readonly Module[]): void {
  if (modules.some(m => m.training)) throw new AssertionError('Fusion only for eval!')
}

/** Weight and bias of a convolution and the BatchNorm after it; `transpose` says that the weight is a transposed one's. */
export function fuse_conv_bn_weights(
  conv_w: Tensor,
  conv_b: Tensor | null,
  bn_rm: Tensor,
  bn_rv: Tensor,
  bn_eps: number,
  bn_w: Tensor | null,
  bn_b: Tensor | null,
  transpose: boolean | { transpose?: boolean } = false,
): [weight: Parameter, bias: Parameter] {
  const turned = typeof transpose === 'boolean' ? transpose : (transpose.transpose ?? false)
  const scale = bn_rv.add(bn_eps).rsqrt()
  const factor = bn_w === null ? scale : bn_w.mul(scale)
  const rest = new Array<number>(conv_w.ndim - 2).fill(1)
  const weight = conv_w.mul(factor.reshape(turned ? [1, -1, ...rest] : [-1, 1, ...rest]))
  const shifted = conv_b === null ? bn_rm.neg() : conv_b.sub(bn_rm)
  const bias = shifted.mul(factor)
  return [new Parameter(weight.detach()), new Parameter((bn_b === null ? bias : bias.add(bn_b)).detach())]
}

/** A copy of `conv` that computes what `bn` makes of its result. Both are in evaluation. */
export function fuse_conv_bn_eval<M extends Weighted>(
  conv: M,
  bn: Normalised,
  transpose: boolean | { transpose?: boolean } = false,
): M {
  require_eval(conv, bn)
  const fused = torch.deepcopy(conv)
  const { running_mean, running_var, eps } = bn
  ;[fused.weight, fused.bias] = fuse_conv_bn_weights(
    fused.weight,
    fused.bias,
    running_mean!,
    running_var!,
    eps,
    bn.weight,
    bn.bias,
    transpose,
  )
  return fused
}

/** Weight and bias of a linear map and the BatchNorm after it. */
export function fuse_linear_bn_weights(
  linear_w: Tensor,
  linear_b: Tensor | null,
  bn_rm: Tensor,
  bn_rv: Tensor,
  bn_eps: number,
  bn_w: Tensor,
  bn_b: Tensor,
): [weight: Parameter, bias: Parameter] {
  const scale = bn_w.mul(bn_rv.add(bn_eps).rsqrt())
  const shifted = linear_b === null ? bn_rm.neg() : linear_b.sub(bn_rm)
  return [
    new Parameter(linear_w.mul(scale.unsqueeze(-1)).detach()),
    new Parameter(shifted.mul(scale).add(bn_b).detach()),
  ]
}

/** A copy of `linear` that computes what `bn` makes of its result. Both are in evaluation. */
export function fuse_linear_bn_eval<M extends Weighted>(linear: M, bn: Normalised): M {
  require_eval(linear, bn)
  const fused = torch.deepcopy(linear)
  const { running_mean, running_var, eps, weight, bias } = bn
  ;[fused.weight, fused.bias] = fuse_linear_bn_weights(
    fused.weight,
    fused.bias,
    running_mean!,
    running_var!,
    eps,
    weight!,
    bias!,
  )
  return fused
}
