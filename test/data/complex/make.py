"""Writes expected.json: PyTorch's values and gradients of functions of complex numbers.

Run as: python3 -P test/data/complex/make.py
"""
import json
import pathlib

import torch

points = [1 + 2j, -2 + 0.3j, 0.5 - 1j, -0.1 - 0.2j, 3 + 0.01j, -1.5 - 2.5j, 1e-3 + 1e-4j, 0.2 + 7j, 25 - 0.5j, -30 + 3j]
others = [3 - 1j, 1 + 0.3j, -0.5 + 2j, 1 + 1j, 2 - 2j, 0.1 + 0.1j, -1 + 0.5j, 2 + 0j, 0.3 - 0.2j, 0.1 + 0.05j]
unary = (
    'exp log log2 log10 sqrt rsqrt reciprocal square sigmoid sin cos tan asin acos atan sinh cosh tanh asinh '
    'acosh atanh abs angle sgn neg conj real imag'
).split()
binary = 'add sub mul div pow'.split()


def double(a):
    return torch.tensor(a, dtype=torch.complex128)


def pairs(t):
    return torch.view_as_real(t.resolve_conj()).flatten().tolist() if t.is_complex() else t.tolist()


def case(f, *args):
    xs = [double(a).requires_grad_() for a in args]
    y = f(*xs)
    # a gradient that differs from element to element, and is complex where the result is
    g = torch.linspace(0.5, 1.5, y.numel(), dtype=torch.float64)
    if y.is_complex():
        g = torch.complex(g, 1 - g)
    y.backward(g)
    return {'value': pairs(y), 'gradients': [pairs(x.grad) for x in xs]}


cases = {name: case(getattr(torch, name), points) for name in unary}
cases |= {name: case(getattr(torch, name), points, others) for name in binary}
cases['mm'] = case(lambda a, b: a.reshape(2, 5).mm(b.reshape(5, 2)).flatten(), points, others)
for name in 'sum mean prod var std norm'.split():
    cases[name] = case(lambda a: getattr(a[:5], name)().reshape(1), points)
for name in 'cumsum cumprod'.split():
    cases[name] = case(lambda a: getattr(a[:5], name)(0), points)
text = json.dumps({'points': pairs(double(points)), 'others': pairs(double(others)), 'cases': cases})
pathlib.Path(__file__).with_name('expected.json').write_text(text + '\n')
