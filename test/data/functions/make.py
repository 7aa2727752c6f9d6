"""Writes cases.json: what PyTorch makes of calls of the functions that test/ops/functions.test.ts tests, and its errors.

    python3 -P test/data/functions/make.py

Made with torch 1.13.1. The encoding is that of the conformance cases (test/data/conformance/README.md).
"""
import json
import math
import pathlib
import warnings

import torch

warnings.simplefilter('ignore')
torch.manual_seed(0)


def number(x):
    if isinstance(x, float) and not math.isfinite(x):
        return 'nan' if math.isnan(x) else 'inf' if x > 0 else '-inf'
    return x


def enc(x, argument=False):
    if isinstance(x, torch.Tensor):
        plain = torch.view_as_real(x.detach().resolve_conj()) if x.is_complex() else x.detach()
        made = {'$t': str(x.dtype)[6:], 's': list(x.shape), 'v': [number(v) for v in plain.flatten().tolist()]}
        return made | ({'g': 1} if argument and x.requires_grad else {})
    if isinstance(x, (list, tuple)):
        return [enc(y, argument) for y in x]
    if isinstance(x, torch.dtype):
        return {'$dtype': str(x)[6:]}
    if isinstance(x, float):
        return {'$f': number(x)} if argument else number(x)
    return x


def find(path):
    at = torch
    for part in path.split('.'):
        at = getattr(at, part, None)
        if at is None or isinstance(at, torch.dtype):
            return lambda self, *args, **kw: getattr(self, path)(*args, **kw)
    return at


def leaves(x):
    return [x] if isinstance(x, torch.Tensor) else [y for item in x for y in leaves(item)] if isinstance(x, (list, tuple)) else []


def cotangent(out):
    return torch.tensor([((i % 7) - 3) / 4 + 0.25 for i in range(out.numel())], dtype=out.dtype).reshape(out.shape)


cases, errors = [], []


def call(op, *args, **kw):
    row = {'op': op, 'variant': '', 'dtype': '', 'args': enc(args, True), 'kw': {k: enc(v, True) for k, v in kw.items()}}
    torch.manual_seed(42)
    out = find(op)(*args, **kw)
    row['out'] = enc(out)
    inputs = [x for x in leaves(list(args) + list(kw.values())) if x.requires_grad]
    outs = [y for y in leaves(out) if y.requires_grad and y.is_floating_point()]
    if inputs and outs:
        grads = torch.autograd.grad(outs, inputs, [cotangent(y) for y in outs], allow_unused=True)
        row['grads'] = [None if g is None else enc(g) for g in grads]
    cases.append(row)


def fails(op, *args, **kw):
    row = {'op': op, 'args': enc(args, True), 'kw': {k: enc(v, True) for k, v in kw.items()}}
    try:
        find(op)(*args, **kw)
    except Exception as error:
        errors.append(row | {'error': type(error).__name__, 'message': str(error).split('\n')[0]})
        return
    raise AssertionError(f'{op} did not fail')


def g(*sizes):
    return torch.randn(*sizes).mul(1000).round().div(1000).requires_grad_()


def r(*sizes):
    return torch.randn(*sizes).mul(1000).round().div(1000)


def unit(*sizes):
    return torch.rand(*sizes).mul(1000).round().div(1000)


c64 = torch.complex(r(2, 3), r(2, 3))

for name in 'bartlett hann hamming blackman kaiser'.split():
    for length in (0, 1, 2, 5, 8):
        call(f'{name}_window', length)
        call(f'{name}_window', length, False)
    call(f'{name}_window', 7, dtype=torch.float64)
    fails(f'{name}_window', -1)
    fails(f'{name}_window', 4, dtype=torch.int64)
    fails(f'{name}_window', 4, dtype=torch.bool)
call('hamming_window', 6, True, 0.5)
call('hamming_window', 6, True, 0.6, 0.3)
call('hamming_window', 6, alpha=0.7, periodic=False)
call('kaiser_window', 9, False, 5.0)
call('kaiser_window', 9, beta=0.5, periodic=True)

call('alias_copy', g(2, 3))
call('as_strided_copy', g(3, 4), [2, 2], [1, 2], 1)
call('diagonal_copy', g(3, 4), 1)
call('expand_copy', g(3, 1), [3, 4])
call('permute_copy', g(2, 3, 4), [2, 0, 1])
call('select_copy', g(3, 4), 1, -1)
call('slice_copy', g(5, 2), 0, 1, 5, 2)
call('split_copy', g(5, 2), 2)
call('split_with_sizes_copy', g(2, 5), [2, 3], 1)
call('squeeze_copy', g(2, 1, 3, 1))
call('squeeze_copy', g(2, 1, 3, 1), 1)
call('t_copy', g(2, 3))
call('transpose_copy', g(2, 3, 4), 0, 2)
call('unbind_copy', g(2, 3), 1)
call('unfold_copy', g(6), 0, 3, 2)
call('unsqueeze_copy', g(2, 3), 1)
call('view_copy', g(2, 3), [3, 2])
call('view_copy', r(2, 4), torch.int32)
call('view_as_real_copy', c64)
call('view_as_complex_copy', r(3, 2))
fails('view_copy', r(2, 3), [4])
fails('select_copy', r(2, 3), 0, 5)

call('kron', g(2, 3), g(3, 2))
call('kron', g(2, 1, 2), g(3))
call('kron', c64, c64)
call('kron', torch.arange(3), torch.arange(4).view(2, 2))
call('vander', r(4))
call('vander', r(3), 5, True)
call('vander', torch.tensor([1, 2, 3]), N=2)
call('vander', torch.tensor([1, 2, 3], dtype=torch.int32))
call('vander', torch.tensor([True, False]))
call('vander', r(3), 0)
fails('vander', r(2, 2))
fails('vander', r(2), -1)
call('chain_matmul', g(2, 3), g(3, 4), g(4, 2))
call('chain_matmul', g(2, 3))
fails('chain_matmul')
fails('chain_matmul', r(2), r(2))
call('range', 1, 4)
call('range', 1, 4, 0.5)
call('range', 5, 1, -2)
call('range', 1, 7, 2, dtype=torch.int64)
call('range', 0.5, 2.25, 0.25, dtype=torch.float64)
fails('range', 1, 4, -1)
fails('range', 1, 4, 0)
call('linalg.diagonal', g(2, 3, 4))
call('linalg.diagonal', g(2, 3, 4), offset=1, dim1=0, dim2=1)
fails('linalg.diagonal', r(3))
call('fill', g(2, 3), 2.5)
call('fill', g(2, 3), torch.tensor(1.5, requires_grad=True))
call('fill', torch.arange(3), 7)

call('frobenius_norm', g(2, 3))
call('frobenius_norm', g(2, 3), 1)
call('frobenius_norm', g(2, 3), [0, 1], True)
call('frobenius_norm', c64, [0, 1])
fails('frobenius_norm', r(2, 2, 2), [0, 1, 2])
call('nuclear_norm', g(3, 2))
call('nuclear_norm', g(3, 2), True)
call('nuclear_norm', g(3, 2, 4), [0, 2])
call('nuclear_norm', g(3, 2, 4), [2, 1], True)
call('norm', g(3, 2), 'nuc')
call('norm', g(3, 2, 4), 'nuc', [0, 1], True)
fails('nuclear_norm', r(3))
fails('nuclear_norm', r(3, 2), [0])
call('norm_except_dim', g(3, 4), 2, 0)
call('norm_except_dim', g(2, 3, 4), 1, 1)
call('norm_except_dim', g(3, 4), 2, -1)

for reduction in (0, 1, 2):
    call('kl_div', g(2, 3), unit(2, 3), reduction)
    call('kl_div', g(2, 3), r(2, 3), reduction, log_target=True)
    call('binary_cross_entropy_with_logits', g(2, 3), unit(2, 3), unit(3), unit(3), reduction)
    call('cosine_embedding_loss', g(2, 3), g(2, 3), torch.tensor([1, -1]), 0.1, reduction)
    call('margin_ranking_loss', g(3), g(3), torch.tensor([1, -1, 1]), 0.5, reduction)
    call('hinge_embedding_loss', g(3), torch.tensor([1, -1, -1]), 0.5, reduction)
    call('poisson_nll_loss', g(3), unit(3) * 4, True, True, 1e-8, reduction)
    call('poisson_nll_loss', unit(3).add(0.5).requires_grad_(), unit(3), False, False, 1e-8, reduction)
    call('triplet_margin_loss', g(2, 3), g(2, 3), g(2, 3), 1.0, 2.0, 1e-6, False, reduction)
call('kl_div', g(2, 3), unit(2, 3))
call('binary_cross_entropy_with_logits', g(2, 3), unit(2, 3))
call('triplet_margin_loss', g(2, 3), g(2, 3), g(2, 3), swap=True, p=1.0)
call('bilinear', g(2, 3), g(2, 4), g(5, 3, 4), g(5))
call('cosine_similarity', g(2, 3), g(2, 3))
call('pairwise_distance', g(2, 3), g(2, 3))
call('pdist', g(4, 3))
call('rrelu', g(2, 3))
call('rrelu', r(5), 0.1, 0.4, True)
call('rrelu_', r(2, 3), 0.2, 0.4)
call('native_dropout', g(2, 3), 0.5, False)
call('native_dropout', r(4, 6), 0.25, True)
call('batch_norm', g(4, 3), g(3), g(3), r(3), unit(3), True, 0.1, 1e-5, False)
call('batch_norm', g(4, 3), None, None, r(3), unit(3), False, 0.1, 1e-5, False)
call('instance_norm', g(2, 3, 4), g(3), g(3), None, None, True, 0.1, 1e-5, False)
call('native_group_norm', g(2, 4, 3), g(4), g(4), 2, 4, 3, 2, 1e-5)
call('convolution', g(1, 2, 6), g(3, 2, 3), g(3), [2], [1], [1], False, [0], 1)
call('convolution', g(1, 2, 5, 5), g(2, 1, 3, 3), None, [1, 2], [1, 0], [1, 1], False, [0, 0], 2)
call('convolution', g(1, 2, 3, 3), g(2, 3, 2, 2), g(3), [2, 2], [0, 0], [1, 1], True, [1, 0], 1)
call('conv_tbc', g(6, 2, 3), g(3, 3, 4), g(4), 1)
call('conv_tbc', g(6, 2, 3), g(2, 3, 1), g(1))
fails('conv_tbc', r(6, 2), r(3, 3, 4), r(4))
fails('conv_tbc', r(6, 2, 2), r(3, 3, 4), r(4))
call('native_channel_shuffle', r(1, 4, 2), 2)
call('adaptive_max_pool1d', g(1, 2, 7), 3)
call('max_pool3d', g(1, 1, 4, 4, 4), 2)
call('grid_sampler', g(1, 2, 3, 3), unit(1, 2, 2, 2), 0, 0, True)
call('grid_sampler_2d', g(1, 2, 3, 3), unit(1, 2, 2, 2), 1, 1, False)
call('grid_sampler_3d', g(1, 1, 3, 3, 3), unit(1, 2, 2, 2, 3), 0, 2, False)
call('affine_grid_generator', g(1, 2, 3), [1, 1, 2, 3], False)
call('embedding', g(5, 3), torch.tensor([[0, 4], [1, 1]]))
call('embedding', g(5, 3), torch.tensor([0, 4, 2]), 2, True)
call('embedding_renorm_', r(5, 3) * 4, torch.tensor([0, 3, 0]), 1.0, 2.0)

for name in 'addmm_ addr_ addmv_ addbmm_ baddbmm_'.split():
    sizes = {'addmm_': [(2, 3), (2, 4), (4, 3)], 'addr_': [(2, 3), (2,), (3,)], 'addmv_': [(2,), (2, 3), (3,)],
             'addbmm_': [(2, 3), (2, 2, 4), (2, 4, 3)], 'baddbmm_': [(2, 2, 3), (2, 2, 4), (2, 4, 3)]}[name]
    call(name, *(r(*s) for s in sizes), beta=0.5, alpha=2)
call('renorm_', r(3, 4), 2, 0, 0.5)
call('conj_physical_', c64.clone())
call('adjoint', g(2, 3))
call('adjoint', c64)
fails('adjoint', r(3))
call('fill_diagonal_', r(3, 4), 9)
call('fill_diagonal_', r(7, 3), 9)
call('fill_diagonal_', r(7, 3), 9, True)
call('fill_diagonal_', r(4, 3), 9, wrap=True)
call('fill_diagonal_', r(2, 2, 2), 5)
fails('fill_diagonal_', r(3), 1)
fails('fill_diagonal_', r(2, 3, 2), 1)
call('unsafe_split_with_sizes', g(5), [2, 3])
call('to_dense', r(2), torch.float64)
call('cdouble', r(2))
call('cfloat', r(2))
call('resize', g(2, 3), 3, 2)
fails('resize', r(3), 2)
call('resize_as', g(2, 3), r(6))
call('is_neg', r(2))
call('is_inference', r(2))

text = ',\n'.join(json.dumps(row) for row in cases)
failing = ',\n'.join(json.dumps(row) for row in errors)
pathlib.Path(__file__).with_name('cases.json').write_text(f'{{"cases": [\n{text}\n],\n"errors": [\n{failing}\n]}}\n')
print(len(cases), 'cases', len(errors), 'errors')
