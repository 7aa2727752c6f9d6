"""Records PyTorch's autocast on the CPU: dtypes of results, and a step of training. python3 -P make.py"""
import json
import os

import torch
import torch.nn.functional as F

b = torch.bfloat16


def numbers(*sizes, dtype=torch.float32, low=-1.0):
    """As `numbers` in test/ops/autocast.test.ts."""
    n = 1
    for s in sizes:
        n *= s
    return torch.linspace(low, 1, n, dtype=torch.float64).to(dtype).view(sizes)


r = numbers
calls = {
    "mm": lambda: torch.mm(r(2, 2), r(2, 2)),
    "mm float64": lambda: torch.mm(r(2, 2, dtype=torch.float64), r(2, 2, dtype=torch.float64)),
    "mm int64": lambda: torch.mm(torch.ones(2, 2, dtype=torch.int64), torch.ones(2, 2, dtype=torch.int64)),
    "mm out": lambda: torch.mm(r(2, 2), r(2, 2), out=torch.empty(2, 2)),
    "bmm": lambda: torch.bmm(r(1, 2, 2), r(1, 2, 2)),
    "addmm": lambda: torch.addmm(r(2, 2), r(2, 2), r(2, 2)),
    "baddbmm": lambda: torch.baddbmm(r(1, 2, 2), r(1, 2, 2), r(1, 2, 2)),
    "matmul of vectors": lambda: torch.matmul(r(2), r(2)),
    "mv": lambda: torch.mv(r(2, 2), r(2)),
    "dot": lambda: torch.dot(r(2), r(2)),
    "einsum": lambda: torch.einsum("ij,jk->ik", r(2, 2), r(2, 2)),
    "linear": lambda: F.linear(r(2, 3), r(4, 3), r(4)),
    "Linear": lambda: torch.nn.Linear(3, 4)(r(2, 3)),
    "conv1d": lambda: F.conv1d(r(1, 2, 5), r(3, 2, 3)),
    "conv2d": lambda: F.conv2d(r(1, 2, 5, 5), r(3, 2, 3, 3), r(3)),
    "Conv2d": lambda: torch.nn.Conv2d(2, 3, 3)(r(1, 2, 5, 5)),
    "conv_transpose2d": lambda: F.conv_transpose2d(r(1, 2, 5, 5), r(2, 3, 3, 3)),
    "softmax of bfloat16": lambda: torch.softmax(r(2, 2, dtype=b), 1),
    "layer_norm": lambda: F.layer_norm(r(2, 4), (4,)),
    "add of a product": lambda: torch.mm(r(2, 2), r(2, 2)) + r(2, 2),
    "mse_loss": lambda: F.mse_loss(r(2, dtype=b), r(2)),
    "l1_loss": lambda: F.l1_loss(r(2, dtype=b), r(2, dtype=b)),
    "smooth_l1_loss": lambda: F.smooth_l1_loss(r(2, dtype=b), r(2, dtype=b)),
    "huber_loss": lambda: F.huber_loss(r(2, dtype=b), r(2, dtype=b)),
    "cross_entropy": lambda: F.cross_entropy(r(2, 3, dtype=b), torch.tensor([0, 1])),
    "nll_loss": lambda: F.nll_loss(r(2, 3, dtype=b), torch.tensor([0, 1])),
    "kl_div": lambda: F.kl_div(r(2, dtype=b), r(2, dtype=b, low=0.5), reduction="sum"),
    "binary_cross_entropy": lambda: F.binary_cross_entropy(r(2, dtype=b, low=0.5), r(2, low=0)),
    "binary_cross_entropy_with_logits": lambda: F.binary_cross_entropy_with_logits(r(2, dtype=b), r(2, dtype=b)),
    "cosine_embedding_loss": lambda: F.cosine_embedding_loss(r(2, 3, dtype=b), r(2, 3, dtype=b), torch.ones(2)),
    "triplet_margin_loss": lambda: F.triplet_margin_loss(r(2, 3, dtype=b), r(2, 3, dtype=b), r(2, 3, dtype=b)),
    "prod": lambda: torch.prod(r(3, dtype=b)),
    "sum": lambda: torch.sum(r(3, dtype=b)),
    "trace": lambda: torch.trace(r(2, 2, dtype=b)),
    "quantile": lambda: torch.quantile(r(4, dtype=b), 0.5),
    "inverse": lambda: torch.inverse(torch.eye(2).to(b)),
    "linalg.qr": lambda: torch.linalg.qr(torch.eye(2).to(b))[0],
    "linalg.svdvals": lambda: torch.linalg.svdvals(torch.eye(2).to(b)),
    "polar": lambda: torch.polar(r(2, dtype=b), r(2, dtype=b)),
    "adaptive_avg_pool3d": lambda: F.adaptive_avg_pool3d(r(1, 1, 4, 4, 4, dtype=b), 2),
    "max_pool3d": lambda: F.max_pool3d(r(1, 1, 4, 4, 4, dtype=b), 2),
    "pad": lambda: F.pad(r(1, 1, 4, dtype=b), (1, 1)),
    "grid_sample": lambda: F.grid_sample(r(1, 1, 3, 3, dtype=b), r(1, 2, 2, 2, dtype=b), align_corners=False),
    "cat": lambda: torch.cat([r(2, dtype=b), r(2)]),
    "cat of bfloat16": lambda: torch.cat([r(2, dtype=b), r(2, dtype=b)]),
    "cat with float64": lambda: torch.cat([r(2, dtype=b), r(2, dtype=torch.float64)]),
    "stack": lambda: torch.stack([r(2, dtype=b), r(2)]),
    "index_copy": lambda: torch.index_copy(r(3, dtype=b), 0, torch.tensor([0]), r(1)),
}

with torch.autocast("cpu"):
    results = {}
    for name, call in calls.items():
        out = call()
        pairs = torch.view_as_real(out) if out.is_complex() else out
        random = name in ("Linear", "Conv2d")
        results[name] = [str(out.dtype), None if random else pairs.double().flatten().tolist()]

w1 = numbers(5, 3).requires_grad_()
b1 = numbers(5).requires_grad_()
w2 = numbers(2, 5).requires_grad_()
x = numbers(4, 3)
with torch.autocast("cpu"):
    hidden = F.relu(F.linear(x, w1, b1))
    y = F.linear(hidden, w2) + F.linear(hidden, w2)
    loss = F.cross_entropy(y, torch.tensor([0, 1, 0, 1]))
loss.backward()
step = {
    "dtypes": [str(hidden.dtype), str(y.dtype), str(loss.dtype)],
    "node": type(y.grad_fn).__name__,
    "loss": loss.item(),
    "grads": [t.grad.flatten().tolist() for t in (w1, b1, w2)],
}

here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "expected.json"), "w") as f:
    json.dump({"results": results, "step": step}, f, separators=(",", ":"))
    f.write("\n")
