"""Records what PyTorch 1.13.1's nn.utils makes of reparametrised modules: weight_norm, spectral_norm, parametrize, orthogonal,
fusion; their states, results, gradients and errors.

usage: python3 test/data/nn/reparametrized.py
Writes reparametrized.json beside this file. Inputs are numbers by a formula (see `values`).
"""
import json, math, os, warnings
import torch
from torch import nn
from torch.nn.utils import parametrizations as PZ, parametrize as P
from torch.nn import utils as U
warnings.filterwarnings("ignore")

def values(sizes, salt):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    return torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float().reshape(sizes)
def cotangent(t):
    return torch.tensor([((i % 7) - 3) / 4 + 0.25 for i in range(t.numel())], dtype=torch.float64).to(t.dtype).reshape(t.shape)
def summary(t):
    if t is None: return None
    flat = t.detach().flatten().double().tolist()
    num = lambda x: float("%.8g" % x)
    return {"s": list(t.shape), "v": [num(x) for x in flat[:4] + flat[-4:]], "sum": num(sum(x * math.cos(i + 1) for i, x in enumerate(flat)))}

MODULES = {"linear": (lambda: nn.Linear(4, 3), [2, 4]), "wide": (lambda: nn.Linear(3, 5, bias=False), [2, 3]), "square": (lambda: nn.Linear(3, 3), [2, 3]), "conv": (lambda: nn.Conv2d(2, 3, 2), [1, 2, 4, 4]),
           "transposed": (lambda: nn.ConvTranspose1d(2, 3, 2), [1, 2, 4]), "gru": (lambda: nn.GRU(2, 3), [4, 1, 2])}
APPLY = {"weight_norm": U.weight_norm, "spectral_norm": U.spectral_norm, "orthogonal": PZ.orthogonal, "p.spectral_norm": PZ.spectral_norm}
REMOVE = {"weight_norm": U.remove_weight_norm, "spectral_norm": U.remove_spectral_norm, "orthogonal": P.remove_parametrizations, "p.spectral_norm": P.remove_parametrizations}
cases = []
def case(module, how, name="weight", kw={}, mode="train"):
    make, sizes = MODULES[module]
    torch.manual_seed(0)
    m = make()
    if mode == "eval": m.eval()
    m = APPLY[how](m, name, **kw)
    rec = {"module": module, "how": how, "name": name, "kw": kw, "mode": mode, "repr": repr(m), "parameters": [n for n, _ in m.named_parameters()], "state": {k: summary(t) for k, t in m.state_dict().items()}}
    x = values(sizes, 1).requires_grad_()
    m(x)
    y = m(x)
    y = y[0] if isinstance(y, tuple) else y
    (y * cotangent(y)).sum().backward()
    rec.update({"out": summary(y), "grad": summary(x.grad), "grads": {n: summary(p.grad) for n, p in m.named_parameters()}, "weight": summary(getattr(m, name)), "later": {k: summary(t) for k, t in m.state_dict().items()}})
    REMOVE[how](m, name)
    rec.update({"removed": {k: summary(t) for k, t in m.state_dict().items()}, "removed repr": repr(m), "removed parameters": [n for n, _ in m.named_parameters()]})
    cases.append(rec)
for m in ["linear", "conv", "transposed"]:
    case(m, "weight_norm")
    case(m, "spectral_norm")
    case(m, "p.spectral_norm")
case("linear", "weight_norm", kw={"dim": None})
case("conv", "weight_norm", kw={"dim": 1})
case("linear", "weight_norm", "bias")
case("gru", "weight_norm", "weight_hh_l0")
case("linear", "spectral_norm", kw={"n_power_iterations": 3, "eps": 0.001})
case("conv", "spectral_norm", kw={"dim": 1}, mode="eval")
case("linear", "p.spectral_norm", kw={"n_power_iterations": 3, "dim": 1}, mode="eval")
case("linear", "p.spectral_norm", "bias")
for map in ["matrix_exp", "cayley", "householder"]:
    for m in ["square", "linear", "wide"]: case(m, "orthogonal", kw={"orthogonal_map": map})
case("square", "orthogonal")
case("linear", "orthogonal")
case("wide", "orthogonal", kw={"orthogonal_map": "householder", "use_trivialization": False})

class Symmetric(nn.Module):
    def forward(self, x): return x.triu() + x.triu(1).mT
    def right_inverse(self, a): return a.triu()
class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
    def forward(self, x): return x * self.scale
    def right_inverse(self, x): return x / self.scale
class Product(nn.Module):
    def forward(self, x, y): return x.unsqueeze(-1) @ y.unsqueeze(-2)
    def right_inverse(self, z): return z[:, 0].clone(), z[0].clone()
class Plain(nn.Module):
    def forward(self, x): return x * 3
other = {}
def facts(name, m, x):
    y = m(x)
    m.zero_grad()
    (y * cotangent(y)).sum().backward()
    other[name] = {"repr": repr(m), "state": {k: summary(t) for k, t in m.state_dict().items()}, "out": summary(y), "grads": {n: summary(p.grad) for n, p in m.named_parameters()}}
torch.manual_seed(0)
x = values([2, 3], 1)
m = nn.Linear(3, 3)
P.register_parametrization(m, "weight", Symmetric()); facts("one", m, x)
P.register_parametrization(m, "weight", Scaled()); facts("two", m, x)
P.register_parametrization(m, "bias", Plain()); facts("bias too", m, x)
m.weight = values([3, 3], 5).triu() + values([3, 3], 5).triu(1).T; facts("assigned", m, x)
P.remove_parametrizations(m, "bias", leave_parametrized=False); facts("bias removed", m, x)
P.remove_parametrizations(m, "weight"); facts("removed", m, x)
m = P.register_parametrization(nn.Linear(3, 3), "weight", Product()); facts("several", m, x)
P.remove_parametrizations(m, "weight"); facts("several removed", m, x)

fused = {}
bn = nn.BatchNorm2d(3)
for i, t in enumerate([bn.weight, bn.bias, bn.running_mean]): t.data.copy_(values([3], i))
bn.running_var.copy_(values([3], 3).square() + 0.5)
bn.eval()
for name, conv, transpose in [("conv", nn.Conv2d(2, 3, 2), False), ("no bias", nn.Conv2d(2, 3, 2, bias=False), False), ("transposed", nn.ConvTranspose2d(2, 3, 2), True)]:
    with torch.no_grad():
        for i, p in enumerate(conv.parameters()): p.copy_(values(p.shape, 7 + i))
    f = U.fuse_conv_bn_eval(conv.eval(), bn, transpose)
    fused[name] = [summary(f.weight), summary(f.bias), summary(f(values([1, 2, 4, 4], 2)))]
linear = nn.Linear(4, 3).eval()
with torch.no_grad():
    for i, p in enumerate(linear.parameters()): p.copy_(values(p.shape, 7 + i))
bn1 = nn.BatchNorm1d(3).eval(); bn1.load_state_dict(bn.state_dict())
from torch.nn.utils.fusion import fuse_linear_bn_eval
f = fuse_linear_bn_eval(linear, bn1)
fused["linear"] = [summary(f.weight), summary(f.bias), summary(f(values([2, 4], 2)))]

errors = {}
def error(name, f):
    try: f()
    except Exception as e: errors[name] = [type(e).__name__, str(e)]
    else: raise RuntimeError(name)
L = lambda: nn.Linear(2, 3)
error("weight_norm twice", lambda: U.weight_norm(U.weight_norm(L())))
error("spectral_norm twice", lambda: U.spectral_norm(U.spectral_norm(L())))
error("no weight_norm", lambda: U.remove_weight_norm(L()))
error("no spectral_norm", lambda: U.remove_spectral_norm(L()))
error("lazy weight_norm", lambda: U.weight_norm(nn.LazyLinear(3)))
error("lazy spectral_norm", lambda: U.spectral_norm(nn.LazyLinear(3)))
error("no bias", lambda: U.spectral_norm(nn.Linear(2, 3, bias=False), "bias"))
error("iterations", lambda: U.spectral_norm(L(), n_power_iterations=0))
error("p iterations", lambda: PZ.spectral_norm(L(), n_power_iterations=0))
error("p dim", lambda: PZ.spectral_norm(L(), dim=2))
error("p name", lambda: PZ.spectral_norm(L(), "x"))
error("orthogonal name", lambda: PZ.orthogonal(L(), "x"))
error("orthogonal vector", lambda: PZ.orthogonal(L(), "bias"))
error("orthogonal map", lambda: PZ.orthogonal(L(), orthogonal_map="qr"))
def assign(m, x): m.weight = x
error("orthogonal shape", lambda: assign(PZ.orthogonal(L()), torch.ones(2, 2)))
error("orthogonal assign", lambda: assign(PZ.orthogonal(L(), orthogonal_map="cayley", use_trivialization=False), torch.ones(3, 2)))
error("parametrize name", lambda: P.register_parametrization(L(), "x", Symmetric()))
class Flat(nn.Module):
    def forward(self, x): return x.flatten()
class Double(nn.Module):
    def forward(self, x): return x.double()
error("parametrize shape", lambda: P.register_parametrization(L(), "weight", Flat()))
error("parametrize dtype", lambda: P.register_parametrization(L(), "weight", Double()))
error("parametrize second shape", lambda: P.register_parametrization(P.register_parametrization(L(), "weight", Plain()), "weight", Flat()))
error("no inverse", lambda: assign(P.register_parametrization(L(), "weight", Plain()), torch.ones(3, 2)))
error("not parametrized", lambda: P.remove_parametrizations(L(), "weight"))
error("leave several", lambda: P.remove_parametrizations(P.register_parametrization(L(), "weight", Product(), unsafe=True), "weight", leave_parametrized=False))
error("fuse", lambda: U.fuse_conv_bn_eval(nn.Conv2d(2, 3, 2), bn))
error("skip", lambda: U.skip_init(torch.Tensor, 3))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "reparametrized.json"), "w") as out:
    out.write('{"cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + '\n],\n"other": ' + json.dumps(other, separators=(",", ":")) + ',\n"fused": ' + json.dumps(fused, separators=(",", ":")) + ',\n"errors": ' + json.dumps(errors, indent=1) + "}\n")
