"""Writes expected.json: PyTorch's values and gradients of Fourier transforms, in float64.

Run as: python3 -P test/data/fft/make.py
Signals are made by `signal` on both sides. Of a long result every 37th number is kept.
"""
import json
import pathlib
import warnings

import torch

warnings.filterwarnings('ignore')


def signal(sizes, seed):
    n = 1
    for s in sizes:
        n *= s
    i = torch.arange(n)
    return (((i * i * 7 + i * 13 + seed * 31) % 101 - 50).double() / 25).reshape(sizes)


def pairs(t):
    flat = torch.view_as_real(t.resolve_conj()).flatten() if t.is_complex() else t.flatten()
    return [float('%.14g' % v) for v in (flat[::37] if flat.numel() > 120 else flat).tolist()]


def case(name, sizes, *args, is_complex=False, window=0, **kw):
    x = signal(sizes, 1)
    if is_complex:
        x = torch.complex(x, signal(sizes, 2))
    x.requires_grad_()
    if window:
        kw['window'] = signal([window], 5).abs() + 0.5
    f = torch
    for part in name.split('.'):
        f = getattr(f, part)
    y = f(x, *args, **kw)
    g = signal(y.shape, 3)
    if y.is_complex():
        g = torch.complex(g, signal(y.shape, 4))
    y.backward(g)
    kw.pop('window', None)
    return dict(name=name, sizes=sizes, complex=is_complex, args=list(args), options=kw, window=window,
                shape=list(y.shape), value=pairs(y), gradient=pairs(x.grad))


cases = []
to_complex = ['fft.fft', 'fft.ifft']
real = ['fft.rfft', 'fft.ihfft']
half = ['fft.irfft', 'fft.hfft']
for c in (False, True):
    for name in to_complex + half:
        cases.append(case(name, [3, 8], is_complex=c))
        cases.append(case(name, [5, 3], 7, 0, 'ortho', is_complex=c))
        cases.append(case(name, [2, 3, 4], 6, 1, 'forward', is_complex=c))
for name in real:
    cases += [case(name, [3, 8]), case(name, [5, 3], 7, 0, 'ortho'), case(name, [2, 3, 4], 6, 1, 'forward')]
for end in ('2', 'n'):
    for name in to_complex + half + real:
        for c in ([False] if name in real else [False, True]):
            cases.append(case(name + end, [2, 3, 4], is_complex=c))
            cases.append(case(name + end, [4, 3, 5], [5, 4], [2, 0], 'ortho', is_complex=c))
            cases.append(case(name + end, [4, 5], [-1, 3], [0, 1], 'forward', is_complex=c))
            cases.append(case(name + end, [4, 5], dim=1, is_complex=c))
# every radix, their products, and lengths with large prime factors
for n in [1, 2, 3, 4, 5, 7, 11, 13, 16, 30, 31, 37, 49, 60, 74, 97, 210, 256, 1009, 1024, 1155, 2310]:
    cases.append(case('fft.fft', [2, n], is_complex=True))
    cases.append(case('fft.rfft', [2, n]))
    cases.append(case('fft.irfft', [2, n // 2 + 1], n, is_complex=True))
    cases.append(case('fft.ifft', [n, 3], None, 0, is_complex=True))
cases.append(case('fft.fft', [37, 40], is_complex=True))
cases.append(case('fft.rfft', [40, 37], None, 0))
for c in (False, True):
    cases.append(case('stft', [40], 8, is_complex=c, return_complex=True))
    cases.append(case('stft', [2, 40], 9, 3, 7, window=7, is_complex=c, return_complex=True, normalized=True))
    cases.append(case('stft', [2, 40], 8, 5, center=False, is_complex=c, return_complex=False, onesided=False))
    cases.append(case('stft', [30], 6, 2, pad_mode='constant', is_complex=c, return_complex=True, onesided=False))
cases.append(case('istft', [5, 7], 8, is_complex=True))
cases.append(case('istft', [2, 5, 7], 8, 3, 7, window=7, is_complex=True, normalized=True, length=15))
cases.append(case('istft', [2, 8, 6], 8, 4, is_complex=True, onesided=False, return_complex=True))
cases.append(case('istft', [8, 6], 8, 4, is_complex=True, onesided=False, center=False, length=40))
cases.append(case('istft', [2, 5, 7, 2], 8))
text = json.dumps({'cases': cases}, separators=(',', ':'))
pathlib.Path(__file__).with_name('expected.json').write_text(text + '\n')
