// The steps of SGD and of the Adam family, each as one kernel: parameter, averages and gradient pass through memory once.
// They take dense float32 and float64 tensors outside the graph; for anything else the optimizers (src/optim) compose
// the same arithmetic of ops (averages.ts). Not here: options, state, bias corrections.
import type { DType } from '../../base/dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { bump_version, modes } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Whether `t` may take part in a step of a dense parameter of this dtype and size. */
const fits = (t: Tensor, dtype: DType, count: number): boolean =>
  t.dtype === dtype && t.dense && t.count === count

const is_computed = ({ name }: DType): boolean => name === 'float32' || name === 'float64'

/** A pass over all elements of `views`, which have the size of the first. */
function each_element(k: Builder, views: readonly View[], body: (...i: Expr[]) => void): void {
  k.for(views[0]!.sizes[0]!, 'vector', body)
}

type SGDStep = {
  readonly lr: number
  readonly momentum: number
  readonly dampening: number
  readonly weight_decay: number
  readonly nesterov: boolean
  readonly maximize: boolean
}

const plain_sgd = kernels('sgd', (k, dtype: DType, decays: boolean, maximize: boolean) => {
  const p = k.inout('p', dtype, 'flat')
  const grad = k.input('grad', dtype, 'flat')
  const rate = k.value('rate', p.type)
  const decay = decays ? k.value('decay', p.type) : null
  each_element(k, [p, grad], i => {
    const g = maximize ? grad.at(i!).neg() : grad.at(i!)
    const v = decay === null ? g : g.add(decay.mul(p.at(i!)))
    k.store(p, [i!], p.at(i!).add(rate.mul(v)))
  })
})

const momentum_sgd = kernels(
  'sgd_momentum',
  (k, dtype: DType, decays: boolean, maximize: boolean, nesterov: boolean) => {
    const p = k.inout('p', dtype, 'flat')
    const grad = k.input('grad', dtype, 'flat')
    const buffer = k.inout('buffer', dtype, 'flat')
    const rate = k.value('rate', p.type)
    const momentum = k.value('momentum', p.type)
    const share = k.value('share', p.type)
    const decay = decays ? k.value('decay', p.type) : null
    each_element(k, [p, grad, buffer], i => {
      const g = maximize ? grad.at(i!).neg() : grad.at(i!)
      const v = k.local(p.type, decay === null ? g : g.add(decay.mul(p.at(i!))))
      const average = k.local(p.type, buffer.at(i!).mul(momentum).add(share.mul(v)))
      k.store(buffer, [i!], average)
      k.store(p, [i!], p.at(i!).add(rate.mul(nesterov ? v.add(momentum.mul(average)) : average)))
    })
  },
)

/**
 * A step of SGD on `p`, and on its momentum buffer where there is one. False where the tensors are not dense and of one
 * float dtype, or the step would be recorded: then nothing has happened.
 */
export function sgd_step_(p: Tensor, grad: Tensor, buffer: Tensor | null, step: SGDStep): boolean {
  const { dtype, count } = p
  if (
    modes.grad ||
    p._inference ||
    !is_computed(dtype) ||
    !fits(p, dtype, count) ||
    !fits(grad, dtype, count)
  )
    return false
  if (buffer !== null && !fits(buffer, dtype, count)) return false
  const { lr, momentum, dampening, weight_decay, nesterov, maximize } = step
  const decays = weight_decay !== 0
  if (count > 0)
    if (buffer === null) plain_sgd(dtype, decays, maximize)([p, grad], decays ? [-lr, weight_decay] : [-lr])
    else
      momentum_sgd(
        dtype,
        decays,
        maximize,
        nesterov,
      )(
        [p, grad, buffer],
        decays ? [-lr, momentum, 1 - dampening, weight_decay] : [-lr, momentum, 1 - dampening],
      )
  bump_version(p)
  if (buffer !== null) bump_version(buffer)
  return true
}

/** How Adam decays weights: not at all, as part of the gradient (Adam), or apart from it (AdamW). */
export type Decay = 'none' | 'gradient' | 'apart'

const adam = kernels('adam', (k, dtype: DType, decays: Decay, amsgrad: boolean, maximize: boolean) => {
  const p = k.inout('p', dtype, 'flat')
  const grad = k.input('grad', dtype, 'flat')
  const exp_avg = k.inout('exp_avg', dtype, 'flat')
  const exp_avg_sq = k.inout('exp_avg_sq', dtype, 'flat')
  const largest = amsgrad ? k.inout('max_exp_avg_sq', dtype, 'flat') : null
  const value = (name: string): Expr => k.value(name, p.type)
  const [rate, scale, eps] = [value('rate'), value('scale'), value('eps')] as const
  const [beta1, share1, beta2, share2] = [value('beta1'), value('share1'), value('beta2'), value('share2')]
  const decay = decays === 'none' ? null : value('decay')
  each_element(k, [p, grad, exp_avg, exp_avg_sq], at => {
    const i = at as Expr
    const old = k.local(p.type, decays === 'apart' ? p.at(i).mul(decay!) : p.at(i))
    const up = maximize ? grad.at(i).neg() : grad.at(i)
    const g = k.local(p.type, decays === 'gradient' ? up.add(decay!.mul(old)) : up)
    const first = k.local(p.type, exp_avg.at(i).mul(beta1!).add(share1!.mul(g)))
    const second = k.local(p.type, exp_avg_sq.at(i).mul(beta2!).add(share2!.mul(g).mul(g)))
    k.store(exp_avg, [i], first)
    k.store(exp_avg_sq, [i], second)
    let under = second
    if (largest !== null) {
      under = k.local(p.type, largest.at(i).max(second))
      k.store(largest, [i], under)
    }
    k.store(p, [i], old.add(rate.mul(first).div(under.sqrt().div(scale).add(eps))))
  })
})

/** What Adam keeps of a parameter. */
type AdamAverages = { exp_avg: Tensor; exp_avg_sq: Tensor; max_exp_avg_sq?: Tensor }

type AdamStep = {
  readonly lr: number
  readonly betas: readonly [number, number]
  readonly eps: number
  readonly weight_decay: number
  readonly maximize: boolean
}

/**
 * The step with number `step` of Adam or AdamW on `p` and its averages. False where the tensors are not dense and of one
 * float dtype, or the step would be recorded: then nothing has happened.
 */
export function adam_step_(
  p: Tensor,
  grad: Tensor,
  averages: AdamAverages,
  step: number,
  options: AdamStep,
  apart: boolean,
): boolean {
  const { dtype, count } = p
  const { exp_avg, exp_avg_sq, max_exp_avg_sq } = averages
  if (
    modes.grad ||
    p._inference ||
    !is_computed(dtype) ||
    !fits(p, dtype, count) ||
    !fits(grad, dtype, count)
  )
    return false
  if (!fits(exp_avg, dtype, count) || !fits(exp_avg_sq, dtype, count)) return false
  if (max_exp_avg_sq !== undefined && !fits(max_exp_avg_sq, dtype, count)) return false
  const { lr, betas, eps, weight_decay, maximize } = options
  const [beta1, beta2] = betas
  const decay: Decay = weight_decay === 0 ? 'none' : apart ? 'apart' : 'gradient'
  const rate = -lr / (1 - beta1 ** step)
  const scale = Math.sqrt(1 - beta2 ** step)
  const numbers = [rate, scale, eps, beta1, 1 - beta1, beta2, 1 - beta2]
  if (decay !== 'none') numbers.push(apart ? 1 - lr * weight_decay : weight_decay)
  const tensors = [p, grad, exp_avg, exp_avg_sq]
  if (max_exp_avg_sq !== undefined) tensors.push(max_exp_avg_sq)
  if (count > 0) adam(dtype, decay, max_exp_avg_sq !== undefined, maximize)(tensors, numbers)
  for (const t of tensors) if (t !== grad) bump_version(t)
  return true
}

/** Adds one to a count of steps, a 0-dim tensor of any dtype. */
export function count_step_(count: Tensor): void {
  const { memory, offset, dtype } = count
  if (!is_computed(dtype) || modes.grad) {
    count.add_(1)
    return
  }
  const values = memory.touch(dtype) as Float32Array | Float64Array
  values[offset] = values[offset]! + 1
  bump_version(count)
}
