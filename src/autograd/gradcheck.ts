// gradcheck and gradgradcheck: analytical gradients against finite differences, in float64.
// Not here: the op suite that runs them over every op's samples (test/).
import { complex128, float64, read_element, write_element } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { enable_grad } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { grad } from './engine.ts'

export type GradcheckOptions = {
  /** Step of the finite differences. */
  eps?: number
  atol?: number
  rtol?: number
  raise_exception?: boolean
}

type Fn = (...inputs: Tensor[]) => Tensor | readonly Tensor[]

const as_list = (x: Tensor | readonly Tensor[]): Tensor[] => (x instanceof Tensor ? [x] : [...x])
const is_checked = (t: unknown): t is Tensor => t instanceof Tensor && t.requires_grad

/** Elements in index order, as numbers. */
function values(t: Tensor): number[] {
  const dense = t.detach().contiguous()
  const array = dense.memory.array(dense.dtype)
  return Array.from({ length: dense.count }, (_, i) =>
    Number(read_element(array, dense.dtype, dense.offset + i)),
  )
}

/** Offsets in the storage of the elements of `t`, in index order. */
function offsets(t: Tensor): number[] {
  let found = [t.offset]
  t.sizes.forEach((n, d) => {
    found = found.flatMap(o => Array.from({ length: n }, (_, i) => o + i * t.strides[d]!))
  })
  return found
}

/**
 * Whether the gradients of `fn` at `inputs` (float64, requiring grad) agree with central differences.
 * Throws RuntimeError with both Jacobians where they do not, unless `raise_exception` is false.
 */
export function gradcheck(
  fn: Fn,
  inputs: Tensor | readonly (Tensor | unknown)[],
  options: GradcheckOptions = {},
): boolean {
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, raise_exception = true } = options
  const args = inputs instanceof Tensor ? [inputs] : [...inputs]
  const checked = args.filter(is_checked)
  if (checked.length === 0)
    throw new RuntimeError(
      'gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.',
    )
  for (const t of checked)
    if (t.dtype !== float64 && t.dtype !== complex128)
      console.warn(
        `UserWarning: Input #${args.indexOf(t)} requires gradient and is not a double precision floating point or complex. This check will likely fail if all the inputs are not of double precision floating point or complex.`,
      )
  const call = (): Tensor[] => as_list(fn(...(args as Tensor[])))
  const outputs = enable_grad(call)
  const problem = compare(outputs, checked, call, eps, atol, rtol)
  if (problem === null) return true
  if (raise_exception) throw new RuntimeError(problem)
  return false
}

function compare(
  outputs: readonly Tensor[],
  checked: readonly Tensor[],
  call: () => Tensor[],
  eps: number,
  atol: number,
  rtol: number,
): string | null {
  for (const [o, out] of outputs.entries()) {
    if (!out.dtype.is_floating_point) continue
    const analytical = out.requires_grad
      ? analytical_jacobian(out, checked)
      : checked.map(t => Array.from({ length: out.count }, () => new Array<number>(t.count).fill(0)))
    for (const [i, input] of checked.entries()) {
      const numerical = numerical_jacobian(() => call()[o] as Tensor, input, eps)
      for (let r = 0; r < out.count; r++)
        for (let c = 0; c < input.count; c++) {
          const a = analytical[i]![r]![c]!
          const n = numerical[r]![c]!
          if (Number.isNaN(a) && Number.isNaN(n)) continue
          if (!(Math.abs(a - n) <= atol + rtol * Math.abs(n)))
            return (
              `Jacobian mismatch for output ${o} with respect to input ${i},\n` +
              `numerical:${JSON.stringify(numerical)}\nanalytical:${JSON.stringify(analytical[i])}\n`
            )
        }
    }
  }
  return null
}

/** Per input: rows for output elements, columns for input elements. */
function analytical_jacobian(out: Tensor, inputs: readonly Tensor[]): number[][][] {
  const rows: number[][][] = inputs.map(() => [])
  for (let r = 0; r < out.count; r++) {
    const seed = out.detach().new_zeros(out.sizes)
    write_element(seed.memory.array(seed.dtype), seed.dtype, seed.offset + r, 1)
    const grads = grad(out, inputs, seed, { retain_graph: true, allow_unused: true })
    grads.forEach((g, i) =>
      rows[i]!.push(g === null ? new Array<number>(inputs[i]!.count).fill(0) : values(g)),
    )
  }
  return rows
}

function numerical_jacobian(call: () => Tensor, input: Tensor, eps: number): number[][] {
  const array = input.memory.array(input.dtype)
  const columns = offsets(input).map(at => {
    const x = Number(read_element(array, input.dtype, at))
    const probe = (value: number): number[] => {
      write_element(array, input.dtype, at, value)
      return values(call())
    }
    const high = probe(x + eps)
    const low = probe(x - eps)
    write_element(array, input.dtype, at, x)
    return high.map((h, r) => (h - low[r]!) / (2 * eps))
  })
  const rows = columns[0]?.length ?? 0
  return Array.from({ length: rows }, (_, r) => columns.map(c => c[r]!))
}

/**
 * {@link gradcheck} of the gradient: second derivatives. `grad_outputs` default to fixed values, not all alike.
 */
export function gradgradcheck(
  fn: Fn,
  inputs: Tensor | readonly (Tensor | unknown)[],
  grad_outputs?: readonly Tensor[] | null,
  options: GradcheckOptions = {},
): boolean {
  const args = inputs instanceof Tensor ? [inputs] : [...inputs]
  const outputs = enable_grad(() => as_list(fn(...(args as Tensor[])))).filter(t => t.requires_grad)
  const seeds = grad_outputs ?? outputs.map(fixed_gradient)
  const checked = args.filter(is_checked)
  const gradient: Fn = (...all) => {
    const own = all.slice(0, args.length)
    const seed = all.slice(args.length)
    const outs = as_list(fn(...own)).filter(t => t.requires_grad)
    const found = grad(outs, own.filter(is_checked), seed, { create_graph: true, allow_unused: true })
    return found.map((g, i) => g ?? checked[i]!.mul(0))
  }
  return gradcheck(gradient, [...args, ...seeds], options)
}

function fixed_gradient(out: Tensor): Tensor {
  const seed = out.detach().new_zeros(out.sizes)
  const array = seed.memory.array(seed.dtype)
  for (let i = 0; i < seed.count; i++)
    write_element(array, seed.dtype, seed.offset + i, ((i % 7) - 3) / 4 + 0.25)
  return seed.requires_grad_()
}
