// Specification of what a backward pass does with memory: a gradient's is used again as soon as its node has run, and
// nothing that anybody can still see is ever written over. The tests run with TSTORCH_POISON=1, which fills memory that is
// given up with NaNs. Not here: which gradients are right (engine.test.ts, test/ops).
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { type Tensor, tensor } from '../../src/index.ts'

const { nn } = torch
const F = nn.functional
/** Large enough for memory of its own. */
const N = 64

const numbers = (t: Tensor | null): unknown => t?.tolist()
const leaf = (...sizes: number[]): Tensor => torch.randn(...sizes).requires_grad_(true)

/** Graphs whose gradients take various ways: results that are shared, passed on, summed, views, and temporary. */
const graphs: Record<string, (x: Tensor, w: Tensor) => Tensor> = {
  'a chain': (x, w) => x.mm(w).relu().tanh().mul(2).sigmoid(),
  'sums of many uses': (x, w) => {
    const y = x.mm(w)
    return y.add(y).add(y.sin()).add(y.mul(y)).add(y)
  },
  'one gradient for several operands': (x, w) => x.add(w).sub(x).add(x.add(w).exp()),
  views: (x, w) => {
    const y = x.mm(w).t().reshape(-1).view(4, -1).transpose(0, 1)
    const [a, b] = y.split(8, 0) as [Tensor, Tensor]
    return a.mm(b.t().contiguous()).unsqueeze(0).expand(3, -1, -1).permute(2, 0, 1)
  },
  parts: (x, w) =>
    torch.cat([x.narrow(0, 0, 16), w.narrow(1, 3, 16).t(), x.index_select(0, tensor([1, 1, 5]))]),
  'writing in place': (x, w) => {
    const y = x.mm(w)
    y.narrow(0, 0, 8).mul_(3)
    y.add_(x)
    return y.relu_().mul(w)
  },
  broadcasting: (x, w) =>
    x
      .mul(w.narrow(0, 0, 1))
      .add(w.sum(0))
      .div(x.narrow(1, 0, 1).exp()),
  'softmax and norms': (x, w) => F.layer_norm(F.softmax(x.mm(w), -1), [N]).log_softmax(0),
  'convolution and pooling': (x, w) =>
    F.max_pool2d(F.conv2d(x.mm(w).view(4, 4, 16, 16), w.narrow(0, 0, 8).reshape(8, 4, 4, 4)).relu(), 2),
  'several results': (x, w) => {
    const [values] = x.mm(w).topk(5, 1) as unknown as [Tensor]
    const [q, r] = torch.linalg.qr(x.mm(w).add(torch.eye(N).mul(50)).narrow(1, 0, 20)) as unknown as [
      Tensor,
      Tensor,
    ]
    return values.sum().add(q.mm(r.tanh()))
  },
}

/** The gradients of x and w; a hook that has seen the first gradient leaves nothing to be used again. */
function gradients(graph: (x: Tensor, w: Tensor) => Tensor, hooked: boolean, retain = false): unknown {
  torch.manual_seed(0)
  const [x, w] = [leaf(N, N), leaf(N, N)]
  const out = graph(x, w)
  const loss = out.mul(torch.randn(out.sizes)).sum()
  if (hooked) loss.register_hook(() => {})
  loss.backward(null, retain)
  if (retain) {
    // with the gradients there already
    loss.backward()
  }
  return [numbers(x.grad), numbers(w.grad)]
}

describe('gradients are those of a pass that uses no memory again', () => {
  test.each(Object.entries(graphs))('%s', (_, graph) => {
    const expected = gradients(graph, true)
    expect(gradients(graph, false)).toEqual(expected)
    expect(gradients(graph, false, true)).toEqual(gradients(graph, true, true))
  })

  test('of an LSTM', () => {
    const run = (hooked: boolean): unknown => {
      torch.manual_seed(0)
      const model = new nn.LSTM(32, 32, { num_layers: 2, bidirectional: true })
      const x = leaf(9, 8, 32)
      const [y, [h]] = model(x) as [Tensor, [Tensor, Tensor]]
      const loss = y.sin().sum().add(h.sum())
      if (hooked) loss.register_hook(() => {})
      loss.backward()
      return [x.grad, ...[...model.parameters()].map(p => p.grad)].map(numbers)
    }
    expect(run(false)).toEqual(run(true))
  })
})

describe('memory that somebody can see stays as it is', () => {
  const network = (x: Tensor, w: Tensor): Tensor => x.mm(w).relu().mm(w).tanh()

  test('gradients that hooks were shown', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    const h = x.mm(w)
    const seen: [Tensor, unknown][] = []
    h.register_hook(g => void seen.push([g, numbers(g)]))
    h.relu().tanh().mm(w).sum().backward()
    for (let i = 0; i < 3; i++) network(x, w).sum().backward()
    expect(numbers(seen[0]![0])).toEqual(seen[0]![1])
  })

  test('gradients that hooks of nodes were shown, inputs and outputs', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    const h = x.mm(w).relu()
    const seen: [Tensor, unknown][] = []
    h.grad_fn!.register_hook((inputs, outputs) => {
      for (const g of [...inputs, ...outputs]) if (g) seen.push([g, numbers(g)])
    })
    h.tanh().sum().backward()
    for (let i = 0; i < 3; i++) network(x, w).sum().backward()
    expect(seen.length).toBe(2)
    for (const [g, was] of seen) expect(numbers(g)).toEqual(was)
  })

  test('gradients that custom functions were given, and those that they gave', () => {
    const seen: [Tensor, unknown][] = []
    class Same extends torch.autograd.Function {
      static override forward(_ctx: torch.autograd.FunctionCtx, x: Tensor): Tensor {
        return x.clone()
      }
      static override backward(_ctx: torch.autograd.FunctionCtx, g: Tensor): Tensor {
        const result = g.mul(2)
        seen.push([g, numbers(g)], [result, numbers(result)])
        return result
      }
    }
    const [x, w] = [leaf(N, N), leaf(N, N)]
    Same.apply(x.mm(w).relu()).tanh().relu().sum().backward()
    for (let i = 0; i < 3; i++) network(x, w).sum().backward()
    for (const [g, was] of seen) expect(numbers(g)).toEqual(was)
  })

  test('gradients that autograd.grad returned, of results between as well', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    const h = x.mm(w)
    const y = h.relu()
    const found = torch.autograd.grad(y.tanh().mm(w).sum(), [x, w, h, y]) as Tensor[]
    const was = found.map(numbers)
    for (let i = 0; i < 3; i++) network(x, w).sum().backward()
    expect(found.map(numbers)).toEqual(was)
    const hooked = y.tanh().mm(w).sum()
    expect(was.flat(3)).not.toContain(Number.NaN)
    expect(hooked.requires_grad).toBe(true)
  })

  test('kept gradients of results, and the gradient that a pass began with', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    const h = x.mm(w)
    h.retain_grad()
    const seed = torch.randn(N, N)
    const before = numbers(seed)
    h.add(0).relu().backward(seed)
    const kept = numbers(h.grad)
    for (let i = 0; i < 3; i++) network(x, w).sum().backward()
    expect(numbers(h.grad)).toEqual(kept)
    expect(numbers(seed)).toEqual(before)
  })

  test('.grad of leaves, also where two leaves are given one gradient', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    x.add(w).mul(3).backward(torch.ones(N, N))
    x.grad!.zero_()
    expect(w.grad!.eq(3).all().item()).toBe(true)
    const was = numbers(w.grad)
    const [a, b] = [leaf(N, N), leaf(N, N)]
    for (let i = 0; i < 3; i++) network(a, b).sum().backward()
    expect(numbers(w.grad)).toEqual(was)
  })

  test('results of the forward pass that are kept beyond the backward pass', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    const a = x.mm(w)
    const b = a.relu()
    const c = b.softmax(-1)
    const was = [a, b, c].map(numbers)
    c.log().sum().backward()
    for (let i = 0; i < 3; i++) network(x, w).sum().backward()
    expect([a, b, c].map(numbers)).toEqual(was)
  })

  test('the graph of a recorded pass', () => {
    const run = (hooked: boolean): unknown => {
      torch.manual_seed(0)
      const [x, w] = [leaf(N, N), leaf(N, N)]
      const loss = network(x, w).sum()
      const [gx] = torch.autograd.grad(loss, [x], { create_graph: true }) as [Tensor]
      const next = gx.pow(2).sum()
      if (hooked) next.register_hook(() => {})
      network(x, w).sum().backward()
      next.backward()
      return [numbers(x.grad), numbers(w.grad)]
    }
    expect(run(false)).toEqual(run(true))
  })

  test('a pass inside of a pass', () => {
    const [x, w] = [leaf(N, N), leaf(N, N)]
    const inner: unknown[] = []
    class Twice extends torch.autograd.Function {
      static override forward(ctx: torch.autograd.FunctionCtx, t: Tensor): Tensor {
        ctx.save_for_backward(t)
        return t.mul(2)
      }
      static override backward(ctx: torch.autograd.FunctionCtx, g: Tensor): Tensor {
        const own = ctx.saved_tensors[0]!.detach().requires_grad_(true)
        const [d] = torch.enable_grad(() => torch.autograd.grad(own.mul(2).tanh().relu().sum(), [own])) as [
          Tensor,
        ]
        inner.push(numbers(d))
        return g.mul(2).add(d.mul(0))
      }
    }
    const run = (): unknown => {
      x.grad = w.grad = null
      Twice.apply(x.mm(w).relu()).tanh().relu().sum().backward()
      return [numbers(x.grad), numbers(w.grad)]
    }
    const first = run()
    expect(run()).toEqual(first)
    expect(inner[1]).toEqual(inner[0])
  })
})

const native = (process.env['TSTORCH_CPU'] ?? 'native') === 'native'
test.runIf(native)('a long chain of gradients takes the memory of few', () => {
  const MB = 2 ** 20
  const x = torch.randn(MB / 4).requires_grad_(true)
  const held = (): number => torch.cpu.memory_reserved()
  // addition saves nothing: all that the pass needs is gradients
  const chain = (): Tensor => {
    let y = x.mul(2)
    for (let i = 0; i < 40; i++) y = y.roll(1).add(x)
    return y.sum()
  }
  chain().backward()
  x.grad = null
  const loss = chain()
  const before = held()
  loss.backward()
  expect(held() - before).toBeLessThan(10 * MB)
})
