"""Records what PyTorch 1.13.1's torch.nn.functional gives in the calls of test/nn/functional.test.ts.

usage: python3 test/data/nn/functional.py
Writes functional.json: names of graph nodes, values, warnings.
"""
import json, math, os, warnings
import torch
import torch.nn.functional as F

z = lambda *s: torch.zeros(*s)

def values(sizes, kind, salt):
    raw = [((i + 1) * 7919 + salt * 104729) % 997 for i in range(math.prod(sizes))]
    if kind.startswith("int:"): return torch.tensor([r % int(kind[4:]) for r in raw]).reshape(sizes)
    return torch.tensor([r / 997 * 3 - 1.5 for r in raw], dtype=torch.float64).float().reshape(sizes)

def enc(t):
    num = lambda x: "nan" if math.isnan(x) else "inf" if x == math.inf else "-inf" if x == -math.inf else float("%.9g" % x)
    v = t.detach().flatten().tolist()
    return {"t": str(t.dtype)[6:], "s": list(t.shape), "v": [num(x) for x in v] if t.is_floating_point() else v}

def chain(t):
    names, node = [], t.grad_fn
    while node is not None:
        names.append(node.name().split("::")[-1])
        node = node.next_functions[0][0] if node.next_functions else None
    return names

warnings.simplefilter("ignore")
x = values([2, 4], "float", 0).requires_grad_()
image = values([1, 2, 4, 4], "float", 1).requires_grad_()
line = values([1, 2, 6], "float", 2).requires_grad_()
w = values([3, 4], "float", 3)
labels = torch.tensor([1, 3])
nodes = {
    "linear": F.linear(x, w, z(3)),
    "linear 3d": F.linear(x.unsqueeze(0), w, z(3)),
    "linear no bias": F.linear(x, w),
    "conv2d": F.conv2d(image, z(3, 2, 3, 3), z(3)),
    "conv1d": F.conv1d(line, z(3, 2, 3)),
    "conv_transpose2d": F.conv_transpose2d(image, z(2, 3, 3, 3)),
    "max_pool2d": F.max_pool2d(image, 2),
    "max_pool1d": F.max_pool1d(line, 2),
    "avg_pool2d": F.avg_pool2d(image, 2),
    "avg_pool1d": F.avg_pool1d(line, 2),
    "adaptive_avg_pool2d": F.adaptive_avg_pool2d(image, 2),
    "adaptive_avg_pool2d 1": F.adaptive_avg_pool2d(image, 1),
    "adaptive_avg_pool1d": F.adaptive_avg_pool1d(line, 2),
    "adaptive_max_pool1d": F.adaptive_max_pool1d(line, 2),
    "batch_norm": F.batch_norm(x, None, None, training=True),
    "layer_norm": F.layer_norm(x, [4]),
    "group_norm": F.group_norm(line, 2),
    "relu": F.relu(x), "gelu": F.gelu(x), "leaky_relu": F.leaky_relu(x),
    "softmax": F.softmax(x, 1), "log_softmax": F.log_softmax(x, 1), "softmin": F.softmin(x, 1),
    "dropout": F.dropout(x),
    "embedding": F.embedding(labels.clamp(max=1), x),
    "pad": F.pad(x, [1, 1]), "pad reflect": F.pad(line, [1, 1], "reflect"),
    "pixel_shuffle": F.pixel_shuffle(values([1, 4, 2, 2], "float", 0).requires_grad_(), 2),
    "unfold": F.unfold(image, 2),
    "interpolate nearest": F.interpolate(line, 3),
    "interpolate bilinear": F.interpolate(image, 3, mode="bilinear"),
    "mse_loss": F.mse_loss(x, z(2, 4)), "l1_loss": F.l1_loss(x, z(2, 4)), "smooth_l1_loss": F.smooth_l1_loss(x, z(2, 4)),
    "huber_loss": F.huber_loss(x, z(2, 4)),
    "cross_entropy": F.cross_entropy(x, labels), "nll_loss": F.nll_loss(x, labels),
    "binary_cross_entropy": F.binary_cross_entropy(x.sigmoid(), z(2, 4)),
    "binary_cross_entropy_with_logits": F.binary_cross_entropy_with_logits(x, z(2, 4)),
    "kl_div": F.kl_div(x, z(2, 4) + 1, reduction="sum"),
    "normalize": F.normalize(x),
    "cosine_similarity": F.cosine_similarity(x, z(2, 4) + 1),
}

q, k, v = values([2, 3, 4], "float", 1), values([2, 5, 4], "float", 2), values([2, 5, 3], "float", 3)
mask = values([3, 5], "int:3", 4) > 0
def seeded(f):
    torch.manual_seed(3); return f()
weight = values([4, 3], "float", 1)
mean, var = z(3), torch.ones(3)
vals = {
    "attention": list(F._scaled_dot_product_attention(q, k, v, None, 0.0, True)),
    "attention masked": list(F._scaled_dot_product_attention(q, k, v, mask, 0.0, True)),
    "attention causal": [F._scaled_dot_product_attention(q, q, q, None, 0.0, True, True)[0]],
    "rrelu": seeded(lambda: [F.rrelu(values([4, 5], "float", 1), training=True)]),
    "gumbel_softmax": seeded(lambda: [F.gumbel_softmax(values([2, 5], "float", 1), tau=0.5), F.gumbel_softmax(values([2, 5], "float", 1), hard=True)]),
    "one_hot": [F.one_hot(torch.tensor([[0, 2], [1, 1]])), F.one_hot(torch.tensor([1]), 3)],
    "triplet_margin_with_distance_loss": [F.triplet_margin_with_distance_loss(q, q * 0.5, q.flip(0), distance_function=lambda a, b: (a - b).abs().amax(-1), margin=0.5, swap=True)],
    "upsample_bilinear": [F.upsample_bilinear(values([1, 1, 2, 3], "float", 0), scale_factor=2)],
    "embedding max_norm": [F.embedding(torch.tensor([1, 3, 1]), weight, max_norm=0.5), weight],
    "cross_entropy ignoring all": [F.cross_entropy(z(2, 3), torch.tensor([-100, -100]))],
    "bfloat16": [F.gelu(values([6], "float", 1).bfloat16()), F.linear(q.bfloat16(), k[0].bfloat16())],
    "batch_norm running": [F.batch_norm(values([4, 3], "float", 1), mean, var, training=True, momentum=0.3), mean, var],
}

def warning(f):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        f()
    return str(seen[0].message)

out = {
    "nodes": {n: chain(t) for n, t in nodes.items()},
    "values": {n: [enc(t) for t in ts] for n, ts in vals.items()},
    "warnings": {
        "softmax": warning(lambda: F.softmax(z(2, 3))),
        "log_softmax": warning(lambda: F.log_softmax(z(3))),
        "mse": warning(lambda: F.mse_loss(z(2), z(2, 1))),
        "size_average": warning(lambda: F.mse_loss(z(2), z(2), size_average=False)),
        "kl_div": warning(lambda: F.kl_div(z(2), z(2))),
        "dropout2d": warning(lambda: F.dropout2d(z(2, 3))),
        "upsample": warning(lambda: F.upsample(z(1, 1, 2), 4)),
    },
}
json.dump(out, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "functional.json"), "w"), indent=1)
print("ok")
