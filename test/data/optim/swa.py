"""Records what PyTorch 1.13.1's torch.optim.swa_utils gives: averages over training, BatchNorm statistics, learning rates, errors.

usage: python3 test/data/optim/swa.py
Writes swa.json beside this file. Inputs are numbers by a formula (see `values`).
"""
import json, math, os, warnings
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, SWALR, update_bn
warnings.filterwarnings("ignore")

def values(sizes, salt):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    return torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float().reshape(sizes)
def state(m): return {k: t.flatten().tolist() for k, t in m.state_dict().items()}
out = {}

def train(kw, swa):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    averaged = AveragedModel(model, **kw)
    scheduler = SWALR(optimizer, **swa)
    rates = []
    for i in range(6):
        optimizer.zero_grad()
        (model(values((5, 3), i)) - 1).square().mean().backward()
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
        if i >= 2:
            averaged.update_parameters(model)
            scheduler.step()
    before = state(averaged)
    averaged.eval()
    update_bn([(values((5, 3), i), i) for i in range(3)], averaged)
    return {"before": before, "after": state(averaged), "rates": rates, "training": averaged.training, "momentum": averaged.module[1].momentum, "out": averaged(values((2, 3), 9)).flatten().tolist()}

ema = lambda averaged, value, n: 0.9 * averaged + 0.1 * value
out["equal"] = train({}, {"swa_lr": 0.02, "anneal_epochs": 3})
out["ema"] = train({"avg_fn": ema}, {"swa_lr": 0.3, "anneal_epochs": 2, "anneal_strategy": "linear"})
out["buffers"] = train({"use_buffers": True}, {"swa_lr": 0.05, "anneal_epochs": 0})

def rates(groups, swa, epochs=14):
    optimizer = torch.optim.SGD([{"params": [torch.zeros(1)], "lr": lr} for lr in groups], lr=0.1)
    scheduler = SWALR(optimizer, **swa)
    found = []
    for _ in range(epochs):
        optimizer.step()
        found.append([g["lr"] for g in optimizer.param_groups])
        scheduler.step()
    return found
cases = [[[0.1, 0.5], {"swa_lr": 0.05}], [[0.1, 0.5], {"swa_lr": [0.2, 0.01], "anneal_strategy": "linear", "anneal_epochs": 4}], [[0.1], {"swa_lr": 0.3, "anneal_epochs": 0}], [[0.1], {"swa_lr": 0.3, "anneal_epochs": 1}]]
out["rates"] = [{"groups": g, "options": o, "rates": rates(g, o)} for g, o in cases]

errors = {}
def error(name, f):
    try: f()
    except Exception as e: errors[name] = [type(e).__name__, str(e)]
    else: raise RuntimeError(name)
optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
error("groups", lambda: SWALR(optimizer, [0.1, 0.2]))
error("strategy", lambda: SWALR(optimizer, 0.1, anneal_strategy="exp"))
error("epochs", lambda: SWALR(optimizer, 0.1, anneal_epochs=-1))
out["errors"] = errors
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "swa.json"), "w") as f:
    f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in out.items()) + "\n}\n")
