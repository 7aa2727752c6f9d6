// torch.autograd.functional: Jacobians, Hessians and their products with vectors, as functions of functions.
// Not here: the walk (autograd/engine.ts). Outputs and inputs may be one tensor or a list; results have the same form.
import { grad } from '../autograd/engine.ts'
import { AssertionError, NotImplementedError, RuntimeError } from '../base/errors.ts'
import { eye } from '../ops/creation_more.ts'
import { enable_grad } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import { jacfwd } from './jacobian.ts'
import { vmap } from './vmap.ts'

type One = Tensor
type Many = readonly Tensor[]
type Fn = (...inputs: Tensor[]) => One | Many

/** How a Jacobian is computed: row by row, or (needs `vectorize`) column by column. */
type Strategy = 'reverse-mode' | 'forward-mode'

export type FunctionalOptions = {
  /** Record the computation, so that the result can be differentiated. */
  create_graph?: boolean
  /** Throw where an output does not depend on an input. */
  strict?: boolean
}

const as_list = (x: One | Many): Tensor[] => (x instanceof Tensor ? [x] : [...x])
const like = <T>(model: unknown, list: T[]): T | T[] => (model instanceof Tensor ? (list[0] as T) : list)

/** Inputs as leaves of a graph of their own, or (to build on) as views of what was given. */
function prepare(inputs: One | Many, create_graph: boolean): Tensor[] {
  return as_list(inputs).map(t =>
    create_graph && t.requires_grad ? t.view_as(t) : t.detach().requires_grad_(),
  )
}

const zeros_of = (t: Tensor): Tensor => t.detach().new_zeros(t.sizes)

function gradients(
  outputs: Many,
  inputs: Many,
  seeds: Many | null,
  create_graph: boolean,
  strict: boolean,
): Tensor[] {
  const live = outputs.flatMap((o, i) => (o.requires_grad ? [i] : []))
  if (live.length < outputs.length && strict)
    throw new RuntimeError(
      'The output of the user-provided function is independent of the inputs. This is not allowed in strict mode.',
    )
  if (live.length === 0) return inputs.map(zeros_of)
  const found = grad(
    live.map(i => outputs[i] as Tensor),
    inputs,
    seeds === null ? null : live.map(i => seeds[i] as Tensor),
    { retain_graph: true, create_graph, allow_unused: true },
  )
  return found.map((g, i) => {
    if (g !== null) return g
    if (strict)
      throw new RuntimeError(
        `Output 0 of the user-provided function is independent of input ${i}. This is not allowed in strict mode.`,
      )
    return zeros_of(inputs[i] as Tensor)
  })
}

const finish = (t: Tensor, create_graph: boolean): Tensor => (create_graph ? t : t.detach())

/** v^T J: returns the outputs and the product with `v` (default: one, for scalar outputs). */
export function vjp(
  fn: Fn,
  inputs: One | Many,
  v: One | Many | null = null,
  options: FunctionalOptions = {},
): [One | Many, One | Many] {
  const { create_graph = false, strict = false } = options
  return enable_grad(() => {
    const xs = prepare(inputs, create_graph)
    const result = fn(...xs)
    const outs = as_list(result)
    if (v === null && (outs.length !== 1 || (outs[0] as Tensor).count !== 1))
      throw new RuntimeError(
        'The vector v can only be None if the user-provided function returns a single Tensor with a single element.',
      )
    const products = gradients(outs, xs, v === null ? null : check_vector(v, outs), create_graph, strict)
    return [
      like(
        result,
        outs.map(o => finish(o, create_graph)),
      ),
      like(
        inputs,
        products.map(p => finish(p, create_graph)),
      ),
    ]
  })
}

/** J v: returns the outputs and the product with `v` (default: one, for inputs of one element). Double backward. */
export function jvp(
  fn: Fn,
  inputs: One | Many,
  v: One | Many | null = null,
  options: FunctionalOptions = {},
): [One | Many, One | Many] {
  const { create_graph = false, strict = false } = options
  return enable_grad(() => {
    const xs = prepare(inputs, create_graph)
    if (v === null && (xs.length !== 1 || (xs[0] as Tensor).count !== 1))
      throw new RuntimeError(
        'The vector v can only be None if the input to the user-provided function is a single Tensor with a single element.',
      )
    const vs = v === null ? xs.map(x => x.detach().new_ones(x.sizes)) : check_vector(v, xs)
    const result = fn(...xs)
    const outs = as_list(result)
    // The gradient is linear in its seed: differentiating it by the seed, with v, gives J v.
    const seeds = outs.map(o => zeros_of(o).requires_grad_())
    const pulled = gradients(outs, xs, seeds, true, strict)
    const products = gradients(pulled, seeds, vs, create_graph, false)
    return [
      like(
        result,
        outs.map(o => finish(o, create_graph)),
      ),
      like(
        result,
        products.map(p => finish(p, create_graph)),
      ),
    ]
  })
}

function check_vector(v: One | Many, xs: Many): Tensor[] {
  const vs = as_list(v)
  if (vs.length !== xs.length)
    throw new RuntimeError(`v is a tuple of invalid length: should be ${xs.length} but got ${vs.length}.`)
  vs.forEach((t, i) => {
    if (t.sizes.join() !== xs[i]?.sizes.join())
      throw new RuntimeError(
        `v has invalid size: should be torch.Size([${xs[i]?.sizes.join(', ')}]) but got torch.Size([${t.sizes.join(', ')}]).`,
      )
  })
  return vs
}

type Matrix = Tensor | Tensor[] | Tensor[][]

/** The Jacobian: for each output and input a tensor of sizes [...output, ...input]. */
export function jacobian(fn: Fn, inputs: One | Many, options: JacobianOptions = {}): Matrix {
  const { create_graph = false, strict = false, vectorize = false, strategy } = options
  check_strategy(options)
  if (strategy === 'forward-mode') return forward_jacobian(fn, inputs)
  return enable_grad(() => {
    const xs = prepare(inputs, create_graph)
    const result = fn(...xs)
    const rows = as_list(result).map(out => {
      if (vectorize) {
        const seeds = eye(out.count, { dtype: out.dtype }).reshape([out.count, ...out.sizes])
        const all = vmap((seed: Tensor) => gradients([out], xs, [seed], create_graph, false))(seeds)
        return all.map((g, i) => finish(g.reshape([...out.sizes, ...xs[i]!.sizes]), create_graph))
      }
      const columns: Tensor[][] = xs.map(() => [])
      const flat = out.reshape([-1])
      for (let r = 0; r < out.count; r++)
        gradients([flat.select(0, r)], xs, null, create_graph, strict).forEach((g, i) => columns[i]?.push(g))
      return columns.map((list, i) => {
        const x = xs[i] as Tensor
        const joined = list.length === 0 ? zeros_of(x).new_zeros([0, ...x.sizes]) : stack_rows(list)
        return finish(joined.reshape([...out.sizes, ...x.sizes]), create_graph)
      })
    })
    const shaped = rows.map(row => like(inputs, row))
    return like(result, shaped) as Matrix
  })
}

/** Rows on top of each other, on the tape. */
const stack_rows = (rows: readonly Tensor[]): Tensor => {
  const first = rows[0] as Tensor
  let all = first.new_zeros([rows.length, ...first.sizes])
  rows.forEach((row, i) => {
    all = all.select_scatter(row, 0, i)
  })
  return all
}

export type JacobianOptions = FunctionalOptions & {
  /** Compute all rows at once, by vmap over the backward pass. */
  vectorize?: boolean
  strategy?: Strategy
}

/** Throws for options that exclude each other. */
function check_strategy({
  create_graph,
  strict,
  vectorize,
  strategy = 'reverse-mode',
}: JacobianOptions): void {
  if (strategy !== 'forward-mode' && strategy !== 'reverse-mode')
    throw new AssertionError(
      'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".',
    )
  if (strategy === 'forward-mode') {
    if (create_graph)
      throw new NotImplementedError(
        'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.',
      )
    if (strict)
      throw new RuntimeError(
        'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together (yet). Please either set `strict=False` or `strategy="reverse-mode"`.',
      )
    if (!vectorize)
      throw new NotImplementedError(
        'Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for `vectorize=True`.',
      )
  } else if (strict && vectorize)
    throw new RuntimeError(
      'torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either set `strict=False` or `vectorize=False`.',
    )
}

/** All columns at once. */
function forward_jacobian(fn: Fn, inputs: One | Many): Matrix {
  const xs = as_list(inputs).map(t => t.detach())
  const by = inputs instanceof Tensor ? 0 : xs.map((_, i) => i)
  return jacfwd(fn as (...xs: Tensor[]) => Tensor, by as number)(...xs) as unknown as Matrix
}

function scalar_output(result: One | Many): Tensor {
  const out = as_list(result)[0] as Tensor
  if (!(result instanceof Tensor) && result.length !== 1)
    throw new RuntimeError('The function given to hessian should return a single Tensor')
  if (out.count !== 1)
    throw new RuntimeError(
      'The Tensor returned by the function given to hessian should contain a single element',
    )
  return out.reshape([])
}

export type HessianOptions = FunctionalOptions & {
  vectorize?: boolean
  /** How the Jacobian of the gradient is computed. */
  outer_jacobian_strategy?: Strategy
}

/** The Hessian of a scalar function: for each pair of inputs a tensor of sizes [...input_i, ...input_j]. */
export function hessian(fn: Fn, inputs: One | Many, options: HessianOptions = {}): Matrix {
  const { create_graph = false, strict = false, vectorize = false, outer_jacobian_strategy } = options
  const gradient: Fn = (...xs) => {
    const leaves = xs.map(x => (x.requires_grad ? x : x.requires_grad_()))
    const list = gradients([scalar_output(fn(...leaves))], leaves, null, true, strict)
    return inputs instanceof Tensor ? (list[0] as Tensor) : list
  }
  return jacobian(gradient, inputs, {
    create_graph,
    strict,
    vectorize,
    ...(outer_jacobian_strategy && { strategy: outer_jacobian_strategy }),
  })
}

/** v^T H of a scalar function: returns its value and the product. */
export function vhp(
  fn: Fn,
  inputs: One | Many,
  v: One | Many | null = null,
  options: FunctionalOptions = {},
): [Tensor, One | Many] {
  const { create_graph = false, strict = false } = options
  return enable_grad(() => {
    const xs = prepare(inputs, create_graph)
    const out = scalar_output(fn(...xs))
    const vs = v === null ? xs.map(x => x.detach().new_ones(x.sizes)) : check_vector(v, xs)
    const first = gradients([out], xs, null, true, strict)
    const products = gradients(first, xs, vs, create_graph, false)
    return [
      finish(out, create_graph),
      like(
        inputs,
        products.map(p => finish(p, create_graph)),
      ),
    ]
  })
}

/** H v of a scalar function: returns its value and the product. The Hessian is symmetric, so this is {@link vhp}. */
export function hvp(
  fn: Fn,
  inputs: One | Many,
  v: One | Many | null = null,
  options: FunctionalOptions = {},
): [Tensor, One | Many] {
  return vhp(fn, inputs, v, options)
}
