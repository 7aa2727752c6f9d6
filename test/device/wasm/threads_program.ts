// What threads.test.ts runs in a process of its own: prints that kernels, products and convolutions give the same bits
// with 1, 2, 3 and 5 threads, and whether workers took part; then ends by itself, though workers exist.
import * as torch from '../../../src/index.ts'

const kept = torch.arange(200_000, { dtype: torch.float32 })
const run = (): torch.Tensor[] => {
  torch.manual_seed(0)
  const x = torch.randn(300, 301)
  const image = torch.randn(8, 16, 20, 20)
  const weight = torch.randn(24, 16, 3, 3)
  const depthwise = torch.randn(16, 1, 3, 3)
  const F = torch.nn.functional
  const conv = (w: torch.Tensor, groups: number): torch.Tensor[] => {
    const [i, k] = [image.detach().clone().requires_grad_(), w.detach().clone().requires_grad_()]
    const y = F.conv2d(i, k, null, { padding: 1, groups })
    return [y, ...torch.autograd.grad([y], [i, k], [torch.ones_like(y)])].map(t => t!.detach())
  }
  return [
    kept.add(1).exp(),
    x.tanh(),
    x.sum(1),
    x.softmax(0),
    x.softmax(1),
    F.layer_norm(x, [301]),
    F.max_pool2d(image, 2),
    F.conv2d(image, weight, torch.randn(24), { padding: 1 }),
    torch.cat([x, x]),
    x.std(1),
    x.matmul(x.t()),
    torch.randn(5, 150, 90).matmul(torch.randn(5, 90, 110)),
    torch.randn(1, 700).matmul(torch.randn(700, 900)),
    ...conv(weight, 1),
    ...conv(depthwise, 16),
  ]
}

torch.set_num_threads(1)
const first = run()
let same = true
for (const n of [2, 3, 5, 1, 2])
  for (let round = 0; round < 3; round++) {
    torch.set_num_threads(n)
    run().forEach((t, i) => {
      same &&= t.equal(first[i]!)
    })
  }
console.log(`${torch.get_num_threads()} ${same}`)
