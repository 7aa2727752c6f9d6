"""Writes expected.json: what PyTorch 1.13.1's torch.testing says and draws.

    python3 -P test/data/testing/make.py
"""
import json
import pathlib

import torch
from torch.testing import assert_close, make_tensor

N = float('nan')
# Each: two values, options. Tensors as {'t': values, 'd': dtype}.


def t(values, dtype='float32'):
    return {'t': values, 'd': dtype}


CASES = [
    (t([1.0, 2.0]), t([1.0, 2.0]), {}), (t([1.0, 2.0]), t([1.0, 2.000001]), {}), (t([1.0, 2.0]), t([1.0, 2.1]), {}),
    (t([[1.0, 2.0], [3.0, 4.0]]), t([[1.0, 2.5], [3.0, 0.0]]), {}), (t(1.5), t(1.0), {}), (t(1.5), t(0.0), {}),
    (t([1, 2, 3], 'int64'), t([1, 5, 3], 'int64'), {}), (t([True, False], 'bool'), t([True, True], 'bool'), {}),
    (t([1.0], 'float64'), t([1.0 + 1e-6], 'float64'), {}), (t([1.0], 'float64'), t([1.0 + 1e-9], 'float64'), {}),
    (t([1.0]), t([1.0], 'float64'), {}), (t([1.0]), t([1.0], 'float64'), dict(check_dtype=False)),
    (t([1.0]), t([1.0, 2.0]), {}), (t([1.0, N]), t([1.0, N]), {}), (t([1.0, N]), t([1.0, N]), dict(equal_nan=True)),
    (t([1.0]), t([1.5]), dict(rtol=0.5, atol=0.25)), (t([1.0]), t([2.5]), dict(rtol=0.5, atol=0.1)),
    (t([1.0]), t([2.5]), dict(rtol=0.5)), (t([1.0]), t([2.5]), dict(atol=0.5)), (t([1.0]), t([2.5]), dict(msg='no')),
    (t([3], 'int32'), t([4], 'int32'), dict(rtol=0.5, atol=1.5)), (t([1.0, 2.0], 'float16'), t([1.0, 2.01], 'float16'), {}),
    (t([1.0, 2.0], 'bfloat16'), t([1.0, 2.0], 'bfloat16'), {}),
    ([t([1.0]), t([2.0])], [t([1.0]), t([3.0])], {}), ([t([1.0])], [t([1.0]), t([3.0])], {}),
    ({'a': t([1.0]), 'b': [t([2.0])]}, {'a': t([1.0]), 'b': [t([2.5])]}, {}), ({'a': t([1.0])}, {'b': t([1.0])}, {}),
    ({'a': 1.5}, {'a': 1.5}, {}), (1.5, 1.6, {}), (1, 3, {}), (0.5, 0.0, {}), (1.25, 1.25 + 1e-9, {}), (True, False, {}),
    (None, None, {}), (None, 1.5, {}), (t([1.0]), 1.5, {}), (t([]), t([]), {}),
    (t([[0.0, 0.0]]), t([[0.0, 1e-3]]), {}), (t([1.0, float('inf')]), t([1.0, 3.0]), {}),
]


def decode(x):
    if isinstance(x, dict) and 't' in x:
        return torch.tensor(x['t'], dtype=getattr(torch, x['d']))
    if isinstance(x, list):
        return [decode(y) for y in x]
    return {k: decode(v) for k, v in x.items()} if isinstance(x, dict) else x


def encode(x):
    if isinstance(x, float) and x != x:
        return 'nan'
    if isinstance(x, float) and x == float('inf'):
        return 'inf'
    if isinstance(x, list):
        return [encode(y) for y in x]
    return {k: encode(v) for k, v in x.items()} if isinstance(x, dict) else x


cases = []
for actual, expected, options in CASES:
    row = dict(actual=encode(actual), expected=encode(expected), options=options)
    try:
        assert_close(decode(actual), decode(expected), **options)
    except Exception as error:
        row |= dict(error=type(error).__name__, message=str(error))
    cases.append(row)

DRAWN = [
    ([3], 'float32', {}), ([2, 3], 'float64', dict(low=0, high=1)), ([4], 'int64', {}), ([4], 'uint8', {}), ([5], 'bool', {}),
    ([2, 2], 'int32', dict(low=-2.5, high=2.5)), ([3], 'complex64', {}), ([2, 3], 'float32', dict(noncontiguous=True)),
    ([6], 'int64', dict(low=0, high=2, exclude_zero=True)), ([0], 'float32', {}), ([], 'float32', {}),
]
drawn = []
for size, dtype, options in DRAWN:
    torch.manual_seed(3)
    made = make_tensor(size, dtype=getattr(torch, dtype), device='cpu', **options)
    plain = torch.view_as_real(made) if made.is_complex() else made
    drawn.append(dict(size=size, dtype=dtype, options=options, values=plain.tolist(), stride=list(made.stride())))
errors = []
for dtype, options in [('float32', dict(low=2, high=1)), ('int64', dict(requires_grad=True)), ('float32', dict(low=N))]:
    try:
        make_tensor([2], dtype=getattr(torch, dtype), device='cpu', **options)
    except Exception as error:
        errors.append(dict(dtype=dtype, options=encode(options), error=type(error).__name__, message=str(error)))

rows = [',\n'.join(json.dumps(row) for row in part) for part in (cases, drawn, errors)]
text = '{{"cases": [\n{}\n],\n"drawn": [\n{}\n],\n"errors": [\n{}\n]}}\n'.format(*rows)
pathlib.Path(__file__).with_name('expected.json').write_text(text)
print(len(cases), len(drawn), len(errors))
