"""Makes random.json: what PyTorch 1.13.1's random functions give after manual_seed. Run: python3 make_random.py > random.json

A case: `call` (a function of torch, or with `on` a method of that tensor), `args`, `kw`, the values of the result in
index order with its shape and strides, and `after`: the next number of the stream, which tells how much was drawn.
A tensor: {"t": flat values, "shape", "dtype", "permute"?, "every"? (each that many-th column of a wider tensor)}.
"""
import json

import torch

torch.set_num_threads(1)
cases = []


def tensor(values=None, shape=(), dtype='float32', permute=None, every=None):
    n = 1
    for s in shape:
        n *= s
    d = {'t': [0.0] * n if values is None else values, 'shape': list(shape), 'dtype': dtype}
    if permute:
        d['permute'] = permute
    if every:
        d['every'] = every
    return d


def decode(x):
    if isinstance(x, dict):
        t = torch.tensor(x['t'], dtype=getattr(torch, x['dtype'])).reshape(x['shape'])
        if 'permute' in x:
            t = t.permute(x['permute'])
        if 'every' in x:
            wide = torch.zeros([*t.shape[:-1], t.shape[-1] * x['every']], dtype=t.dtype)
            wide[..., ::x['every']] = t
            t = wide[..., ::x['every']]
        return t
    return x


def case(call, *args, on=None, seed=0, **kw):
    torch.manual_seed(seed)
    real_kw = {k: getattr(torch, v) if k == 'dtype' else decode(v) for k, v in kw.items()}
    real_args = [decode(a) for a in args]
    target = decode(on) if on is not None else torch
    result = getattr(target, call)(*real_args, **real_kw)
    entry = {'call': call, 'args': list(args), 'seed': seed}
    if kw:
        entry['kw'] = kw
    if on is not None:
        entry['on'] = on
    flat = result.contiguous().reshape(-1)
    values = (flat.double() if result.dtype.is_floating_point else flat).tolist()
    entry.update(values=[str(v) if isinstance(v, int) and abs(v) > 2**53 else v for v in values],
                 shape=list(result.shape), stride=list(result.stride()), dtype=str(result.dtype)[6:], after=torch.rand(1).item())
    cases.append(entry)


sizes = [[], [1], [15], [16], [17], [33], [3, 5], [4, 4], [2, 3, 7]]
for n, size in enumerate(sizes):
    for dtype in ('float32', 'float64', 'bfloat16', 'float16'):
        if dtype == 'float16' and n % 3:
            continue
        case('rand', size, dtype=dtype, seed=n)
        case('randn', size, dtype=dtype, seed=n)
case('rand', [3], seed=2**40 + 7)
case('rand', [3], seed=-1)
for dtype in ('int64', 'int32', 'int16', 'uint8', 'int8', 'float32', 'float64', 'bfloat16'):
    case('randint', 10, [11], dtype=dtype)
    case('randint', 1 if dtype == 'uint8' else -3, 5, [2, 3], dtype=dtype)
case('randint', 2, [8], dtype='bool')
case('randint', 10, [8])
case('randint', 2**40, [4])
case('randint', high=7, size=[3])
case('randint', low=3, high=7, size=[3])
for n in (0, 1, 8, 100):
    case('randperm', n)
    case('randperm', n, dtype='int32')
    case('randperm', n, dtype='float64')

grid = [v / 24 for v in range(24)]
layouts = [dict(shape=[4, 6]), dict(shape=[4, 6], permute=[1, 0]), dict(shape=[4, 6], every=2), dict(shape=[2, 3, 4], permute=[2, 0, 1]),
           dict(shape=[24, 1], every=3), dict(shape=[5], every=2), dict(shape=[3, 5])]
fills = [('uniform_', []), ('uniform_', [-2, 3]), ('normal_', []), ('normal_', [1.5, 0.25]), ('exponential_', []), ('exponential_', [2.5]),
         ('geometric_', [0.3]), ('cauchy_', []), ('cauchy_', [1, 2]), ('log_normal_', []), ('log_normal_', [0, 0.5]), ('random_', []), ('random_', [7]),
         ('random_', [-5, 9]), ('bernoulli_', []), ('bernoulli_', [0.3])]
for name, args in fills:
    for i, layout in enumerate(layouts):
        case(name, *args, on=tensor(dtype='float32', **layout), seed=i)
    case(name, *args, on=tensor(dtype='float64', shape=[4, 6]))
    case(name, *args, on=tensor(dtype='float64', shape=[4, 6], permute=[1, 0]))
for dtype in ('int64', 'int32', 'uint8', 'bool'):
    for name, args in (('random_', []), ('bernoulli_', [0.6])):
        case(name, *args, on=tensor(values=[0] * 12, dtype=dtype, shape=[3, 4], permute=[1, 0]))
case('geometric_', 0.1, on=tensor(values=[0] * 12, dtype='int64', shape=[3, 4]))
for layout in layouts[:4]:
    for p in (tensor(grid, [4, 6]), tensor(grid, [4, 6], 'float64'), tensor(grid[:6], [6])):
        if layout['shape'] == [4, 6] and 'permute' not in layout:
            case('bernoulli_', p, on=tensor(**layout))
    case('bernoulli_', tensor([0.4], []), on=tensor(**layout))
case('bernoulli_', tensor(grid, [4, 6]), on=tensor(shape=[6, 4], permute=[1, 0]))
case('bernoulli_', tensor(grid, [6, 4], permute=[1, 0]), on=tensor(shape=[4, 6]))
case('bernoulli_', p=0.25, on=tensor(shape=[4, 6]))

for like in (tensor(shape=[3, 4]), tensor(shape=[3, 4], permute=[1, 0]), tensor(shape=[4, 6], every=2), tensor(shape=[2, 3, 4], permute=[2, 0, 1], every=2)):
    case('rand_like', like)
    case('randn_like', like, dtype='float64')
    case('randint_like', like, 9)
    case('randint_like', like, -4, 4)

for p in (tensor(grid, [4, 6]), tensor(grid, [4, 6], 'float64'), tensor(grid, [4, 6], permute=[1, 0]), tensor(grid, [4, 6], every=2)):
    case('bernoulli', p)
    case('bernoulli', p, 0.3)
    case('poisson', tensor([20 * v for v in p['t']], p['shape'], p['dtype'], p.get('permute'), p.get('every')))
    case('normal', p)
    case('normal', p, 2)
    case('normal', 1, p)
    case('normal', p, tensor(grid[:1], [1], p['dtype']))
case('normal', tensor(grid[:6], [6]), tensor(grid[:4], [4, 1]))
case('normal', 1, 0.5, [3])
case('normal', 1, 0.5, [4, 4], dtype='float64')
case('binomial', tensor([1, 5, 50, 1000], [4]), tensor([0.5, 0.2, 0.7, 0.01], [4]))
case('binomial', tensor([1, 5, 50, 1000], [4], 'float64'), tensor([0.5, 0.2, 0.7, 0.01], [4], 'float64'))
weights = [1, 0, 3.5, 2, 0.25, 7, 1e-3, 4]
for dtype in ('float32', 'float64', 'bfloat16'):
    case('multinomial', tensor(weights, [8], dtype), 3)
    case('multinomial', tensor(weights, [8], dtype), 20, True)
    case('multinomial', tensor([w + 0.1 for w in weights], [2, 4], dtype), 4)
    case('multinomial', tensor([w + 0.1 for w in weights], [4, 2], dtype, permute=[1, 0]), 4)
    case('multinomial', tensor([w + 0.1 for w in weights], [2, 4], dtype), 5, replacement=True)

shapes = [0.05 * v * v + 0.01 for v in range(24)]
for x in (tensor(shapes, [4, 6]), tensor(shapes, [4, 6], 'float64'), tensor(shapes, [4, 6], permute=[1, 0]), tensor(shapes, [4, 6], every=2), tensor([0.0, 1e-30, -1.0], [3])):
    case('_standard_gamma', x)
    case('_sample_dirichlet', x)

signed = [v - 0.4 for v in grid]
for x in (tensor(signed, [4, 6]), tensor(signed, [4, 6], permute=[1, 0]), tensor(signed, [4, 6], every=2), tensor(signed, [2, 3, 4]), tensor(signed, [4, 6], 'float64')):
    for call in ('dropout', 'alpha_dropout', 'feature_dropout', 'feature_alpha_dropout'):
        case(call, x, 0.3, True)
    case('dropout', x, 0.3, False)
    case('dropout', x, 1.0, True)
    case('dropout', x, 0.0, True)
for call in ('dropout_', 'alpha_dropout_', 'feature_dropout_', 'feature_alpha_dropout_'):
    case(call, tensor(signed, [4, 6]), 0.5, True)

print('{"torch": "%s", "cases": [' % torch.__version__)
print(',\n'.join(json.dumps(c) for c in cases))
print(']}')
