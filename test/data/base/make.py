"""Makes the expected values in this folder with PyTorch 1.13.1 on an x86 CPU (AVX2, no MKL): python3 make.py"""
import base64, hashlib, itertools, json, random
import torch

torch.set_num_threads(1)
NAMES = 'bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128'.split()
DTYPES = [getattr(torch, n) for n in NAMES]
name = lambda dtype: str(dtype).replace('torch.', '')

def outcome(f):
    try:
        return {'value': f()}
    except Exception as e:
        return {'error': type(e).__name__, 'message': str(e).split('\n')[0]}

def write(file, data):
    with open(file, 'w') as out:
        rows = (f'  {json.dumps(k)}: {json.dumps(v)}' if not isinstance(v, list) else
                f'  {json.dumps(k)}: [\n' + ',\n'.join(f'    {json.dumps(x, allow_nan=False)}' for x in v) + '\n  ]' for k, v in data.items())
        out.write('{\n' + ',\n'.join(rows) + '\n}\n')

# ---------------------------------------------------------------------------------------------- dtypes

def operand(kind, dtype):
    return torch.ones([2] if kind == 'dims' else [], dtype=dtype) if kind != 'wrapped' else \
        {'bool': True, 'int64': 2, 'float64': 2.5, 'complex128': 1j}[name(dtype)]

def promotions():
    operands = [(k, d) for k in ('dims', 'zero') for d in DTYPES] + \
        [('wrapped', getattr(torch, n)) for n in ('bool', 'int64', 'float64', 'complex128')]
    describe = lambda o: [o[0], name(o[1])]
    cases = []
    for default in (torch.float32, torch.float64, torch.bfloat16):
        torch.set_default_dtype(default)
        for a, b in itertools.product(operands, operands):
            if a[0] == 'wrapped' and b[0] == 'wrapped': continue
            if default != torch.float32 and 'wrapped' not in (a[0], b[0]): continue
            cases.append([name(default), describe(a), describe(b), name(torch.result_type(operand(*a), operand(*b)))])
    torch.set_default_dtype(torch.float32)
    rnd = random.Random(0)
    tensors = [o for o in operands if o[0] != 'wrapped' and name(o[1]) not in ('bool', 'float16', 'bfloat16')]
    for _ in range(200):
        abc = [rnd.choice(tensors) for _ in range(3)]
        cases.append(['float32', *map(describe, abc), name(torch.addcmul(*(operand(*o) for o in abc)).dtype)])
    return cases

def conversions():
    values = [0, 1, -1, 2.9, -2.9, 127, 128, 255, 256, 300, -300, 40000, 70000, -70000, 1e9, 2049, 65504, 65519, 65520, 1e-8, 3e-5, 1.00390625, 3.3e38]
    cases = []
    for dtype in DTYPES[:10]:
        for v in values:
            if not dtype.is_floating_point and abs(v) > 2e9: continue
            cases.append([name(dtype), v, str(torch.tensor(v, dtype=torch.float64).to(dtype).item())])
    for dtype in DTYPES[1:6]:
        for v in (2**31, -2**31 - 1, 2**40 + 5, -2**63, 2**63 - 1):
            cases.append([name(dtype), str(v), str(torch.tensor(v).to(dtype).item())])
    return cases

def sha(t):
    t = t.view(torch.int16) if t.dtype == torch.bfloat16 else t
    return hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()

def bits():
    words = torch.arange(0, 2**32, 4093).to(torch.int32)  # floats of all kinds; the test makes the same
    floats = words.view(torch.float32)
    floats = floats[~floats.isnan()]
    every = torch.arange(65536).to(torch.int16)
    finite = lambda x: x[~x.isnan()].float()
    return {
        'float_to_half': sha(floats.half()), 'float_to_bfloat16': sha(floats.bfloat16()),
        'half_to_float': sha(finite(every.view(torch.float16))), 'bfloat16_to_float': sha(finite(every.view(torch.bfloat16))),
    }

def limits():
    rows = []
    for dtype in DTYPES:
        for kind in ('finfo', 'iinfo'):
            def values():
                info = getattr(torch, kind)(dtype)
                fields = 'bits eps max min tiny smallest_normal resolution dtype' if kind == 'finfo' else 'bits max min dtype'
                return {'repr': repr(info), **{f: str(getattr(info, f)) for f in fields.split()}}
            rows.append([kind, name(dtype), outcome(values)])
    return rows

write('dtype.json', {
    'dtypes': [{'name': n, 'itemsize': torch.ones(1, dtype=d).element_size(), 'is_floating_point': d.is_floating_point,
                'is_complex': d.is_complex, 'is_signed': d.is_signed, 'type': torch.ones(1, dtype=d).type()} for n, d in zip(NAMES, DTYPES)],
    'promote_types': [[name(torch.promote_types(a, b)) for b in DTYPES] for a in DTYPES],
    'can_cast': [[torch.can_cast(a, b) for b in DTYPES] for a in DTYPES],
    'limits': limits(), 'conversions': conversions(), 'bits': bits(), 'result_type': promotions(),
})

# ---------------------------------------------------------------------------------------------- shapes

rnd = random.Random(1)
shape = lambda most, ndim=4: [rnd.choice(most) for _ in range(rnd.randint(0, ndim))]

def strided():
    """A tensor with the sizes and strides that views give: permuted, stepped, expanded, narrowed."""
    x = torch.empty(shape([1, 1, 2, 3, 4, 6]) if rnd.random() < 0.95 else shape([0, 1, 2]))
    if x.dim() and rnd.random() < 0.6: x = x.permute(rnd.sample(range(x.dim()), x.dim()))
    for d in range(x.dim()):
        if x.size(d) > 2 and rnd.random() < 0.2: x = x.narrow(d, 0, x.size(d) - 1)
        elif x.size(d) == 1 and rnd.random() < 0.3: x = x.expand([2 if i == d else -1 for i in range(x.dim())])
    return x

def factored(n):
    """Sizes with n elements."""
    sizes = []
    while n > 1 and rnd.random() < 0.9:
        f = rnd.choice([d for d in range(1, n + 1) if n % d == 0])
        sizes.append(f); n //= f
    sizes.append(n)
    rnd.shuffle(sizes)
    return sizes

def views():
    cases = []
    for _ in range(600):
        x = strided()
        new = factored(x.numel()) if x.numel() else rnd.choice([[0], [2, 0], [0, 3, 2], list(x.shape)])
        try: strides = list(x.view(new).stride())
        except RuntimeError: strides = None
        cases.append([list(x.shape), list(x.stride()), new, strides])
    return cases

def expansions():
    cases = []
    for _ in range(300):
        x = strided()
        to = [s if s != 1 or rnd.random() < 0.3 else rnd.choice([1, 2, 5]) for s in x.shape]
        to = shape([1, 2, 3], 2) + [-1 if rnd.random() < 0.2 else s for s in to]
        if rnd.random() < 0.2 and to: to[rnd.randrange(len(to))] = rnd.choice([-1, 0, 7])
        if rnd.random() < 0.1: to = to[1:]
        cases.append([list(x.shape), list(x.stride()), to, outcome(lambda: list(x.expand(to).stride()))])
    return cases

write('shape.json', {
    'contiguous': [[list(x.shape), list(x.stride()), x.is_contiguous(), list(torch.empty(x.shape).stride())] for x in (strided() for _ in range(200))],
    'view': views(), 'expand': expansions(),
    'broadcast': [[a, b, outcome(lambda: list(torch.empty(a).add(torch.empty(b)).shape))] for a, b in ((shape([1, 1, 2, 3, 0]), shape([1, 1, 2, 3])) for _ in range(200))],
    'infer': [[s, n, outcome(lambda: list(torch.empty(n).reshape(s).shape))] for s in
              ([], [6], [2, 3], [-1], [2, -1], [-1, -1], [-1, 4], [0], [0, -1], [-1, 0], [-2, 3], [3, 2, 1], [-1, 1, 1]) for n in (0, 1, 5, 6)],
    'dim': [[d, n, outcome(lambda: torch.empty([1] * n).squeeze(d).dim())] for d in range(-4, 5) for n in range(4)],
    'dims': [[d, outcome(lambda: torch.empty(2, 3, 4).sum(d).dim())] for d in ([0], [0, 1], [0, -3], [-1, 2], [1, 7], [2, 0], [-4])],
})

# ---------------------------------------------------------------------------------------------- random numbers

def sample(fn, dtype, n, *args):
    """Seeds, draws, and tells what came, and what the generator gives next."""
    torch.manual_seed(len(cases))
    x = torch.empty(n, dtype=dtype)
    if fn == 'randperm': x = torch.randperm(n, dtype=dtype)
    elif fn == 'bernoulli_from': x.bernoulli_(torch.linspace(0, 1, n, dtype=getattr(torch, args[0])))
    else: getattr(x, fn + '_')(*(int(a) if isinstance(a, str) else a for a in args))
    plain = [str(v) if isinstance(v, int) and abs(v) > 2**53 or v in (float('inf'), -float('inf')) else v for v in x[:24].tolist()]
    return {'fn': fn, 'dtype': name(dtype), 'seed': len(cases), 'n': n, 'args': args, 'first': plain, 'sha256': sha(x), 'next': torch.randint(2**31, (1,)).item()}

cases = []
add = lambda *a: cases.append(sample(*a))
F = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
I = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]
for d in F:
    for args in ([], [-1, 1], [-0.31, 0.93], [0, 7.3]):
        for n in (5, 5000): add('uniform', d, n, *args)
    for args in ([], [0, 0.02], [0.3, 1.7]):
        for n in (1, 7, 15, 16, 17, 32, 5000): add('normal', d, n, *args)
    add('exponential', d, 3000, 1.5); add('cauchy', d, 3000, 0.3, 1.7); add('log_normal', d, 3000, 0.3, 0.7)
for d in I + F:
    add('geometric', d, 3000, 0.3)
    add('random', d, 3000); add('random', d, 3000, 0, 10); add('random', d, 3000, 3, 100)
    if d != torch.uint8: add('random', d, 3000, -100, 100)
    for n in (0, 1, 2, 100): add('randperm', d, n)
for d in (torch.int64, torch.int32, torch.float32, torch.float64): add('randperm', d, 5000)
for d in (torch.int64, torch.float32, torch.float64):
    for args in (['0', '4294967295'], ['0', '4294967296'], ['-5', str(2**40)], [str(-2**62), str(2**62)], [str(-2**63), None], [str(2**60), str(2**60 + 2**50)]): add('random', d, 300, *args)
add('random', torch.int32, 300, '-2147483648', '2147483648'); add('random', torch.int32, 300, '5', None); add('random', torch.float16, 300, 5, None)
add('random', torch.bool, 300); add('random', torch.bool, 300, 0, 2); add('random', torch.bfloat16, 300, str(-2**63), None)
for d in [torch.bool] + I + [torch.bfloat16, torch.float32, torch.float64]:
    add('bernoulli', d, 3000, 0.3)
    for p in ('float32', 'float64'): add('bernoulli_from', d, 3000, p)

def multinomials():
    rows = []
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        for replacement in (True, False):
            for samples in (1, 4):
                weights = (torch.arange(18, dtype=torch.float64) * 7 % 11 + 0.25).to(dtype).reshape(2, 9)
                torch.manual_seed(len(rows))
                rows.append({'dtype': name(dtype), 'seed': len(rows), 'replacement': replacement, 'samples': samples,
                             'value': torch.cat([torch.multinomial(weights, samples, replacement) for _ in range(20)]).flatten().tolist()})
    return rows

def counts():
    torch.manual_seed(0); poisson = torch.poisson(torch.linspace(0, 50, 4001))
    torch.manual_seed(0); binomial = torch.binomial((torch.arange(4001) % 100).float(), torch.linspace(0, 1, 4001))
    torch.manual_seed(0); binomial64 = torch.binomial((torch.arange(4001) % 100).double(), torch.linspace(0, 1, 4001, dtype=torch.float64))
    torch.manual_seed(0); poisson64 = torch.poisson(torch.linspace(0, 50, 4001, dtype=torch.float64))
    return {'rates': sha(torch.linspace(0, 50, 4001)), 'poisson': sha(poisson), 'poisson64': sha(poisson64), 'binomial': sha(binomial), 'binomial64': sha(binomial64)}

def errors():
    e = torch.empty
    calls = {
        'uniform': [('float32', [2, 1]), ('float32', [0, 1e39]), ('float32', [-3e38, 3e38]), ('float16', [0, 1e5]), ('int32', [0, 1])],
        'normal': [('float32', [0, -1.5]), ('int64', [0, 1])],
        'random': [('float32', [5, 3]), ('uint8', [0, 300]), ('uint8', [-1, 3]), ('bool', [0, 3]), ('float16', [0, 70000]), ('int32', [0, 2**40]), ('int8', [-1000, 3]),
                   ('int16', [-1, 2**16]), ('int64', [0, 0]), ('complex64', [0, 5]), ('float32', [2**25, None])],
        'bernoulli': [('float32', [1.5]), ('complex64', [0.5])],
        'exponential': [('float32', [-2.5]), ('int32', [1])],
        'geometric': [('float32', [0]), ('float32', [1]), ('bool', [0.1])],
        'cauchy': [('int32', [0, 1])], 'log_normal': [('float32', [0, 0]), ('int32', [0, 1])],
    }
    rows = [[fn, d, a, outcome(lambda: getattr(e(3, dtype=getattr(torch, d)), fn + '_')(*a))['message']] for fn, row in calls.items() for d, a in row]
    rows += [['randperm', d, [n], outcome(lambda: torch.randperm(n, dtype=getattr(torch, d)))['message']] for d, n in (('uint8', 300), ('int8', 129), ('float16', 2050), ('bool', 3), ('complex64', 3))]
    return rows

def weights_errors():
    inf, nan = float('inf'), float('nan')
    return [[w, n, r, outcome(lambda: torch.multinomial(torch.tensor(w), n, r))['message']] for w, n, r in
            (([1., 2], 3, False), ([1., 2], 0, False), ([0., 0], 1, False), ([0., 0], 1, True), ([1., -1], 1, True), ([1., -1], 1, False)) ] + \
           [[[1, str(w)], 1, r, outcome(lambda: torch.multinomial(torch.tensor([1., w]), 1, r))['message']] for w in (inf, nan) for r in (True, False) if not (r and w != w)]

def states():
    rows = []
    for draws in (0, 1, 623, 624, 625, 2000):
        torch.manual_seed(2**40 + 7); torch.empty(draws).uniform_()
        rows.append({'draws': draws, 'sha256': sha(torch.get_rng_state())})
    torch.manual_seed(-1); torch.randn(3)
    saved = torch.get_rng_state()
    return {'seed': str(torch.initial_seed()), 'counts': rows, 'saved': base64.b64encode(saved.numpy().tobytes()).decode(), 'then_randn': torch.randn(5).tolist(), 'then_rand': torch.rand(3).tolist()}

write('random.json', {'samples': cases, 'multinomial': multinomials(), 'counts': counts(), 'errors': errors(), 'weights_errors': weights_errors(), 'state': states()})
