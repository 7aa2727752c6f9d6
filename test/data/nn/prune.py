"""Records what PyTorch 1.13.1's nn.utils.prune makes of modules: masks, states, gradients, errors.

usage: python3 test/data/nn/prune.py
Writes prune.json beside this file. Inputs are numbers by a formula (see `values`).
"""
import json, math, os, re, warnings
import torch
from torch import nn
from torch.nn.utils import prune as P
warnings.filterwarnings("ignore")

def values(sizes, salt):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    return torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float().reshape(sizes)
def summary(t):
    if t is None: return None
    flat = t.detach().flatten().double().tolist()
    num = lambda x: float("%.8g" % x)
    return {"s": list(t.shape), "v": [num(x) for x in flat[:4] + flat[-4:]], "sum": num(sum(x * math.cos(i + 1) for i, x in enumerate(flat)))}

cases = []
def case(module, steps):
    """`steps`: the function of nn.utils.prune, the name, and its other arguments; {"scores": salt} and {"mask": salt} are tensors."""
    torch.manual_seed(0)
    m = {"linear": lambda: nn.Linear(4, 5), "conv": lambda: nn.Conv2d(3, 4, 2)}[module]()
    x = values({"linear": [2, 4], "conv": [1, 3, 4, 4]}[module], 1)
    torch.manual_seed(1)
    for f, name, *args in steps:
        t = getattr(m, name)
        kw = {}
        for a in [a for a in args if isinstance(a, dict)]:
            if "scores" in a: kw["importance_scores"] = values(t.shape, a["scores"])
            if "mask" in a: kw["mask"] = (values(t.shape, a["mask"]) > 0).float()
        getattr(P, f)(m, name, *[a for a in args if not isinstance(a, dict)], **kw)
    rec = {"module": module, "steps": steps, "parameters": [n for n, _ in m.named_parameters()], "state": {k: summary(t) for k, t in m.state_dict().items()}, "pruned": P.is_pruned(m)}
    y = m(x)
    y.sum().backward()
    rec.update({"out": summary(y), "grads": {n: summary(p.grad) for n, p in m.named_parameters()}})
    for name in sorted({name for _, name, *_ in steps}): P.remove(m, name)
    rec.update({"removed": {k: summary(t) for k, t in m.state_dict().items()}, "left": P.is_pruned(m)})
    cases.append(rec)
W = "weight"
case("linear", [["identity", W]])
case("linear", [["random_unstructured", W, 7]])
case("linear", [["random_unstructured", W, 0.3]])
case("linear", [["l1_unstructured", W, 0.25]])
case("linear", [["l1_unstructured", W, 0.125]])
case("linear", [["l1_unstructured", W, 0]])
case("linear", [["l1_unstructured", W, 6, {"scores": 3}], ["l1_unstructured", "bias", 2]])
case("linear", [["l1_unstructured", W, 6], ["l1_unstructured", W, 0.5]])
case("linear", [["l1_unstructured", W, 6], ["random_unstructured", W, 0.5], ["ln_structured", W, 2, 1, 0]])
case("linear", [["random_structured", W, 2, 0]])
case("conv", [["random_structured", W, 0.5, 1]])
case("conv", [["ln_structured", W, 1, 2, 1]])
case("conv", [["ln_structured", W, 0.5, 1, 0, {"scores": 5}]])
case("conv", [["ln_structured", W, 1, 2, -1]])
case("conv", [["ln_structured", W, 1, 2, 0], ["ln_structured", W, 1, 2, 0], ["random_structured", W, 1, 1]])
case("conv", [["custom_from_mask", W, {"mask": 4}]])
case("conv", [["custom_from_mask", W, {"mask": 4}], ["l1_unstructured", W, 3], ["custom_from_mask", W, {"mask": 6}]])

def several(twice, method, amount, scores):
    torch.manual_seed(0)
    m = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    torch.manual_seed(1)
    if twice: P.l1_unstructured(m[0], W, 3)
    given = {(m[1], "bias"): values([2], 2).abs() * 9} if scores else None
    P.global_unstructured([(m[0], W), (m[1], W), (m[1], "bias")], getattr(P, method), importance_scores=given, amount=amount)
    return {k: summary(t) for k, t in m.state_dict().items()}
together = [{"twice": t, "method": f, "amount": a, "scores": s, "state": several(t, f, a, s)} for t, f, a, s in
            [(False, "L1Unstructured", 0.4, False), (True, "L1Unstructured", 5, False), (False, "RandomUnstructured", 6, False), (False, "L1Unstructured", 8, True)]]
t = values([3, 4], 3)
alone = {"l1": summary(P.L1Unstructured(5).prune(t)), "ln": summary(P.LnStructured(1, 2, 0).prune(t, importance_scores=values([3, 4], 8))), "masked": summary(P.L1Unstructured(2).prune(t, default_mask=(values([3, 4], 9) > 0).float()))}

errors = {}
def error(name, f):
    try: f()
    except Exception as e: errors[name] = [type(e).__name__, re.sub(r"\s{3,}", " ", str(e))]
    else: raise RuntimeError(name)
L = lambda: nn.Linear(3, 4)
error("too many", lambda: P.l1_unstructured(L(), W, 13))
error("share", lambda: P.l1_unstructured(L(), W, 1.5))
error("negative", lambda: P.l1_unstructured(L(), W, -1))
error("type", lambda: P.l1_unstructured(L(), W, "a"))
error("vector", lambda: P.ln_structured(L(), "bias", 1, 2, 0))
error("dim", lambda: P.ln_structured(L(), W, 1, 2, 3))
error("not pruned", lambda: P.remove(L(), W))
error("mask", lambda: P.custom_from_mask(L(), W, torch.ones(2)))
error("no list", lambda: P.global_unstructured(3, P.L1Unstructured, amount=1))
error("structured", lambda: P.global_unstructured([(L(), W)], P.RandomStructured, amount=1))
error("scores", lambda: P.l1_unstructured(L(), W, 2, importance_scores=torch.ones(2)))
error("scores alone", lambda: P.L1Unstructured(2).prune(torch.ones(3), importance_scores=torch.ones(2)))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "prune.json"), "w") as f:
    rows = lambda l: "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in l) + "\n]"
    f.write('{"cases": ' + rows(cases) + ',\n"together": ' + rows(together) + ',\n"alone": ' + json.dumps(alone) + ',\n"errors": ' + json.dumps(errors, indent=1) + "}\n")
