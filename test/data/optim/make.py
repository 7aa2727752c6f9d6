"""Writes steps.json, schedules.json and text.json: what PyTorch 1.13.1's optimizers and schedulers do.

Run with PyTorch 1.13.1 and NumPy: python3 test/data/optim/make.py
"""
import json
import math
import os
import warnings

import torch
from torch import optim

warnings.simplefilter('ignore')
HERE = os.path.dirname(os.path.abspath(__file__))
KEPT = [1, 2, 3, 10, 50, 100]
# Near the minimum, small epsilons make steps that depend on the last bits; most cases have larger ones.

# A smooth problem of few operations: a linear layer under squared errors, with a quartic penalty.
torch.manual_seed(0)
INPUT = {name: torch.randn(size, dtype=torch.float64).mul(1e4).round().div(1e4)
         for name, size in {'x': (6, 3), 'y': (6, 4), 'weight': (4, 3), 'bias': (4,)}.items()}


def problem(dtype):
    x, y = INPUT['x'].to(dtype), INPUT['y'].to(dtype)
    weight, bias = (INPUT[name].to(dtype).clone().requires_grad_() for name in ('weight', 'bias'))

    def loss():
        return (x.mm(weight.t()) + bias - y).pow(2).sum() / 24 + weight.pow(4).sum() / 40

    return weight, bias, loss


CASES = [
    ('SGD', dict(lr=0.1)),
    ('SGD', dict(lr=0.05, momentum=0.9)),
    ('SGD', dict(lr=0.05, momentum=0.9, dampening=0.2, weight_decay=0.01)),
    ('SGD', dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)),
    ('SGD', dict(lr=0.05, momentum=0.5, maximize=True)),
    ('Adam', dict()),
    ('Adam', dict(lr=0.05, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.02)),
    ('Adam', dict(lr=0.05, amsgrad=True)),
    ('Adam', dict(lr=0.05, maximize=True)),
    ('AdamW', dict()),
    ('AdamW', dict(lr=0.05, weight_decay=0.1, amsgrad=True)),
    ('AdamW', dict(lr=0.05, maximize=True)),
    ('Adagrad', dict()),
    ('Adagrad', dict(lr=0.1, lr_decay=0.01, weight_decay=0.01, initial_accumulator_value=0.1)),
    ('Adagrad', dict(lr=0.1, maximize=True)),
    ('RMSprop', dict()),
    ('RMSprop', dict(lr=0.01, alpha=0.9, eps=1e-2, momentum=0.5, weight_decay=0.01)),
    ('RMSprop', dict(lr=0.01, centered=True, eps=1e-4)),
    ('RMSprop', dict(lr=0.01, centered=True, momentum=0.8, eps=1e-4, maximize=True)),
    ('Adadelta', dict()),
    ('Adadelta', dict(lr=0.5, rho=0.95, eps=1e-4, weight_decay=0.01)),
    ('Adadelta', dict(maximize=True)),
    ('Adamax', dict()),
    ('Adamax', dict(lr=0.05, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.01)),
    ('Adamax', dict(lr=0.05, maximize=True)),
    ('NAdam', dict()),
    ('NAdam', dict(lr=0.02, betas=(0.8, 0.99), eps=1e-1, weight_decay=0.01, momentum_decay=0.01)),
    ('RAdam', dict()),
    ('RAdam', dict(lr=0.05, betas=(0.8, 0.9), eps=1e-2, weight_decay=0.01)),
    ('ASGD', dict()),
    ('ASGD', dict(lr=0.05, lambd=0.01, alpha=0.5, t0=20.0, weight_decay=0.01)),
    ('ASGD', dict(lr=0.05, maximize=True)),
    ('Rprop', dict()),
    ('Rprop', dict(lr=0.05, etas=(0.4, 1.3), step_sizes=(1e-4, 0.5))),
    ('Rprop', dict(maximize=True)),
    ('LBFGS', dict(lr=0.3, max_iter=1)),
    ('LBFGS', dict(lr=0.5, max_iter=5, history_size=3)),
    ('LBFGS', dict(lr=0.8, max_iter=10, max_eval=4)),
    ('LBFGS', dict(max_iter=2, line_search_fn='strong_wolfe')),
    ('LBFGS', dict(lr=30, max_iter=3, line_search_fn='strong_wolfe')),
]


def steps(name, options, dtype):
    weight, bias, loss = problem(dtype)
    optimizer = getattr(optim, name)([weight, bias], **options)
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        value = loss()
        (-value if options.get('maximize') else value).backward()
        return value

    losses, params = [], []
    for step in range(1, 101):
        losses.append(optimizer.step(closure).item())
        if step in KEPT:
            params.append([weight.flatten().tolist(), bias.tolist()])
    state = optimizer.state_dict()['state']
    keys = {str(k): {n: type(v).__name__ for n, v in s.items()} for k, s in state.items()}
    return dict(losses=losses, params=params, evaluations=evaluations, state=keys)


SCHEDULES = [
    ('StepLR', dict(step_size=5)),
    ('StepLR', dict(step_size=3, gamma=0.5)),
    ('MultiStepLR', dict(milestones=[4, 9, 9, 20])),
    ('MultiStepLR', dict(milestones=[2, 6], gamma=0.3)),
    ('ExponentialLR', dict(gamma=0.9)),
    ('CosineAnnealingLR', dict(T_max=10)),
    ('CosineAnnealingLR', dict(T_max=7, eta_min=0.01)),
    ('OneCycleLR', dict(max_lr=0.5, total_steps=30)),
    ('OneCycleLR', dict(max_lr=[0.5, 0.2], epochs=5, steps_per_epoch=6, pct_start=0.4, anneal_strategy='linear')),
    ('OneCycleLR', dict(max_lr=0.5, total_steps=30, three_phase=True, div_factor=10, final_div_factor=100)),
    ('OneCycleLR', dict(max_lr=0.5, total_steps=30, cycle_momentum=False)),
    ('ConstantLR', dict(factor=0.4, total_iters=8)),
    ('LinearLR', dict(start_factor=0.2, end_factor=0.8, total_iters=11)),
    ('PolynomialLR', dict(total_iters=20, power=1.7)),
    ('CosineAnnealingWarmRestarts', dict(T_0=4, T_mult=2, eta_min=0.001)),
    ('CyclicLR', dict(base_lr=0.01, max_lr=0.3, step_size_up=4, step_size_down=3, mode='triangular2',
                      cycle_momentum=False)),
    ('CyclicLR', dict(base_lr=[0.01, 0.02], max_lr=0.3, step_size_up=5, mode='exp_range', gamma=0.9,
                      cycle_momentum=False)),
    ('ReduceLROnPlateau', dict(patience=2, factor=0.5, cooldown=1, min_lr=0.004)),
    ('ReduceLROnPlateau', dict(mode='max', patience=1, threshold=0.05, threshold_mode='abs')),
    ('SequentialLR', dict(milestones=[6, 15])),
    ('ChainedScheduler', dict()),
]
MOMENTUM = [('CyclicLR', dict(base_lr=0.01, max_lr=0.3, step_size_up=6), 'SGD')]


def schedule(name, options, optimizer_name):
    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    groups = [dict(params=params[:1]), dict(params=params[1:], lr=0.02)]
    kind = dict(SGD=dict(lr=0.1, momentum=0.9), Adam=dict(lr=0.1))[optimizer_name]
    optimizer = getattr(optim, optimizer_name)(groups, **kind)
    S = optim.lr_scheduler
    if name == 'SequentialLR':
        options = dict(optimizer=optimizer, **options, schedulers=[
            S.ConstantLR(optimizer, 0.1, 4), S.ExponentialLR(optimizer, 0.9), S.StepLR(optimizer, 4, 0.5)])
    if name == 'ChainedScheduler':
        options = dict(schedulers=[S.ConstantLR(optimizer, 0.1, 4), S.ExponentialLR(optimizer, 0.9)])
    elif name != 'SequentialLR':
        options = dict(optimizer=optimizer, **(options or {}))
    if name in ('LambdaLR', 'MultiplicativeLR'):
        options = dict(optimizer=optimizer, lr_lambda=[lambda epoch: 0.95 ** epoch, lambda epoch: 1 / (1 + epoch)])
    scheduler = getattr(optim.lr_scheduler, name)(**options)
    rates, momenta = [], []
    for _ in range(30):
        rates.append([g['lr'] for g in optimizer.param_groups])
        momenta.append([g['momentum'] if 'momentum' in g else g['betas'][0] for g in optimizer.param_groups])
        optimizer.step()
        if len(rates) < 30:
            scheduler.step(*([math.cos(len(rates) / 3)] if name == 'ReduceLROnPlateau' else []))
    state = {k: v for k, v in scheduler.state_dict().items()
             if not callable(v) and k not in ('lr_lambdas', 'milestones', '_schedule_phases', '_schedulers',
                                          'mode_worse', '_scale_fn_ref')}
    return dict(rates=rates, momenta=momenta, state=state)


def text():
    p, q = (torch.zeros(1, requires_grad=True) for _ in range(2))
    shown = {}
    for name, options in [(n, {}) for n in ('Adam', 'AdamW', 'Adagrad', 'RMSprop', 'Adadelta', 'Adamax', 'NAdam',
                                            'RAdam', 'ASGD', 'Rprop', 'LBFGS')] + [('SGD', dict(lr=0.01, momentum=0.9))]:
        shown[name] = repr(getattr(optim, name)([p], **options))
    shown['two groups'] = repr(optim.SGD([dict(params=[p]), dict(params=[q], lr=1e-5)], lr=0.1))
    scheduled = optim.SGD([p], lr=0.1)
    optim.lr_scheduler.StepLR(scheduled, 5)
    shown['scheduled'] = repr(scheduled)
    return shown


def write(name, value):
    with open(os.path.join(HERE, name), 'w') as f:
        json.dump(value, f, separators=(',', ':'))
        f.write('\n')


write('steps.json', dict(
    input={k: v.tolist() for k, v in INPUT.items()},
    kept=KEPT,
    cases=[dict(optimizer=n, options=o, float64=steps(n, o, torch.float64), float32=steps(n, o, torch.float32))
           for n, o in CASES]))
write('schedules.json', [dict(scheduler=n, options=o, optimizer=k, **schedule(n, o, k))
                         for n, o, k in [(n, o, k) for n, o in SCHEDULES + [('LambdaLR', None), ('MultiplicativeLR', None)]
                                         for k in ('SGD', 'Adam')] + MOMENTUM])
write('text.json', text())
