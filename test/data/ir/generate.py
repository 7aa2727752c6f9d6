"""Makes the expected values of test/ir: python3 test/data/ir/generate.py, with mpmath and PyTorch 1.13.

special.json: points and values of the scalar functions, computed with 60 digits and rounded to float64.
torch.json: what PyTorch gives for operations at corner points. Each text is a grid: of one operand, the values at
`operands`; of two, the values for all pairs, the first operand outermost; `_` where PyTorch raises or C leaves it open.
"""
import json, math, random, warnings
from pathlib import Path
import torch

def write(name, text): (Path(__file__).parent / name).write_text(text)

# special.json
from mpmath import mp, mpf
import mpmath as m
mp.dps = 60
random.seed(1)
def lin(a, b, n): return [random.uniform(a, b) for _ in range(n)]
def log(a, b, n): return [math.exp(random.uniform(math.log(a), math.log(b))) for _ in range(n)]
def sym(xs): return [s * x for x in xs for s in (1, -1)]
real = sym(log(1e-12, 50, 25))
unit = sym(lin(0, 1, 20) + log(1e-12, 1, 10))
positive = log(1e-12, 1e12, 40)
def digamma(x): return m.digamma(x)
def lgamma(x): return m.log(abs(m.gamma(x))) if x < 1e4 else m.loggamma(x)
def erfinv(x): return m.erfinv(x)
table = {
  'exp': (m.exp, real), 'exp2': (lambda x: mpf(2) ** x, real), 'expm1': (m.expm1, real),
  'log': (m.log, positive), 'log2': (lambda x: m.log(x, 2), positive), 'log10': (m.log10, positive),
  'log1p': (m.log1p, log(1e-12, 1e3, 30) + [-x for x in lin(0, 1, 20)]), 'sqrt': (m.sqrt, positive),
  'sin': (m.sin, real), 'cos': (m.cos, real), 'tan': (m.tan, real),
  'asin': (m.asin, unit), 'acos': (m.acos, unit), 'atan': (m.atan, real),
  'sinh': (m.sinh, real), 'cosh': (m.cosh, real), 'tanh': (m.tanh, real),
  'asinh': (m.asinh, real), 'acosh': (m.acosh, [1 + x for x in positive]), 'atanh': (m.atanh, unit),
  'erf': (m.erf, sym(log(1e-12, 6, 30) + lin(0.4, 3, 20))),
  'erfc': (m.erfc, lin(-6, 0, 15) + lin(0, 3, 40) + lin(3, 26, 20)),
  'erfinv': (erfinv, unit + sym([1 - x for x in log(1e-15, 0.5, 15)])),
  'lgamma': (lgamma, lin(0, 3, 40) + lin(3, 30, 20) + log(1e-12, 1e12, 20) + [-x for x in lin(0, 20, 30)]),
  'digamma': (digamma, lin(0, 3, 30) + lin(3, 30, 20) + log(1e-6, 1e12, 20) + [-x for x in lin(0, 20, 30)]),
}
out = {}
for name, (f, xs) in table.items():
  f(mpf(xs[0]))
  out[name] = [[x, float(f(mpf(x)))] for x in xs]
write('special.json', '{\n' + ',\n'.join(f' "{k}": {json.dumps(v)}' for k, v in out.items()) + '\n}\n')

# torch.json
warnings.filterwarnings('ignore')
def text(x):
  if isinstance(x, bool): return str(x).lower()
  if isinstance(x, int): return str(x)
  if math.isnan(x): return 'NaN'
  if math.isinf(x): return 'Infinity' if x > 0 else '-Infinity'
  return '-0' if x == 0 and math.copysign(1, x) < 0 else repr(x)
inf, nan = math.inf, math.nan
floats = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 3.0, -3.0, 0.1, -0.1, 7.3, 1e30, inf, -inf, nan]
ints = [0, 1, -1, 2, -2, 3, -3, 7, -7, 31, 100, -101]
extreme = {torch.int32: [2**31 - 1, -2**31], torch.int64: [2**63 - 1, -2**63, 2**40 + 1]}
names = {torch.float32: 'f32', torch.float64: 'f64', torch.int32: 'i32', torch.int64: 'i64'}
binary = {
  'add': torch.add, 'sub': torch.sub, 'mul': torch.mul, 'min': torch.minimum, 'max': torch.maximum, 'pow': torch.pow,
  'floordiv': lambda a, b: torch.div(a, b, rounding_mode='floor'),
  'truncdiv': lambda a, b: torch.div(a, b, rounding_mode='trunc'),
  'mod': torch.remainder, 'fmod': torch.fmod, 'div': torch.div, 'copysign': torch.copysign, 'atan2': torch.atan2,
  'and': torch.bitwise_and, 'or': torch.bitwise_or, 'xor': torch.bitwise_xor,
  'shl': torch.bitwise_left_shift, 'shr': torch.bitwise_right_shift,
}
unary = { 'neg': torch.neg, 'abs': torch.abs, 'floor': torch.floor, 'ceil': torch.ceil, 'trunc': torch.trunc, 'round': torch.round,
  'sqrt': torch.sqrt, 'not': torch.bitwise_not, 'exp': torch.exp, 'log': torch.log, 'log1p': torch.log1p, 'erfinv': torch.erfinv,
  'erf': torch.erf, 'erfc': torch.erfc, 'lgamma': torch.lgamma, 'digamma': torch.digamma, 'acosh': torch.acosh, 'atanh': torch.atanh, 'asin': torch.asin, 'tanh': torch.tanh }
only_int = {'and', 'or', 'xor', 'shl', 'shr', 'not'}
only_float = {'div', 'copysign', 'atan2', 'floor', 'ceil', 'trunc', 'round'} | set(list(unary)[6:]) - {'not'}
division = {'floordiv', 'truncdiv', 'mod', 'fmod'}
values = {}
for dtype in names:
  is_float = dtype.is_floating_point
  xs = floats if is_float else ints + extreme[dtype]
  for name, f in binary.items():
    if name in (only_int if is_float else only_float): continue
    row = values[name + ' ' + names[dtype]] = []
    for a in xs:
      for b in xs:
        skip = not is_float and (
          (b == 0 and name in division) or (b == -1 and a in (-2**63, -2**31) and name in division)
          or (name in ('shl', 'shr') and not 0 <= b < (32 if dtype == torch.int32 else 64)))
        ta, tb = torch.tensor([a], dtype=dtype), torch.tensor([b], dtype=dtype)
        row.append('_' if skip else text(f(ta, tb).item()))
  for name, f in unary.items():
    if name in (only_int if is_float else only_float): continue
    values[name + ' ' + names[dtype]] = [text(f(torch.tensor(a, dtype=dtype)).item()) for a in xs]
grads = {}
fs = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, 7.3, inf, -inf, nan]
for name in ['add', 'sub', 'mul', 'div', 'min', 'max', 'pow', 'mod', 'fmod', 'floordiv', 'truncdiv', 'copysign', 'atan2']:
  rows = grads[name] = [[], []]
  for a in fs:
    for b in fs:
      ts = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (a, b)]
      gs = torch.autograd.grad(binary[name](*ts), ts, torch.tensor(1.5, dtype=torch.float64), allow_unused=True)
      for row, g in zip(rows, gs): row.append('0' if g is None else text(g.item()))
for name in ['neg', 'abs', 'floor', 'ceil', 'trunc', 'round', 'sqrt', 'exp', 'exp2', 'expm1', 'log', 'log2', 'log10', 'log1p', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan',
             'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh', 'erf', 'erfc', 'erfinv', 'lgamma', 'digamma']:
  rows = grads[name] = [[]]
  for a in fs:
    ta = torch.tensor(a, dtype=torch.float64, requires_grad=True)
    g, = torch.autograd.grad(getattr(torch, name)(ta), ta, torch.tensor(1.5, dtype=torch.float64))
    rows[0].append(text(g.item()))
operands = {n: ' '.join(text(torch.tensor(x, dtype=t).item()) for x in (floats if t.is_floating_point else ints + extreme[t])) for t, n in names.items()}
out = {'operands': operands, 'values': {k: ' '.join(v) for k, v in values.items()},
  'gradient_operands': ' '.join(map(text, fs)), 'gradients': {k: [' '.join(r) for r in v] for k, v in grads.items()}}
write('torch.json', json.dumps(out, indent=1) + '\n')
