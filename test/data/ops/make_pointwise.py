"""Records what PyTorch 1.13.1 makes of special values in every dtype: pointwise functions and reductions.

usage: python3 -P test/data/ops/make_pointwise.py
Writes pointwise.json beside this file: the inputs, and per call and dtype the result, or the error's class and text.
"""
import json, math, os, warnings
import torch
warnings.filterwarnings("ignore")

nan, inf = math.nan, math.inf
# Long enough that PyTorch's vector code does all of it.
FLOATS = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -3.5, 1e-30, 100.0, -100.0, 1e10, 7.0] * 2
INPUTS = {
    "float32": FLOATS, "float64": FLOATS, "bfloat16": FLOATS,
    "int64": [-3, -1, 0, 1, 2, 7], "int32": [-3, -1, 0, 1, 2, 7], "uint8": [0, 1, 2, 255], "bool": [True, False],
}
UNARY = """abs neg sign sgn positive floor ceil trunc frac round exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square
reciprocal sigmoid logit sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sinc deg2rad rad2deg erf erfc erfinv
lgamma digamma relu nan_to_num angle isnan isinf isfinite isposinf isneginf isreal signbit logical_not bitwise_not i0
special.i0e special.i1 special.i1e special.entr special.ndtri special.erfcx special.log_ndtr""".split()
UNARY += ["nn.functional." + name for name in """gelu elu selu celu leaky_relu softplus hardtanh relu6 hardsigmoid hardswish
silu mish logsigmoid softshrink hardshrink tanhshrink softsign""".split()]
BINARY = """add sub mul div floor_divide remainder fmod pow maximum minimum fmax fmin eq ne lt le gt ge atan2 hypot copysign
logaddexp logaddexp2 xlogy special.xlog1py logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor
bitwise_left_shift bitwise_right_shift gcd lcm heaviside nextafter ldexp""".split()
# Divisors, shifts and exponents of integers: none is zero or negative.
SECOND = {"int64": [1, 2, 3], "int32": [1, 2, 3], "uint8": [1, 2, 3], "bool": [True, False]}
REDUCE = ["sum", "mean", "prod", "max", "min", "amax", "argmax", "argmin", "all", "any", "count_nonzero", "nansum", "nanmean",
          "norm", "var", "std", "cumsum:0", "cumprod:0", "logsumexp:0", "logcumsumexp:0", "cummax:0", "cummin:0"]

def find(name):
    at = torch
    for part in name.split("."): at = getattr(at, part)
    return at

def enc(x):
    if isinstance(x, (list, tuple)): return [enc(y) for y in x]
    v = x.double().flatten().tolist() if x.is_floating_point() else x.flatten().tolist()
    text = lambda y: "nan" if math.isnan(y) else "inf" if y == inf else "-inf" if y == -inf else y
    return {"$t": str(x.dtype)[6:], "s": list(x.shape), "v": [text(y) if isinstance(y, float) else y for y in v]}

def call(name, *args):
    try: return enc(find(name)(*args))
    except Exception as e: return {"error": type(e).__name__, "message": str(e)}

out = {"inputs": {d: enc(torch.tensor(v, dtype=getattr(torch, d))) for d, v in INPUTS.items()}, "seconds": {}, "unary": {}, "binary": {}, "reduce": {}}
for d, v in INPUTS.items():
    out["seconds"][d] = enc(torch.tensor(SECOND.get(d, v[:16]), dtype=getattr(torch, d)))
for name in UNARY:
    out["unary"][name] = {d: call(name, torch.tensor(v, dtype=getattr(torch, d))) for d, v in INPUTS.items()}
for name in BINARY:
    out["binary"][name] = {}
    for d, v in INPUTS.items():
        if d in ("float64", "bfloat16"): continue
        v = v[:16]
        a = torch.tensor(v, dtype=getattr(torch, d))
        b = torch.tensor(SECOND.get(d, v), dtype=getattr(torch, d))
        # every element with every other
        a, b = a.repeat_interleave(len(b)), b.repeat(len(a))
        out["binary"][name][d] = call(name, a, b)
for name in REDUCE:
    op, *dims = name.split(":")
    out["reduce"][name] = {}
    for d in INPUTS:
        values = [1.5, -2.0, 0.25, 3.0, -0.5, 3.0] if d in ("float32", "float64", "bfloat16") else INPUTS[d]
        kinds = {"plain": values, "empty": []}
        if isinstance(values[0], float): kinds["nan"] = [1.0, nan, 2.0, -1.0, nan]
        for kind, v in kinds.items():
            out["reduce"][name][f"{d} {kind}"] = call(op, torch.tensor(v, dtype=getattr(torch, d)), *[int(x) for x in dims])
json.dump(out, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pointwise.json"), "w"), separators=(",", ":"))
