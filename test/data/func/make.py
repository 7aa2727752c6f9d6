"""Writes expected.json: the values and messages of PyTorch's function transforms (functorch 1.13, whose names torch.func took over).

Run as: python3 -P test/data/func/make.py
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from functorch import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp, vmap


def v(*sizes, salt=0):
    n = 1
    for s in sizes:
        n *= s
    return torch.sin(torch.arange(n, dtype=torch.float64) * 0.7 + salt).reshape(sizes)


def data(x):
    if isinstance(x, torch.Tensor):
        return {'sizes': list(x.shape), 'values': x.detach().flatten().tolist()}
    if isinstance(x, dict):
        return {k: data(y) for k, y in x.items()}
    return [data(y) for y in x]


def error(f):
    try:
        f()
    except Exception as e:  # noqa: BLE001
        return {'type': type(e).__name__, 'message': str(e)}
    raise AssertionError('no error')


x, y, w = v(2, 3), v(2, 3, salt=1), v(3, salt=2)
s = v(3, salt=3)
cases = {}

# -- derivatives
cases['grad'] = grad(lambda x: (x.sin() * x).sum())(x)
cases['grad of grad'] = grad(grad(lambda x: x.sin() * x.exp()))(v(salt=1))
cases['grad argnums'] = grad(lambda a, b: (a * b.exp()).sum(), argnums=(1, 0))(x, y)
cases['grad dict'] = grad(lambda p: (p['a'] * p['b'][0]).sum() + p['b'][1].sin().sum())({'a': x, 'b': [y, w]})
cases['grad has_aux'] = grad(lambda x: ((x * x).sum(), {'twice': x * 2}), has_aux=True)(x)
cases['grad_and_value'] = grad_and_value(lambda x: (x * x).sum())(x)
cases['vjp'] = (lambda r: [r[0], r[1](y)])(vjp(lambda x: x.sin() * x, x))
cases['vjp tree'] = (lambda r: [r[0], r[1]({'p': y, 'q': w})])(
    vjp(lambda a, b: {'p': a * b, 'q': b.exp()}, x, w))
cases['jvp'] = jvp(lambda a, b: (a * b).sin(), (x, w), (y, s))
cases['jvp of jvp'] = jvp(lambda x: jvp(lambda x: x.sin() * x.exp(), (x,), (y,))[1], (x,), (v(2, 3, salt=2),))
cases['jvp has_aux'] = jvp(lambda x: (x.sin(), x.cos()), (x,), (y,), has_aux=True)
cases['jacrev'] = jacrev(lambda x: x.sin().cumsum(0))(w)
cases['jacfwd'] = jacfwd(lambda x: x.sin().cumsum(0))(w)
cases['jacrev argnums'] = jacrev(lambda a, b: (a @ b, a.sum()), argnums=(0, 1))(x, w)
cases['jacfwd argnums'] = jacfwd(lambda a, b: (a @ b, a.sum()), argnums=(0, 1))(x, w)
cases['hessian'] = hessian(lambda x: (x.sin().prod() + x.exp().sum()))(w)
cases['jacrev of jacfwd'] = jacrev(jacfwd(lambda x: (x.sin().prod() * x)))(w)
cases['perturbation'] = grad(lambda x: x * grad(lambda y: x + y)(torch.ones_like(x)))(v(salt=1))

# -- vmap
cases['vmap'] = vmap(lambda a, b: a * b + a.sum())(x, y)
cases['vmap dims'] = vmap(lambda a, b: a.cumsum(0) * b, in_dims=(1, None), out_dims=1)(x, v(2))
cases['vmap tree'] = vmap(lambda p: {'s': p['a'].sum(), 'm': p['a'] * p['b']}, in_dims=({'a': 0, 'b': None},))({'a': x, 'b': w})
cases['vmap of vmap'] = vmap(vmap(torch.dot, in_dims=(None, 0)), in_dims=(0, None))(x, y)
cases['vmap of grad'] = vmap(grad(lambda w, x: (w * x).sin().sum()), in_dims=(None, 0))(w, x)
cases['grad of vmap'] = grad(lambda x: vmap(lambda r: (r * r).sum() * r)(x).sin().sum())(x)
cases['grad of vmap of grad'] = grad(lambda w: vmap(grad(lambda x: (w * x).sin().sum()))(x).pow(2).sum())(w)
cases['vmap of hessian'] = vmap(hessian(lambda x: x.sin().prod()))(x)
cases['vmap of jvp'] = vmap(lambda t: jvp(lambda x: x.sin() * x, (w,), (t,))[1])(x)
cases['vmap of jacrev of vmap'] = vmap(jacrev(vmap(lambda r: r.sin() * r.sum())))(v(2, 2, 3))

# -- per-sample gradients of a small network, by hand in a loop as well
params = {
    'c': v(2, 1, 3, 3, salt=4), 'cb': v(2, salt=5), 'n': v(2, salt=6), 'nb': v(2, salt=7), 'l': v(4, 8, salt=8), 'lb': v(4, salt=9),
}
images, labels = v(5, 1, 6, 6, salt=10), torch.tensor([0, 3, 1, 2, 3])


def net(p, image, label):
    h = F.conv2d(image.unsqueeze(0), p['c'], p['cb'])
    h = F.group_norm(h, 1, p['n'], p['nb']).relu()
    h = F.max_pool2d(h, 2).flatten(1)
    return F.cross_entropy(F.linear(h, p['l'], p['lb']), label.unsqueeze(0))


def by_hand(i):
    own = {k: t.clone().requires_grad_() for k, t in params.items()}
    loss = net(own, images[i], labels[i])
    return dict(zip(own, torch.autograd.grad(loss, list(own.values()))))


each = [by_hand(i) for i in range(5)]
cases['per-sample gradients'] = {k: torch.stack([e[k] for e in each]) for k in params}


# -- a step of meta-learning: the gradient through a step of gradient descent, averaged over tasks
def maml(w):
    def task(x, y):
        inner = grad(lambda w: ((x @ w - y) ** 2).mean())
        return ((x @ (w - 0.1 * inner(w)) - y) ** 2).mean()
    return vmap(task)(v(4, 5, 3), v(4, 5, salt=1)).mean()


cases['maml'] = [maml(w), grad(maml)(w)]

f32 = v(2, 3).float()
errors = {
    'item': error(lambda: vmap(lambda x: x.item())(w)),
    'control flow': error(lambda: vmap(lambda x: 1 if x > 0 else 0)(w)),
    'random': error(lambda: vmap(lambda x: torch.randn(2))(x)),
    'dropout': error(lambda: vmap(lambda x: F.dropout(x))(x)),
    'same batched': error(lambda: vmap(lambda x: torch.bernoulli(x), randomness='same')(torch.ones(2, 3))),
    'different in place': error(lambda: vmap(lambda x: torch.ones(3).uniform_(), randomness='different')(x)),
    'randomness': error(lambda: vmap(lambda x: x, randomness='bla')(x)),
    'in_dims structure': error(lambda: vmap(lambda x: x, in_dims=(0, 0))(x)),
    'in_dims none': error(lambda: vmap(lambda x: x, in_dims=None)(x)),
    'in_dims all none': error(lambda: vmap(lambda x: x, in_dims=(None,))(x)),
    'in_dims range': error(lambda: vmap(lambda x: x, in_dims=3)(x)),
    'in_dims str': error(lambda: vmap(lambda x: x, in_dims=('a',))(x)),
    'sizes': error(lambda: vmap(lambda x, y: x)(x, torch.ones(3))),
    'not a tensor': error(lambda: vmap(lambda x, y: x)(x, 3)),
    'no inputs': error(lambda: vmap(lambda: 1)()),
    'returns a number': error(lambda: vmap(lambda x: 1)(x)),
    'out_dims structure': error(lambda: vmap(lambda x: (x, x), out_dims=(0, 1, 0))(x)),
    'out_dims range': error(lambda: vmap(lambda x: x, out_dims=2)(x)),
    'out_dims none': error(lambda: vmap(lambda x: x, out_dims=None)(x)),
    'dict in_dims': error(lambda: vmap(lambda d: d['a'], in_dims=({'b': 0},))({'a': x})),
    'in place': error(lambda: vmap(lambda x: torch.ones(3).copy_(x))(f32)),
    'out': error(lambda: vmap(lambda x: torch.add(x, x, out=torch.empty(3)))(f32)),
    'masked_select': error(lambda: vmap(lambda x: torch.masked_select(x, x > 0))(x)),
    'nonzero': error(lambda: vmap(lambda x: torch.nonzero(x))(x)),
    'requires_grad_': error(lambda: vmap(lambda x: x.requires_grad_())(x)),
    'batch_norm': error(lambda: vmap(lambda x: F.batch_norm(x, torch.zeros(3), torch.ones(3), training=True))(torch.ones(2, 4, 3))),
    'grad of no scalar': error(lambda: grad(lambda x: x)(x)),
    'grad of a tuple': error(lambda: grad(lambda x: (x.sum(), x))(x)),
    'grad of a number': error(lambda: grad(lambda x: 3)(x)),
    'grad aux': error(lambda: grad(lambda x: x.sum(), has_aux=True)(x)),
    'grad by a number': error(lambda: grad(lambda x: x.sum())(3)),
    'argnums range': error(lambda: grad(lambda x: x.sum(), argnums=1)(x)),
    'argnums empty': error(lambda: jacrev(lambda x: x, argnums=())(x)),
    'grad by integers': error(lambda: grad(lambda x: x.sum())(torch.ones(3, dtype=torch.int64))),
    'vjp structure': error(lambda: vjp(lambda x: x * 2, x)[1]((x, x))),
    'vjp sizes': error(lambda: vjp(lambda x: x * 2, x)[1](torch.ones(5))),
    'vjp of a number': error(lambda: vjp(lambda x: 3, x)),
    'jvp no tuple': error(lambda: jvp(lambda x: x * 2, x, x)),
    'jvp sizes': error(lambda: jvp(lambda x: x * 2, (x,), (torch.ones(1, dtype=torch.float64),))),
    'jvp structure': error(lambda: jvp(lambda x: x * 2, (x,), (x, x))),
    'jvp tangent': error(lambda: jvp(lambda x: x * 2, (x,), (3,))),
    'jvp of a number': error(lambda: jvp(lambda x: 3, (x,), (x,))),
}

torch.manual_seed(0)
random = {
    'randn different': vmap(lambda x: torch.randn(2), randomness='different')(f32),
    'randn same': vmap(lambda x: torch.randn(2), randomness='same')(f32),
    'dropout different': vmap(lambda x: F.dropout(x), randomness='different')(torch.ones(3, 8)),
    'dropout same': vmap(lambda x: F.dropout(x), randomness='same')(torch.ones(3, 8)),
    'rand_like different': vmap(lambda x: torch.rand_like(x), randomness='different')(f32),
    'rand_like same': vmap(lambda x: torch.rand_like(x), randomness='same')(f32),
    'bernoulli different': vmap(lambda x: torch.bernoulli(x), randomness='different')(torch.ones(2, 3) * 0.5),
    'uniform_ different': vmap(lambda x: x.uniform_(), randomness='different')(torch.ones(2, 3)),
    'uniform_ same': vmap(lambda x: x.uniform_(), randomness='same')(torch.ones(2, 3)),
}

out = {'cases': {k: data(c) for k, c in cases.items()}, 'errors': errors, 'random': {k: data(c) for k, c in random.items()}}
path = pathlib.Path(__file__).with_name('expected.json')
sections = (
    f' {json.dumps(name)}: {{\n' + ',\n'.join(f'  {json.dumps(k)}: {json.dumps(c)}' for k, c in part.items()) + '\n }'
    for name, part in out.items()
)
path.write_text('{\n' + ',\n'.join(sections) + '\n}\n')
