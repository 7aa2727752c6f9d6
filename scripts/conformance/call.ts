/**
 * From an op's name to a call. A name is a path below `torch`, else a method or property of Tensor, else one of the
 * adapters below: Python's operators, and the calls that OpInfo itself wraps, which follow its wrappers.
 */
import type { Case } from './cases.ts'
import { is_list, is_tensor } from './cases.ts'
import type { Torch } from './codec.ts'
import { slice_of } from './codec.ts'

/** Calls an op with the decoded positional arguments, the last of which may be the keyword arguments. */
export type Call = (args: readonly unknown[]) => unknown
type Callable = (...args: unknown[]) => unknown

/** A function of the namespace by its dotted name, bound to what holds it. */
function in_namespace(torch: Torch, name: string): Callable | undefined {
  let holder: unknown
  let found: unknown = torch
  for (const part of name.split('.')) {
    holder = found
    if ((typeof holder !== 'object' && typeof holder !== 'function') || holder === null) return undefined
    found = (holder as Record<string, unknown>)[part]
  }
  return typeof found === 'function' ? (...args) => (found as Callable).apply(holder, args) : undefined
}

/** A method of its first argument, or a property of it. */
function on_tensor(torch: Torch, name: string): Callable | undefined {
  if (!(name in torch.Tensor.prototype)) return undefined
  return (self, ...rest) => {
    const found = (self as Record<string, unknown>)[name]
    return typeof found === 'function' ? found.apply(self, rest) : found
  }
}

/** Thrown when the library has no such op; the score counts it apart from wrong answers. */
export class Missing extends Error {}

const absent = (name: string): never => {
  throw new Missing(`no op ${name}`)
}

type Adapter = (torch: Torch, c: Case) => Callable

/** Names for adapters: a function of torch, and a method whose first argument is self. */
const fn = (torch: Torch, name: string): Callable => in_namespace(torch, name) ?? absent(`torch.${name}`)
const method = (torch: Torch, name: string): Callable => on_tensor(torch, name) ?? absent(`Tensor.${name}`)

/** `self op other` for a reflected operator, `other op self`. */
const reflected =
  (name: string): Adapter =>
  torch =>
  (self, other) =>
    fn(torch, name)(other, self)
const commuting =
  (name: string): Adapter =>
  torch =>
  (self, other) =>
    fn(torch, name)(self, other)

/**
 * Python's list index is one index, a tuple several; the case file calls both lists. As in PyTorch, a list that holds
 * anything but integers is taken as a tuple. A list of integers keeps the number of dimensions, a tuple does not.
 */
function is_tuple(c: Case): boolean {
  const [self, index] = c.args
  if (!is_list(index!)) return false
  const integers = index.every(item => typeof item === 'number')
  return !integers || (is_tensor(self!) && is_tensor(c.out) && c.out.s.length < self.s.length)
}

const adapters: Record<string, Adapter> = {
  __getitem__: (torch, c) => (self, index) =>
    is_tuple(c) ? method(torch, 'at')(self, ...(index as unknown[])) : method(torch, 'at')(self, index),
  __radd__: commuting('add'),
  __rmul__: commuting('mul'),
  __rand__: commuting('bitwise_and'),
  __ror__: commuting('bitwise_or'),
  __rxor__: commuting('bitwise_xor'),
  __rsub__: commuting('rsub'),
  __rmod__: reflected('remainder'),
  __rmatmul__: reflected('matmul'),
  __rdiv__: torch => (self, other) => fn(torch, 'mul')(fn(torch, 'reciprocal')(self), other),
  // Python's Tensor.__rpow__ makes a new tensor of the base, so no gradient reaches it
  __rpow__: torch => (self, other) => {
    const dtype = fn(torch, 'result_type')(other, self)
    const base =
      other instanceof torch.Tensor
        ? method(torch, 'to')(other.detach(), dtype)
        : fn(torch, 'tensor')(other, { dtype })
    return fn(torch, 'pow')(base, self)
  },

  // aten.slice.Tensor(self, dim, start, end, step)
  slice:
    torch =>
    (self, dim = 0, start = null, stop = null, step = null) => {
      const range = slice_of([start, stop, step] as (number | null)[])
      return method(torch, 'at')(self, ...Array.from({ length: dim as number }, () => ':'), range)
    },
  uniform: torch => method(torch, 'uniform_'),
  rand_like: torch => fn(torch, 'randn_like'), // sic: OpInfo's entry calls randn_like
  resize_: torch => (self, shape) => method(torch, 'resize_')(fn(torch, 'clone')(self), shape),
  resize_as_: torch => (self, other) => method(torch, 'resize_as_')(fn(torch, 'clone')(self), other),
  zero_: torch => self => method(torch, 'zero_')(fn(torch, 'clone')(self)),

  // OpInfo wants the differentiable argument first and puts it back in place
  where: torch => (self, condition, other) => fn(torch, 'where')(condition, self, other),
  einsum: torch => (tensors, equation) => fn(torch, 'einsum')(equation, tensors),
  polygamma: torch => (self, n) => fn(torch, 'polygamma')(n, self),
  'special.polygamma': torch => (self, n) => fn(torch, 'special.polygamma')(n, self),
  'normal:number_mean':
    torch =>
    (std, mean, ...rest) =>
      fn(torch, 'normal')(mean, std, ...rest),
  'nn.functional.embedding':
    torch =>
    (weight, index, ...rest) =>
      fn(torch, 'nn.functional.embedding')(index, weight, ...rest),
  'nn.functional.embedding_bag':
    torch =>
    (weight, index, ...rest) =>
      fn(torch, 'nn.functional.embedding_bag')(index, weight, ...rest),

  // OpInfo builds the matrix from two factors, or takes one of the results
  svd_lowrank: torch => low_rank(torch, 'svd_lowrank'),
  pca_lowrank: torch => low_rank(torch, 'pca_lowrank'),
  'linalg.pinv:singular': torch => low_rank(torch, 'linalg.pinv'),
  'linalg.lstsq:grad_oriented':
    torch =>
    (...args) => {
      const [solution] = fn(torch, 'linalg.lstsq')(...args) as unknown[]
      return solution
    },
}

const low_rank =
  (torch: Torch, name: string): Callable =>
  (a, b, ...rest) => {
    const matrix = fn(torch, 'matmul')(a, fn(torch, 'transpose')(b, -2, -1))
    return fn(torch, name)(matrix, ...rest)
  }

/** How a case's op is called. @throws Missing where the library has no such op. */
export function find_call(c: Case, torch: Torch): Call {
  const adapter = adapters[`${c.op}:${c.variant}`] ?? adapters[c.op]
  const found = adapter ? adapter(torch, c) : (in_namespace(torch, c.op) ?? on_tensor(torch, c.op))
  return found ? args => found(...args) : absent(c.op)
}
