"""Makes print.json: how PyTorch 1.13.1 prints tensors. Run: python3 print.py > print.json

A case: the tensor ("values", flat, with "shape" and "dtype", or "arange" with a "scale"; "permute" afterwards), the
print options it was printed with, and the text.
"""
import json
import random

import torch

random.seed(0)
torch.manual_seed(0)
cases = []


def number(x):
    if isinstance(x, complex):
        return [number(x.real), number(x.imag)]
    if isinstance(x, float) and (x != x or x in (float('inf'), float('-inf'))):
        return 'nan' if x != x else 'inf' if x > 0 else '-inf'
    if isinstance(x, float) and x == 0 and str(x) == '-0.0':
        return '-0'
    if isinstance(x, int) and abs(x) > 2**53:
        return str(x)  # JSON numbers are doubles
    return x


def case(values=None, shape=None, dtype=torch.float32, permute=None, arange=None, scale=1, requires_grad=False, **options):
    if arange is not None:
        t = (torch.arange(arange, dtype=torch.float64) * scale).to(dtype).reshape(shape or [arange])
    else:
        t = torch.tensor(values, dtype=dtype).reshape(shape if shape is not None else [len(values)])
    if permute:
        t = t.permute(permute)
    if requires_grad:
        t.requires_grad_()
    entry = {'dtype': str(t.dtype)[6:]}
    if arange is not None:
        entry.update(arange=arange, scale=scale)
    else:
        entry.update(values=[number(x) for x in values])
    if shape is not None:
        entry['shape'] = shape
    if permute:
        entry['permute'] = permute
    if requires_grad:
        entry['requires_grad'] = True
    if options:
        entry['options'] = options
    torch.set_printoptions(profile='default')
    torch.set_printoptions(**options)
    entry['text'] = repr(t)
    torch.set_printoptions(profile='default')
    cases.append(entry)


nan, inf = float('nan'), float('inf')
F, D, H, B = torch.float32, torch.float64, torch.float16, torch.bfloat16
ints = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]

# scalars
for v in [3., 0., -0., 2.5e10, 1e-5, nan, inf, -inf, 0.1, 1234567., 16777216., 1e8, 1.5e8, 100000000., 99999.5, 0.03125, 0.00015]:
    for dtype in (F, D):
        case([v], [], dtype)
for v in [1.5, 65504., 0.1, 1e-7]:
    case([v], [], H)
    case([v], [], B)
for dtype in ints:
    case([3], [], dtype)
case([True], [], torch.bool)
case([2**62], [], torch.int64)
case([-2**63, 2**63 - 1], None, torch.int64)

# empty
for shape in ([0], [0, 3], [2, 0], [1, 0, 2]):
    for dtype in (F, D, torch.int64, torch.bool, torch.complex64):
        case([], shape, dtype)

# floats in one row
rows = [
    [1, 2.5, 3], [1000, 1, 0.001], [1e5, 1], [1e8, 1], [1e9, 1], [1e-4, 1], [1, nan, inf, -inf], [0.1, -0.2], [1, -2, 100],
    [1e10, 2e10], [12345.678, 0.1], [100000.5], [1e8], [-0., 0.], [1e-5], [1 / 3, 1000], [1000, 1], [1001, 1], [nan, nan],
    [inf], [0., 0.], [0., nan], [9.99996, 1.], [9999.99996, 100.], [0.00005, 0.00015], [0.03125, 0.09375, 1.5], [1e-40, 1.],
    [-1e5, 0.5, nan, -inf], [3e38, -3e38], [99999999., 1e8], [0.99995, 0.99994], [5e-5, 0.02], [100005., 1.], [100015., 1.],
    [-1.], [-1e5, -1], [1e-10, -inf, nan], [12, -3, inf], [0.5, 1.5, 2.5],
]
for row in rows:
    case(row)
    case(row, None, D)
case([[1., 2.], [3., 4.]][0], None, H)
case([0.1, 70., -3.], None, H)
case([0.1, 70., -3., nan], None, B)
case([1.5, nan, -2, 3], [2, 2])
case([1, -20, 300], None, torch.int64)
case([1, -20, 100], None, torch.int8)
case([1, 20, 255], [3, 1], torch.uint8)
case([True, False], None, torch.bool)
case([True, False, True, True], [2, 2], torch.bool)
case([1, 2, 3, 4], [2, 2], torch.int16)

# shapes, wrapping, strides
case(arange=12, shape=[3, 4])
case(arange=12, shape=[3, 4], permute=[1, 0], scale=0.25)
case(arange=24, shape=[2, 3, 4], permute=[2, 0, 1])
case(arange=24, shape=[1, 2, 3, 4], scale=-0.5)
case(arange=16, shape=[2, 1, 2, 2, 2])
case(arange=30)
case(arange=25, dtype=torch.int64)
case(arange=12, scale=1 / 11)
case(arange=100, scale=10.125)
case(arange=60, shape=[2, 30])
case(arange=90, shape=[2, 3, 15], scale=1.1)
case(arange=40, shape=[2, 20], dtype=torch.int32)
case([True, False] * 20, None, torch.bool)

# summaries
case(arange=1000)
case(arange=1001)
case(arange=1001, dtype=torch.int64)
case(arange=1001, dtype=torch.int32)
case(arange=10000, shape=[10, 10, 100])
case(arange=10000, shape=[10, 10, 100], scale=0.001)
case(arange=10000, shape=[100, 100], permute=[1, 0])
case(arange=10000, shape=[2, 5000])
case(arange=10000, shape=[5000, 2])
case(arange=1200, shape=[3, 2, 200])
case(arange=4096, shape=[8, 8, 8, 8], dtype=torch.int64)
case(arange=1210, shape=[11, 110], scale=0, requires_grad=True)
case(arange=2000, scale=0.5, dtype=D, requires_grad=True)

# suffixes
for n in range(1, 13):
    case([1.2345] * n, [1, n], requires_grad=True)
    case([1.2345] * n, [n], D, requires_grad=True)
case([1., 1.], requires_grad=True)
case([], [0], requires_grad=True)
case([], [0, 2], D, requires_grad=True)

# options
case([1.23456, 2], precision=2)
case([1.23456, 200], precision=0)
case([1.23456, 2e-7], precision=8)
case(arange=10, threshold=5)
case(arange=10, threshold=5, edgeitems=1)
case(arange=100, shape=[10, 10], threshold=5, edgeitems=2)
case(arange=40, linewidth=40)
case(arange=40, linewidth=5)
case(arange=40, shape=[2, 20], linewidth=200, scale=0.1)
case(arange=3000, profile='full', shape=[100, 30])
case([1.23456, 2], profile='short')
case(arange=2000, profile='short', scale=0.3)
case(arange=2000, profile='short', precision=3, scale=0.3)
for sci_mode in (True, False):
    for row in ([1., 2.], [1.5, -2], [1e9, 1], [1e-7, 0.5], [0.], [nan, 0.], [nan, 1., -inf], [3e5, 0.1]):
        case(row, sci_mode=sci_mode)
    case([1, 2, 3], None, torch.int64, sci_mode=sci_mode)

# complex
C, Z = torch.complex64, torch.complex128
for row in ([1 + 2j, 3.5 - 1j], [1 + 2j], [complex(nan, -0.), complex(0, inf)], [1e5 + 1j, 1 + 0.5j], [complex(0., 0.), complex(-1, -2.25)],
            [complex(1, nan), complex(-inf, 1)], [complex(1.5, 1e-6)] * 7):
    case(row, None, C)
    case(row, None, Z)
case([1 + 2j], [], C)
case([1.5 - 0.25j], [], Z, requires_grad=True)
case([complex(i, -i / 3) for i in range(24)], [2, 3, 4], C)
case([complex(i, -i / 3) for i in range(30)], [5, 6], C, permute=[1, 0], threshold=5, edgeitems=1)

# random numbers of many magnitudes
for _ in range(150):
    shape = random.choice([[3], [7], [2, 5], [3, 4], [2, 2, 3], [4, 12]])
    n = 1
    for s in shape:
        n *= s
    low, high = sorted((random.randint(-6, 6), random.randint(-6, 9)))
    values = [random.choice([1, -1]) * random.uniform(1, 10) * 10 ** random.uniform(low, high) for _ in range(n)]
    if random.random() < 0.3:
        values = [float(round(v)) for v in values]
    if random.random() < 0.2:
        values[random.randrange(n)] = random.choice([nan, inf, -inf, 0., -0.])
    dtype = random.choice([F, F, F, D, B])
    case(torch.tensor(values, dtype=dtype).double().tolist(), shape, dtype)

x = torch.linspace(0, 5, 100, requires_grad=True)
(x ** 2).cos().sum().backward()

print('{"torch": "%s", "gradients": %s, "cases": [' % (torch.__version__, json.dumps(str(x.grad))))
print(',\n'.join(json.dumps(c) for c in cases))
print(']}')
