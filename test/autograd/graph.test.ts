// Specification of torch.autograd.graph: hooks on tensors that are kept for backward. The texts are PyTorch 1.13's.
import { describe, expect, test } from 'vitest'
import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'

const { saved_tensors_hooks, save_on_cpu, disable_saved_tensors_hooks } = torch.autograd.graph
const leaf = (...values: number[]): Tensor =>
  torch.tensor(values, { dtype: torch.float32, requires_grad: true })
const itself = (t: Tensor): Tensor => t

describe('saved_tensors_hooks', () => {
  test('see what is kept, and give back what backward reads', () => {
    const [a, b] = [leaf(2, 3), leaf(5, 7)]
    const log: string[] = []
    const pack = (t: Tensor): Tensor => {
      log.push(`pack ${t.tolist()} ${t.requires_grad}`)
      return t.mul(10)
    }
    const unpack = (t: Tensor): Tensor => {
      log.push(`unpack ${t.tolist()}`)
      return t.div(10)
    }
    const product = saved_tensors_hooks(pack, unpack, () => a.mul(b))
    expect(log.sort()).toEqual(['pack 2,3 true', 'pack 5,7 true'])
    log.length = 0
    product.sum().backward()
    expect(log.sort()).toEqual(['unpack 20,30', 'unpack 50,70'])
    expect([a.grad?.tolist(), b.grad?.tolist()]).toEqual([
      [5, 7],
      [2, 3],
    ])
  })

  test('keep what they return, of any kind, until the guard is disposed', () => {
    const a = leaf(1, 2, 3)
    let kept = 0
    {
      using _ = saved_tensors_hooks(
        t => {
          kept++
          return t.tolist() as number[]
        },
        list => torch.tensor(list, { dtype: torch.float32 }),
      )
      a.exp().sum().backward()
    }
    expect(kept).toBe(1)
    torch.testing.assert_close(a.grad, torch.exp(a.detach()))
    a.exp()
    expect(kept).toBe(1)
  })

  test.each([
    ['an input', (x: Tensor) => x.pow(3), [6, 18]],
    ['a result', (x: Tensor) => x.exp(), [Math.exp(1), Math.exp(3)]],
    ['a matrix', (x: Tensor) => x.unsqueeze(0).mm(x.unsqueeze(1)), [2, 2]],
  ] as const)('leave second derivatives as they are: %s', (_, f, second) => {
    const x = leaf(1, 3)
    const y = saved_tensors_hooks(itself, itself, () => f(x).sum())
    const [g] = torch.autograd.grad(y, x, null, { create_graph: true })
    const [gg] = torch.autograd.grad(g!.sum(), x)
    torch.testing.assert_close(gg, torch.tensor([...second], { dtype: torch.float32 }))
  })

  test('the innermost ones count, and custom functions use them too', () => {
    const seen: string[] = []
    const naming = (name: string) => (t: Tensor) => {
      seen.push(name)
      return t
    }
    class Square extends torch.autograd.Function {
      static override forward(ctx: torch.autograd.FunctionCtx, x: Tensor): Tensor {
        ctx.save_for_backward(x)
        return x.mul(x)
      }
      static override backward(ctx: torch.autograd.FunctionCtx, g: Tensor): Tensor {
        const [x] = ctx.saved_tensors as [Tensor]
        return g.mul(x).mul(2)
      }
    }
    const x = leaf(3)
    const y = saved_tensors_hooks(naming('outer'), itself, () =>
      saved_tensors_hooks(naming('inner'), itself, () => Square.apply(x) as Tensor),
    )
    y.sum().backward()
    expect(seen).toEqual(['inner'])
    expect(x.grad?.tolist()).toEqual([6])
  })

  test('free what is kept after backward', () => {
    const x = leaf(3)
    const y = saved_tensors_hooks(itself, itself, () => x.mul(x).sum())
    y.backward()
    expect(() => y.backward()).toThrow('Trying to backward through the graph a second time')
  })

  test('may not write to what they are shown, and must give back tensors', () => {
    const x = leaf(1)
    expect(() =>
      saved_tensors_hooks(
        t => t.add_(1),
        itself,
        () => x.exp(),
      ),
    ).toThrow('A saved tensor pack hook is modifying its input in place.')
    const y = saved_tensors_hooks(
      itself,
      () => 5 as never,
      () => x.exp(),
    )
    expect(() => y.backward()).toThrow('Output of saved tensor unpack_hook expected to be a Tensor')
  })
})

test('save_on_cpu changes nothing but that in-place writes go unnoticed', () => {
  const x = leaf(2)
  const c = x.clone()
  const y = save_on_cpu(false, () => c.mul(c))
  y.sum().backward()
  expect(x.grad?.tolist()).toEqual([4])
})

test('disable_saved_tensors_hooks refuses them with a text of its own', () => {
  const x = leaf(1)
  const hooked = (): Tensor => saved_tensors_hooks(itself, itself, () => x.exp())
  expect(() => disable_saved_tensors_hooks('not now', hooked)).toThrow('not now')
  const disable = (): void => disable_saved_tensors_hooks('not now', () => undefined)
  expect(() => saved_tensors_hooks(itself, itself, disable)).toThrow('not now')
  expect(hooked).not.toThrow()
})
