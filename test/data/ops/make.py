"""Records what PyTorch 1.13.1 makes of every op's samples.

usage: npx tsx scripts/op_samples.ts > /tmp/samples.json && python3 -P test/data/ops/make.py /tmp/samples.json
Writes expected.json beside this file: per op a list with, per sample, the result (or null where PyTorch has no such
call: the reason is printed, and each must be explained in test/ops/suite.test.ts).
"""
import json, os, sys, math, warnings
import torch
import torch.nn.functional as F
warnings.filterwarnings("ignore")

def dec(e):
    if isinstance(e, list): return [dec(x) for x in e]
    if isinstance(e, dict):
        if "$t" in e:
            v = [float(x) if isinstance(x, str) else x for x in e["v"]]
            return torch.tensor(v, dtype=getattr(torch, e["$t"])).reshape(e["s"])
        if "$dtype" in e: return getattr(torch, e["$dtype"])
        return {k: dec(v) for k, v in e["$options"].items()}
    if isinstance(e, str) and e in ("inf", "-inf", "nan"): return float(e)
    return e

def num(x):
    if isinstance(x, float):
        if math.isnan(x): return "nan"
        if math.isinf(x): return "inf" if x > 0 else "-inf"
    return x

def enc(x):
    if isinstance(x, torch.Tensor):
        c = x.detach()
        v = c.double().flatten().tolist() if c.is_floating_point() else c.flatten().tolist()
        if c.dtype == torch.float32: v = [float("%.9g" % y) for y in v]
        return {"$t": str(c.dtype)[6:], "s": list(c.shape), "v": [num(y) for y in v]}
    if isinstance(x, (list, tuple)): return [enc(y) for y in x]
    return num(x)

def find(path):
    if path.startswith("Tensor."): return lambda self, *a, **k: getattr(self, path[7:])(*a, **k)
    for root in (torch,):
        at = root
        for part in path.split("."):
            at = getattr(at, part, None)
            if at is None: break
        if at is not None: return at
    name = path.split(".")[-1]
    at = getattr(torch._C._nn, name, None) or getattr(torch, name, None)
    if at is not None: return at
    if hasattr(torch.Tensor, name): return lambda self, *a, **k: getattr(self, name)(*a, **k)
    if hasattr(torch.ops.aten, name): return getattr(torch.ops.aten, name)
    raise AttributeError(path)

samples = json.load(open(sys.argv[1]))
out = {}
for path, calls in samples.items():
    results = []
    for call in calls:
        args = [dec(a) for a in call]
        kw = args.pop() if args and isinstance(args[-1], dict) else {}
        try:
            f = find(path)
            try: r = f(*args, **kw)
            except TypeError:
                # methods only, or lists where PyTorch's function wants them spread
                r = getattr(args[0], path.split(".")[-1])(*args[1:], **kw)
            results.append(enc(r))
        except Exception as ex:
            print("none", path, type(ex).__name__, str(ex).split("\n")[0][:140], file=sys.stderr)
            results.append(None)
    out[path] = results
# A line an op, so that a change of one op changes one line.
lines = (json.dumps(path) + ":" + json.dumps(results, separators=(",", ":")) for path, results in sorted(out.items()))
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "expected.json"), "w") as file:
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
print(len(out), "ops")
