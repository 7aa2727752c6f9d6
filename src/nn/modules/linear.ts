// Linear maps: Linear, Bilinear, Identity. Not here: what they compute (functional).
import type { Tensor } from '../../torch.ts'
import * as F from '../functional/index.ts'
import { apply_linear } from '../functional/linear.ts'
import * as init from '../init.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { value } from '../repr.ts'
import { FACTORY, type Factory, type FactoryOptions, reader, uninitialised } from './settings.ts'

/** Gives back what it is given; takes any arguments. */
export class Identity extends Module {
  constructor(..._args: readonly unknown[]) {
    super()
  }

  forward(input: Tensor): Tensor {
    return input
  }
}

const linear = reader(`Linear(int in_features, int out_features, bool bias=True, ${FACTORY})`)

type LinearOptions = FactoryOptions & { bias?: boolean }

/** `x W^T + b`, for `weight` (out, in) and `bias` (out); both start uniform within 1 / sqrt(in). */
export class Linear extends Module {
  declare readonly in_features: number
  declare readonly out_features: number
  declare weight: Parameter
  declare bias: Parameter | null

  constructor(in_features: number, out_features: number, bias?: boolean | LinearOptions, opts?: LinearOptions)
  constructor(...args: readonly unknown[]) {
    super()
    const { in_features, out_features, bias, ...factory } = linear<
      { in_features: number; out_features: number; bias: boolean } & Factory
    >(args)
    Object.assign(this, { in_features, out_features })
    this.weight = new Parameter(uninitialised([out_features, in_features], factory))
    if (bias) this.bias = new Parameter(uninitialised([out_features], factory))
    else this.register_parameter('bias', null)
    this.reset_parameters()
  }

  reset_parameters(): void {
    init.kaiming_uniform_(this.weight, { a: Math.sqrt(5) })
    if (this.bias !== null) init_bias(this.bias, this.in_features)
  }

  forward(input: Tensor): Tensor {
    return apply_linear(input, this.weight, this.bias)
  }

  override extra_repr(): string {
    return `in_features=${this.in_features}, out_features=${this.out_features}, bias=${value(this.bias !== null)}`
  }
}

/** Uniform within 1 / sqrt(fan_in). */
export function init_bias(bias: Tensor, fan_in: number): void {
  const bound = fan_in > 0 ? 1 / Math.sqrt(fan_in) : 0
  init.uniform_(bias, -bound, bound)
}

const bilinear = reader(
  `Bilinear(int in1_features, int in2_features, int out_features, bool bias=True, ${FACTORY})`,
)

/** `x1^T W_k x2 + b_k` for each output k; `weight` is (out, in1, in2). */
export class Bilinear extends Module {
  declare readonly in1_features: number
  declare readonly in2_features: number
  declare readonly out_features: number
  declare weight: Parameter
  declare bias: Parameter | null

  constructor(
    in1_features: number,
    in2_features: number,
    out_features: number,
    bias?: boolean | LinearOptions,
    opts?: LinearOptions,
  )
  constructor(...args: readonly unknown[]) {
    super()
    const { in1_features, in2_features, out_features, bias, ...factory } = bilinear<
      { in1_features: number; in2_features: number; out_features: number; bias: boolean } & Factory
    >(args)
    Object.assign(this, { in1_features, in2_features, out_features })
    this.weight = new Parameter(uninitialised([out_features, in1_features, in2_features], factory))
    if (bias) this.bias = new Parameter(uninitialised([out_features], factory))
    else this.register_parameter('bias', null)
    this.reset_parameters()
  }

  reset_parameters(): void {
    const bound = 1 / Math.sqrt(this.weight.size(1))
    init.uniform_(this.weight, -bound, bound)
    if (this.bias !== null) init.uniform_(this.bias, -bound, bound)
  }

  forward(input1: Tensor, input2: Tensor): Tensor {
    return F.bilinear(input1, input2, this.weight, this.bias)
  }

  override extra_repr(): string {
    return `in1_features=${this.in1_features}, in2_features=${this.in2_features}, out_features=${this.out_features}, bias=${value(this.bias !== null)}`
  }
}
