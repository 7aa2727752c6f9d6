// The normalisations at sizes that reach every path of their kernels: long and short channels, blocks of rows, odd ends.
// What is fused must be what the formulas say that are differentiated, and the same for any number of threads.
import { describe, expect, test } from 'vitest'
import * as torch from '../../../src/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const F = torch.nn.functional
type Case = { readonly run: (...inputs: Tensor[]) => Tensor; readonly sizes: readonly (readonly number[])[] }

const stats = (c: number, dtype: torch.DType): [Tensor, Tensor] => [
  torch.full([c], 0.25, { dtype }),
  torch.full([c], 1.5, { dtype }),
]
const batch = (sizes: readonly number[], training: boolean): Case => ({
  run: (x, w, b) => F.batch_norm(x!, ...stats(sizes[1]!, x!.dtype), w, b, training),
  sizes: [sizes, [sizes[1]!], [sizes[1]!]],
})
const layer = (sizes: readonly number[], dims: number): Case => ({
  run: (x, w, b) => F.layer_norm(x!, sizes.slice(-dims), w, b),
  sizes: [sizes, sizes.slice(-dims), sizes.slice(-dims)],
})
const group = (sizes: readonly number[], groups: number): Case => ({
  run: (x, w, b) => F.group_norm(x!, groups, w, b),
  sizes: [sizes, [sizes[1]!], [sizes[1]!]],
})

const cases: Readonly<Record<string, Case>> = {
  'batch_norm of long channels': batch([3, 5, 13, 19], true),
  'batch_norm of channels longer than a piece': batch([2, 3, 1025], true),
  'batch_norm of short channels': batch([11, 70, 3], true),
  'batch_norm of single elements': batch([37, 130], true),
  'batch_norm by given statistics, long': batch([3, 5, 13, 19], false),
  'batch_norm by given statistics, short': batch([11, 70, 3], false),
  'batch_norm by given statistics, single': batch([37, 130], false),
  'layer_norm of several blocks of rows': layer([71, 2, 45], 1),
  'layer_norm of long rows': layer([9, 3, 3001], 2),
  'layer_norm of a few rows': layer([3, 64], 1),
  'layer_norm of a row': layer([33], 1),
  'group_norm of long channels': group([3, 6, 150], 2),
  'group_norm of short channels': group([3, 6, 2, 2], 3),
  'group_norm of single elements': group([5, 66], 2),
  instance_norm: {
    run: (x, w, b) => F.instance_norm(x!, null, null, w, b),
    sizes: [[3, 4, 150], [4], [4]],
  },
}

const inputs_of = ({ sizes }: Case, dtype: torch.DType): Tensor[] => {
  torch.manual_seed(3)
  return sizes.map((size, i) =>
    torch
      .randn(size, { dtype: torch.float64 })
      .mul(i === 0 ? 2 : 0.5)
      .add(i === 0 ? 3 : 1)
      .to(dtype)
      .requires_grad_(),
  )
}

/** The result and all gradients. */
function results(of: Case, dtype: torch.DType, create_graph: boolean): Tensor[] {
  const inputs = inputs_of(of, dtype)
  const out = of.run(...inputs)
  const weights = torch.randn(out.shape, { dtype: torch.float64 }).to(dtype)
  return [out, ...torch.autograd.grad([out], inputs, [weights], { create_graph })].map(t => t!.detach())
}

const furthest = (a: Tensor, b: Tensor): number => a.double().sub(b.double()).abs().max().item() as number

describe('fused normalisations', () => {
  for (const [name, of] of Object.entries(cases)) {
    test(`${name}: gradients are those of the formula`, () => {
      const [fused, formula] = [results(of, torch.float64, false), results(of, torch.float64, true)]
      fused.forEach((t, i) => {
        expect(furthest(t, formula[i]!)).toBeLessThan(1e-11)
      })
    })

    test(`${name}: float32 is close to float64`, () => {
      const [single, double] = [results(of, torch.float32, false), results(of, torch.float64, false)]
      single.forEach((t, i) => {
        const scale = double[i]!.abs().max().item() as number
        expect(furthest(t, double[i]!) / scale).toBeLessThan(2e-6)
      })
    })

    test(`${name}: only what is wanted is computed, and is the same`, () => {
      const all = results(of, torch.float64, false)
      for (let wanted = 0; wanted < 3; wanted++) {
        const inputs = inputs_of(of, torch.float64).map((t, i) => (i === wanted ? t : t.detach()))
        const out = of.run(...inputs)
        const weights = torch.randn(out.shape, { dtype: torch.float64 })
        const [grad] = torch.autograd.grad([out], [inputs[wanted]!], [weights])
        expect(furthest(grad!, all[wanted + 1]!)).toBe(0)
      }
    })
  }

  test('batch_norm moves the running statistics, of any layout', () => {
    torch.manual_seed(5)
    const x = torch.randn(8, 3, 20).mul(2).add(1)
    const [mean, variance] = [torch.zeros(3, 2).select(1, 0), torch.ones(3)]
    F.batch_norm(x, mean, variance, null, null, true, 0.25)
    const rows = x.transpose(0, 1).reshape([3, 160])
    expect(furthest(mean, rows.mean(1).mul(0.25))).toBeLessThan(1e-6)
    expect(furthest(variance, rows.var(1).mul(0.25).add(0.75))).toBeLessThan(1e-6)
  })

  test('a mean far from 0 does not spoil the variance', () => {
    torch.manual_seed(5)
    const noise = torch.randn([6, 4, 200], { dtype: torch.float64 }).add(4096).float()
    const expected = F.batch_norm(noise.double(), null, null, null, null, true)
    expect(furthest(F.batch_norm(noise, null, null, null, null, true), expected)).toBeLessThan(1e-3)
    const [row, column] = [noise.transpose(1, 2).reshape([-1, 4]), expected.transpose(1, 2).reshape([-1, 4])]
    expect(furthest(F.batch_norm(row, null, null, null, null, true), column)).toBeLessThan(1e-3)
  })
})

describe('threads', () => {
  const bits = (t: Tensor): Tensor => (t.dtype === torch.float32 ? t.view(torch.int32) : t)
  const large: Readonly<Record<string, Case>> = {
    'batch_norm, long': batch([4, 16, 20, 20], true),
    'batch_norm, short': batch([32, 128, 4], true),
    layer_norm: layer([200, 100], 1),
    group_norm: group([4, 16, 200], 4),
  }
  for (const [name, of] of Object.entries(large))
    test(`${name} gives the same bits for any number`, () => {
      const before = torch.get_num_threads()
      const runs = [1, 2, 3].map(n => {
        torch.set_num_threads(n)
        return results(of, torch.float32, false)
      })
      torch.set_num_threads(before)
      for (const run of runs)
        run.forEach((t, i) => {
          expect(torch.equal(bits(t), bits(runs[0]![i]!))).toBe(true)
        })
    })
})
