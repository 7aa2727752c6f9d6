"""Records what PyTorch 1.13.1 makes of every module of torch.nn, in several configurations each.

usage: python3 test/data/nn/module_suite.py [names of modules]
Writes module_suite.jsonl beside this file, a line a configuration: the module's text, its state after manual_seed(0),
and runs of it: in training, in evaluation where that differs, in float64 (with second derivatives), with complex
numbers, and with input of wrong sizes and types, for which the class and message of what is raised are recorded.
Configurations are those of PyTorch's own tests (torch.testing._internal) and those listed in module_cases.py.
Inputs are numbers by a formula (see `values`), not data. With names, only those modules' lines are made anew.
"""
import inspect, itertools, json, math, os, sys, types, warnings
import unittest
warnings.filterwarnings("ignore")
expecttest = types.ModuleType("expecttest")  # which torch.testing imports, and nothing here needs
expecttest.ACCEPT, expecttest.TestCase = True, unittest.TestCase
sys.modules["expecttest"] = expecttest
import torch
from torch import nn
import torch.nn.functional as F

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

# ---------------------------------------------------------------------------------------------------- numbers

FORMULAS = {"float": lambda r: r / 997 * 3 - 1.5, "prob": lambda r: (r + 1) / 999, "pos": lambda r: r / 997 * 1.5 + 0.5,
            "sign": lambda r: 1.0 if r % 2 else -1.0, "lprob": lambda r: -(r + 1) / 500}

def values(sizes, kind, salt, dtype=torch.float32):
    """float: in (-1.5, 1.5); prob: in (0, 1); pos: in (0.5, 2); sign: 1 or -1; lprob: in (-2, 0); int:K: below K;
    even:P: twice the place in planes of P; [...]: these numbers."""
    n = math.prod(sizes)
    if isinstance(kind, list):
        return torch.tensor(kind, dtype=torch.int64 if all(isinstance(x, int) for x in kind) else dtype).reshape(sizes)
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(n)]
    if kind.startswith("int:"):
        return torch.tensor([r % int(kind[4:]) for r in raw], dtype=torch.int64).reshape(sizes)
    if kind.startswith("even:"):
        return torch.tensor([i % int(kind[5:]) * 2 for i in range(n)], dtype=torch.int64).reshape(sizes)
    if dtype.is_complex:
        part = torch.float64 if dtype == torch.complex128 else torch.float32
        return torch.complex(values(sizes, kind, salt, part), values(sizes, kind, salt + 5, part))
    f = FORMULAS[kind]
    return torch.tensor([f(r) for r in raw], dtype=torch.float64).to(dtype).reshape(sizes)

def cotangent(t):
    return torch.tensor([((i % 7) - 3) / 4 + 0.25 for i in range(t.numel())], dtype=torch.float64).to(t.dtype).reshape(t.shape)

def num(x, digits):
    if isinstance(x, (bool, int)): return int(x)
    if math.isnan(x): return "nan"
    if math.isinf(x): return "inf" if x > 0 else "-inf"
    x = float("%.*g" % (digits, x))
    return int(x) if x == int(x) and abs(x) < 1e15 else x

def enc(t, usual="float32"):
    """[sizes, numbers] of small tensors; of others two numbers and two weighted sums; the dtype first where unusual."""
    if t is None: return None
    t = t.detach()
    if t.is_sparse: t = t.to_dense()
    real = torch.view_as_real(t.resolve_conj()) if t.is_complex() else t
    digits = 7 if real.dtype == torch.float32 else 12
    flat = real.flatten().tolist()
    dtype = str(t.dtype)[6:]
    rec = ([] if dtype == usual else [dtype]) + [list(t.shape)]
    if all(x == 0 for x in flat): return rec + [0]
    if len(flat) <= 8 or not all(math.isfinite(x) for x in flat):
        return rec + [[num(x, digits) for x in flat]]
    sums = [sum(x * (((i % 7) - 3) / 4 + 0.25) for i, x in enumerate(flat)),
            sum(x * (((i + 1) * 7919 + 104729) % 997 / 997) for i, x in enumerate(flat))]
    return rec + [[num(x, digits) for x in flat[:2]], [num(x, digits + 2) for x in sums]]

def flat(x):
    if x is None: return []
    if isinstance(x, torch.Tensor): return [x]
    return [t for y in x for t in flat(y)]

LEAF = ("float", "pos", "prob", "lprob")
def is_leaf_spec(spec): return len(spec) == 2 and isinstance(spec[0], list) and (isinstance(spec[1], str) or spec[1] is None and bool(spec[0]) and isinstance(spec[0][0], int) or isinstance(spec[1], list) and all(isinstance(x, (int, float)) for x in spec[1]))

def arg(spec, salt, dtype):
    """An input: [sizes, kind], a list of inputs, or null."""
    if spec is None: return None
    if is_leaf_spec(spec):
        t = values(spec[0], spec[1], salt, dtype)
        return t.requires_grad_() if isinstance(spec[1], str) and spec[1] in LEAF else t
    return tuple(arg(s, salt + 10 + i, dtype) for i, s in enumerate(spec))

# ---------------------------------------------------------------------------------------------------- runs

FUNCTIONS = {"manhattan": lambda a, b: (a - b).abs().sum(-1)}

def given(x, dtype=torch.float32):
    if isinstance(x, dict):
        if "$tensor" in x: return torch.tensor(x["$tensor"], dtype=dtype)
        if "$fn" in x: return FUNCTIONS[x["$fn"]]
        if "$dtype" in x: return getattr(torch, x["$dtype"])
    return tuple(x) if isinstance(x, list) else x

def make(c):
    torch.manual_seed(0)
    return getattr(nn, c["m"])(*map(given, c["a"]), **{k: given(v) for k, v in c["k"].items()})

MUTATIONS = {
    "first": lambda x: x[0],
    "first of first": lambda x: x[0][0],
    "batched": lambda x: x.unsqueeze(0),
    "channel more": lambda x: torch.cat([x, x[:, :1]], 1),
    "column": lambda x: x[..., :1],
    "empty batch": lambda x: x[:0],
    "no columns": lambda x: x[..., :0],
    "element": lambda x: x.flatten()[0],
    "integers": lambda x: x.to(torch.int64),
    "floats": lambda x: x.to(torch.float32),
    "doubles": lambda x: x.to(torch.float64),
    "out of range": lambda x: x + 100,
}

def run(c, dtype="float32", mode="train", wrong=None):
    rec = {}
    if dtype != "float32": rec["t"] = dtype
    if mode != "train": rec["mode"] = mode
    if wrong is not None: rec["wrong"] = list(wrong)
    try:
        m = make(c)
        kind = getattr(torch, dtype)
        if kind != torch.float32: m.to(kind)
        if mode == "eval": m.eval()
        torch.manual_seed(1)
        for _ in range(c.get("calls", 1)):
            xs = [arg(s, i, kind) for i, s in enumerate(c["i"])]
            if wrong is not None:
                xs = [x.detach() if isinstance(x, torch.Tensor) else x for x in xs]
                xs[wrong[0]] = MUTATIONS[wrong[1]](xs[wrong[0]])
            out = m(*xs)
        outs = flat(out)
        rec["out"] = [enc(t, dtype) for t in outs]
        rec["after"] = {n: enc(b, dtype) for n, b in m.named_buffers()}
        if not rec["after"]: del rec["after"]
        if wrong is not None: return rec
        terms = [(t * cotangent(t)).sum() for t in outs if t.requires_grad]
        if not terms: return rec
        loss = sum(terms)
        if loss.is_complex(): loss = loss.real
        leaves = [t for x in xs for t in flat(x) if t.requires_grad]
        params = list(m.parameters())
        second = dtype == "float64"
        try:
            grads = torch.autograd.grad(loss, leaves + params, create_graph=second, allow_unused=True, retain_graph=True)
        except RuntimeError as e:
            if not any(x in str(e) for x in ("derivative", "automatic differentiation, but")): raise
            second = False
            grads = torch.autograd.grad(loss, leaves + params, allow_unused=True)
        rec["gi"] = [enc(g, dtype) for g in grads[:len(leaves)]]
        if params: rec["gp"] = [enc(g, dtype) for g in grads[len(leaves):]]
        if second:
            again = [(g * cotangent(g)).sum() for g in grads if g is not None and g.requires_grad]
            if again:
                try:
                    rec["g2"] = [enc(g, dtype) for g in torch.autograd.grad(sum(again), leaves + params, allow_unused=True)]
                except RuntimeError: pass
    except Exception as e:
        for key in ("out", "after", "gi", "gp"): rec.pop(key, None)
        message = e.args[0] if isinstance(e, KeyError) and e.args else str(e)
        rec["error"] = [type(e).__name__, message]
    return rec

def same(a, b):
    return json.dumps([a.get(k) for k in ("out", "after", "gi", "error")]) == json.dumps([b.get(k) for k in ("out", "after", "gi", "error")])

def record(c, wrongs):
    """The line of a configuration."""
    try:
        m = make(c)
    except Exception as e:
        return c | {"error": [type(e).__name__, str(e)]}
    line = dict(c)
    text = repr(m)
    floats = [x for x in flat_args(c) if isinstance(x, float) and x == int(x)]
    if floats: line["ints"] = 1  # whole floats, which JavaScript cannot tell from ints
    line["repr"] = text
    names = [p.name for p in inspect.signature(type(m).__init__).parameters.values()][1:]
    if not any(p.kind == p.VAR_POSITIONAL for p in inspect.signature(type(m).__init__).parameters.values()) and names[:1] != ["args"]:
        line["names"] = names[:len(c["a"])]
    state = {k: enc(v) for k, v in m.state_dict().items()}
    if state: line["state"] = state
    runs = [run(c)]
    if "positional argument" in runs[0].get("error", ["", ""])[1]: return line | {"runs": []}
    evaluated = run(c, mode="eval")
    if not same(runs[0], evaluated): runs.append(evaluated)
    if "error" not in runs[0]:
        if not any(isinstance(x, dict) and "$tensor" in x for x in list(c["a"]) + list(c["k"].values())):
            runs.append(run(c, dtype="float64"))
            complex_run = run(c, dtype="complex128")
            if "error" not in complex_run or wrongs: runs.append(complex_run)
        if wrongs:
            for i, spec in enumerate(c["i"]):
                if spec is None or not is_leaf_spec(spec): continue
                integral = not (isinstance(spec[1], str) and spec[1] in LEAF + ("sign",))
                for name in MUTATIONS:
                    if name in ("floats", "out of range") and not integral: continue
                    if name in ("integers", "channel more") and integral: continue
                    if name == "first of first" and len(spec[0]) < 3: continue
                    if name in ("first", "column", "empty batch", "no columns") and len(spec[0]) < 1: continue
                    if name == "channel more" and len(spec[0]) < 2: continue
                    r = run(c, wrong=(i, name))
                    if r.get("error", ["", ""])[0] == "IndexError" and "invalid index of a 0-dim" in r["error"][1]: continue
                    runs.append(r)
    line["runs"] = [r for r in (without(c, r) for r in runs) if r is not None]
    return line

def flat_args(c):
    out = []
    def walk(x):
        if isinstance(x, (list, tuple)): [walk(y) for y in x]
        else: out.append(x)
    walk(list(c["a"]) + list(c["k"].values()))
    return out

from module_cases import CASES, ELSEWHERE, SKIPPED

def without(c, r):
    """The run without what SKIPPED names; nothing if that is all of it."""
    for modules, keys, _ in SKIPPED:
        if c["m"] not in modules.split() or not all(k in r for k in keys): continue
        wrong, kind = keys.get("wrong"), keys.get("t")
        if wrong and r["wrong"][1] != wrong or kind and r["t"] != kind: continue
        dropped = [k for k in keys if k in ("gi", "g2")]
        if not dropped: return None
        r = {k: v for k, v in r.items() if k not in ("gi", "gp", "g2") or "gi" not in dropped and k != "g2"}
    return r

# ---------------------------------------------------------------------------------------------------- PyTorch's own

def kind_of(t):
    t = t.detach()
    if not t.is_floating_point():
        if t.is_complex(): return None
        return [int(x) for x in t.flatten().tolist()] if t.numel() <= 32 else "int:%d" % (int(t.max()) + 1)
    x = t.flatten()
    if x.numel() == 0: return "float"
    if bool(((x == 1) | (x == -1)).all()): return "sign"
    if bool((x >= 0).all()) and bool((x <= 1).all()): return "prob"
    if bool((x > 0).all()): return "pos"
    return "lprob" if bool((x <= 0).all()) else "float"

def spec_of(x):
    if x is None: return None
    if isinstance(x, torch.Tensor): return [list(x.shape), kind_of(x)]
    return [spec_of(y) for y in x]

def plain(x):
    """An argument as JSON, or an exception."""
    if isinstance(x, torch.Tensor):
        if x.numel() > 24: raise TypeError("large")
        return {"$tensor": json.loads(json.dumps([num(v, 8) for v in x.flatten().tolist()]))} if x.ndim == 1 else {"$tensor": x.tolist()}
    if isinstance(x, (tuple, list, torch.Size)): return [plain(y) for y in x]
    if x is None or isinstance(x, (bool, int, float, str)): return x
    raise TypeError(str(type(x)))

made = []
def watch(cls):
    init = cls.__init__
    def wrapped(self, *args, **kwargs):
        if not made or made[-1] is not None: made.append((type(self), args, kwargs))
        made.append(None)
        try: init(self, *args, **kwargs)
        finally: made.pop()
    cls.__init__ = wrapped
    return init

def pytorch_cases():
    from torch.testing._internal import common_nn
    from torch.testing._internal.common_modules import module_db
    originals = {}
    classes = [c for c in vars(nn).values() if isinstance(c, type) and issubclass(c, nn.Module)]
    found = []
    def add(cls, args, kwargs, inputs):
        try:
            found.append({"m": cls.__name__, "a": plain(args), "k": {k: plain(v) for k, v in kwargs.items() if k not in ("device", "dtype")},
                          "i": [spec_of(x) for x in inputs]})
            if any(is_leaf_spec(x) and x[1] is None for x in found[-1]["i"] if x): found.pop()  # complex, which is tried anyway
        except TypeError: pass
    torch.manual_seed(0)
    count = itertools.count()  # one in five of the many that recurrent modules have
    for info in module_db:
        for training in (True, False):
            for case in info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False, training=training):
                c, f = case.constructor_input, case.forward_input
                if f is None or info.name.startswith(("nn.RNN", "nn.LSTM", "nn.GRU")) and next(count) % 5: continue
                if set(f.kwargs) - {"input"}: continue
                add(info.module_cls, c.args, c.kwargs, list(f.args) + list(f.kwargs.values()))
    for cls in classes: originals[cls] = watch(cls)
    for t in common_nn.module_tests + common_nn.new_module_tests + common_nn.criterion_tests:
        torch.manual_seed(0)
        try:
            if "constructor" in t:
                del made[:]
                t["constructor"]()
                if len(made) != 1: continue
                cls, args, kwargs = made[0]
            else:
                cls = getattr(nn, t["module_name"])
                args, kwargs = t.get("constructor_args_fn", lambda: t.get("constructor_args", ()))(), {}
            if "input_fn" in t: x = t["input_fn"]()
            elif "input" in t: x = t["input"]
            else:
                x = t["input_size"]
                x = torch.randn(x) if not x or isinstance(x[0], int) else tuple(torch.randn(s) for s in x)
            inputs = list(x) if isinstance(x, (tuple, list)) else [x]
            if "target_fn" in t: inputs += [t["target_fn"]()]
            elif "target_size" in t: inputs += [torch.randn(t["target_size"])]
            inputs += list(t.get("extra_args", ()))
        except Exception as e:
            print("left out", t.get("module_name") or t.get("fullname"), type(e).__name__, e)
            continue
        if cls in classes: add(cls, args, kwargs, [x for y in inputs for x in (y if isinstance(y, (tuple, list)) else [y])])
    for cls in classes: cls.__init__ = originals[cls]
    return found

def main():
    path = os.path.join(here, "module_suite.jsonl")
    only = sys.argv[1:]
    cases, seen = [], set()
    for c in CASES + [c for c in pytorch_cases() if not c["m"].startswith(ELSEWHERE)]:
        c = {"m": c["m"], "a": list(c["a"]), "k": c["k"], "i": c["i"]} | ({"calls": c["calls"]} if c.get("calls", 1) != 1 else {})
        key = json.dumps(c)
        if key in seen: continue
        seen.add(key)
        if c["k"].get("sparse"): continue  # sparse gradients
        cases.append(c)
    cases = [c for c in cases if all(math.prod(s[0]) <= 4000 for s in c["i"] if s and is_leaf_spec(s))]
    cases.sort(key=lambda c: c["m"])
    kept = {}
    if only:
        for line in open(path): kept.setdefault(json.loads(line)["m"], []).append(line)
    lines, written = [], {}
    for name, group in itertools.groupby(cases, key=lambda c: c["m"]):
        if only and name not in only:
            lines += kept.get(name, [])
            continue
        for n, c in enumerate(group):
            line = record(c, wrongs=n < 2)
            if line.get("runs") == [] and "error" not in line: continue
            lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    with open(path, "w") as f: f.writelines(lines)
    print(len(lines), "configurations", sum(map(len, lines)), "bytes")

if __name__ == "__main__": main()
