"""Writes schedule_options.json: PyTorch 1.13.1's schedulers with each of their options over 100 epochs, what they print when
verbose, where a jump to an epoch leads, and their errors.

Run with PyTorch 1.13.1: python3 -P test/data/optim/make_schedules.py
"""
import contextlib
import io
import json
import math
import os
import warnings

import torch
from torch import optim
from torch.optim import lr_scheduler as S

warnings.simplefilter('ignore')
HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS, JUMPS = 100, [3, 17, 4, 60, 0]

CASES = [
    ('StepLR', dict(step_size=7)), ('StepLR', dict(step_size=1, gamma=0.97)),
    ('MultiStepLR', dict(milestones=[10, 10, 40, 70], gamma=0.5)), ('MultiStepLR', dict(milestones=[])),
    ('ConstantLR', dict()), ('ConstantLR', dict(factor=0.25, total_iters=50)), ('ConstantLR', dict(factor=0, total_iters=0)),
    ('LinearLR', dict()), ('LinearLR', dict(start_factor=0.1, end_factor=0.5, total_iters=60)),
    ('LinearLR', dict(start_factor=1.0, end_factor=0.0, total_iters=30)),
    ('ExponentialLR', dict(gamma=0.98)), ('ExponentialLR', dict(gamma=1.01)),
    ('PolynomialLR', dict()), ('PolynomialLR', dict(total_iters=80, power=2.5)), ('PolynomialLR', dict(total_iters=40, power=0)),
    ('CosineAnnealingLR', dict(T_max=25)), ('CosineAnnealingLR', dict(T_max=40, eta_min=0.005)),
    ('CosineAnnealingWarmRestarts', dict(T_0=10)), ('CosineAnnealingWarmRestarts', dict(T_0=5, T_mult=2)),
    ('CosineAnnealingWarmRestarts', dict(T_0=7, T_mult=3, eta_min=0.01)),
    ('CyclicLR', dict(base_lr=0.01, max_lr=0.1)), ('CyclicLR', dict(base_lr=0.01, max_lr=0.1, step_size_up=10)),
    ('CyclicLR', dict(base_lr=0.01, max_lr=0.1, step_size_up=8, step_size_down=15, mode='triangular2')),
    ('CyclicLR', dict(base_lr=0.01, max_lr=[0.1, 0.3], step_size_up=9, mode='exp_range', gamma=0.98)),
    ('CyclicLR', dict(base_lr=0.01, max_lr=0.1, step_size_up=10, cycle_momentum=False)),
    ('CyclicLR', dict(base_lr=0.01, max_lr=0.1, step_size_up=10, base_momentum=0.7, max_momentum=[0.95, 0.85])),
    ('OneCycleLR', dict(max_lr=0.4, total_steps=101)), ('OneCycleLR', dict(max_lr=0.4, epochs=11, steps_per_epoch=10)),
    ('OneCycleLR', dict(max_lr=[0.4, 0.1], total_steps=101, pct_start=0.2, anneal_strategy='linear')),
    ('OneCycleLR', dict(max_lr=0.4, total_steps=101, three_phase=True)),
    ('OneCycleLR', dict(max_lr=0.4, total_steps=101, div_factor=5, final_div_factor=50, base_momentum=0.8, max_momentum=0.9)),
    ('OneCycleLR', dict(max_lr=0.4, total_steps=101, cycle_momentum=False)),
    ('ReduceLROnPlateau', dict()), ('ReduceLROnPlateau', dict(mode='max', factor=0.5, patience=3)),
    ('ReduceLROnPlateau', dict(factor=0.5, patience=2, threshold=0.2, threshold_mode='abs')),
    ('ReduceLROnPlateau', dict(factor=0.5, patience=1, cooldown=4)),
    ('ReduceLROnPlateau', dict(factor=0.3, patience=1, min_lr=[0.01, 0.005])),
    ('ReduceLROnPlateau', dict(factor=0.5, patience=1, eps=0.01)),
    ('ReduceLROnPlateau', dict(mode='max', factor=0.5, patience=2, threshold=0.1, threshold_mode='abs')),
]


def sgd(**options):
    p, q = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    return optim.SGD([dict(params=[p]), dict(params=[q], lr=0.03)], **{**dict(lr=0.1, momentum=0.9), **options})


def metric(epoch):
    return math.sin(epoch / 7) + 2 / (1 + epoch)


def step(scheduler, epoch):
    scheduler.step(*([metric(epoch)] if isinstance(scheduler, S.ReduceLROnPlateau) else []))


def run(name, options):
    optimizer = sgd()
    scheduler = getattr(S, name)(optimizer, **options)
    rates, momenta = [], []
    for epoch in range(EPOCHS):
        rates.append([g['lr'] for g in optimizer.param_groups])
        momenta.append([g['momentum'] for g in optimizer.param_groups])
        optimizer.step()
        step(scheduler, epoch)
    row = dict(rates=rates)
    return row | (dict(momenta=momenta) if any(m != [0.9, 0.9] for m in momenta) else {})


def jump(name, options):
    if name == 'ReduceLROnPlateau':
        return {}
    optimizer = sgd()
    scheduler = getattr(S, name)(optimizer, **options)
    found = []
    for epoch in JUMPS:
        optimizer.step()
        scheduler.step(epoch)
        found.append([g['lr'] for g in optimizer.param_groups])
    return dict(jumps=found)


def said(name, options):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        optimizer = sgd()
        scheduler = getattr(S, name)(optimizer, **options, verbose=True)
        for epoch in range(14):
            optimizer.step()
            step(scheduler, epoch)
        if name != 'ReduceLROnPlateau':
            scheduler.print_lr(True, 1, 0.025, 3)
    return dict(said=out.getvalue().splitlines())


cases = []
for i, (name, options) in enumerate(CASES):
    first = all(n != name for n, _ in CASES[:i])
    cases.append(dict(scheduler=name, options=options) | run(name, options) | jump(name, options)
                 | (said(name, options) if first else {}))

ERRORS = [
    ('ConstantLR', dict(factor=1.5)), ('ConstantLR', dict(factor=-0.1)), ('LinearLR', dict(start_factor=1.5)),
    ('LinearLR', dict(start_factor=-0.5)), ('LinearLR', dict(end_factor=1.5)), ('LinearLR', dict(end_factor=-1)),
    ('ReduceLROnPlateau', dict(factor=1.5)), ('ReduceLROnPlateau', dict(mode='best')),
    ('ReduceLROnPlateau', dict(threshold_mode='relative')), ('ReduceLROnPlateau', dict(min_lr=[0.1])),
    ('CyclicLR', dict(base_lr=0.1, max_lr=1, mode='square')), ('CyclicLR', dict(base_lr=[0.1], max_lr=1)),
    ('CyclicLR', dict(base_lr=0.1, max_lr=[1, 2, 3])), ('CosineAnnealingWarmRestarts', dict(T_0=0)),
    ('CosineAnnealingWarmRestarts', dict(T_0=2.5)), ('CosineAnnealingWarmRestarts', dict(T_0=5, T_mult=0)),
    ('CosineAnnealingWarmRestarts', dict(T_0=5, T_mult=1.5)), ('OneCycleLR', dict(max_lr=1)),
    ('OneCycleLR', dict(max_lr=1, total_steps=-3)),     ('OneCycleLR', dict(max_lr=1, epochs=-1, steps_per_epoch=2)), ('OneCycleLR', dict(max_lr=1, epochs=2, steps_per_epoch=-2)),
    ('OneCycleLR', dict(max_lr=1, total_steps=10, pct_start=1.5)), ('OneCycleLR', dict(max_lr=1, total_steps=10, pct_start=-0.5)),
    ('OneCycleLR', dict(max_lr=1, total_steps=10, anneal_strategy='exp')), ('OneCycleLR', dict(max_lr=[1], total_steps=10)),
    ('StepLR', dict(step_size=2, last_epoch=4)),
]
errors = []
for name, options in ERRORS:
    try:
        getattr(S, name)(sgd(), **options)
    except Exception as error:
        errors.append(dict(scheduler=name, options=options, error=type(error).__name__,
                           message=error.args[0]))
        continue
    raise AssertionError(f'{name} {options} did not fail')

with open(os.path.join(HERE, 'schedule_options.json'), 'w') as file:
    rows = ',\n'.join(json.dumps(row, separators=(',', ':')) for row in cases)
    bad = ',\n'.join(json.dumps(row) for row in errors)
    file.write(f'{{"epochs": {EPOCHS}, "jumps": {JUMPS},\n"cases": [\n{rows}\n],\n"errors": [\n{bad}\n]}}\n')
print(len(cases), 'cases', len(errors), 'errors')
