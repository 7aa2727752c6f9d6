"""Records what PyTorch 1.13.1 makes of named calls: their results, or the errors that they raise.

usage: python3 -P test/data/ops/calls.py
Writes calls.json: {family: {name: result or {"error": [class, message]}}}. test/ops/**/*.test.ts have the same calls under
the same names (test/ops/calls.ts). A result that depends on what memory held before is not recorded.
"""
import json, math, os, warnings
import torch
import torch.nn.functional as F
warnings.filterwarnings("ignore")

def t(*v, **kw): return torch.tensor(list(v), **kw)

def values(*sizes, dtype=torch.float32, salt=0):
    """Numbers in (-2, 2) by a formula, as in calls.ts."""
    n = math.prod(sizes)
    raw = [(((i + 1) * 7919 + (salt + 1) * 104729) % 997) / 997 * 4 - 2 for i in range(n)]
    x = torch.tensor(raw, dtype=torch.float64)
    if dtype.is_complex: x = torch.complex(x, x.flip(0) * 0.5)
    return x.to(dtype).reshape(sizes)

def num(x):
    if isinstance(x, complex): return [num(x.real), num(x.imag)]
    if isinstance(x, float):
        if math.isnan(x): return "nan"
        if math.isinf(x): return "inf" if x > 0 else "-inf"
        return float("%.17g" % x)
    return x

def enc(x):
    if isinstance(x, torch.Tensor):
        x = x.detach()
        wide = x.double() if x.is_floating_point() else x
        v = [num(y) for y in wide.flatten().tolist()]
        if x.dtype in (torch.float32,): v = [y if isinstance(y, str) else float("%.9g" % y) for y in v]
        return {"dtype": str(x.dtype)[6:], "sizes": list(x.shape), "values": v}
    if isinstance(x, (list, tuple)): return [enc(y) for y in x]
    return num(x)

def grads(out, *inputs):
    """Results, then the gradients of the inputs under the cotangents 1, 2, 3, ..."""
    outs = [out] if isinstance(out, torch.Tensor) else list(out)
    live = [o for o in outs if o.requires_grad]
    cots = [torch.arange(1, o.numel() + 1, dtype=torch.float64).to(o.dtype).reshape(o.shape) for o in live]
    return [*outs, *torch.autograd.grad(live, inputs, cots)]

def leaf(x): return x.clone().requires_grad_()

families = {}
def family(name): return families.setdefault(name, {})

S = torch.segment_reduce
x = values(6)
L = t(2, 0, 4)
y = leaf(t(0., 2, float("nan"), 0, 0, 3, 0, 2))
z = leaf(t(2., 2, float("nan"), 0, 0, 3, 3, 3, 5))
family("segment_reduce").update({
    **{f"{r}": (lambda r=r: S(x, r, lengths=L)) for r in ["sum", "mean", "prod", "max", "min"]},
    **{f"{r} from 2": (lambda r=r: S(x, r, lengths=L, initial=2)) for r in ["sum", "mean", "prod", "max", "min"]},
    "offsets": lambda: S(x, "sum", offsets=t(0, 2, 2, 6)),
    "offsets inside": lambda: S(x, "sum", offsets=t(1, 2, 2, 5)),
    "int32": lambda: S(x, "max", lengths=L.int(), axis=-1),
    "not all": lambda: S(x, "sum", lengths=t(2, 0, 3), unsafe=True),
    "rows": lambda: S(x.view(3, 2), "mean", lengths=t(1, 2)),
    "columns": lambda: S(values(2, 3, 2), "prod", lengths=torch.tensor([[1, 2], [3, 0]]), axis=1),
    "transposed": lambda: S(values(2, 3).t(), "sum", lengths=t(1, 2)),
    "bfloat16 total": lambda: S(torch.ones(300).bfloat16(), "sum", lengths=t(300)),
    "products of zeros and nan": lambda: grads(S(y, "prod", lengths=t(3, 3, 2), initial=2), y),
    "maxima that are equal": lambda: grads(S(z, "max", lengths=t(2, 1, 2, 3, 1), initial=2), z),
    "means and nan": lambda: grads(S(z, "mean", lengths=t(2, 1, 2, 3, 1), initial=2), z),
    "no such reduction": lambda: S(x, "median", lengths=L),
    "no segments": lambda: S(x, "sum"),
    "indices": lambda: S(x, "sum", indices=L),
    "too short": lambda: S(x, "sum", lengths=t(2, 0, 3)),
    "negative": lambda: S(x, "sum", lengths=t(2, -1, 5)),
    "descending": lambda: S(x, "sum", offsets=t(0, 3, 2, 6)),
    "float lengths": lambda: S(x, "sum", lengths=L.float()),
    "integers": lambda: S(x.long(), "sum", lengths=L),
    "axis": lambda: S(x, "sum", lengths=L, axis=1),
    "axis before": lambda: S(x.view(2, 3), "sum", lengths=torch.tensor([[1, 2], [3, 0]])),
    "scalar": lambda: S(torch.tensor(1.), "sum", lengths=t(1)),
    "empty": lambda: S(x[:0], "sum", lengths=L[:0]),
})

lp = values(6, 2, 4).log_softmax(2)
tg = torch.tensor([[1, 2, 2], [3, 1, 0]])
il, tl = t(6, 5), t(3, 2)
C = F.ctc_loss
family("ctc_loss").update({
    "mean": lambda: C(lp, tg, il, tl),
    "rows": lambda: C(lp, tg, il, tl, reduction="none"),
    "one after the other": lambda: C(lp, t(1, 2, 2, 3, 1), (6, 5), (3, 2), reduction="none"),
    "int32": lambda: C(lp, tg.int(), il.int(), tl.int(), reduction="sum"),
    "another blank": lambda: C(lp, torch.tensor([[1, 2, 2], [0, 1, 0]]), il, tl, blank=3, reduction="none"),
    "without batch": lambda: C(lp[:, 0], tg[0], il[0], tl[0]),
    "without batch or reduction": lambda: C(lp[:, 0], tg[0], (6,), (3,), reduction="none"),
    "float64": lambda: C(values(6, 2, 4).double().log_softmax(2), tg, il, tl, reduction="none"),
    "too short": lambda: C(lp, tg, (2, 5), (3, 2), reduction="none"),
    "too short, zero": lambda: C(lp, tg, (2, 5), (3, 2), reduction="none", zero_infinity=True),
    "no target": lambda: C(lp, tg, il, t(3, 0), reduction="none"),
    "no batch": lambda: C(lp[:, :0], tg[:0], (), (), reduction="none"),
    "torch.ctc_loss": lambda: torch.ctc_loss(lp, tg, il, tl, 0, 2, False),
    **{f"gradient {r}": (lambda r=r: (lambda w: grads(C(w, tg, il, tl, reduction=r), w))(leaf(lp))) for r in ["none", "mean", "sum"]},
    "gradient, too short": lambda: (lambda w: grads(C(w, tg, (2, 5), (3, 2), zero_infinity=True), w))(leaf(lp)),
    "gradient, no target": lambda: (lambda w: grads(C(w, tg, (2, 5), (0, 2)), w))(leaf(lp)),
    "second gradient": lambda: (lambda w: torch.autograd.grad(torch.autograd.grad(C(w, tg, il, tl), w, create_graph=True)[0].sum(), w))(leaf(lp)),
    "blank": lambda: C(lp, tg, il, tl, blank=7),
    "long input": lambda: C(lp, tg, (7, 5), (3, 2)),
    "long target": lambda: C(lp, tg, (6, 5), (4, 2)),
    "input lengths": lambda: C(lp, tg, (6,), (3, 2)),
    "target lengths": lambda: C(lp, tg, (6, 5), (3,)),
    "float input lengths": lambda: C(lp, tg, il.float(), tl),
    "float target lengths": lambda: C(lp, tg, il, tl.float()),
    "integers": lambda: C(lp.long(), tg, il, tl),
    "bfloat16": lambda: C(lp.bfloat16(), tg, il, tl),
    "few targets": lambda: C(lp, t(1, 2, 2, 3), il, tl),
    "rows of targets": lambda: C(lp, tg[:1], il, tl),
    "3-d targets": lambda: C(lp, tg.view(1, 2, 3), il, tl),
    "reduction": lambda: C(lp, tg, il, tl, reduction="median"),
    "dimensions": lambda: C(lp[0, 0], tg, il, tl),
})

def record(call):
    try: return enc(call())
    except Exception as e: return {"error": [type(e).__name__, str(e)]}

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    parts = []
    for name, calls in sorted(families.items()):
        rows = ",\n".join(f"{json.dumps(k)}:{json.dumps(record(c), separators=(',', ':'))}" for k, c in calls.items())
        parts.append(f"{json.dumps(name)}:{{\n{rows}\n}}")
    with open(os.path.join(here, "calls.json"), "w") as file: file.write("{\n" + ",\n".join(parts) + "\n}\n")
    print({name: len(calls) for name, calls in families.items()})
