"""Records what PyTorch 1.13.1 makes of packed sequences: packing, padding, their gradients, errors, and RNN, LSTM and GRU over them.

usage: python3 test/data/nn/packing.py
Writes packing.json beside this file. Inputs are numbers by a formula (see `values`).
"""
import json, math, os, warnings
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, invert_permutation, pack_padded_sequence, pack_sequence, pad_packed_sequence, unpack_sequence
warnings.filterwarnings("ignore")

def values(sizes, salt):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    return torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float().reshape(sizes)
def leaf(sizes, salt): return values(sizes, salt).requires_grad_()
def cotangent(t):
    return torch.tensor([((i % 7) - 3) / 4 + 0.25 for i in range(t.numel())], dtype=torch.float64).to(t.dtype).reshape(t.shape)
def summary(t):
    flat = t.detach().flatten().double().tolist()
    num = lambda x: float("%.8g" % x)
    return {"s": list(t.shape), "v": [num(x) for x in flat[:4] + flat[-4:]], "sum": num(sum(x * math.cos(i + 1) for i, x in enumerate(flat)))}
def nums(t): return None if t is None else t.tolist()
def packed(p): return {"data": summary(p.data), "batch_sizes": nums(p.batch_sizes), "sorted_indices": nums(p.sorted_indices), "unsorted_indices": nums(p.unsorted_indices)}
def backward(*outs): sum((t * cotangent(t)).sum() for t in outs).backward()

out = {"pack": [], "pad": [], "run": [], "errors": {}}
for sizes, lengths, batch_first, enforce_sorted in [
    ((4, 3, 2), [4, 2, 1], False, True), ((4, 3, 2), [3, 3, 3], False, True), ((3, 4, 2), [4, 2, 2], True, True),
    ((3, 5), [1, 3, 2, 3, 1], False, False), ((5, 3, 2, 2), [2, 3, 1, 3, 1], True, False), ((2, 1, 3), [1], False, False)]:
    x = leaf(sizes, 1)
    p = pack_padded_sequence(x, lengths, batch_first, enforce_sorted)
    backward(p.data)
    out["pack"].append({"sizes": sizes, "lengths": lengths, "batch_first": batch_first, "enforce_sorted": enforce_sorted, "packed": packed(p), "grad": summary(x.grad), "node": p.data.grad_fn.name()})
for lengths, rest, kw in [([4, 2, 1], [2], {}), ([3, 3], [], {"batch_first": True}), ([1, 3, 2], [2], {"padding_value": -1.5, "total_length": 5}),
                          ([2, 3, 1], [2, 2], {"batch_first": True, "padding_value": float("inf"), "total_length": 4})]:
    seqs = [leaf([n] + rest, i) for i, n in enumerate(lengths)]
    p = pack_sequence(seqs, enforce_sorted=False)
    padded, sizes = pad_packed_sequence(p, **kw)
    finite = padded.masked_fill(padded == float("inf"), 7.0)
    backward(finite)
    out["pad"].append({"lengths": lengths, "rest": rest, "kw": {k: "inf" if v == float("inf") else v for k, v in kw.items()}, "repr": repr(PackedSequence(p.data.detach(), *p[1:])), "padded": summary(finite),
                       "sizes": nums(sizes), "grads": [summary(s.grad) for s in seqs], "unpacked": [summary(t) for t in unpack_sequence(p)]})
for name in ["RNN", "LSTM", "GRU"]:
    for args, kw, lengths, states in [
        ([2, 3], {}, [5, 3, 3, 1], False), ([2, 3], {}, [2, 5, 1, 4, 5], True), ([2, 3, 2], {"bidirectional": True}, [3, 5, 1, 4], True),
        ([2, 3, 2], {"bias": False, "dropout": 0.4}, [3, 5, 2], False), ([2, 3], {"batch_first": True, "bidirectional": True}, [1], True),
        ([2, 4], {"proj_size": 3, "bidirectional": True}, [2, 4, 1], True), ([2, 3], {"nonlinearity": "relu", "bidirectional": True}, [2, 4, 1], True)]:
        if ("proj_size" in kw and name != "LSTM") or ("nonlinearity" in kw and name != "RNN"): continue
        torch.manual_seed(0)
        m = getattr(nn, name)(*args, **kw)
        seqs = [leaf([n, 2], i) for i, n in enumerate(lengths)]
        count = m.num_layers * (2 if m.bidirectional else 1)
        sizes = [[count, len(lengths), m.proj_size or m.hidden_size]] + ([[count, len(lengths), m.hidden_size]] if name == "LSTM" else [])
        hx = [leaf(s, 50 + i) for i, s in enumerate(sizes)] if states else []
        torch.manual_seed(1)
        y, last = m(pack_sequence(seqs, enforce_sorted=False), *([tuple(hx)] if name == "LSTM" and states else hx))
        last = list(last) if name == "LSTM" else [last]
        backward(y.data, *last)
        out["run"].append({"module": name, "args": args, "kw": kw, "lengths": lengths, "hx": [list(h.shape) for h in hx], "out": packed(y), "last": [summary(t) for t in last],
                           "grads": [summary(t.grad) for t in [*seqs, *hx]], "param_grads": {n: summary(p.grad) for n, p in m.named_parameters()}, "node": y.data.grad_fn.name()})

def error(name, f):
    try: f()
    except Exception as e: out["errors"][name] = [type(e).__name__, str(e)]
    else: raise RuntimeError(name)
z = torch.zeros
error("length 0", lambda: pack_padded_sequence(z(3, 2, 1), [3, 0]))
error("unsorted", lambda: pack_padded_sequence(z(3, 2, 1), [2, 3]))
error("too many lengths", lambda: pack_padded_sequence(z(3, 2, 1), [3, 2, 1]))
error("one dimension", lambda: pack_padded_sequence(z(3), [3]))
error("matrix of lengths", lambda: pack_padded_sequence(z(3, 2, 1), torch.tensor([[3, 1]])))
error("empty", lambda: pack_padded_sequence(z(3, 0, 1), []))
error("total length", lambda: pad_packed_sequence(pack_sequence([z(3)]), total_length=2))
error("constructor", lambda: PackedSequence(z(3)))
lstm, gru, q = nn.LSTM(1, 2), nn.GRU(1, 2), pack_sequence([z(2, 1), z(1, 1)])
error("cell", lambda: lstm(q, (z(1, 2, 2), z(1, 2, 3))))
error("hidden", lambda: lstm(q, (z(1, 1, 2), z(1, 2, 2))))
error("features", lambda: lstm(pack_sequence([z(2, 3), z(1, 3)])))
error("gru hidden", lambda: gru(q, z(1, 3, 2)))
error("gru hidden dims", lambda: gru(q, z(2, 2)))
error("data dims", lambda: gru(pack_sequence([z(2, 3, 1), z(1, 3, 1)])))
error("dtype", lambda: lstm(q, (z(1, 2, 2).double(), z(1, 2, 2).double())))

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "packing.json"), "w") as f:
    lists = ",\n".join(json.dumps(k) + ": [\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out[k]) + "\n]" for k in ["pack", "pad", "run"])
    f.write("{" + lists + ',\n"errors": ' + json.dumps(out["errors"], indent=1) + "}\n")
