"""Records what PyTorch 1.13.1 makes of random index expressions: reading, its gradient, and writing.

usage: python3 -P test/data/ops/make_indexing.py
Writes indexing.json beside this file. An index is a list: integers, 'a:b:c', '...', null, booleans, lists, and
{"t": dtype, "s": sizes, "v": values} for tensors. The indexed tensor holds 0, 1, 2, ... in row-major order, and is
permuted by `perm` first.
"""
import json, math, os, random, warnings
import torch
warnings.filterwarnings("ignore")
random.seed(0)

def number(n): return random.randrange(-n, n)
def bound(n): return random.choice([None, random.randrange(-n - 2, n + 3)])
def text(s): return ":".join("" if b is None else str(b) for b in s)

def to_python(i):
    if isinstance(i, str):
        if i == "...": return Ellipsis
        return slice(*[int(b) if b else None for b in i.split(":")])
    if isinstance(i, dict): return torch.tensor(i["v"], dtype=getattr(torch, i["t"])).reshape(i["s"])
    return i

def random_index(sizes):
    """Indices for a tensor of these sizes; tensors broadcast against one another."""
    dims = list(sizes)
    index, shape = [], random.choice([[], [2], [3], [2, 1], [1, 3], [2, 3]])
    shapes = [shape, shape[-1:], [1] * len(shape)]
    skip = random.random() < 0.3
    stop = random.randrange(len(dims) + 1) if random.random() < 0.4 else len(dims)
    d = 0
    while d < stop:
        n = dims[d]
        kind = random.choice(["int", "slice", "slice", "null", "tensor", "tensor", "list", "mask", "bool", "dots"])
        if kind == "null": index.append(None)
        elif kind == "bool" and random.random() < 0.2: index.append(random.random() < 0.7)
        elif kind == "dots" and skip and "..." not in index:
            index.append("...")
            d = max(d, stop - random.randrange(stop - d + 1))
        elif kind == "slice":
            step = random.choice([None, None, 1, 2, 3])
            index.append(text([bound(n), bound(n)] + ([step] if step is not None else [])))
            d += 1
        elif n == 0: continue
        elif kind == "int": index.append(number(n)); d += 1
        elif kind == "tensor":
            s = random.choice(shapes)
            dtype = random.choice(["int64", "int64", "int64"])
            index.append({"t": dtype, "s": s, "v": [number(n) for _ in range(math.prod(s))]})
            d += 1
        elif kind == "list" and len(shape) == 1:
            index.append([number(n) for _ in range(shape[0])]); d += 1
        elif kind == "mask" and not any(isinstance(i, (dict, list)) for i in index):
            rank = 2 if d + 2 == len(dims) and random.random() < 0.5 else 1
            s = dims[d:d + rank]
            if 0 in s: continue
            index.append({"t": "bool", "s": s, "v": [random.random() < 0.5 for _ in range(math.prod(s))]})
            shape = shapes = None
            d += rank
            break
    return index

def enc(t): return {"s": list(t.shape), "v": t.detach().flatten().tolist()}

def positions(x, key):
    """Whether every place is written at most once."""
    numbers = torch.arange(x.numel()).reshape(x.shape)[key].flatten().tolist()
    return len(set(numbers)) == len(numbers)

cases = []
while len(cases) < 400:
    sizes = random.choice([[3, 4, 5], [3, 4, 5], [2, 3, 2, 3], [4, 3], [5], [], [2, 0, 3], [1, 3, 1]])
    perm = random.sample(range(len(sizes)), len(sizes)) if random.random() < 0.4 else list(range(len(sizes)))
    x = torch.arange(float(math.prod(sizes))).reshape(sizes).permute(perm)
    index = random_index(list(x.shape))
    key = tuple(to_python(i) for i in index)
    case = {"sizes": sizes, "perm": perm, "index": index}
    x = x.clone(memory_format=torch.preserve_format).requires_grad_()
    try:
        y = x[key]
    except Exception as e:
        case["error"] = [type(e).__name__, str(e)]
        cases.append(case)
        continue
    case["get"] = enc(y)
    w = torch.arange(1.0, y.numel() + 1).reshape(y.shape)
    case["grad"] = enc(torch.autograd.grad((y * w).sum(), x)[0])
    z = x.detach().clone()
    z[key] = -1.5
    case["fill"] = enc(z)
    if positions(x, key):
        z = x.detach().clone()
        z[key] = w
        case["put"] = enc(z)
    cases.append(case)

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "indexing.json")
json.dump(cases, open(out, "w"), separators=(",", ":"))
print(len(cases), "cases,", sum("error" in c for c in cases), "errors")
