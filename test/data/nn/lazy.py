"""Records what PyTorch 1.13.1 makes of lazy modules: text before and after the first call, result, parameters, errors.

usage: python3 test/data/nn/lazy.py
Writes lazy.json beside this file. Inputs are numbers by a formula (see `values`).
"""
import json, math, os, warnings
import torch
from torch import nn
warnings.filterwarnings("ignore")

def values(sizes, salt):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    return torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float().reshape(sizes)
def summary(t):
    flat = t.detach().flatten().double().tolist()
    num = lambda x: float("%.8g" % x)
    return {"s": list(t.shape), "v": [num(x) for x in flat[:4] + flat[-4:]], "sum": num(sum(x * math.cos(i + 1) for i, x in enumerate(flat)))}

out = {"cases": [], "errors": {}}
def case(name, args, kw, sizes, call=[]):
    torch.manual_seed(0)
    m = getattr(nn, name)(*args, **kw)
    rec = {"module": name, "args": args, "kw": kw, "sizes": sizes, "call": call, "before": repr(m), "lazy": list(m.state_dict())}
    y = m(values(sizes, 1), **({"output_size": call[0]} if call else {}))
    if y.requires_grad: y.sum().backward()
    rec.update({"after": repr(m), "out": summary(y), "state": {k: summary(t) for k, t in m.state_dict().items()}, "grads": {k: summary(p.grad) for k, p in m.named_parameters()}})
    out["cases"].append(rec)
case("LazyLinear", [3], {}, [2, 4])
case("LazyLinear", [3, False], {}, [2, 2, 4])
for d in [1, 2, 3]:
    space = [5, 6, 4][:d]
    case("LazyConv%dd" % d, [4, 3], {"padding": 1, "groups": 2}, [2, 6] + space)
    case("LazyConv%dd" % d, [4, 2, 1, 0, 1, 1, False], {}, [3] + space)
    case("LazyConvTranspose%dd" % d, [4, 3], {"stride": 2, "output_padding": 1, "groups": 2}, [2, 6] + space)
    case("LazyConvTranspose%dd" % d, [2, 3, 2], {"bias": False}, [2, 3] + space, [[2 * n + 2 for n in space]])
    case("LazyBatchNorm%dd" % d, [], {"momentum": 0.3}, [2, 3] + space)
    case("LazyBatchNorm%dd" % d, [0.001, 0.1, False, False], {}, [2, 3] + space)
    case("LazyInstanceNorm%dd" % d, [], {}, [2, 3] + space)
    case("LazyInstanceNorm%dd" % d, [], {"affine": True, "track_running_stats": False}, [2, 3] + space)

def error(name, f):
    try: f()
    except Exception as e: out["errors"][name] = [type(e).__name__, str(e)]
    else: raise RuntimeError(name)
z = torch.zeros
error("shape", lambda: nn.LazyLinear(3).weight.shape)
error("method", lambda: nn.LazyLinear(3).weight.sum())
error("buffer", lambda: nn.LazyBatchNorm1d().running_mean.sum())
error("share", lambda: nn.LazyLinear(3).share_memory())
error("into initialised", lambda: nn.Linear(2, 3).load_state_dict(nn.LazyLinear(3).state_dict()))
error("groups", lambda: nn.LazyConv2d(4, 3, groups=2)(z(1, 3, 5, 5)))
error("dims", lambda: nn.LazyConv2d(4, 3)(z(1, 3, 5, 5, 1)))
error("norm dims", lambda: nn.LazyBatchNorm2d()(z(2, 3)))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lazy.json"), "w") as f:
    f.write('{"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out["cases"]) + '\n],\n"errors": ' + json.dumps(out["errors"], indent=1) + "}\n")
