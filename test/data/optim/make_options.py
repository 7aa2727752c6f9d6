"""Writes options.json: PyTorch 1.13.1's optimizers with each of their options, saved and loaded in the middle of the run,
on real and complex parameters; and the errors for options that make no sense.

Run with PyTorch 1.13.1: python3 -P test/data/optim/make_options.py
"""
import inspect
import json
import os
import warnings

import torch
from torch import optim

warnings.simplefilter('ignore')
HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, SAVED_AT, KEPT = 100, 37, [1, 2, 10, 37, 38, 60, 100]

torch.manual_seed(1)
INPUT = {name: torch.randn(size, dtype=torch.float64).mul(1e3).round().div(1e3).tolist()
         for name, size in {'x': (5, 3), 'y': (5, 2), 'weight': (2, 3), 'bias': (2,)}.items()}


def number(x):
    return torch.tensor(INPUT[x], dtype=torch.float64)


class Problem:
    """A linear layer under squared errors, with a quartic penalty; of complex parameters under squared magnitudes."""

    def __init__(self, kind):
        self.x, self.y = number('x'), number('y')
        weight, bias = number('weight'), number('bias')
        if kind == 'complex':
            weight, bias = torch.complex(weight, weight.flip(0) * 0.5), torch.complex(bias, -bias)
            self.x = torch.complex(self.x, self.x * 0)
        self.weight, self.bias = weight.requires_grad_(), bias.requires_grad_()

    def loss(self):
        away = self.x.mm(self.weight.t()) + self.bias - self.y
        if away.is_complex():
            return (away.real ** 2 + away.imag ** 2).sum() / 10 + (self.weight.abs() ** 4).sum() / 40
        return away.pow(2).sum() / 10 + self.weight.pow(4).sum() / 40


BASE = {**{name: dict(eps=1e-3) for name in 'Adam AdamW Adamax NAdam RAdam'.split()}, 'SGD': dict(lr=0.05), 'LBFGS': dict(lr=0.5, max_iter=3, history_size=4), 'Adadelta': dict(eps=1e-3),
        'RMSprop': dict(eps=1e-2), 'Adagrad': dict(lr=0.1)}
# What each option is tried with, where the optimizer has it.
TRIED = {
    'momentum': 0.8, 'weight_decay': 0.03, 'maximize': True, 'foreach': True, 'amsgrad': True, 'centered': True,
    'lr_decay': 0.02, 'initial_accumulator_value': 0.3, 'eps': 1e-2, 'betas': (0.7, 0.9), 'rho': 0.7,
    'momentum_decay': 0.05, 'alpha': 0.6, 'lambd': 0.01, 't0': 30.0, 'etas': (0.3, 1.4), 'step_sizes': (1e-3, 0.2),
    'max_eval': 5, 'tolerance_grad': 1e-3, 'tolerance_change': 1e-4, 'line_search_fn': 'strong_wolfe',
}
EXTRA = {
    'SGD': [dict(momentum=0.8, nesterov=True), dict(momentum=0.8, nesterov=True, foreach=True, maximize=True),
            dict(momentum=0.8, dampening=0.3), dict(momentum=0.8, dampening=0.3, foreach=True, weight_decay=0.03)],
    'RMSprop': [dict(centered=True, momentum=0.7), dict(centered=True, momentum=0.7, foreach=True, weight_decay=0.03)],
    'Adam': [dict(amsgrad=True, foreach=True, maximize=True, weight_decay=0.03)],
    'AdamW': [dict(amsgrad=True, foreach=True, maximize=True, weight_decay=0.03)],
    'Adadelta': [dict(foreach=True, maximize=True, weight_decay=0.03)],
    'Adagrad': [dict(foreach=True, maximize=True, weight_decay=0.03, lr_decay=0.1)],
    'Adamax': [dict(foreach=True, maximize=True, weight_decay=0.03)],
    'ASGD': [dict(foreach=True, maximize=True, weight_decay=0.03, t0=20.0)],
    'Rprop': [dict(foreach=True, maximize=True)],
    'NAdam': [dict(foreach=True, weight_decay=0.03)],
    'RAdam': [dict(foreach=True, weight_decay=0.03, betas=(0.7, 0.8))],
}
NAMES = 'SGD Adam AdamW Adagrad RMSprop Adadelta Adamax NAdam RAdam ASGD Rprop LBFGS'.split()


def values(x):
    if isinstance(x, torch.Tensor):
        return (torch.view_as_real(x) if x.is_complex() else x).flatten().tolist()
    if isinstance(x, (list, tuple)):
        return [values(y) for y in x]
    return x


def run(name, options, kind, grouped):
    made = Problem(kind)

    def build():
        params = [dict(params=[made.weight], lr=0.02), dict(params=[made.bias])] if grouped else [made.weight, made.bias]
        return getattr(optim, name)(params, **options)

    optimizer = build()

    def closure():
        optimizer.zero_grad()
        value = made.loss()
        (-value if options.get('maximize') else value).backward()
        return value

    losses = []
    for step in range(1, STEPS + 1):
        loss = optimizer.step(closure).item()
        if step in KEPT:
            losses.append(loss)
        if step == SAVED_AT:
            saved = optimizer.state_dict()
            optimizer = build()
            optimizer.load_state_dict(saved)
    state = optimizer.state_dict()['state']
    shown = {'func_evals', 'n_iter'}
    kept = {str(k): {n: values(v) for n, v in sorted(s.items()) if v is not None and (name != 'LBFGS' or n in shown)}
            for k, s in state.items()}
    return dict(losses=losses, params=[values(made.weight), values(made.bias)], state=kept, text=repr(optimizer))


cases = []


def case(name, options, kind='real', grouped=False):
    options = {**BASE.get(name, {}), **options}
    cases.append(dict(optimizer=name, options=options, kind=kind, grouped=grouped) | run(name, options, kind, grouped))


for name in NAMES:
    has = inspect.signature(getattr(optim, name).__init__).parameters
    for option, value in TRIED.items():
        if option in has:
            case(name, {option: value})
    for options in EXTRA.get(name, []):
        case(name, options)
    if name != 'LBFGS':
        case(name, {}, kind='complex')
    if 'foreach' in has:
        case(name, dict(foreach=True), kind='complex')
    if name != 'LBFGS':
        case(name, {}, grouped=True)
        case(name, dict(foreach=True), grouped=True)

# Constructors that fail, and those whose first step does.
BAD = {
    'SGD': [dict(), dict(lr=-0.1), dict(lr=0.1, momentum=-1), dict(lr=0.1, weight_decay=-0.5), dict(lr=0.1, nesterov=True),
            dict(lr=0.1, nesterov=True, momentum=0.9, dampening=0.1)],
    'Adam': [dict(fused=True), dict(fused=True, differentiable=True), dict(fused=True, foreach=True), dict(capturable=True),
             dict(capturable=True, foreach=True), dict(foreach=True, differentiable=True)],
    'AdamW': [dict(capturable=True), dict(capturable=True, foreach=True)],
    'Adagrad': [dict(lr_decay=-1), dict(initial_accumulator_value=-0.1)],
    'RMSprop': [dict(momentum=-0.1), dict(alpha=-1), dict(foreach=True, differentiable=True)],
    'Adadelta': [dict(rho=1.5), dict(rho=-0.1)],
    'NAdam': [dict(momentum_decay=-0.1)],
    'ASGD': [],
    'Rprop': [dict(etas=(1.1, 1.2)), dict(etas=(0.5, 0.9)), dict(etas=(0, 2))],
    'Adamax': [], 'RAdam': [],
    'LBFGS': [dict(line_search_fn='wolfe')],
    'SparseAdam': [dict(eps=-1), dict(), dict(maximize=True), dict(betas=(0.5, -1))],
}
COMMON = [dict(lr=-0.5), dict(eps=-1e-3), dict(betas=(1.5, 0.9)), dict(betas=(0.9, -0.5)), dict(weight_decay=-1)]
errors = []
for name, bad in BAD.items():
    has = inspect.signature(getattr(optim, name).__init__).parameters
    for options in [o for o in COMMON if all(k in has for k in o)] + bad:
        p = torch.ones(2, requires_grad=True)
        where = 'constructor'
        try:
            optimizer = getattr(optim, name)([p], **options)
            where = 'step'
            p.sum().backward()
            optimizer.step(lambda: p.sum())
            raise AssertionError(f'{name} {options} did not fail')
        except Exception as error:
            if 'did not fail' in str(error):
                print(error)
                continue
            errors.append(dict(optimizer=name, options=options, where=where, error=type(error).__name__,
                               message=str(error).split('\n')[0]))
p, q = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
for name in ('LBFGS',):
    try:
        optim.LBFGS([dict(params=[p]), dict(params=[q])])
    except ValueError as error:
        errors.append(dict(optimizer='LBFGS', options={}, where='groups', error='ValueError', message=str(error)))
text = {'SparseAdam': repr(optim.SparseAdam([p]))}

with open(os.path.join(HERE, 'options.json'), 'w') as file:
    rows = ',\n'.join(json.dumps(row, separators=(',', ':')) for row in cases)
    bad = ',\n'.join(json.dumps(row) for row in errors)
    file.write(f'{{"input": {json.dumps(INPUT)},\n"steps": {STEPS}, "saved_at": {SAVED_AT}, "kept": {KEPT},\n')
    file.write(f'"cases": [\n{rows}\n],\n"errors": [\n{bad}\n],\n"text": {json.dumps(text)}}}\n')
print(len(cases), 'cases', len(errors), 'errors')
