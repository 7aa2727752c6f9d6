"""Records what PyTorch 1.13.1 makes of calls that the samples of ops do not cover: spatial functions of torch.nn.functional.

usage: python3 -P test/data/ops/make_spatial.py
Writes spatial.json beside this file: per case the call, its tensors, the result, and the gradients of sum(result^2 / 2).
"""
import json, os
import torch
import torch.nn.functional as F

torch.manual_seed(0)
cases = []

def enc(t):
    return {"dtype": str(t.dtype)[6:], "shape": list(t.shape),
            "values": torch.view_as_real(t).flatten().tolist() if t.is_complex() else t.flatten().tolist()}

def case(name, tensors, args=(), options=None):
    given = [t.clone().requires_grad_(t.is_floating_point() or t.is_complex()) for t in tensors]
    out = getattr(F, name)(*given, *args, **(options or {}))
    leaves = [t for t in given if t.requires_grad]
    loss = (out * out.conj()).real.sum() / 2
    grads = torch.autograd.grad(loss, leaves)
    cases.append({"name": name, "tensors": [enc(t) for t in tensors], "args": list(args), "options": options or {},
                  "out": enc(out.detach()), "grads": [enc(g) for g in grads]})

d = torch.float64
r = lambda *s, dtype=d: torch.randn(*s, dtype=dtype)
for mode in ("bilinear", "nearest", "bicubic"):
    for padding in ("zeros", "border", "reflection"):
        for align in (False, True):
            options = {"mode": mode, "padding_mode": padding, "align_corners": align}
            case("grid_sample", [r(2, 2, 3, 4), r(2, 3, 2, 2) * 1.5], (), options)
            if mode != "bicubic":
                case("grid_sample", [r(1, 2, 3, 2, 3), r(1, 2, 1, 3, 3) * 1.5], (), options)
for align in (False, True):
    case("affine_grid", [r(2, 2, 3)], ([2, 1, 2, 3],), {"align_corners": align})
    case("affine_grid", [r(1, 3, 4)], ([1, 1, 2, 1, 3],), {"align_corners": align})
c = torch.complex128
case("conv1d", [r(1, 2, 5, dtype=c), r(3, 2, 2, dtype=c), r(3, dtype=c)])
case("conv2d", [r(1, 2, 4, 3, dtype=c), r(2, 1, 2, 2, dtype=c)], (), {"groups": 2, "padding": 1})
case("conv3d", [r(1, 2, 2, 3, 3, dtype=c), r(2, 2, 1, 2, 2, dtype=c), r(2, dtype=c)], (), {"stride": 2})
case("conv_transpose1d", [r(1, 2, 4, dtype=c), r(2, 2, 2, dtype=c), r(2, dtype=c)], (), {"stride": 2})
u = lambda *s: torch.rand(*s, dtype=d)
for n, s in ((2, (2, 3, 7, 6)), (3, (1, 2, 5, 6, 5))):
    name = f"fractional_max_pool{n}d"
    samples = u(s[0], s[1], n).float()

    x = torch.randn(*s)
    y = x.clone().requires_grad_()
    out = getattr(F, name)(y, 2, 3, _random_samples=samples)
    (grad,) = torch.autograd.grad((out * out).sum() / 2, y)
    cases.append({"name": name, "tensors": [enc(x)], "args": [2, 3], "options": {}, "samples": enc(samples),
                  "out": enc(out.detach()), "grads": [enc(grad)]})

here = os.path.dirname(os.path.abspath(__file__))
json.dump(cases, open(os.path.join(here, "spatial.json"), "w"))
