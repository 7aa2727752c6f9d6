// The workloads of workloads/*.ts written with TensorFlow.js as its users write them: results are disposed of or
// tidied, images have their channels last, training goes through optimizers. A string says why there is no such row.
// The names are those of our rows (a test compares them). Not here: starting the backend (tfjs.ts), timing (serve.ts).
import * as tf from '@tensorflow/tfjs-core'
import { K, M, type Scale } from './table.ts'

type T = tf.Tensor
type Results = tf.TensorContainer
type Make = (n: Scale) => () => unknown

const randn = (...shape: number[]): T => tf.randomNormal(shape)
/** Whole numbers below `end`. */
const randint = (end: number, ...shape: number[]): T => tf.randomUniform(shape, 0, end, 'int32')

/** A call whose results are disposed of, along with everything that was made on the way. */
const tidy = (f: () => Results) => (): void => tf.dispose(tf.tidy(f))
/** The same of one op, which makes nothing on the way. */
const once = (f: () => Results) => (): void => tf.dispose(f())

const two = (): [T, T] => [randn(4), randn(4)]
const eager =
  (f: (a: T, b: T) => Results): Make =>
  () => {
    const [a, b] = two()
    return once(() => f(a, b))
  }
const of_4x4 =
  (f: (x: T) => T): Make =>
  () => {
    const x = randn(4, 4)
    return tidy(() => f(x))
  }
const unary =
  (size: number, f: (x: T) => T): Make =>
  n => {
    const x = randn(n(size))
    return once(() => f(x))
  }
const add = (size: number): Make => {
  return n => {
    const [x, y] = [randn(n(size)), randn(n(size))]
    return once(() => tf.add(x, y))
  }
}
const square = (f: (x: T) => Results): Make => {
  return n => {
    const x = randn(n(1024), n(1024))
    return tidy(() => f(x))
  }
}

const NO_OUT = 'tfjs writes into no given tensor'
const NO_FLOAT64 = 'tfjs has no float64'
const NO_SORT = 'tfjs has no sort'
const chain = (a: T, b: T): T => {
  const x = tf.mul(tf.tanh(tf.sub(tf.mul(tf.add(a, b), b), b)), b)
  return tf.add(tf.neg(tf.mul(tf.exp(tf.add(x, a)), b)), b)
}
const gelu = (x: T): T => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))

const layer_norm = (x: T, w: T, b: T): T => {
  const { mean, variance } = tf.moments(x, 1, true)
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), w), b)
}
/** Over the last dimension; gives the batch's moments as well, which the running ones follow. */
const batch_norm = (x: T, w: T, b: T): { y: T; mean: T; variance: T } => {
  const { mean, variance } = tf.moments(x, [0, 1, 2])
  return {
    y: tf.batchNorm(x, mean as tf.Tensor1D, variance as tf.Tensor1D, b as tf.Tensor1D, w as tf.Tensor1D),
    mean,
    variance,
  }
}

const product = (m: number, k: number, p: number): Make => {
  return n => {
    const [a, b] = [randn(n(m), n(k)), randn(n(k), n(p))]
    return once(() => tf.matMul(a, b))
  }
}
const batched = (batch: number, m: number, k: number, p: number): Make => {
  return n => {
    const [a, b] = [randn(n(batch), n(m), n(k)), randn(n(batch), n(k), n(p))]
    return once(() => tf.matMul(a, b))
  }
}
const transposed = (of_a: boolean): Make => {
  return n => {
    const [a, b] = [randn(n(512), n(512)), randn(n(512), n(512))]
    return once(() => tf.matMul(a, b, of_a, !of_a))
  }
}
const concat = (rows: number, columns: number, dim: number): Make => {
  return n => {
    const [x, y] = [randn(n(rows), n(columns)), randn(n(rows), n(columns))]
    return once(() => tf.concat([x, y], dim))
  }
}

type Shape = {
  batch: number
  from: number
  to: number
  k: number
  side?: number
  stride?: number
  backward?: boolean
}
const conv = ({ batch, from, to, k, side = 32, stride = 1, backward = false }: Shape): Make => {
  return n => {
    const x = randn(n(batch), n(side), n(side), n(from)) as tf.Tensor4D
    const w = randn(k, k, n(from), n(to)) as tf.Tensor4D
    const f = (x: T, w: T): T => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, 'same')
    const g = f(x, w)
    const backwards = tf.grads(f)
    return backward ? tidy(() => backwards([x, w], g)) : once(() => f(x, w))
  }
}
const depthwise = (backward: boolean): Make => {
  return n => {
    const x = randn(n(16), n(32), n(32), n(64))
    const w = randn(3, 3, n(64), 1)
    const f = (x: T, w: T): T => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same')
    const g = f(x, w)
    const backwards = tf.grads(f)
    return backward ? tidy(() => backwards([x, w], g)) : once(() => f(x, w))
  }
}
const pool = (f: (x: tf.Tensor4D) => T, backward = false): Make => {
  return n => {
    const x = randn(n(32), n(32), n(32), n(64)) as tf.Tensor4D
    const g = f(x)
    const backwards = tf.grad(x => f(x as tf.Tensor4D))
    return backward ? tidy(() => backwards(x, g)) : once(() => f(x))
  }
}

const attend = (q: T, k: T, v: T): T =>
  tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), q.shape.at(-1)! ** -0.5)), v)
const attention = (backward: boolean): Make => {
  return n => {
    const operand = (): T => randn(n(8), n(8), n(128), n(64))
    const [q, k, v, g] = [operand(), operand(), operand(), operand()]
    const backwards = tf.grads(attend)
    return backward ? tidy(() => backwards([q, k, v], g)) : tidy(() => attend(q, k, v))
  }
}

/** [time, batch, width] through an LSTM, step by step. */
const lstm_steps = (x: T, w: T, b: T): T => {
  const [, batch, width] = x.shape as [number, number, number]
  let [c, h] = [tf.zeros([batch, width]) as tf.Tensor2D, tf.zeros([batch, width]) as tf.Tensor2D]
  const outputs = tf.unstack(x).map(step => {
    ;[c, h] = tf.basicLSTMCell(tf.scalar(0), w as tf.Tensor2D, b as tf.Tensor1D, step as tf.Tensor2D, c, h)
    return h
  })
  return tf.stack(outputs)
}
const lstm = (backward: boolean): Make => {
  return n => {
    const [x, g] = [randn(n(64), n(32), n(128)), randn(n(64), n(32), n(128))]
    const [w, b] = [randn(2 * n(128), 4 * n(128)), randn(4 * n(128))]
    const backwards = tf.grads(lstm_steps)
    return backward ? tidy(() => backwards([x, w, b], g)) : tidy(() => lstm_steps(x, w, b))
  }
}

const variable = (...shape: number[]): tf.Variable => tf.variable(tf.mul(randn(...shape), 0.02))
class Linear {
  w: tf.Variable
  b: tf.Variable
  constructor(from: number, to: number) {
    this.w = variable(from, to)
    this.b = variable(to)
  }
  of(x: T): T {
    if (x.rank === 2) return tf.add(tf.matMul(x, this.w as T), this.b)
    const y = tf.matMul(tf.reshape(x, [-1, x.shape.at(-1)!]), this.w as T)
    return tf.add(tf.reshape(y, [...x.shape.slice(0, -1), y.shape[1]!]), this.b)
  }
}
const step_of = (optimizer: tf.Optimizer, loss: () => T) => (): unknown =>
  optimizer.minimize(() => loss() as tf.Scalar)
const cross_entropy = (x: T, labels: T): T => tf.losses.softmaxCrossEntropy(labels, x)
const one_hot = (labels: T, classes: number): T => tf.cast(tf.oneHot(labels, classes), 'float32')

const mlp = (from: number, hidden: number, to: number): ((x: T) => T) => {
  const [first, second] = [new Linear(from, hidden), new Linear(hidden, to)]
  return x => second.of(tf.relu(first.of(x)))
}
const regression = (
  [batch, from, hidden, to]: [number, number, number, number],
  optimizer: () => tf.Optimizer,
): Make => {
  return n => {
    const model = mlp(n(from), n(hidden), n(to))
    const [x, y] = [randn(n(batch), n(from)), randn(n(batch), n(to))]
    return step_of(optimizer(), () => tf.sum(tf.squaredDifference(model(x), y)))
  }
}

const cnn = (n: Scale): ((x: T) => T) => {
  const [w1, w2] = [variable(3, 3, 3, n(32)), variable(3, 3, n(32), n(64))]
  const [b1, b2] = [variable(n(32)), variable(n(64))]
  const head = new Linear(n(64) * (n(32) / 4) ** 2, 10)
  const layer = (x: T, w: tf.Variable, b: tf.Variable): T =>
    tf.maxPool(
      tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'), b)) as tf.Tensor4D,
      2,
      2,
      'valid',
    )
  return x => {
    const y = layer(layer(x, w1, b1), w2, b2)
    return head.of(tf.reshape(y, [y.shape[0]!, -1]))
  }
}

const block = (width: number, heads: number, hidden: number): ((x: T) => T) => {
  const norm = (): ((x: T) => T) => {
    const [w, b] = [tf.variable(tf.ones([width])), tf.variable(tf.zeros([width]))]
    return x => {
      const { mean, variance } = tf.moments(x, -1, true)
      return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), w), b)
    }
  }
  const [norm1, norm2] = [norm(), norm()]
  const [qkv, out] = [new Linear(width, 3 * width), new Linear(width, width)]
  const [up, down] = [new Linear(width, hidden), new Linear(hidden, width)]
  return x => {
    const [batch, time] = x.shape as [number, number]
    const parts = tf.transpose(
      tf.reshape(qkv.of(norm1(x)), [batch, time, 3, heads, width / heads]),
      [2, 0, 3, 1, 4],
    )
    const [q, k, v] = tf.unstack(parts) as [T, T, T]
    const joined = tf.reshape(tf.transpose(attend(q, k, v), [0, 2, 1, 3]), [batch, time, width])
    const y = tf.add(x, out.of(joined))
    return tf.add(y, down.of(tf.relu(up.of(norm2(y)))))
  }
}
const encoder = (n: Scale): ((x: T) => T) => {
  const blocks = Array.from({ length: 4 }, () => block(n(128), n(4), n(512)))
  const [w, b] = [tf.variable(tf.ones([n(128)])), tf.variable(tf.zeros([n(128)]))]
  return x => {
    const y = blocks.reduce((y, f) => f(y), x)
    return tf.reshape(layer_norm(tf.reshape(y, [-1, n(128)]), w, b), y.shape)
  }
}

export const rows: Record<string, Make | string> = {
  add: eager((a, b) => tf.add(a, b)),
  'add, recorded': 'tfjs records nothing outside of grad()',
  'mul by a number': () => {
    const a = randn(4)
    return tidy(() => tf.mul(a, 2.5))
  },
  'add_ in place': () => {
    const [a, b] = two()
    const v = tf.variable(a)
    return tidy(() => {
      v.assign(tf.add(v, b))
      return []
    })
  },
  sum: eager(a => tf.sum(a)),
  'chain of 10': () => {
    const [a, b] = two()
    return tidy(() => chain(a, b))
  },
  'chain of 10, forward and backward': () => {
    const [a, b] = two()
    const [g, backward] = [tf.ones([4]), tf.grad((a: T) => chain(a, b))]
    return tidy(() => backward(a, g))
  },
  'mul, sum, backward into .grad': () => {
    const [a, b] = two()
    const v = tf.variable(a)
    return tidy(() => tf.variableGrads(() => tf.sum(tf.mul(v, b)) as tf.Scalar, [v]).grads)
  },
  view: of_4x4(x => tf.reshape(x, [16])),
  transpose: of_4x4(x => tf.transpose(x)),
  'index x[1]': of_4x4(x => tf.reshape(tf.slice(x, 1, 1), [4])),
  'slice x[1:3]': of_4x4(x => tf.slice(x, 1, 2)),
  item: () => {
    const x = randn(1)
    return () => x.dataSync()[0]
  },
  'zeros(4)': () => once(() => tf.zeros([4])),
  'tensor([1, 2, 3, 4])': () => once(() => tf.tensor([1, 2, 3, 4], undefined, 'int32')),
  'Linear(8, 8) of 4 rows, no_grad': () => {
    const [layer, x] = [new Linear(8, 8), randn(4, 8)]
    return tidy(() => layer.of(x))
  },
  'add 1K': add(K),
  'add 64K': add(64 * K),
  'add 1M': add(M),
  'add 16M': add(16 * M),
  'add 1K out=': NO_OUT,
  'add 64K out=': NO_OUT,
  'add 1M out=': NO_OUT,
  'add 16M out=': NO_OUT,
  'exp 64K': unary(64 * K, x => tf.exp(x)),
  'exp 1M': unary(M, x => tf.exp(x)),
  'exp 1M out=': NO_OUT,
  'tanh 1M': unary(M, x => tf.tanh(x)),
  'sigmoid 1M': unary(M, x => tf.sigmoid(x)),
  'gelu 1M': n => {
    const x = randn(n(M))
    return tidy(() => gelu(x))
  },
  'erf 1M': unary(M, x => tf.erf(x)),
  'relu 1M': unary(M, x => tf.relu(x)),
  'pow 1M': n => {
    const x = tf.randomUniform([n(M)], 0.5, 1.5)
    return tidy(() => tf.pow(x, 2.5))
  },
  'add a row [1024, 1024]': n => {
    const [x, row] = [randn(n(1024), n(1024)), randn(n(1024))]
    return once(() => tf.add(x, row))
  },
  'where(x > 0, x, y) 1M': n => {
    const [x, y] = [randn(n(M)), randn(n(M))]
    return tidy(() => tf.where(tf.greater(x, 0), x, y))
  },
  'float64 from float32 1M': NO_FLOAT64,
  'gelu 1M, forward and backward': n => {
    const [x, g, backward] = [randn(n(M)), randn(n(M)), tf.grad(gelu)]
    return tidy(() => backward(x, g))
  },
  'sum 1K': unary(K, x => tf.sum(x)),
  'sum 64K': unary(64 * K, x => tf.sum(x)),
  'sum 1M': unary(M, x => tf.sum(x)),
  'sum 16M': unary(16 * M, x => tf.sum(x)),
  'sum over dim 0 [1024, 1024]': square(x => tf.sum(x, 0)),
  'sum over dim 1 [1024, 1024]': square(x => tf.sum(x, 1)),
  'sum over dim 1 [64, 128, 128]': n => {
    const x = randn(n(64), n(128), n(128))
    return once(() => tf.sum(x, 1))
  },
  'sum over dim 1 [1024, 1024] out=': NO_OUT,
  'max over dim 1 [1024, 1024]': square(x => [tf.max(x, 1), tf.argMax(x, 1)]),
  'argmax over dim 1 [1024, 1024]': square(x => tf.argMax(x, 1)),
  'var over dim 1 [1024, 1024]': square(x => tf.moments(x, 1).variance),
  'cumsum over dim 1 [1024, 1024]': square(x => tf.cumsum(x, 1)),
  'softmax over dim 1 [1024, 1024]': square(x => tf.softmax(x, 1)),
  'softmax over dim 0 [1024, 1024]': "tfjs's softmax goes over the last dimension only",
  'log_softmax over dim 1 [1024, 1024]': square(x => tf.logSoftmax(x, 1)),
  'softmax, forward and backward': n => {
    const [x, g] = [randn(n(1024), n(1024)), randn(n(1024), n(1024))]
    const backward = tf.grad((x: T) => tf.softmax(x))
    return tidy(() => backward(x, g))
  },
  'layer_norm [2048, 512]': n => {
    const [x, w, b] = [randn(n(2048), n(512)), randn(n(512)), randn(n(512))]
    return tidy(() => layer_norm(x, w, b))
  },
  'layer_norm, forward and backward': n => {
    const [x, w, b, g] = [randn(n(2048), n(512)), randn(n(512)), randn(n(512)), randn(n(2048), n(512))]
    const backward = tf.grads(layer_norm)
    return tidy(() => backward([x, w, b], g))
  },
  'batch_norm [32, 64, 32, 32], training': n => {
    const x = randn(n(32), n(32), n(32), n(64))
    const [w, b] = [tf.ones([n(64)]), tf.zeros([n(64)])]
    const running = { mean: tf.variable(tf.zeros([n(64)])), variance: tf.variable(tf.ones([n(64)])) }
    return tidy(() => {
      const { y, mean, variance } = batch_norm(x, w, b)
      running.mean.assign(tf.add(tf.mul(running.mean, 0.9), tf.mul(mean, 0.1)))
      running.variance.assign(tf.add(tf.mul(running.variance, 0.9), tf.mul(variance, 0.1)))
      return y
    })
  },
  'batch_norm, forward and backward': n => {
    const [x, g] = [randn(n(32), n(32), n(32), n(64)), randn(n(32), n(32), n(32), n(64))]
    const [w, b] = [tf.ones([n(64)]), tf.zeros([n(64)])]
    const backward = tf.grads((x: T, w: T, b: T) => batch_norm(x, w, b).y)
    return tidy(() => backward([x, w, b], g))
  },
  'cross_entropy [128, 1000], forward and backward': n => {
    const x = randn(n(128), n(1000))
    const labels = one_hot(randint(n(1000), n(128)), n(1000))
    const backward = tf.grad((x: T) => cross_entropy(x, labels))
    return tidy(() => backward(x))
  },
  'mse_loss 64K, forward and backward': n => {
    const [x, y] = [randn(n(65536)), randn(n(65536))]
    const backward = tf.grad((x: T) => tf.losses.meanSquaredError(y, x))
    return tidy(() => backward(x))
  },
  'matmul 16': product(16, 16, 16),
  'matmul 64': product(64, 64, 64),
  'matmul 256': product(256, 256, 256),
  'matmul 1024': product(1024, 1024, 1024),
  'matmul 2048': product(2048, 2048, 2048),
  'matmul 1 x 1024 x 1024': product(1, 1024, 1024),
  'matmul 8 x 1024 x 1024': product(8, 1024, 1024),
  'matmul 32 x 1024 x 1024': product(32, 1024, 1024),
  'matmul 1024 x 1024 x 10': product(1024, 1024, 10),
  'matmul 512, a transposed': transposed(true),
  'matmul 512, b transposed': transposed(false),
  'matmul 512 float64': NO_FLOAT64,
  'matmul 64 of 128 x 64 x 128': batched(64, 128, 64, 128),
  'matmul 1024 of 8 x 8 x 8': batched(1024, 8, 8, 8),
  'linear 128 x 784 to 512, forward and backward': n => {
    const [x, w, b, g] = [randn(n(128), n(784)), randn(n(784), n(512)), randn(n(512)), randn(n(128), n(512))]
    const backward = tf.grads((x: T, w: T, b: T) => tf.add(tf.matMul(x, w), b))
    return tidy(() => backward([x, w, b], g))
  },
  'sort 64K': NO_SORT,
  'sort over dim 1 [1024, 256]': NO_SORT,
  'topk 10 of [64, 4096]': n => {
    const x = randn(n(64), n(4096))
    return tidy(() => tf.topk(x, n(10)))
  },
  'gather over dim 1 [1024, 1024]': 'tfjs gathers whole rows, or by full coordinates',
  'index_select 4096 of [10000, 128]': n => {
    const [x, at] = [randn(n(10000), n(128)), randint(n(10000), n(4096))]
    return once(() => tf.gather(x, at))
  },
  'x[mask] 1M': 'tfjs selects by a mask asynchronously only',
  'cat 2 of [512, 1024]': concat(512, 1024, 0),
  'cat 2 of [1024, 512] over dim 1': concat(1024, 512, 1),
  'contiguous of a transpose [1024, 1024]': square(x => tf.transpose(x)),
  'contiguous of permute(0, 2, 1, 3) [16, 64, 8, 128]': n => {
    const x = randn(n(16), n(64), n(8), n(128))
    return once(() => tf.transpose(x, [0, 2, 1, 3]))
  },
  'embedding 2048 of [10000, 128]': n => {
    const [w, at] = [randn(n(10000), n(128)), randint(n(10000), n(2048))]
    return once(() => tf.gather(w, at))
  },
  'embedding, forward and backward': n => {
    const [w, at, g] = [randn(n(10000), n(128)), randint(n(10000), n(2048)), randn(n(2048), n(128))]
    const backward = tf.grad((w: T) => tf.gather(w, at))
    return tidy(() => backward(w, g))
  },
  'conv2d 3x3, 64 to 64, [32, 64, 32, 32]': conv({ batch: 32, from: 64, to: 64, k: 3 }),
  'conv2d 3x3, forward and backward': conv({ batch: 16, from: 64, to: 64, k: 3, backward: true }),
  'conv2d 3x3, 3 to 32, [64, 3, 32, 32]': conv({ batch: 64, from: 3, to: 32, k: 3 }),
  'conv2d 3x3, 256 to 256, [8, 256, 8, 8]': conv({ batch: 8, from: 256, to: 256, k: 3, side: 8 }),
  'conv2d 1x1, 64 to 128, [16, 64, 32, 32]': conv({ batch: 16, from: 64, to: 128, k: 1 }),
  'conv2d 1x1, forward and backward': conv({ batch: 16, from: 64, to: 128, k: 1, backward: true }),
  'conv2d 5x5, 32 to 32, [16, 32, 32, 32]': conv({ batch: 16, from: 32, to: 32, k: 5 }),
  'conv2d 3x3 stride 2, 64 to 128, [16, 64, 32, 32]': conv({ batch: 16, from: 64, to: 128, k: 3, stride: 2 }),
  'conv2d 3x3 stride 2, forward and backward': conv({
    batch: 16,
    from: 64,
    to: 128,
    k: 3,
    stride: 2,
    backward: true,
  }),
  'conv2d depthwise 3x3, [16, 64, 32, 32]': depthwise(false),
  'conv2d depthwise 3x3, forward and backward': depthwise(true),
  'max_pool2d 2x2 [32, 64, 32, 32]': pool(x => tf.maxPool(x, 2, 2, 'valid')),
  'max_pool2d, forward and backward': pool(x => tf.maxPool(x, 2, 2, 'valid'), true),
  'avg_pool2d 2x2 [32, 64, 32, 32]': pool(x => tf.avgPool(x, 2, 2, 'valid')),
  'attention [8, 8, 128, 64]': attention(false),
  'attention, forward and backward': attention(true),
  'LSTM 128 [64, 32, 128]': lstm(false),
  'LSTM, forward and backward': lstm(true),
  'rand 1M': n => once(() => tf.randomUniform([n(M)])),
  'randn 1M': n => once(() => tf.randomNormal([n(M)])),
  'randint 1M': n => once(() => randint(1000, n(M))),
  'randperm 100K': n => once(() => tf.tensor1d(Int32Array.from(tf.util.createShuffledIndices(n(100_000))))),
  'dropout 1M': n => {
    const x = randn(n(M))
    return tidy(() => tf.dropout(x, 0.5))
  },
  'MLP 4 x 8-8-2, SGD': regression([4, 8, 8, 2], () => tf.train.sgd(1e-4)),
  'MLP 64 x 1000-100-10, SGD': regression([64, 1000, 100, 10], () => tf.train.sgd(1e-4)),
  'MLP 64 x 1000-100-10, Adam': regression([64, 1000, 100, 10], () => tf.train.adam(1e-4)),
  'MLP 128 x 784-512-10, Adam': n => {
    const [model, x] = [mlp(n(784), n(512), 10), randn(n(128), n(784))]
    const labels = one_hot(randint(10, n(128)), 10)
    return step_of(tf.train.adam(1e-4), () => cross_entropy(model(x), labels))
  },
  'CNN [64, 3, 32, 32], SGD with momentum': n => {
    const [model, x] = [cnn(n), randn(n(64), n(32), n(32), 3)]
    const labels = one_hot(randint(10, n(64)), 10)
    return step_of(tf.train.momentum(0.01, 0.9), () => cross_entropy(model(x), labels))
  },
  'CNN [64, 3, 32, 32], inference': n => {
    const [model, x] = [cnn(n), randn(n(64), n(32), n(32), 3)]
    return tidy(() => model(x))
  },
  'LSTM language model [32, 16], Adam': n => {
    const [words, width] = [n(1000), n(128)]
    const [embed, w, b] = [variable(words, width), variable(2 * width, 4 * width), variable(4 * width)]
    const [head, x] = [new Linear(width, words), randint(words, n(32), n(16))]
    const labels = one_hot(randint(words, n(32) * n(16)), words)
    const loss = (): T => {
      const y = head.of(lstm_steps(tf.gather(embed, x as tf.Tensor2D), w, b))
      return cross_entropy(tf.reshape(y, [-1, words]), labels)
    }
    return step_of(tf.train.adam(1e-3), loss)
  },
  'transformer, 4 layers [16, 64, 128], Adam': n => {
    const [model, head, x] = [encoder(n), new Linear(n(128), 10), randn(n(16), n(64), n(128))]
    const labels = one_hot(randint(10, n(16)), 10)
    return step_of(tf.train.adam(1e-4), () => cross_entropy(head.of(tf.mean(model(x), 1)), labels))
  },
  'transformer, 4 layers [16, 64, 128], inference': n => {
    const [model, x] = [encoder(n), randn(n(16), n(64), n(128))]
    return tidy(() => model(x))
  },
}
