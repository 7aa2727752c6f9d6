"""Records what PyTorch 1.13.1 makes of attention and Transformer modules: text, parameters after manual_seed(0), results and
gradients with every option and mask, in training and evaluation; and of F.multi_head_attention_forward with given keys.

usage: python3 test/data/nn/transformer.py
Writes transformer.json beside this file. Inputs are numbers by a formula (see `values`); of tensors a summary is kept.
"""
import json, math, os, warnings
import torch
from torch import nn
from torch.nn import functional as F
warnings.filterwarnings("ignore")

def values(sizes, salt, scale=1.0):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    return (torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float() * scale).reshape(sizes)

def cotangent(t):
    return torch.tensor([((i % 7) - 3) / 4 + 0.25 for i in range(t.numel())], dtype=torch.float64).to(t.dtype).reshape(t.shape)

def summary(t):
    assert t is None or not t.isnan().any()
    if t is None: return None
    flat = t.detach().flatten().double().tolist()
    num = lambda x: float("%.8g" % x)
    return {"s": list(t.shape), "v": [num(x) for x in flat[:4] + flat[-4:]], "sum": num(sum(x * math.cos(i + 1) for i, x in enumerate(flat)))}

def tensor(spec, salt):
    """[sizes, kind]: float (requires grad), hidden (bool, a sixth true), added (float mask), causal."""
    sizes, kind = spec
    if kind == "float": return values(sizes, salt).detach().requires_grad_()
    if kind == "hidden": return values(sizes, salt) > 1
    if kind == "added": return values(sizes, salt)
    if kind == "causal": return nn.Transformer.generate_square_subsequent_mask(sizes[0])
    raise ValueError(kind)

def given(kw, salt=40):
    return {k: tensor(v, salt + i) if isinstance(v, list) and isinstance(v[-1], str) else v for i, (k, v) in enumerate(kw.items())}

cases = []
def record(rec, run, xs, params):
    torch.manual_seed(1)
    out = [t for t in run() if t is not None]
    rec["out"] = [summary(t) for t in out]
    sum((t * cotangent(t)).sum() for t in out).backward()
    rec["grads"] = [summary(x.grad) for x in xs]
    rec["param_grads"] = {n: summary(p.grad) for n, p in params}
    cases.append(rec)

def case(name, args, kw, inputs, options=None, mode="train"):
    """`inputs`: specs, or the number of an input that is the same tensor."""
    options = options or {}
    torch.manual_seed(0)
    def arg(v): return getattr(F, v[2:]) if isinstance(v, str) and v.startswith("F.") else getattr(nn, v[3:])() if isinstance(v, str) and v.startswith("nn.") else v
    build = {k: arg(v) for k, v in kw.items()}
    if name in ("TransformerEncoder", "TransformerDecoder"):
        layer = getattr(nn, name + "Layer")(*args[0], **build)
        m = getattr(nn, name)(layer, args[1], nn.LayerNorm(args[0][0]) if args[2] else None)
    else:
        m = getattr(nn, name)(*args, **build)
    rec = {"module": name, "args": args, "kw": kw, "inputs": inputs, "options": options, "mode": mode, "repr": repr(m),
           "state": {n: summary(t) for n, t in m.state_dict().items()}}
    if mode == "eval": m.eval()
    xs = []
    for i, spec in enumerate(inputs): xs.append(xs[spec] if isinstance(spec, int) else tensor(spec, i))
    opts = given(options)
    def run():
        out = m(*xs, **opts)
        return out if isinstance(out, tuple) else (out,)
    record(rec, run, xs, list(m.named_parameters()))

f = lambda *s: [list(s), "float"]
h = lambda *s: [list(s), "hidden"]
a = lambda *s: [list(s), "added"]
c = lambda n: [[n, n], "causal"]
M = "MultiheadAttention"
qkv = [f(5, 2, 8), f(7, 2, 8), f(7, 2, 8)]
case(M, [8, 2], {}, [f(5, 2, 8), 0, 0])
case(M, [8, 2], {}, [f(5, 2, 8), f(7, 2, 8), 1])
case(M, [8, 4], {}, qkv)
case(M, [8, 2], {"bias": False}, qkv)
case(M, [8, 2], {"add_bias_kv": True, "add_zero_attn": True}, qkv, {"attn_mask": h(5, 7), "key_padding_mask": h(2, 7)})
case(M, [8, 2], {"add_bias_kv": True}, [f(5, 8), f(7, 8), f(7, 8)], {"attn_mask": a(2, 5, 7)})
case(M, [8, 2], {"add_zero_attn": True}, qkv, {"key_padding_mask": a(2, 7), "need_weights": False})
case(M, [8, 2], {"kdim": 3, "vdim": 6}, [f(5, 2, 8), f(7, 2, 3), f(7, 2, 6)])
case(M, [8, 2], {"kdim": 3, "bias": False}, [f(5, 2, 8), f(7, 2, 3), f(7, 2, 8)], {"need_weights": False})
case(M, [8, 2], {"kdim": 3, "vdim": 6, "add_bias_kv": True, "batch_first": True}, [f(2, 5, 8), f(2, 7, 3), f(2, 7, 6)], {"average_attn_weights": False})
case(M, [8, 2], {"batch_first": True}, [f(2, 5, 8), 0, 0], {"attn_mask": c(5)})
case(M, [8, 2], {"batch_first": True}, [f(2, 5, 8), 0, 0], {"attn_mask": c(5), "need_weights": False})
case(M, [8, 2], {"batch_first": True}, [f(5, 8), f(7, 8), 1], {"average_attn_weights": False, "key_padding_mask": h(7)})
case(M, [8, 2], {}, [f(5, 8), 0, 0], {"attn_mask": a(5, 5), "key_padding_mask": h(5)})
case(M, [8, 2], {}, qkv, {"attn_mask": h(4, 5, 7), "key_padding_mask": h(2, 7)})
case(M, [8, 2], {}, qkv, {"attn_mask": a(4, 5, 7), "key_padding_mask": h(2, 7), "average_attn_weights": False})
case(M, [8, 2], {"dropout": 0.3}, qkv)
case(M, [8, 2], {"dropout": 0.3}, qkv, {"need_weights": False})
case(M, [8, 2], {"dropout": 0.3}, qkv, mode="eval")

E = "TransformerEncoderLayer"
small = {"dim_feedforward": 6, "dropout": 0}
for norm_first in [False, True]:
    case(E, [4, 2], {**small, "norm_first": norm_first}, [f(5, 2, 4)])
    case(E, [4, 2, 6], {"norm_first": norm_first}, [f(5, 2, 4)])
case(E, [4, 2, 6, 0.5], {"batch_first": True, "activation": "gelu"}, [f(2, 5, 4)], {"src_mask": c(5)}, mode="eval")
case(E, [4, 2, 6, 0.5], {"activation": "F.gelu"}, [f(5, 2, 4)], {"src_mask": c(5), "src_key_padding_mask": h(2, 5)})
case(E, [4, 1, 6, 0], {"activation": "nn.Tanh", "layer_norm_eps": 0.001}, [f(5, 4)])
case("TransformerEncoder", [[4, 2, 6, 0.2], 2, True], {}, [f(5, 2, 4)], {"mask": c(5), "src_key_padding_mask": h(2, 5)})
case("TransformerEncoder", [[4, 2, 6, 0.2], 2, False], {"batch_first": True}, [f(2, 5, 4)], {"src_key_padding_mask": h(2, 5)}, mode="eval")
D = "TransformerDecoderLayer"
for norm_first in [False, True]:
    case(D, [4, 2], {**small, "norm_first": norm_first}, [f(5, 2, 4), f(3, 2, 4)], {"tgt_mask": c(5), "memory_mask": a(5, 3)})
case(D, [4, 2, 6], {"batch_first": True, "activation": "gelu"}, [f(2, 5, 4), f(2, 3, 4)], {"tgt_key_padding_mask": h(2, 5), "memory_key_padding_mask": h(2, 3)})
case("TransformerDecoder", [[4, 2, 6, 0.1], 2, True], {"norm_first": True}, [f(5, 4), f(3, 4)], {"tgt_mask": c(5)})
T = "Transformer"
case(T, [4, 2, 1, 2, 6], {}, [f(3, 2, 4), f(5, 2, 4)], {"tgt_mask": c(5)})
case(T, [4, 2, 2, 1, 6, 0, "gelu"], {"batch_first": True, "norm_first": True}, [f(2, 3, 4), f(2, 5, 4)], {"src_mask": a(3, 3), "tgt_mask": a(5, 5), "memory_mask": a(5, 3), "src_key_padding_mask": h(2, 3), "tgt_key_padding_mask": h(2, 5), "memory_key_padding_mask": h(2, 3)}, mode="eval")

# F.multi_head_attention_forward where keys and values are given already projected
def functional(kw):
    x, w, b, wo, bo = [values(s, i, 0.5).detach().requires_grad_() for i, s in enumerate([(5, 2, 4), (12, 4), (12,), (4, 4), (4,)])]
    opts = given(kw)
    rec = {"module": "", "args": [], "kw": {}, "inputs": [], "options": kw, "mode": "train", "repr": "", "state": {}}
    record(rec, lambda: F.multi_head_attention_forward(x, x, x, 4, 2, w, b, None, None, False, 0.0, wo, bo, **opts), [x, w, b, wo, bo], [])
functional({})
functional({"static_k": a(4, 3, 2), "static_v": a(4, 3, 2), "average_attn_weights": False})

errors = {}
def error(name, f):
    try: f()
    except Exception as e: errors[name] = [type(e).__name__, str(e)]
    else: raise RuntimeError(name)
z = torch.zeros
mha = nn.MultiheadAttention(4, 2)
error("heads", lambda: nn.MultiheadAttention(5, 2))
error("dims", lambda: mha(z(1, 2, 3, 4), z(2, 4), z(2, 4)))
error("batched key", lambda: mha(z(5, 2, 4), z(5, 4), z(5, 4)))
error("unbatched key", lambda: mha(z(5, 4), z(5, 2, 4), z(5, 2, 4)))
error("padding dims", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), key_padding_mask=z(5).bool()))
error("unbatched padding dims", lambda: mha(z(5, 4), z(5, 4), z(5, 4), key_padding_mask=z(2, 5).bool()))
error("padding dtype", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), key_padding_mask=z(2, 5).long()))
error("padding sizes", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), key_padding_mask=z(5, 2).bool()))
error("mask dims", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), attn_mask=z(5)))
error("mask dtype", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), attn_mask=z(5, 5).long()))
error("mask sizes", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), attn_mask=z(5, 6)))
error("mask sizes 3", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4), attn_mask=z(2, 5, 5)))
error("unbatched mask sizes", lambda: mha(z(5, 4), z(5, 4), z(5, 4), attn_mask=z(3, 5, 5)))
error("embedding", lambda: mha(z(5, 2, 6), z(5, 2, 6), z(5, 2, 6)))
error("key and value", lambda: mha(z(5, 2, 4), z(5, 2, 4), z(6, 2, 4)))
error("key and value apart", lambda: nn.MultiheadAttention(4, 2, kdim=3)(z(5, 2, 4), z(5, 2, 3), z(6, 2, 4)))
error("key width", lambda: nn.MultiheadAttention(4, 2, kdim=3)(z(5, 2, 4), z(5, 2, 4), z(5, 2, 4)))
error("activation", lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"))
tr = nn.Transformer(4, 2, 1, 1, 4)
error("batches", lambda: tr(z(3, 2, 4), z(3, 1, 4)))
error("features", lambda: tr(z(3, 2, 4), z(3, 2, 6)))

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "transformer.json"), "w") as out:
    rows = ",\n".join(json.dumps(x, separators=(",", ":")) for x in cases)
    out.write('{"cases": [\n' + rows + '\n],\n"errors": ' + json.dumps(errors, indent=1) + "}\n")
print(len(cases), "cases", os.path.getsize(os.path.join(here, "transformer.json")), "bytes")
