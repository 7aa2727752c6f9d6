// Losses that are a sum over the elements of two tensors: one kernel maps and adds up, another makes a gradient, from
// the gradient of the sum as it is. What is large is added up in blocks of a fixed size. Only dense operands of one shape
// and dtype; others are left to elementwise ops and reductions. Not here: which losses there are (loss.ts), history.
import { type DType, float32, float64 } from '../../base/dtype.ts'
import { same_sizes } from '../../base/shape.ts'
import type { LaunchValue } from '../../device/device.ts'
import { differentiate } from '../../ir/differentiate.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { add_row } from '../define/sums.ts'

/** What an element contributes to the loss. */
export interface FusedLossDef {
  readonly name: string
  readonly element: (input: Expr, target: Expr, ...extra: Expr[]) => Expr
  /** The number of further parameters. */
  readonly extra?: number
  /** Only to fix a subgradient. */
  readonly backward?: (g: Expr, input: Expr, target: Expr, ...extra: Expr[]) => (Expr | null)[]
  /** What inputs must be. */
  readonly valid?: (input: Expr) => Expr
}

export interface FusedLoss {
  /** The sum or mean of the elements' losses; null where some input is not valid. */
  readonly total: (
    input: Tensor,
    target: Tensor,
    extra: readonly LaunchValue[],
    mean: boolean,
  ) => Tensor | null
  /** The gradient of input (0) or target (1), from that of the result. */
  readonly gradient: (
    i: 0 | 1,
    g: Tensor,
    input: Tensor,
    target: Tensor,
    extra: readonly LaunchValue[],
    mean: boolean,
  ) => Tensor
}

/** Whether the fused kernels do this. */
export const is_fusible = (input: Tensor, target: Tensor): boolean =>
  input.dense &&
  target.dense &&
  input.count > 0 &&
  input.dtype === target.dtype &&
  (input.dtype === float32 || input.dtype === float64) &&
  same_sizes(input.sizes, target.sizes)

/** Elements up to which one kernel does everything, and of a block where there are more. */
const SMALL = 32768
const BLOCK = 16384

/** Declares such a loss. */
export function fused_loss({ name, element, extra = 0, backward, valid }: FusedLossDef): FusedLoss {
  const scalars = (k: Builder, type: Expr['type']): Expr[] =>
    Array.from({ length: extra }, (_, i) => k.value(`extra${i}`, type))

  /** Adds up `n` elements from `first` on: their losses, and how many are not valid. */
  function add_elements(k: Builder, dtype: DType): (first: Expr, n: Expr) => Expr[] {
    const [x, y] = [k.input('x', dtype, 'flat'), k.input('y', dtype, 'flat')]
    const rest = scalars(k, x.type)
    return (first, n) => {
      const totals = [k.local('f64', 0), ...(valid ? [k.local('f64', 0)] : [])]
      add_row(k, x.type, n, totals, j => {
        const [xi, yi] = [x.at(first.add(j)), y.at(first.add(j))]
        const loss = element(xi, yi, ...rest)
        return valid ? [loss, valid(xi).where(0, constant(1, x.type))] : [loss]
      })
      return totals
    }
  }

  function finish(k: Builder, out: View, totals: readonly Expr[], bad: View | null, divisor: Expr): void {
    k.store(out, [0], (totals[0] as Expr).div(divisor).cast(out.type))
    if (bad) k.store(bad, [0], totals[1] as Expr)
  }

  const whole_kernel = kernels(`${name}_total`, (k, dtype: DType) => {
    const out = k.output('out', dtype, 'flat')
    const bad = valid ? k.output('bad', float64, 'flat') : null
    const add = add_elements(k, dtype)
    const [divisor, n] = [k.value('divisor', 'f64'), k.value('n', 'index')]
    finish(k, out, add(constant(0, 'index'), n), bad, divisor)
  })

  const parts_kernel = kernels(`${name}_parts`, (k, dtype: DType) => {
    const parts = k.output('parts', float64, { rank: 2, inner: 1 })
    const add = add_elements(k, dtype)
    const n = k.value('n', 'index')
    k.for(parts.sizes[0] as Expr, 'parallel', b => {
      const first = k.local('index', b.mul(BLOCK))
      add(first, k.local('index', n.sub(first).min(BLOCK))).forEach((total, i) => {
        k.store(parts, [b, i], total)
      })
    })
  })

  const finish_kernel = kernels(`${name}_finish`, (k, dtype: DType) => {
    const out = k.output('out', dtype, 'flat')
    const bad = valid ? k.output('bad', float64, 'flat') : null
    const parts = k.input('parts', float64, { rank: 2, inner: 1 })
    const divisor = k.value('divisor', 'f64')
    const totals = [0, ...(valid ? [1] : [])].map(i => {
      const total = k.local('f64', 0)
      k.for(parts.sizes[0] as Expr, 'serial', b => k.assign(total, total.add(parts.at(b, i))))
      return total
    })
    finish(k, out, totals, bad, divisor)
  })

  const gradient_kernel = kernels(`${name}_grad`, (k, dtype: DType, i: number) => {
    const grad = k.output('grad', dtype, 'flat')
    const g = k.input('g', dtype, 'flat')
    const [x, y] = [k.input('x', dtype, 'flat'), k.input('y', dtype, 'flat')]
    const rest = scalars(k, x.type)
    const scale = k.value('scale', 'f64')
    const incoming = k.local(x.type, g.at(0).cast('f64').mul(scale).cast(x.type))
    k.for(grad.sizes[0] as Expr, 'vector', j => {
      const [xi, yi] = [k.local(x.type, x.at(j)), k.local(x.type, y.at(j))]
      const grads =
        backward?.(incoming, xi, yi, ...rest) ?? differentiate(element(xi, yi, ...rest), incoming, [xi, yi])
      k.store(grad, [j], grads[i] ?? constant(0, x.type))
    })
  })

  return {
    total(input, target, extra, mean) {
      const { dtype, count } = input
      const out = empty([], dtype)
      const bad = valid ? empty([], float64) : null
      const results = bad === null ? [out] : [out, bad]
      const divisor = mean ? count : 1
      if (count <= SMALL) whole_kernel(dtype)([...results, input, target], [...extra, divisor, count])
      else {
        const parts = empty([Math.ceil(count / BLOCK), valid ? 2 : 1], float64)
        parts_kernel(dtype)([parts, input, target], [...extra, count])
        finish_kernel(dtype)([...results, parts], [divisor])
      }
      return bad !== null && Number(bad.memory.peek(float64)[bad.offset]) > 0 ? null : out
    },
    gradient(i, g, input, target, extra, mean) {
      const grad = empty(input.sizes, input.dtype)
      const scale = mean ? 1 / input.count : 1
      gradient_kernel(input.dtype, i)([grad, g, input, target], [...extra, scale])
      return grad
    },
  }
}
