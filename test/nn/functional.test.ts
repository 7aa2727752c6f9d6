// torch.nn.functional beyond what modules and the op suite show: names of nodes, warnings, keyword arguments, in-place
// flags, functions without a module.
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as torch from '../../src/index.ts'
import { rounded } from './behaviour.ts'
import { type Data, difference, values } from './values.ts'

const F = torch.nn.functional
const z = (...sizes: number[]): torch.Tensor => torch.zeros(sizes)
const recorded = JSON.parse(readFileSync(new URL('../data/nn/functional.json', import.meta.url), 'utf8')) as {
  nodes: Record<string, string[]>
  values: Record<string, Data[]>
  warnings: Record<string, string>
}

/** The names of the nodes from a result towards its first input. */
function chain(t: torch.Tensor): string[] {
  const names: string[] = []
  for (let node = t.grad_fn; node !== null && node !== undefined; node = node.next_functions[0]?.[0] ?? null)
    names.push(node.name())
  return names.map(name => name.split('::').at(-1)!)
}

describe('the graph has the nodes of PyTorch', () => {
  const x = values([2, 4], 'float', 0).requires_grad_()
  const image = values([1, 2, 4, 4], 'float', 1).requires_grad_()
  const line = values([1, 2, 6], 'float', 2).requires_grad_()
  const w = values([3, 4], 'float', 3)
  const labels = torch.tensor([1, 3])
  const calls: Record<string, () => torch.Tensor> = {
    linear: () => F.linear(x, w, z(3)),
    'linear 3d': () => F.linear(x.unsqueeze(0), w, z(3)),
    'linear no bias': () => F.linear(x, w),
    conv2d: () => F.conv2d(image, z(3, 2, 3, 3), z(3)),
    conv1d: () => F.conv1d(line, z(3, 2, 3)),
    conv_transpose2d: () => F.conv_transpose2d(image, z(2, 3, 3, 3)),
    max_pool2d: () => F.max_pool2d(image, 2),
    max_pool1d: () => F.max_pool1d(line, 2),
    avg_pool2d: () => F.avg_pool2d(image, 2),
    avg_pool1d: () => F.avg_pool1d(line, 2),
    adaptive_avg_pool2d: () => F.adaptive_avg_pool2d(image, 2),
    'adaptive_avg_pool2d 1': () => F.adaptive_avg_pool2d(image, 1),
    adaptive_avg_pool1d: () => F.adaptive_avg_pool1d(line, 2),
    adaptive_max_pool1d: () => F.adaptive_max_pool1d(line, 2),
    batch_norm: () => F.batch_norm(x, null, null, { training: true }),
    layer_norm: () => F.layer_norm(x, [4]),
    group_norm: () => F.group_norm(line, 2),
    relu: () => F.relu(x),
    gelu: () => F.gelu(x),
    leaky_relu: () => F.leaky_relu(x),
    softmax: () => F.softmax(x, 1),
    log_softmax: () => F.log_softmax(x, 1),
    softmin: () => F.softmin(x, 1),
    dropout: () => F.dropout(x),
    embedding: () => F.embedding(labels.clamp({ max: 1 }), x),
    pad: () => F.pad(x, [1, 1]),
    'pad reflect': () => F.pad(line, [1, 1], 'reflect'),
    pixel_shuffle: () => F.pixel_shuffle(values([1, 4, 2, 2], 'float', 0).requires_grad_(), 2),
    unfold: () => F.unfold(image, 2),
    'interpolate nearest': () => F.interpolate(line, 3),
    'interpolate bilinear': () => F.interpolate(image, 3, { mode: 'bilinear' }),
    mse_loss: () => F.mse_loss(x, z(2, 4)),
    l1_loss: () => F.l1_loss(x, z(2, 4)),
    smooth_l1_loss: () => F.smooth_l1_loss(x, z(2, 4)),
    huber_loss: () => F.huber_loss(x, z(2, 4)),
    cross_entropy: () => F.cross_entropy(x, labels),
    nll_loss: () => F.nll_loss(x, labels),
    binary_cross_entropy: () => F.binary_cross_entropy(x.sigmoid(), z(2, 4)),
    binary_cross_entropy_with_logits: () => F.binary_cross_entropy_with_logits(x, z(2, 4)),
    kl_div: () => F.kl_div(x, z(2, 4).add(1), { reduction: 'sum' }),
    normalize: () => F.normalize(x),
    cosine_similarity: () => F.cosine_similarity(x, z(2, 4).add(1)),
  }
  test('covers what was recorded', () => expect(Object.keys(calls)).toEqual(Object.keys(recorded.nodes)))
  test.each(Object.keys(calls))('%s', name => {
    expect(chain(calls[name]!())).toEqual(recorded.nodes[name])
  })
})

describe('warnings', () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
  afterEach(() => warned.mockClear())

  const calls: Record<string, () => unknown> = {
    softmax: () => F.softmax(z(2, 3)),
    log_softmax: () => F.log_softmax(z(3)),
    mse: () => F.mse_loss(z(2), z(2, 1)),
    size_average: () => F.mse_loss(z(2), z(2), { size_average: false }),
    kl_div: () => F.kl_div(z(2), z(2)),
    dropout2d: () => F.dropout2d(z(2, 3)),
    upsample: () => F.upsample(z(1, 1, 2), 4),
  }
  test.each(Object.keys(calls))('%s, once', name => {
    calls[name]!()
    calls[name]!()
    expect(warned.mock.calls).toEqual([[`UserWarning: ${recorded.warnings[name]}`]])
  })
})

describe('values', () => {
  const q = values([2, 3, 4], 'float', 1)
  const k = values([2, 5, 4], 'float', 2)
  const v = values([2, 5, 3], 'float', 3)
  const mask = values([3, 5], 'int:3', 4).gt(0)
  const calls: Record<string, () => torch.Tensor[]> = {
    attention: () => F._scaled_dot_product_attention(q, k, v, null, 0, true),
    'attention masked': () => [
      ...F._scaled_dot_product_attention(q, k, v, { attn_mask: mask, need_attn_weights: true }),
    ],
    'attention causal': () => [F.scaled_dot_product_attention(q, q, q, { is_causal: true })],
    rrelu: () => {
      torch.manual_seed(3)
      return [F.rrelu(values([4, 5], 'float', 1), { training: true })]
    },
    gumbel_softmax: () => {
      torch.manual_seed(3)
      return [
        F.gumbel_softmax(values([2, 5], 'float', 1), { tau: 0.5 }),
        F.gumbel_softmax(values([2, 5], 'float', 1), { hard: true }),
      ]
    },
    one_hot: () => [
      F.one_hot(
        torch.tensor([
          [0, 2],
          [1, 1],
        ]),
      ),
      F.one_hot(torch.tensor([1]), 3),
    ],
    triplet_margin_with_distance_loss: () => [
      F.triplet_margin_with_distance_loss(q, q.mul(0.5), q.flip(0), {
        distance_function: (a, b) => a.sub(b).abs().amax(-1),
        margin: 0.5,
        swap: true,
      }),
    ],
    upsample_bilinear: () => [F.upsample_bilinear(values([1, 1, 2, 3], 'float', 0), { scale_factor: 2 })],
    'embedding max_norm': () => {
      const weight = values([4, 3], 'float', 1)
      return [F.embedding(torch.tensor([1, 3, 1]), weight, { max_norm: 0.5 }), weight]
    },
    'cross_entropy ignoring all': () => [F.cross_entropy(z(2, 3), torch.tensor([-100, -100]))],
    bfloat16: () => [
      F.gelu(values([6], 'float', 1).bfloat16()),
      F.linear(q.bfloat16(), k.select(0, 0).bfloat16()),
    ],
    'batch_norm running': () => {
      const [mean, variance] = [z(3), torch.ones(3)]
      const out = F.batch_norm(values([4, 3], 'float', 1), mean, variance, { training: true, momentum: 0.3 })
      return [out, mean, variance]
    },
  }
  test('cover what was recorded', () => expect(Object.keys(calls)).toEqual(Object.keys(recorded.values)))
  test.each(Object.keys(calls))('%s', name => {
    const got = calls[name]!()
    const expected = recorded.values[name]!
    expect(got.length).toBe(expected.length)
    expect(
      got.flatMap((t, i) => difference(t, expected[i]!, name === 'bfloat16' ? 1e-2 : 1e-5) ?? []),
    ).toEqual([])
  })
})

test('inplace writes to the input', () => {
  const x = torch.tensor([-1.5, 2])
  expect(F.relu(x, { inplace: true })).toBe(x)
  expect(rounded(x)).toEqual([0, 2])
  expect(F.leaky_relu(x.neg_(), 0.5, true)).toBe(x)
  expect(rounded(x)).toEqual([0, -1])
  expect(F.dropout(x, { p: 1, inplace: true })).toBe(x)
  expect(x.abs().sum().item()).toBe(0)
})

test('an operation in place behind pooling or normalisation does not disturb the gradient', () => {
  const image = values([1, 2, 4, 4], 'float', 1).requires_grad_()
  const layers: ((x: torch.Tensor) => torch.Tensor)[] = [
    x => F.max_pool2d(x, 2),
    x => F.layer_norm(x, [4]),
    x => F.group_norm(x, 2),
    x => F.batch_norm(x, null, null, { training: true }),
    x => F.conv2d(x, torch.ones(1, 2, 1, 1)),
    x => F.adaptive_max_pool2d(x, 2),
    x => F.embedding(torch.tensor([1, 0, 1]), x.view(8, 4)),
  ]
  for (const layer of layers) {
    const [plain] = torch.autograd.grad(layer(image).relu().sum(), [image])
    const [in_place] = torch.autograd.grad(layer(image).relu_().sum(), [image])
    expect(torch.equal(plain!, in_place!)).toBe(true)
  }
})

test('an unknown option is refused, with the known ones', () => {
  // @ts-expect-error a typing error
  expect(() => F.dropout(z(1), { probability: 0.1 })).toThrow(
    "dropout() got an unexpected keyword argument 'probability' (known: input, p, training, inplace)",
  )
  // @ts-expect-error no tensor
  expect(() => F.mse_loss([1], [2])).toThrow(TypeError)
})
