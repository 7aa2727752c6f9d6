// Modules that hold others or need what is not here: SyncBatchNorm, DataParallel, Container; and what modules do besides
// forward: AdaptiveLogSoftmaxWithLoss's predictions, the output sizes of transposed convolutions. Texts are PyTorch's.
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const { nn } = torch

test('SyncBatchNorm takes over batch norms, and works in evaluation only', () => {
  const net = new nn.Sequential(new nn.Linear(2, 3), new nn.Sequential(new nn.BatchNorm1d(3)))
  const x = torch.randn(4, 2)
  net(x)
  const expected = net.eval()(x).tolist()
  const converted = nn.SyncBatchNorm.convert_sync_batchnorm(net) as typeof net
  expect(String(converted)).toContain(
    'SyncBatchNorm(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)',
  )
  expect(converted.eval()(x).tolist()).toEqual(expected)
  expect(Object.keys(converted.state_dict())).toEqual(Object.keys(net.state_dict()))
  expect(() => converted.train()(x)).toThrow('SyncBatchNorm expected input tensor to be on GPU')
  expect(() => new nn.SyncBatchNorm(2).eval()(torch.ones(2))).toThrow(
    'expected at least 2D input (got 1D input)',
  )
})

test('DataParallel calls what it holds', () => {
  const inner = new nn.Linear(2, 2)
  const spread = new nn.DataParallel(inner)
  const x = torch.randn(3, 2)
  expect(spread(x).tolist()).toEqual(inner(x).tolist())
  expect(Object.keys(spread.state_dict())).toEqual(['module.weight', 'module.bias'])
  expect(String(spread)).toBe(
    'DataParallel(\n  (module): Linear(in_features=2, out_features=2, bias=True)\n)',
  )
  expect(nn.parallel.data_parallel(inner, [x]).tolist()).toEqual(inner(x).tolist())
})

test('Container holds modules by name', () => {
  const held = new nn.Container({ a: new nn.ReLU() })
  expect(String(held)).toBe('Container(\n  (a): ReLU()\n)')
  expect(() => held.forward()).toThrow('Module [Container] is missing the required "forward" function')
})

test('AdaptiveLogSoftmaxWithLoss gives the log-probabilities of all classes, and the most probable one', () => {
  torch.manual_seed(0)
  const softmax = new nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 6])
  const [x, y] = [torch.randn([5, 8]), torch.tensor([0, 4, 7, 9, 2])]
  const { output, loss } = softmax(x, y)
  expect((output.tolist() as number[]).map(v => v.toFixed(4)).join()).toBe(
    '-1.5730,-3.0786,-2.6398,-3.1954,-1.7725',
  )
  expect((loss.item() as number).toFixed(4)).toBe('2.4519')
  expect(softmax.predict(x).tolist()).toEqual([2, 0, 1, 1, 0])
  const all = softmax.log_prob(x)
  expect(torch.allclose(all.gather(1, y.unsqueeze(1)).squeeze(1), output)).toBe(true)
  expect(() => softmax(x, y.add(10))).toThrow(
    'Target values should be in [0, 9], but values in range [10, 19] were found. ',
  )
})

test('transposed convolutions are told the size of their result', () => {
  const up = new nn.ConvTranspose2d(1, 1, 3, { stride: 2, padding: 1 })
  const x = torch.ones(1, 1, 3, 3)
  expect([...up(x, [6, 5]).shape]).toEqual([1, 1, 6, 5])
  expect([...up(x, [1, 1, 5, 6]).shape]).toEqual([1, 1, 5, 6])
  expect(() => up(x, [7, 5])).toThrow(
    'requested an output size of [7, 5], but valid sizes range from [5, 5] to [6, 6] (for an input of torch.Size([3, 3]))',
  )
  expect(() => up(x, [7])).toThrow(
    'ConvTranspose2D: for 4D input, output_size must have 2 or 4 elements (got 1)',
  )
})
