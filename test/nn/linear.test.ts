/** linear against the products and sums that it is made of, in every layout and with every set of gradients wanted. */
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import { values } from './values.ts'

const { linear } = torch.nn.functional
type Tensor = torch.Tensor
const make = (sizes: number[], salt: number): Tensor => values(sizes, 'float', salt).to(torch.float64)

const inputs: Record<string, () => Tensor> = {
  'a matrix': () => make([5, 4], 1),
  'one row': () => make([1, 4], 1),
  'a transposed matrix': () => make([4, 5], 1).t(),
  'many rows': () => make([300, 4], 1),
  'a batch of matrices': () => make([2, 3, 4], 1),
  'a batch of batches': () => make([2, 2, 3, 4], 1),
  'a batch with its dimensions swapped': () => make([3, 2, 4], 1).transpose(0, 1),
  'a vector': () => make([4], 1),
  'no rows': () => make([0, 4], 1),
}
const weights: Record<string, () => Tensor> = {
  'by rows': () => make([3, 4], 2),
  'by columns': () => make([4, 3], 2).t(),
  'of one output': () => make([1, 4], 2),
}
const close = (got: Tensor | null, wanted: Tensor | null): void => {
  if (got === null || wanted === null) expect(got).toBe(wanted)
  else expect(torch.allclose(got, wanted, { rtol: 1e-10, atol: 1e-12 }), `${got}, not ${wanted}`).toBe(true)
}

describe.each(Object.keys(inputs))('linear of %s', kind => {
  it.each(Object.keys(weights))('with a weight %s: values and gradients', layout => {
    for (const has_bias of [true, false])
      for (let wanted = 0; wanted < 8; wanted++)
        for (const spread of [true, false]) {
          const run = (
            f: (x: Tensor, w: Tensor, b: Tensor | null) => Tensor,
          ): readonly [Tensor, ...(Tensor | null)[]] => {
            const w = weights[layout]!().detach()
            const all = [inputs[kind]!().detach(), w, has_bias ? make([w.size(0)], 3) : null] as const
            all.forEach((t, i) => t?.requires_grad_((wanted & (1 << i)) > 0))
            const out = f(...all)
            // The gradient of a sum is one number, expanded.
            if (out.requires_grad) (spread ? out.sum() : out.mul(out).sum()).backward()
            return [out, ...all.map(t => t?.grad ?? null)]
          }
          const got = run((x, w, b) => linear(x, w, b))
          const composed = run((x, w, b) => {
            const product = x.matmul(w.t())
            return b === null ? product : product.add(b)
          })
          expect(got[0].shape).toEqual(composed[0].shape)
          got.forEach((t, i) => {
            close(t, composed[i]!)
          })
        }
  })
})

describe('linear', () => {
  it('has gradients of gradients', () => {
    for (const sizes of [
      [3, 4],
      [2, 2, 4],
    ]) {
      const all = [make(sizes, 1), make([2, 4], 2), make([2], 3)].map(t => t.requires_grad_())
      expect(torch.autograd.gradcheck((...x: Tensor[]) => linear(x[0]!, x[1]!, x[2]), all)).toBe(true)
      expect(torch.autograd.gradgradcheck((...x: Tensor[]) => linear(x[0]!, x[1]!, x[2]), all)).toBe(true)
    }
  })

  it("ends in PyTorch's node", () => {
    const name = (sizes: number[], bias: boolean): string | undefined =>
      new torch.nn.Linear(4, 2, bias)(torch.ones(sizes)).grad_fn?.name()
    expect(
      [
        [3, 4],
        [2, 3, 4],
        [2, 2, 3, 4],
      ].map(sizes => name(sizes, true)),
    ).toEqual(['AddmmBackward0', 'ViewBackward0', 'AddBackward0'])
    expect(
      [
        [3, 4],
        [2, 3, 4],
        [2, 2, 3, 4],
      ].map(sizes => name(sizes, false)),
    ).toEqual(['MmBackward0', 'UnsafeViewBackward0', 'UnsafeViewBackward0'])
  })

  it('notices that its input or weight was written before backward', () => {
    for (const written of [0, 1]) {
      const all = [make([3, 4], 1), make([2, 4], 2).requires_grad_()] as const
      const x = all[0].requires_grad_().mul(1)
      const out = linear(x, all[1])
      torch.no_grad(() => (written === 0 ? x : all[1]).add_(1))
      expect(() => out.sum().backward()).toThrow(/modified by an inplace operation/)
    }
  })

  it('cannot be walked twice, unless the graph is kept', () => {
    const layer = new torch.nn.Linear(4, 2)
    const out = layer(torch.ones(3, 4)).sum()
    out.backward({ retain_graph: true })
    out.backward()
    expect(layer.weight.grad?.tolist()).toEqual(torch.full([2, 4], 6).tolist())
    expect(() => out.backward()).toThrow(/second time/)
  })
})
