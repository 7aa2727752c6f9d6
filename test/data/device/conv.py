"""Makes conv.json: convolutions and their gradients by PyTorch 1.13, on small whole numbers so that they are exact.

Element i of an input, a weight and an output gradient is (7 i) % 11 - 5, (5 i) % 7 - 3 and (3 i) % 5 - 2.
"""
import json
from pathlib import Path
import torch

def fill(sizes, a, m, c):
  n = torch.Size(sizes).numel()
  return ((torch.arange(n) * a) % m - c).to(torch.float64).reshape(sizes)

cases = []
for batch, groups, cin, cout, size, kernel, stride, padding, dilation in [
  (1, 1, 1, 1, (4, 5), (3, 2), (1, 1), (0, 0), (1, 1)),
  (2, 1, 3, 4, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1)),
  (2, 1, 2, 3, (7, 6), (3, 2), (2, 3), (1, 0), (1, 1)),
  (1, 1, 2, 2, (8, 7), (2, 3), (1, 2), (2, 3), (2, 2)),
  (2, 2, 4, 6, (4, 4), (2, 2), (1, 1), (0, 1), (1, 1)),
  (1, 3, 3, 3, (5, 4), (3, 3), (2, 1), (1, 1), (1, 1)),
  (2, 1, 2, 2, (1, 9), (1, 4), (1, 2), (0, 1), (1, 2)),
]:
  x = fill((batch, cin, *size), 7, 11, 5).requires_grad_()
  w = fill((cout, cin // groups, *kernel), 5, 7, 3).requires_grad_()
  y = torch.nn.functional.conv2d(x, w, None, stride, padding, dilation, groups)
  y.backward(fill(y.shape, 3, 5, 2))
  ints = lambda t: [int(v) for v in t.flatten().tolist()]
  cases.append(dict(batch=batch, groups=groups, in_channels=cin, out_channels=cout, in_size=size, out_size=list(y.shape[2:]),
    kernel=kernel, stride=stride, padding=padding, dilation=dilation,
    output=ints(y), input_grad=ints(x.grad), weight_grad=ints(w.grad)))
(Path(__file__).parent / 'conv.json').write_text('[\n' + ',\n'.join(' ' + json.dumps(c) for c in cases) + '\n]\n')
