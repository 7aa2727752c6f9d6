"""The child that computes with PyTorch: the workloads of workloads/*.ts under the same names, timed as serve.ts does.
Arguments: threads, and `smoke` or `full`. A line of JSON each way. Not here: anything that tstorch needs to work."""
import gc
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

K = 1024
M = 1024 * K
threads, scale = int(sys.argv[1]), sys.argv[2]


def n(full):
    return min(full, 4) if scale == "smoke" else full


def randn(*sizes, grad=False, dtype=None):
    return torch.randn(*sizes, requires_grad=grad, dtype=dtype)


def two(grad=False):
    return randn(4, grad=grad), randn(4)


def call(f, *operands):
    return lambda: f(*operands)


def no_grad(f):
    def g():
        with torch.no_grad():
            return f()

    return g


def chain(a, b):
    return a.add(b).mul(b).sub(b).tanh().mul(b).add(a).exp().mul(b).neg().add(b)


def grad(f, inputs, g=None):
    return lambda: torch.autograd.grad([f()], inputs, None if g is None else [g])


def chain_backward():
    a, b = two(True)
    return grad(lambda: chain(a, b), [a], torch.ones(4))


def into_grad():
    a, b = two(True)
    return lambda: (a * b).sum().backward()


def small_linear():
    layer, x = nn.Linear(8, 8), randn(4, 8)
    return no_grad(lambda: layer(x))


def add(size):
    return call(lambda x, y: x + y, randn(n(size)), randn(n(size)))


def add_out(size):
    out = torch.empty(n(size))
    return call(lambda x, y: torch.add(x, y, out=out), randn(n(size)), randn(n(size)))


def unary(size, f):
    return call(f, randn(n(size)))


def square(f):
    return call(f, randn(n(1024), n(1024)))


def gelu_backward():
    x = randn(n(M), grad=True)
    return grad(lambda: F.gelu(x), [x], randn(n(M)))


def exp_out():
    x, out = randn(n(M)), torch.empty(n(M))
    return lambda: torch.exp(x, out=out)


def sum_out():
    x, out = randn(n(1024), n(1024)), torch.empty(n(1024))
    return lambda: torch.sum(x, 1, out=out)


def softmax_backward():
    x = randn(n(1024), n(1024), grad=True)
    return grad(lambda: x.softmax(1), [x], randn(n(1024), n(1024)))


def layer_norm(backward):
    x = randn(n(2048), n(512), grad=backward)
    w, b = randn(n(512), grad=backward), randn(n(512), grad=backward)
    f = lambda: F.layer_norm(x, [n(512)], w, b)
    return grad(f, [x, w, b], randn(n(2048), n(512))) if backward else f


def batch_norm(backward):
    x = randn(n(32), n(64), n(32), n(32), grad=backward)
    layer = nn.BatchNorm2d(n(64))
    if not backward:
        return no_grad(lambda: layer(x))
    return grad(lambda: layer(x), [x, layer.weight, layer.bias], randn(n(32), n(64), n(32), n(32)))


def cross_entropy():
    x, y = randn(n(128), n(1000), grad=True), torch.randint(0, n(1000), [n(128)])
    return grad(lambda: F.cross_entropy(x, y), [x])


def mse_loss():
    x, y = randn(n(65536), grad=True), randn(n(65536))
    return grad(lambda: F.mse_loss(x, y), [x])


def product(m, k, p, dtype=torch.float32):
    return call(torch.matmul, randn(n(m), n(k), dtype=dtype), randn(n(k), n(p), dtype=dtype))


def batched(batch, m, k, p):
    return call(torch.matmul, randn(n(batch), n(m), n(k)), randn(n(batch), n(k), n(p)))


def transposed(size, of_a):
    a, b = randn(n(size), n(size)), randn(n(size), n(size))
    return (lambda: a.t().matmul(b)) if of_a else (lambda: a.matmul(b.t()))


def linear_backward():
    x, layer = randn(n(128), n(784), grad=True), nn.Linear(n(784), n(512))
    return grad(lambda: layer(x), [x, layer.weight, layer.bias], randn(n(128), n(512)))


def topk():
    x = randn(n(64), n(4096))
    return lambda: x.topk(n(10), 1)


def gather():
    x, at = randn(n(1024), n(1024)), torch.randint(0, n(1024), [n(1024), n(1024)])
    return lambda: x.gather(1, at)


def index_select():
    x, at = randn(n(10000), n(128)), torch.randint(0, n(10000), [n(4096)])
    return lambda: x.index_select(0, at)


def masked():
    x = randn(n(M))
    mask = x > 0
    return lambda: x[mask]


def cat(sizes, dim):
    x, y = randn(*sizes), randn(*sizes)
    return lambda: torch.cat([x, y], dim)


def permuted():
    x = randn(n(16), n(64), n(8), n(128))
    return lambda: x.permute(0, 2, 1, 3).contiguous()


def embedding(backward):
    w, at = randn(n(10000), n(128), grad=backward), torch.randint(0, n(10000), [n(2048)])
    f = lambda: F.embedding(at, w)
    return grad(f, [w], randn(n(2048), n(128))) if backward else f


def conv(batch, cin, cout, k, side=32, stride=1, groups=1, backward=False):
    x = randn(n(batch), n(cin), n(side), n(side), grad=backward)
    w = randn(n(cout), n(cin) if groups == 1 else 1, k, k, grad=backward)
    options = dict(stride=stride, padding=(k - 1) // 2, groups=1 if groups == 1 else n(groups))
    f = lambda: F.conv2d(x, w, None, **options)
    g = randn(*f().size())
    return grad(f, [x, w], g) if backward else f


def pool(f):
    return call(lambda x: f(x, 2), randn(n(32), n(64), n(32), n(32)))


def pool_backward():
    x = randn(n(32), n(64), n(32), n(32), grad=True)
    return grad(lambda: F.max_pool2d(x, 2), [x], randn(n(32), n(64), n(32) // 2, n(32) // 2))


def sdpa(q, k, v):
    return (q @ k.transpose(-2, -1) * q.size(-1) ** -0.5).softmax(-1) @ v


def attention(backward):
    f = getattr(F, "scaled_dot_product_attention", sdpa)
    q, k, v = (randn(n(8), n(8), n(128), n(64), grad=backward) for _ in range(3))
    if not backward:
        return lambda: f(q, k, v)
    return grad(lambda: f(q, k, v), [q, k, v], randn(n(8), n(8), n(128), n(64)))


def lstm(backward):
    layer, x = nn.LSTM(n(128), n(128)), randn(n(64), n(32), n(128), grad=backward)
    if not backward:
        return no_grad(lambda: layer(x))
    return grad(lambda: layer(x)[0], [x, *layer.parameters()], randn(n(64), n(32), n(128)))


def dropout():
    x = randn(n(M))
    return lambda: F.dropout(x, 0.5)


def step_of(optimizer, loss):
    def step():
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step


def two_layers(cin, hidden, cout):
    return nn.Sequential(nn.Linear(cin, hidden), nn.ReLU(), nn.Linear(hidden, cout))


def regression(batch, cin, hidden, cout, adam):
    model = two_layers(n(cin), n(hidden), n(cout))
    x, y = randn(n(batch), n(cin)), randn(n(batch), n(cout))
    loss = nn.MSELoss(reduction="sum")
    optimizer = (torch.optim.Adam if adam else torch.optim.SGD)(model.parameters(), lr=1e-4)
    return step_of(optimizer, lambda: loss(model(x), y))


def digits():
    model = two_layers(n(784), n(512), 10)
    x, y = randn(n(128), n(784)), torch.randint(0, 10, [n(128)])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    return step_of(optimizer, lambda: F.cross_entropy(model(x), y))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, n(32), 3, padding=1)
        self.conv2 = nn.Conv2d(n(32), n(64), 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Linear(n(64) * (n(32) // 4) ** 2, 10)

    def forward(self, x):
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.conv2(x).relu())
        return self.head(x.flatten(1))


def cnn_step():
    model = CNN()
    x, y = randn(n(64), 3, n(32), n(32)), torch.randint(0, 10, [n(64)])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return step_of(optimizer, lambda: F.cross_entropy(model(x), y))


def cnn_inference():
    model, x = CNN(), randn(n(64), 3, n(32), n(32))
    return no_grad(lambda: model(x))


class LanguageModel(nn.Module):
    def __init__(self, vocabulary, width):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, words):
        y, _ = self.lstm(self.embed(words))
        return self.head(y)


def language_model():
    model = LanguageModel(n(1000), n(128))
    x, y = torch.randint(0, n(1000), [n(32), n(16)]), torch.randint(0, n(1000), [n(32) * n(16)])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return step_of(optimizer, lambda: F.cross_entropy(model(x).view(-1, n(1000)), y))


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x):
        batch, time, width = x.size()
        head = width // self.heads
        q, k, v = self.qkv(self.norm1(x)).view(batch, time, 3, self.heads, head).permute(2, 0, 3, 1, 4).unbind(0)
        weights = q.matmul(k.transpose(-2, -1)).mul(1 / math.sqrt(head)).softmax(-1)
        x = x + self.out(weights.matmul(v).transpose(1, 2).reshape(batch, time, width))
        return x + self.down(self.up(self.norm2(x)).relu())


def encoder():
    return nn.Sequential(*(Block(n(128), n(4), n(512)) for _ in range(4)), nn.LayerNorm(n(128)))


def transformer_step():
    model = encoder()
    head = nn.Linear(n(128), 10)
    x, y = randn(n(16), n(64), n(128)), torch.randint(0, 10, [n(16)])
    optimizer = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=1e-4)
    return step_of(optimizer, lambda: F.cross_entropy(head(model(x).mean(1)), y))


def transformer_inference():
    model, x = encoder(), randn(n(16), n(64), n(128))
    return no_grad(lambda: model(x))


# One row a line: the names are compared with those of workloads/*.ts by a test that reads this text.
TABLE = {
    "add": lambda: call(lambda a, b: a + b, *two()),
    "add, recorded": lambda: call(lambda a, b: a + b, *two(True)),
    "mul by a number": lambda: call(lambda a, _: a * 2.5, *two()),
    "add_ in place": lambda: call(lambda a, b: a.add_(b), *two()),
    "sum": lambda: call(lambda a, _: a.sum(), *two()),
    "chain of 10": lambda: call(chain, *two()),
    "chain of 10, forward and backward": chain_backward,
    "mul, sum, backward into .grad": into_grad,
    "view": lambda: call(lambda x: x.view(16), randn(4, 4)),
    "transpose": lambda: call(lambda x: x.transpose(0, 1), randn(4, 4)),
    "index x[1]": lambda: call(lambda x: x[1], randn(4, 4)),
    "slice x[1:3]": lambda: call(lambda x: x[1:3], randn(4, 4)),
    "item": lambda: call(lambda x: x.item(), randn(1)),
    "zeros(4)": lambda: lambda: torch.zeros(4),
    "tensor([1, 2, 3, 4])": lambda: lambda: torch.tensor([1, 2, 3, 4]),
    "Linear(8, 8) of 4 rows, no_grad": small_linear,
    "add 1K": lambda: add(K),
    "add 64K": lambda: add(64 * K),
    "add 1M": lambda: add(M),
    "add 16M": lambda: add(16 * M),
    "add 1K out=": lambda: add_out(K),
    "add 64K out=": lambda: add_out(64 * K),
    "add 1M out=": lambda: add_out(M),
    "add 16M out=": lambda: add_out(16 * M),
    "exp 64K": lambda: unary(64 * K, torch.exp),
    "exp 1M": lambda: unary(M, torch.exp),
    "exp 1M out=": exp_out,
    "tanh 1M": lambda: unary(M, torch.tanh),
    "sigmoid 1M": lambda: unary(M, torch.sigmoid),
    "gelu 1M": lambda: unary(M, F.gelu),
    "erf 1M": lambda: unary(M, torch.erf),
    "relu 1M": lambda: unary(M, torch.relu),
    "pow 1M": lambda: call(lambda x: x.pow(2.5), torch.rand(n(M)) + 0.5),
    "add a row [1024, 1024]": lambda: call(lambda x, row: x + row, randn(n(1024), n(1024)), randn(n(1024))),
    "where(x > 0, x, y) 1M": lambda: call(lambda x, y: torch.where(x > 0, x, y), randn(n(M)), randn(n(M))),
    "float64 from float32 1M": lambda: unary(M, lambda x: x.double()),
    "gelu 1M, forward and backward": gelu_backward,
    "sum 1K": lambda: unary(K, torch.sum),
    "sum 64K": lambda: unary(64 * K, torch.sum),
    "sum 1M": lambda: unary(M, torch.sum),
    "sum 16M": lambda: unary(16 * M, torch.sum),
    "sum over dim 0 [1024, 1024]": lambda: square(lambda x: x.sum(0)),
    "sum over dim 1 [1024, 1024]": lambda: square(lambda x: x.sum(1)),
    "sum over dim 1 [64, 128, 128]": lambda: call(lambda x: x.sum(1), randn(n(64), n(128), n(128))),
    "sum over dim 1 [1024, 1024] out=": sum_out,
    "max over dim 1 [1024, 1024]": lambda: square(lambda x: x.max(1)),
    "argmax over dim 1 [1024, 1024]": lambda: square(lambda x: x.argmax(1)),
    "var over dim 1 [1024, 1024]": lambda: square(lambda x: x.var(1)),
    "cumsum over dim 1 [1024, 1024]": lambda: square(lambda x: x.cumsum(1)),
    "softmax over dim 1 [1024, 1024]": lambda: square(lambda x: x.softmax(1)),
    "softmax over dim 0 [1024, 1024]": lambda: square(lambda x: x.softmax(0)),
    "log_softmax over dim 1 [1024, 1024]": lambda: square(lambda x: x.log_softmax(1)),
    "softmax, forward and backward": softmax_backward,
    "layer_norm [2048, 512]": lambda: layer_norm(False),
    "layer_norm, forward and backward": lambda: layer_norm(True),
    "batch_norm [32, 64, 32, 32], training": lambda: batch_norm(False),
    "batch_norm, forward and backward": lambda: batch_norm(True),
    "cross_entropy [128, 1000], forward and backward": cross_entropy,
    "mse_loss 64K, forward and backward": mse_loss,
    "matmul 16": lambda: product(16, 16, 16),
    "matmul 64": lambda: product(64, 64, 64),
    "matmul 256": lambda: product(256, 256, 256),
    "matmul 1024": lambda: product(1024, 1024, 1024),
    "matmul 2048": lambda: product(2048, 2048, 2048),
    "matmul 1 x 1024 x 1024": lambda: product(1, 1024, 1024),
    "matmul 8 x 1024 x 1024": lambda: product(8, 1024, 1024),
    "matmul 32 x 1024 x 1024": lambda: product(32, 1024, 1024),
    "matmul 1024 x 1024 x 10": lambda: product(1024, 1024, 10),
    "matmul 512, a transposed": lambda: transposed(512, True),
    "matmul 512, b transposed": lambda: transposed(512, False),
    "matmul 512 float64": lambda: product(512, 512, 512, torch.float64),
    "matmul 64 of 128 x 64 x 128": lambda: batched(64, 128, 64, 128),
    "matmul 1024 of 8 x 8 x 8": lambda: batched(1024, 8, 8, 8),
    "linear 128 x 784 to 512, forward and backward": linear_backward,
    "sort 64K": lambda: unary(64 * K, torch.sort),
    "sort over dim 1 [1024, 256]": lambda: call(lambda x: x.sort(1), randn(n(1024), n(256))),
    "topk 10 of [64, 4096]": topk,
    "gather over dim 1 [1024, 1024]": gather,
    "index_select 4096 of [10000, 128]": index_select,
    "x[mask] 1M": masked,
    "cat 2 of [512, 1024]": lambda: cat([n(512), n(1024)], 0),
    "cat 2 of [1024, 512] over dim 1": lambda: cat([n(1024), n(512)], 1),
    "contiguous of a transpose [1024, 1024]": lambda: square(lambda x: x.t().contiguous()),
    "contiguous of permute(0, 2, 1, 3) [16, 64, 8, 128]": permuted,
    "embedding 2048 of [10000, 128]": lambda: embedding(False),
    "embedding, forward and backward": lambda: embedding(True),
    "conv2d 3x3, 64 to 64, [32, 64, 32, 32]": lambda: conv(32, 64, 64, 3),
    "conv2d 3x3, forward and backward": lambda: conv(16, 64, 64, 3, backward=True),
    "conv2d 3x3, 3 to 32, [64, 3, 32, 32]": lambda: conv(64, 3, 32, 3),
    "conv2d 3x3, 256 to 256, [8, 256, 8, 8]": lambda: conv(8, 256, 256, 3, side=8),
    "conv2d 1x1, 64 to 128, [16, 64, 32, 32]": lambda: conv(16, 64, 128, 1),
    "conv2d 1x1, forward and backward": lambda: conv(16, 64, 128, 1, backward=True),
    "conv2d 5x5, 32 to 32, [16, 32, 32, 32]": lambda: conv(16, 32, 32, 5),
    "conv2d 3x3 stride 2, 64 to 128, [16, 64, 32, 32]": lambda: conv(16, 64, 128, 3, stride=2),
    "conv2d 3x3 stride 2, forward and backward": lambda: conv(16, 64, 128, 3, stride=2, backward=True),
    "conv2d depthwise 3x3, [16, 64, 32, 32]": lambda: conv(16, 64, 64, 3, groups=64),
    "conv2d depthwise 3x3, forward and backward": lambda: conv(16, 64, 64, 3, groups=64, backward=True),
    "max_pool2d 2x2 [32, 64, 32, 32]": lambda: pool(F.max_pool2d),
    "max_pool2d, forward and backward": pool_backward,
    "avg_pool2d 2x2 [32, 64, 32, 32]": lambda: pool(F.avg_pool2d),
    "attention [8, 8, 128, 64]": lambda: attention(False),
    "attention, forward and backward": lambda: attention(True),
    "LSTM 128 [64, 32, 128]": lambda: lstm(False),
    "LSTM, forward and backward": lambda: lstm(True),
    "rand 1M": lambda: lambda: torch.rand(n(M)),
    "randn 1M": lambda: lambda: torch.randn(n(M)),
    "randint 1M": lambda: lambda: torch.randint(0, 1000, [n(M)]),
    "randperm 100K": lambda: lambda: torch.randperm(n(100_000)),
    "dropout 1M": dropout,
    "MLP 4 x 8-8-2, SGD": lambda: regression(4, 8, 8, 2, False),
    "MLP 64 x 1000-100-10, SGD": lambda: regression(64, 1000, 100, 10, False),
    "MLP 64 x 1000-100-10, Adam": lambda: regression(64, 1000, 100, 10, True),
    "MLP 128 x 784-512-10, Adam": digits,
    "CNN [64, 3, 32, 32], SGD with momentum": cnn_step,
    "CNN [64, 3, 32, 32], inference": cnn_inference,
    "LSTM language model [32, 16], Adam": language_model,
    "transformer, 4 layers [16, 64, 128], Adam": transformer_step,
    "transformer, 4 layers [16, 64, 128], inference": transformer_inference,
}

SAMPLE_S = 2e-3
WARM_UP_S = 0.1


def measure(f, calls):
    """Seconds that `calls` calls take."""
    began = time.perf_counter()
    for _ in range(calls):
        f()
    return time.perf_counter() - began


def calls_per_sample(f):
    """How many calls make a sample long enough to be measured; warms up along the way."""
    began = time.perf_counter()
    calls = 1
    while True:
        seconds = measure(f, calls)
        if time.perf_counter() - began < WARM_UP_S:
            if seconds < SAMPLE_S:
                calls *= 2
        elif seconds >= SAMPLE_S:
            return max(1, math.ceil(calls * SAMPLE_S / seconds))
        else:
            calls *= 2


class Server:
    name, f, calls = None, None, 1

    def answer(self, name, budget):
        if name not in TABLE:
            return {"error": "no such row"}
        if name != self.name:
            self.name = self.f = None
            gc.collect()
            torch.manual_seed(0)
            self.f = TABLE[name]()
            self.calls = 1 if budget == 0 else calls_per_sample(self.f)
            self.name = name
        else:
            gc.collect()
        measure(self.f, self.calls)
        samples = []
        began = time.perf_counter()
        while not samples or time.perf_counter() - began < budget:
            samples.append(measure(self.f, self.calls) / self.calls * 1e6)
        return {"samples": samples}


if __name__ == "__main__":
    torch.set_num_threads(threads)
    server = Server()
    say = lambda line: print(json.dumps(line), flush=True)
    say({"hello": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", "names": list(TABLE)})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            say(server.answer(request["name"], request["seconds"]))
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
