// Every op over its samples: the value is PyTorch's, gradients and their gradients are those of finite differences,
// in-place and out= forms and strided operands give the same, on the device that TSTORCH_CPU names.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Encoded } from '../../scripts/conformance/cases.ts'
import { encode, type Torch } from '../../scripts/conformance/codec.ts'
import { compare } from '../../scripts/conformance/compare.ts'
import * as torch from '../../src/index.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { type AnyOp, all_ops, type Entry } from './ops.ts'

const expected = JSON.parse(
  readFileSync(new URL('../data/ops/expected.json', import.meta.url), 'utf8'),
) as Record<string, (Encoded | null)[]>

/** Samples that PyTorch has no such call for, by op: why. */
const no_reference: Readonly<Record<string, string>> = {}

/** They speak of the storage itself, or refuse layouts that need a copy. */
const needs_layout: readonly string[] = ['as_strided', 'as_strided_scatter', 'view', 'view_as']

/** Ops whose in-place form refuses float32: float_power computes in float64. */
const wants_double: readonly string[] = ['float_power']

/** Strided operands run other kernels, which add in another order: float32 sums may differ in their last digits. */
const other_order = { rtol: 1e-5, atol: 1e-6 }

/** Arguments that have no derivative in PyTorch either: class weights, running statistics. */
const constants: Readonly<Record<string, readonly number[]>> = {
  'nn.functional.batch_norm': [1, 2],
  'nn.functional.cross_entropy': [2],
  'nn.functional.nll_loss': [2],
}

const data = (x: unknown): Encoded => encode(x, torch as unknown as Torch)
const is_float = (t: unknown): t is Tensor => t instanceof Tensor && t.dtype.is_floating_point

/** `x` with every tensor below it mapped. */
function map_tensors(x: unknown, f: (t: Tensor) => Tensor): unknown {
  if (x instanceof Tensor) return f(x)
  if (Array.isArray(x)) return x.map(y => map_tensors(y, f))
  if (typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype)
    return Object.fromEntries(Object.entries(x).map(([k, v]) => [k, map_tensors(v, f)]))
  return x
}

function tensors_in(x: unknown): Tensor[] {
  const found: Tensor[] = []
  map_tensors(x, t => {
    found.push(t)
    return t
  })
  return found
}

/** The same values with gaps between the elements, and the dimensions in another order in memory. */
function strided(t: Tensor): Tensor {
  if (t.ndim === 0) return t
  const wide = torch.zeros([...t.sizes.map(n => n + 1)].reverse(), { dtype: t.dtype })
  let window: Tensor = wide.permute([...t.sizes.keys()].reverse())
  t.sizes.forEach((n, d) => {
    window = window.narrow(d, 1, n)
  })
  window.copy_(t)
  return window
}

const cast = (args: readonly unknown[], dtype: torch.DType): unknown[] =>
  args.map(a => map_tensors(a, t => (t.dtype.is_floating_point ? t.detach().to(dtype) : t)))

function agree(actual: unknown, wanted: Encoded, tolerance?: { rtol: number; atol: number }): void {
  const widened = tolerance && { float32: tolerance, float64: tolerance }
  expect(compare(wanted, data(actual), widened)).toBeUndefined()
}

const in_place_of = ({ name, path }: Entry): AnyOp | undefined => {
  if (path.startsWith('masked.')) return undefined
  for (const family of [torch, torch._nn] as unknown as Record<string, unknown>[]) {
    const op = family[`${name}_`]
    if (typeof op === 'function' && 'spec' in op) return op as AnyOp
  }
  return undefined
}

describe.each(all_ops().map(entry => [entry.path, entry] as const))('%s', (path, entry) => {
  const { op, samples } = entry

  test('gives what PyTorch gives', () => {
    const recorded = expected[path]
    expect(recorded, 'no recorded values: run test/data/ops/make.py').toHaveLength(samples.length)
    samples.forEach((args, i) => {
      const wanted = recorded![i]
      if (wanted === null || wanted === undefined) expect(no_reference).toHaveProperty([path])
      else agree(op(...args), wanted)
    })
  })

  test('gives the same for strided operands', () => {
    for (const args of samples) {
      if (needs_layout.includes(path)) continue
      const wanted = data(op(...args))
      agree(op(...args.map(a => map_tensors(a, strided))), wanted, other_order)
    }
  })

  const differentiable = op.spec.differentiable && samples.some(args => tensors_in(args).some(is_float))
  test.runIf(differentiable)('has the gradients of finite differences, to second order', () => {
    for (const args of samples) {
      const doubles = cast(args, torch.float64)
      const inputs = tensors_in(doubles.filter((_, i) => !constants[path]?.includes(i))).filter(is_float)
      if (inputs.length === 0 || inputs.every(t => t.count === 0)) continue
      for (const t of inputs) t.requires_grad_()
      const call = (...fresh: Tensor[]): Tensor[] => {
        let at = 0
        const own = map_tensors(doubles, t => (inputs.includes(t) ? fresh[at++]! : t)) as unknown[]
        return tensors_in(op(...own)).filter(t => t.requires_grad)
      }
      if (call(...inputs).length === 0) continue
      expect(torch.autograd.gradcheck(call, inputs)).toBe(true)
      expect(torch.autograd.gradgradcheck(call, inputs)).toBe(true)
    }
  })

  const form = in_place_of(entry)
  test.runIf(form !== undefined && !wants_double.includes(path))('writes the same in place', () => {
    for (const args of samples) {
      const [self, ...rest] = args
      if (!(self instanceof Tensor)) continue
      const wanted = op(...args) as Tensor
      if (String(wanted.sizes) !== String(self.sizes) || !torch.can_cast(wanted.dtype, self.dtype)) continue
      const target = self.clone()
      const version = target._version
      expect(form!(target, ...rest)).toBe(target)
      agree(target, data(wanted.to(self.dtype)))
      expect(target._version).toBeGreaterThan(version)
      const spread = strided(self)
      form!(spread, ...rest)
      agree(spread, data(wanted.to(self.dtype)), other_order)
    }
  })

  test.runIf(op.spec.out === true)('writes the same to out=', () => {
    for (const args of samples) {
      const wanted = op(...args)
      if (!(wanted instanceof Tensor)) continue
      const last = args[args.length - 1]
      const has_options =
        typeof last === 'object' && last !== null && Object.getPrototypeOf(last) === Object.prototype
      const plain = has_options ? args.slice(0, -1) : args
      const options = has_options ? (last as object) : {}
      const fresh = torch.empty([0], { dtype: wanted.dtype })
      expect(op(...plain, { ...options, out: fresh })).toBe(fresh)
      agree(fresh, data(wanted))
      const spread = strided(wanted.detach().clone().zero_())
      op(...plain, { ...options, out: spread })
      agree(spread, data(wanted), other_order)
    }
  })
})
