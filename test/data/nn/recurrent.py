"""Records what PyTorch 1.13.1 makes of recurrent functions that the modules' cases do not reach: sizes that are divided
into panels and chunks, packed sequences.

usage: python3 -P test/data/nn/recurrent.py
Writes recurrent.json beside this file: a list of cases. Tensors are numbers by the formula of `values`.
"""
import json, math, os
import torch

def values(sizes, salt, scale):
    n = math.prod(sizes)
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(n)]
    t = torch.tensor([(r / 997 * 3 - 1.5) * scale for r in raw], dtype=torch.float64).float().reshape(sizes)
    return t.requires_grad_()

def cotangent(t):
    return torch.tensor([((i % 7) - 3) / 4 + 0.25 for i in range(t.numel())], dtype=torch.float64).to(t.dtype).reshape(t.shape)

def summary(t):
    """The first and last numbers, and sums that every element enters with another weight."""
    x = t.detach().double().flatten()
    w = torch.arange(1, x.numel() + 1, dtype=torch.float64)
    return {"s": list(t.shape), "v": [float("%.9g" % y) for y in (x[:4].tolist() + x[-4:].tolist())],
            "sum": float("%.9g" % (x * torch.cos(w)).sum())}

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
cases = []
def case(name, length, batch, features, hidden, layers=1, bidirectional=False, batch_first=False, biases=True, proj=0, batch_sizes=None):
    state = proj or hidden
    directions = 2 if bidirectional else 1
    shapes = []
    for layer in range(layers):
        for _ in range(directions):
            shapes += [[GATES[name] * hidden, features if layer == 0 else state * directions], [GATES[name] * hidden, state]]
            if biases: shapes += [[GATES[name] * hidden]] * 2
            if proj: shapes += [[proj, hidden]]
    params = [values(s, i, 1 / math.sqrt(hidden)) for i, s in enumerate(shapes)]
    shape = [sum(batch_sizes), features] if batch_sizes else [batch, length, features] if batch_first else [length, batch, features]
    x = values(shape, 50, 1)
    hx = [values([layers * directions, batch, state], 51, 1)]
    if name == "lstm": hx.append(values([layers * directions, batch, hidden], 52, 1))
    hidden_states = hx if name == "lstm" else hx[0]
    rest = [params, biases, layers, 0.0, True, bidirectional]
    f = getattr(torch, name)
    out = f(x, torch.tensor(batch_sizes), hidden_states, *rest) if batch_sizes else f(x, hidden_states, *rest, batch_first)
    sum((t * cotangent(t)).sum() for t in out).backward()
    cases.append({"name": name, "input": shape, "hx": [list(t.shape) for t in hx], "params": shapes, "scale": 1 / math.sqrt(hidden),
                  "rest": rest[1:], "batch_sizes": batch_sizes, "batch_first": batch_first,
                  "out": [summary(t) for t in out], "grads": [summary(t.grad) for t in [x, *hx, *params]]})

for name in GATES:
    case(name, 5, 3, 4, 64)
    case(name, 40, 16, 7, 192)
    case(name, 6, 2, 3, 32, layers=2, bidirectional=True, batch_first=True)
    case(name, 4, 1, 3, 5, biases=False)
    case(name, 1, 4, 3, 16)
    case(name, None, 4, 3, 6, layers=2, batch_sizes=[4, 4, 2, 2, 1])
    case(name, None, 3, 2, 4, bidirectional=True, biases=False, batch_sizes=[3, 2, 2])
case("lstm", 5, 3, 4, 64, proj=32, bidirectional=True)
case("lstm", None, 3, 4, 8, proj=3, batch_sizes=[3, 3, 1])

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "recurrent.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(len(cases), "cases")
