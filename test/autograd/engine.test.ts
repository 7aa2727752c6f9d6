// The backward pass as PyTorch describes it: leaves accumulate, graphs are used once unless retained, in-place changes
// are noticed, views and their bases share history. Values follow from calculus, messages from PyTorch 1.13.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import type { Node } from '../../src/tensor/tape.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const leaf = (...values: number[]): Tensor =>
  torch.tensor(values, { dtype: torch.float32, requires_grad: true })
const scalar = (value: number): Tensor => torch.tensor(value, { dtype: torch.float32, requires_grad: true })

describe('gradients reach leaves', () => {
  test('of a product', () => {
    const [a, b] = [scalar(3), scalar(4)]
    a.mul(b).backward()
    expect([a.grad!.item(), b.grad!.item()]).toEqual([4, 3])
  })

  test('and add up over calls until they are zeroed', () => {
    const x = leaf(1, 2)
    const run = (): void => x.mul(x).sum().backward()
    run()
    expect(x.grad!.tolist()).toEqual([2, 4])
    run()
    expect(x.grad!.tolist()).toEqual([4, 8])
    x.grad!.zero_()
    run()
    expect(x.grad!.tolist()).toEqual([2, 4])
  })

  test('and two leaves never share one gradient', () => {
    const [a, b] = [leaf(1, 2), leaf(3, 4)]
    a.add(b).sum().backward()
    a.grad!.mul_(10)
    expect(b.grad!.tolist()).toEqual([1, 1])
  })

  test('a gradient that was passed in stays the caller’s', () => {
    const a = leaf(1, 2)
    const g = torch.ones(2)
    a.add(1).backward(g)
    a.grad!.mul_(10)
    expect(g.tolist()).toEqual([1, 1])
  })

  test('through values that are used more than once', () => {
    const x = scalar(2)
    const y = x.mul(3)
    y.mul(y).add(y).backward()
    expect(x.grad!.item()).toBe(2 * 6 * 3 + 3)
  })

  test('in chains of 100,000 nodes', () => {
    const x = scalar(1)
    let y: Tensor = x
    for (let i = 0; i < 100_000; i++) y = y.add(1)
    y.backward()
    expect(x.grad!.item()).toBe(1)
  })

  test('with a gradient for outputs that are no scalars', () => {
    const [a, b] = [leaf(2, 3), leaf(6, 4)]
    const q = a.pow(3).mul(3).sub(b.pow(2))
    q.backward(torch.ones(2))
    expect(a.grad!.tolist()).toEqual([36, 81])
    expect(b.grad!.tolist()).toEqual([-12, -8])
  })
})

describe('the graph', () => {
  test('has PyTorch’s names and can be walked to its leaves', () => {
    const w = leaf(1, 2)
    const loss = w.mul(2).sum()
    expect(loss.grad_fn!.name()).toBe('SumBackward0')
    const [[mul]] = loss.grad_fn!.next_functions as [[Node, number]]
    expect(mul.name()).toBe('MulBackward0')
    const [[end]] = mul.next_functions as [[Node, number]]
    expect(end.name()).toBe('AccumulateGrad')
  })

  test('is used once', () => {
    const x = leaf(1, 2)
    const y = x.mul(x).sum()
    y.backward()
    expect(() => y.backward()).toThrow(/^Trying to backward through the graph a second time/)
  })

  test('or as often as it is retained', () => {
    const x = leaf(1, 2)
    const y = x.mul(x).sum()
    y.backward({ retain_graph: true })
    y.backward()
    expect(x.grad!.tolist()).toEqual([4, 8])
  })

  test('of gradients gives second derivatives', () => {
    const x = scalar(2)
    const [first] = torch.autograd.grad(x.pow(3), x, null, { create_graph: true }) as [Tensor]
    const [second] = torch.autograd.grad(first, x) as [Tensor]
    expect([first.item(), second.item()]).toEqual([12, 12])
  })

  test('does not grow in no_grad, and grows again in enable_grad', () => {
    const x = scalar(2)
    torch.no_grad(() => {
      expect(x.mul(2).requires_grad).toBe(false)
      torch.enable_grad(() => expect(x.mul(2).requires_grad).toBe(true))
    })
    expect(x.mul(2).requires_grad).toBe(true)
  })

  test('modes end when what runs in them throws', () => {
    expect(() =>
      torch.no_grad(() => {
        throw new Error('out')
      }),
    ).toThrow('out')
    expect(torch.is_grad_enabled()).toBe(true)
  })

  test('is left by detach and data', () => {
    const x = scalar(2)
    expect(x.mul(2).detach().requires_grad).toBe(false)
    torch.no_grad(() => x.data.mul_(5))
    expect(x.item()).toBe(10)
  })
})

describe('errors', () => {
  test.each([
    ['grad can be implicitly created only for scalar outputs', () => leaf(1, 2).mul(2).backward()],
    [
      'element 0 of tensors does not require grad and does not have a grad_fn',
      () => torch.ones(1).sum().backward(),
    ],
    [
      'Only Tensors of floating point and complex dtype can require gradients',
      () => torch.tensor(3, { requires_grad: true }),
    ],
    ['a leaf Variable that requires grad is being used in an in-place operation.', () => leaf(1).add_(1)],
    [
      'a view of a leaf Variable that requires grad is being used in an in-place operation.',
      () => leaf(1, 2).select(0, 0).add_(1),
    ],
    [
      'One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.',
      () => torch.autograd.grad(leaf(1).sum(), leaf(1)),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(message)
    expect(call).toThrow(torch.RuntimeError)
  })

  test('an in-place change of what backward needs is noticed', () => {
    const x = leaf(1, 2)
    const y = x.exp()
    const z = y.mul(y)
    y.add_(1)
    expect(() => z.sum().backward()).toThrow(
      'one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2]], ' +
        'which is output 0 of AddBackward0, is at version 1; expected version 0 instead.',
    )
  })

  test('of what it does not need is not', () => {
    const x = leaf(1, 2)
    const y = x.add(1)
    y.mul(3).sum().backward({ retain_graph: true })
    torch.no_grad(() => y.zero_())
    expect(x.grad!.tolist()).toEqual([3, 3])
  })

  test('a call that throws has changed nothing', () => {
    const x = torch.ones(3)
    expect(() => x.add_(torch.ones(2))).toThrow(torch.RuntimeError)
    expect(() => torch.ones(3, { dtype: torch.int64 }).add_(torch.ones(3))).toThrow(
      "result type Float can't be cast to the desired output type Long",
    )
    expect(x.tolist()).toEqual([1, 1, 1])
    expect(x._version).toBe(0)
  })
})

describe('views', () => {
  test('written in place change the history of their base', () => {
    const x = leaf(1, 2, 3)
    const y = x.mul(2)
    y.narrow(0, 1, 2).mul_(x.narrow(0, 0, 2))
    expect(y.grad_fn!.name()).toBe('CopySlices')
    expect(y.tolist()).toEqual([2, 4, 12])
    y.sum().backward()
    // y = [2 x0, 2 x1 x0, 2 x2 x1]
    expect(x.grad!.tolist()).toEqual([2 + 2 * 2, 2 * 1 + 2 * 3, 2 * 2])
  })

  test('see what was written to their base', () => {
    const x = leaf(1, 2, 3)
    const y = x.mul(2)
    const view = y.narrow(0, 0, 2)
    y.mul_(5)
    expect(view.grad_fn!.name()).toBe('AsStridedBackward0')
    view.sum().backward()
    expect(x.grad!.tolist()).toEqual([10, 10, 0])
  })

  test('of several at once may not be written', () => {
    const [first] = leaf(1, 2).mul(2).unbind() as [Tensor]
    expect(() => first.mul_(2)).toThrow(
      'is a view and is being modified inplace. This view is the output of a function that returns multiple views.',
    )
  })

  test('have gradients to second order through in-place writes', () => {
    const x = torch.tensor([1.5, 2.5, 3.5], { dtype: torch.float64, requires_grad: true })
    const f = (t: Tensor): Tensor => {
      const y = t.mul(t)
      y.narrow(0, 0, 2).mul_(t.narrow(0, 1, 2))
      return y
    }
    expect(torch.autograd.gradcheck(f, x)).toBe(true)
    expect(torch.autograd.gradgradcheck(f, x)).toBe(true)
  })
})

describe('hooks', () => {
  test('on a tensor see its gradient and may replace it', () => {
    const x = leaf(1, 2)
    const seen: unknown[] = []
    const handle = x.register_hook(g => {
      seen.push(g.tolist())
      return g.mul(10)
    })
    x.mul(3).sum().backward()
    expect(seen).toEqual([[3, 3]])
    expect(x.grad!.tolist()).toEqual([30, 30])
    handle.remove()
    x.mul(3).sum().backward()
    expect(x.grad!.tolist()).toEqual([33, 33])
  })

  test('retain_grad keeps the gradient of what is no leaf', () => {
    const x = leaf(1, 2)
    const y = x.mul(3)
    y.retain_grad()
    y.mul(y).sum().backward()
    expect(y.grad!.tolist()).toEqual([6, 12])
  })
})

describe('custom functions', () => {
  class MyReLU extends torch.autograd.Function {
    static override forward(ctx: torch.autograd.FunctionCtx, input: Tensor): Tensor {
      ctx.save_for_backward(input)
      return input.clamp(0)
    }
    static override backward(ctx: torch.autograd.FunctionCtx, g: Tensor): Tensor {
      const [input] = ctx.saved_tensors as [Tensor]
      return g.mul(input.gt(0))
    }
  }

  test('run their own backward and name their node', () => {
    const x = leaf(-1, 2)
    const y = MyReLU.apply(x)
    expect(y.grad_fn!.name()).toBe('MyReLUBackward')
    y.sum().backward()
    expect(x.grad!.tolist()).toEqual([0, 1])
  })

  test('release what they saved', () => {
    const y = MyReLU.apply(leaf(-1, 2)).sum()
    y.backward()
    expect(() => y.backward()).toThrow('Trying to backward through the graph a second time')
  })

  test('must return a gradient for every argument', () => {
    class Wrong extends torch.autograd.Function {
      static override forward(_: torch.autograd.FunctionCtx, a: Tensor, b: Tensor): Tensor {
        return a.mul(b)
      }
      static override backward(_: torch.autograd.FunctionCtx, g: Tensor): Tensor {
        return g
      }
    }
    expect(() => Wrong.apply(leaf(1), leaf(2)).sum().backward()).toThrow(
      'function WrongBackward returned an incorrect number of gradients (expected 2, got 1)',
    )
  })
})

describe('anomaly detection', () => {
  test('names the function whose gradient is NaN', () => {
    torch.autograd.detect_anomaly(() => {
      const x = leaf(0)
      expect(() => x.sqrt().mul(0).sum().backward()).toThrow(
        "Function 'SqrtBackward0' returned nan values in its 0th output.",
      )
    })
  })
})

describe('functional', () => {
  const x = torch.tensor([1, 2], { dtype: torch.float64 })
  const cubes = (t: Tensor): Tensor => t.pow(3)
  const total = (t: Tensor): Tensor => t.pow(3).sum()

  test('jacobian and hessian', () => {
    const { jacobian, hessian } = torch.autograd.functional
    expect((jacobian(cubes, x) as Tensor).tolist()).toEqual([
      [3, 0],
      [0, 12],
    ])
    expect((hessian(total, x) as Tensor).tolist()).toEqual([
      [6, 0],
      [0, 12],
    ])
  })

  test('products with vectors', () => {
    const { hvp, jvp, vhp, vjp } = torch.autograd.functional
    const v = torch.tensor([1, 10], { dtype: torch.float64 })
    expect((vjp(cubes, x, v)[1] as Tensor).tolist()).toEqual([3, 120])
    expect((jvp(cubes, x, v)[1] as Tensor).tolist()).toEqual([3, 120])
    expect((vhp(total, x, v)[1] as Tensor).tolist()).toEqual([6, 120])
    expect((hvp(total, x, v)[1] as Tensor).tolist()).toEqual([6, 120])
  })
})
