// vmap of every op over its samples: as a loop over the batch, each tensor mapped or not, with gradients; and gradients
// themselves mapped. On the device that TSTORCH_CPU names.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { flatten, unflatten } from '../../src/transforms/pytree.ts'
import { all_ops } from '../ops/ops.ts'

const BATCH = 3

/** Results have different sizes for each sample, or the call asks for values: PyTorch refuses these too. */
const refused = [
  'argwhere',
  'bincount',
  'masked_select',
  'nonzero',
  'repeat_interleave',
  'unique',
  'unique_consecutive',
  'nn.functional.gaussian_nll_loss',
]
/** An offset is one into the memory of all samples, so it is the first sample's. */
const by_offset = ['as_strided']

const is_real = (t: Tensor): boolean => t.dtype.is_floating_point
const vary = (t: Tensor, b: number): Tensor => {
  if (is_real(t) || t.dtype.is_complex) return t.mul(1 - b * 0.1)
  return t.ndim > 0 && b % 2 === 1 ? t.flip(0) : t.clone()
}

function same(got: Tensor, wanted: Tensor, what: string): void {
  expect(got.dtype, what).toBe(wanted.dtype)
  expect([...got.sizes], what).toEqual([...wanted.sizes])
  const exact = !is_real(got) && !got.dtype.is_complex
  const options = { rtol: 1e-4, atol: 1e-5, equal_nan: true }
  const close = exact ? torch.equal(got, wanted) : torch.allclose(got.detach(), wanted.detach(), options)
  expect(close, `${what}: ${got.detach()} is not ${wanted.detach()}`).toBe(true)
}

const tensors_of = (x: unknown): Tensor[] => flatten(x).leaves.filter(t => t instanceof Tensor) as Tensor[]
const real_of = (t: Tensor): Tensor => (t.dtype.is_complex ? torch.view_as_real(t) : t)
const weighted = (ts: readonly Tensor[]): Tensor =>
  ts
    .filter(t => t.requires_grad)
    .map((t, k) => {
      const y = real_of(t)
      return y
        .mul(
          torch
            .ones_like(y.detach())
            .cumsum(0)
            .mul(0.3 + k),
        )
        .sum()
    })
    .reduce((a, b) => a.add(b))

/** The value, or undefined where there is none: a call that fails by itself is no call to map. */
function attempt<R>(f: () => R): R | undefined {
  try {
    return f()
  } catch {
    return undefined
  }
}

describe('vmap gives what a loop gives', () => {
  for (const { path, op, samples } of all_ops()) {
    if (refused.includes(path) || by_offset.includes(path)) continue
    test(path, () => {
      for (const args of samples) {
        const { leaves, spec } = flatten(args)
        const at = leaves.flatMap((x, i) => (x instanceof Tensor ? [i] : []))
        for (const mapped of [at, ...(at.length > 1 ? at.map(i => [i]) : [])]) {
          if (mapped.length === 0) continue
          const call = (...xs: Tensor[]): unknown =>
            op(
              ...(unflatten(
                leaves.map((x, i) => xs[mapped.indexOf(i)] ?? x),
                spec,
              ) as unknown[]),
            )
          const batches = mapped.map(i => {
            const x = leaves[i] as Tensor
            const all = torch.stack(Array.from({ length: BATCH }, (_, b) => vary(x, b)))
            return is_real(all) ? all.requires_grad_() : all
          })
          const loop = attempt(() =>
            Array.from({ length: BATCH }, (_, b) => tensors_of(call(...batches.map(t => t.select(0, b))))),
          )
          const wanted =
            loop && attempt(() => loop[0]!.map((_, k) => torch.stack(loop.map(list => list[k]!))))
          if (wanted === undefined || wanted.length === 0) continue
          const got = tensors_of(torch.vmap(call as (...xs: Tensor[]) => Tensor[])(...batches))
          expect(got.length).toBe(wanted.length)
          got.forEach((t, k) => {
            same(t, wanted[k]!, 'value')
          })
          const leaves_of = batches.filter(t => t.requires_grad)
          if (leaves_of.length === 0 || !wanted.some(t => t.requires_grad)) continue
          const by_loop = attempt(() =>
            torch.autograd.grad(weighted(wanted), leaves_of, null, { allow_unused: true }),
          )
          if (by_loop === undefined) continue
          const by_map = got.some(t => t.requires_grad)
            ? torch.autograd.grad(weighted(got), leaves_of, null, { allow_unused: true })
            : leaves_of.map(() => null)
          by_map.forEach((g, k) => {
            const zero = torch.zeros_like(leaves_of[k]!)
            same(g ?? zero, by_loop[k] ?? zero, 'gradient')
          })
        }
      }
    })
  }
})

describe('gradients can be mapped', () => {
  for (const { path, op, samples } of all_ops())
    test(path, () => {
      for (const args of samples)
        for (const create_graph of [false, true]) {
          const { leaves, spec } = flatten(args)
          const at = leaves.flatMap((x, i) => (x instanceof Tensor && is_real(x) ? [i] : []))
          const xs = at.map(i => (leaves[i] as Tensor).detach().requires_grad_())
          const outs = attempt(() =>
            tensors_of(
              op(
                ...(unflatten(
                  leaves.map((x, i) => xs[at.indexOf(i)] ?? x),
                  spec,
                ) as unknown[]),
              ),
            ).filter(t => t.requires_grad && t.count > 0),
          )
          if (outs === undefined || outs.length === 0) continue
          const seeds = outs.map(t => {
            const part = (): Tensor => torch.randn([BATCH, ...t.sizes], { dtype: real_of(t.detach()).dtype })
            return t.dtype.is_complex ? torch.complex(part(), part()) : part()
          })
          const pull = (...given: Tensor[]): Tensor[] =>
            torch.autograd
              .grad(outs, xs, given, { retain_graph: true, create_graph, allow_unused: true })
              .map((g, i) => g ?? torch.zeros_like(xs[i]!))
          const loop = attempt(() =>
            Array.from({ length: BATCH }, (_, b) => pull(...seeds.map(t => t.select(0, b)))),
          )
          if (loop === undefined) continue
          torch
            .vmap(pull)(...seeds)
            .forEach((g, k) => {
              const wanted = torch.stack(loop.map(list => list[k]!))
              expect(g.requires_grad).toBe(wanted.requires_grad)
              same(g, wanted, 'gradient')
            })
        }
    })
})
