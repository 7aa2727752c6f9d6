"""Writes text.json and traces.json: what the notebooks and snippets under examples/ print with PyTorch 1.13.1.

A section is one function there, run after manual_seed(0) (and after those before it whose tensors it is given). True,
False and None are printed as JavaScript does. Run with PyTorch 1.13.1: python3 test/data/examples/text.py
"""
import contextlib
import io
import json
import os
import warnings
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.simplefilter('ignore')
HERE = os.path.dirname(os.path.abspath(__file__))
sections = {}


def js(x):
    return {True: 'true', False: 'false', None: 'null'}[x] if x is None or isinstance(x, bool) else x


def show(*args):
    print(*(js(x) for x in args))


def section(name, seed=True):
    def run(f):
        if seed:
            torch.manual_seed(0)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            f()
        sections[name] = out.getvalue()[:-1]
    return run


# ---------------------------------------------------------------------------------------------- introduction

x = torch.linspace(0, 5, 101)


@section('introduction.first_and_last')
def _():
    show(x[:5])
    show(x[-5:])


@section('introduction.vector_computations')
def _():
    y1, y2 = x.sin(), x ** x.cos()
    y3 = y2 - y1
    y4 = y3.min()
    print(f'The shape of x is {x.shape}')
    print(f'The shape of y1=x.sin() is {y1.shape}')
    print(f'The shape of y2=x ** x.cos() is {y2.shape}')
    print(f'The shape of y3=y2 - y1 is {y3.shape}')
    print(f'The shape of y4=y3.min() is {y4.shape}, a zero-d scalar')


@section('introduction.clamped')
def _():
    y = (x ** x.cos() - x.sin()).clamp(0, 1)
    show(y.min(), y.max())


@section('introduction.multidimensional')
def _():
    m = torch.randn(2, 5).abs()
    print(f'm is {m}, and m[1,2] is {m[1,2]}\n')
    print(f'column zero, m[:,0] is {m[:,0]}')
    print(f'row zero m[0,:] is {m[0,:]}\n')
    print(f'The dot product of rows (m[0,:] * m[1,:]).sum() is {(m[0,:] * m[1,:]).sum()}\n')
    print(f'The outer product of rows m[0,:][None,:] * m[1,:][:,None] is:\n{m[0,:][None,:] * m[1,:][:,None]}')


@section('introduction.products_by_mm')
def _():
    m = torch.randn(2, 5).abs()
    show(torch.mm(m[1][:, None], m[0][None]) == m[0, :][None, :] * m[1, :][:, None])
    dot = torch.mm(m[0][None], m[1][:, None])
    show(dot.shape, torch.allclose(dot.squeeze(), (m[0] * m[1]).sum()))


@section('introduction.rearrange')
def _():
    x = torch.arange(120.).view(2, 3, 4, 5)
    permuted = x.permute(0, 1, 3, 2)
    show(permuted.shape, x.view(2, 60).shape, permuted.is_contiguous())
    try:
        permuted.view(2, 60)
    except RuntimeError as error:
        show(error)
    show(permuted.reshape(2, 60)[0, :6], permuted.contiguous().view(2, 60)[0, :6])


@section('introduction.einsum')
def _():
    A, B = torch.randn(2, 5), torch.randn(5, 3)
    show(torch.einsum('ij, jk -> ik', A, B))


@section('introduction.covariance')
def _():
    A, B = torch.randn(5, 6, 2), torch.randn(5, 6, 3)
    total = torch.einsum('ija, ijb -> ab', A, B)
    show(total)
    show(torch.allclose(total, A.view(30, 2).t().mm(B.view(30, 3)), atol=1e-5))


# ---------------------------------------------------------------------------------------------- autograd

def ramp(steps=101):
    return torch.linspace(0, 5, steps, requires_grad=True)


def cubic(x):
    return x ** 3 - 6 * x ** 2 + 8 * x


@section('autograd.cubic_derivative')
def _():
    x = ramp()
    [dydx] = torch.autograd.grad(cubic(x).sum(), [x])
    show(torch.allclose(dydx, 3 * x ** 2 - 12 * x + 8, atol=1e-4), dydx[0], dydx[-1])


@section('autograd.by_backward')
def _():
    x = ramp(100)
    (x ** 2).cos().sum().backward()
    show(x.grad)


@section('autograd.two_inputs')
def _():
    x, x2 = ramp(), ramp()
    (x2 ** 3 - 6 * x ** 2 + 8 * x).sum().backward()
    show(x.grad[0], x2.grad[0], x.grad[-1], x2.grad[-1])


@section('autograd.accumulate')
def _():
    x = torch.tensor([1., 2.], requires_grad=True)
    for _ in range(2):
        (x ** 2).sum().backward()
    show(x.grad)
    x.grad.zero_()
    (x ** 2).sum().backward()
    show(x.grad)


@section('autograd.second_derivative')
def _():
    x = ramp()
    cubic(x).sum().backward(create_graph=True)
    first = x.grad
    show(first.requires_grad)
    x.grad = None
    first.sum().backward()
    show(x.grad[:3], torch.allclose(x.grad, 6 * x - 12, atol=1e-4))


# ---------------------------------------------------------------------------------------------- optimizers

bowl = torch.tensor([[0.4410, -1.0317], [-0.2844, -0.1035]])


def by_hand(x, steps=21):
    losses = []
    for _ in range(steps):
        x.requires_grad = True
        loss = torch.mm(bowl, x[:, None]).norm()
        loss.backward()
        with torch.no_grad():
            x = x - 0.1 * x.grad
        losses.append(loss.item())
    return dict(losses=losses, x=x.tolist())


def by_optimizer(x, make, steps=21):
    x = x.clone().requires_grad_()
    optimizer = make([x])

    def closure():
        loss = torch.mm(bowl, x[:, None]).norm()
        optimizer.zero_grad()
        loss.backward()
        return loss
    losses = [optimizer.step(closure).item() for _ in range(steps)]
    return dict(losses=losses, x=x.tolist())


torch.manual_seed(0)
x_init = torch.randn(2)
examples = {
    'SGD with momentum': lambda x: torch.optim.SGD(x, lr=0.1, momentum=0.5),
    'Adam': lambda x: torch.optim.Adam(x, lr=0.1),
}
exercises = {
    'SGD': lambda x: torch.optim.SGD(x, lr=0.1),
    **examples,
    'RMSprop': lambda x: torch.optim.RMSprop(x, lr=0.01),
    'Adagrad': lambda x: torch.optim.Adagrad(x, lr=0.1),
    'Adadelta': lambda x: torch.optim.Adadelta(x, lr=1),
    'AdamW': lambda x: torch.optim.AdamW(x, lr=0.1),
    'LBFGS': lambda x: torch.optim.LBFGS(x, max_eval=5),
    'LBFGS with a small lr': lambda x: torch.optim.LBFGS(x, lr=0.1, max_eval=5),
}
traces = {'by hand': by_hand(x_init.clone()),
          'examples': {name: by_optimizer(x_init, make) for name, make in examples.items()},
          'exercises': {name: by_optimizer(torch.tensor([-1., 0.]), make, 101) for name, make in exercises.items()}}

# ---------------------------------------------------------------------------------------------- modules

x_batch = torch.tensor([[1.0, 0., 0.], [0., 1.0, 0.], [0., 0., 1.0], [0., 0., 0.]])
torch.manual_seed(0)
net = nn.Linear(3, 2)


@section('modules.linear')
def _():
    show(net)
    show(net(torch.tensor([[1.0, 0.0, 0.0]])))
    show(net(x_batch))
    show('weight is', net.weight)
    show('bias is', net.bias)


@section('modules.named_parameters', seed=False)
def _():
    for name, param in net.named_parameters():
        print(f'{name} = {param}\n')


def squared_error(y_batch):
    return ((y_batch - torch.tensor([[1.0, 1.0]])) ** 2).sum(1).mean()


@section('modules.gradients', seed=False)
def _():
    loss = squared_error(net(x_batch))
    print(f'loss is {loss}')
    loss.backward()
    print(f'weight is {net.weight} and grad is:\n{net.weight.grad}\n')
    print(f'bias is {net.bias} and grad is:\n{net.bias.grad}\n')


@section('modules.zero_bias', seed=False)
def _():
    try:
        net.bias.zero_()
    except RuntimeError as error:
        show(error)
    with torch.no_grad():
        net.bias.zero_()
    y = net(x_batch)
    show(y[:3].equal(net.weight.t()), y[3])


@section('modules.save_and_load', seed=False)
def _():
    for k, v in net.state_dict().items():
        print(f'{k}: {v.type()}{tuple(v.shape)}')
    show(nn.Linear(3, 2).load_state_dict(net.state_dict()))


@section('modules.load_without_bias', seed=False)
def _():
    net2 = nn.Linear(3, 2, bias=False)
    try:
        net2.load_state_dict(net.state_dict())
    except RuntimeError as error:
        show(error)
    show(net2.load_state_dict(net.state_dict(), strict=False))


@section('modules.train_by_hand')
def _():
    net = nn.Linear(3, 2)
    log = []
    for _ in range(10000):
        loss = squared_error(net(x_batch))
        log.append(loss.item())
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                p[...] -= 0.01 * p.grad
    traces['train_by_hand'] = log[:100]
    print(f'weight is {net.weight}\n')
    print(f'bias is {net.bias}\n')


@section('modules.train_by_adam')
def _():
    net = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    log = []
    for _ in range(1000):
        loss = squared_error(net(torch.randn(100, 3)))
        log.append(loss.item())
        net.zero_grad()
        loss.backward()
        optimizer.step()
    traces['train_by_adam'] = log[:100]
    print(f'bias is {net.bias}')


def make_mlp():
    return nn.Sequential(OrderedDict([
        ('layer1', nn.Sequential(nn.Linear(2, 20), nn.ReLU())),
        ('layer2', nn.Sequential(nn.Linear(20, 20), nn.ReLU())),
        ('layer3', nn.Sequential(nn.Linear(20, 2)))]))


@section('modules.describe')
def _():
    mlp = make_mlp()
    show(mlp)
    for n, c in mlp.named_modules():
        print(f'{n or "The whole network"} is a {type(c).__name__}')
    for name, param in mlp.named_parameters():
        print(f'{name} has shape {tuple(param.shape)}')
    for k, v in mlp.state_dict().items():
        print(f'{k}: {v.dtype}{tuple(v.shape)}')


def train_classifier(net, objective, iterations):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    accuracies = {}
    for iteration in range(iterations):
        in_batch = torch.randn(10000, 2)
        target_batch = objective(in_batch[:, 0], in_batch[:, 1])
        out_batch = net(in_batch)
        loss = F.cross_entropy(out_batch, target_batch)
        if iteration > 0:
            net.zero_grad()
            loss.backward()
            optimizer.step()
        if iteration == 2 ** iteration.bit_length() - 1:
            pred_batch = out_batch.max(1)[1]
            accuracies[iteration] = ((pred_batch == target_batch).float().sum() / len(in_batch)).item()
    return accuracies


torch.manual_seed(0)
traces['above_sine'] = train_classifier(make_mlp(), lambda x, y: (y > (x * 3).sin()).long(), 128)
torch.manual_seed(0)
traces['above_parabola'] = train_classifier(make_mlp(), lambda x, y: (y > x ** 2).long(), 64)


class MyNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Linear(2, 20), nn.ReLU())
        self.residual_layer2 = nn.Sequential(nn.Linear(20, 20), nn.ReLU())
        self.layer3 = nn.Linear(20, 2)

    def forward(self, x):
        x = self.layer1(x)
        x = x + self.residual_layer2(x)
        return self.layer3(x)


@section('modules.residual')
def _():
    show(MyNetwork())


torch.manual_seed(0)
traces['residual'] = train_classifier(MyNetwork(), lambda x, y: (y > (x * 3).sin()).long(), 64)

# ---------------------------------------------------------------------------------------------- snippets

numbers = [[[1., 2., 3.], [4., 5., 6.]], [[7., 8., 9.], [11., 12., 13.]]]


@section('ten_minutes.tensors')
def _():
    d = torch.Tensor(numbers)
    show('shape of the tensor:', d.size())
    show('adding up the two matrices of the 3d tensor:', d[0] + d[1])
    show(d.view(2, -1))


@section('ten_minutes.gradients')
def _():
    x = torch.autograd.Variable(torch.Tensor(numbers), requires_grad=True)
    show("the node's data is the tensor:", x.data.size())
    show("the node's gradient is empty at creation:", x.grad)
    s = (x + (x + 1)).sum()
    show(s.grad_fn.name())
    s.backward()
    show('the variable now has gradients:', x.grad)


torch.manual_seed(0)
linear_map = nn.Linear(5, 3)
kept = {}


@section('ten_minutes.linear', seed=False)
def _():
    show('using randomly initialized params:', linear_map)


@section('ten_minutes.loss_of', seed=False)
def _():
    data, y = torch.randn(2, 5), torch.randn(2, 3)
    z = F.relu(linear_map(data.requires_grad_()))
    show('output of softmax as a probability distribution:', F.softmax(z).data.view(1, -1))
    kept['loss'] = nn.MSELoss()(z, y)
    show('Loss:', kept['loss'])


@section('ten_minutes.one_step', seed=False)
def _():
    show(kept['loss'])


class LogRegClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(10, 2)

    def forward(self, vect):
        return F.log_softmax(self.linear(vect), 1)


torch.manual_seed(0)
data = []
for _ in range(10):
    minibatch = torch.randn(20, 10)
    data.append((minibatch, (F.one_hot((minibatch[:, 0] > 0).long(), 2).float() - 1) * 3))
model = LogRegClassifier()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-1)
traces['log_reg'] = []
for epoch in range(10):
    total = 0
    for minibatch, target in data:
        model.zero_grad()
        loss = nn.MSELoss()(model(minibatch), target)
        loss.backward()
        optimizer.step()
        total += loss.item()
    traces['log_reg'].append(total / len(data))


@section('by_chapters.differentiate')
def _():
    a, b = torch.tensor(3.0, requires_grad=True), torch.tensor(4.0, requires_grad=True)
    show(a, b)
    product = a * b
    show(product)
    product.backward()
    show(a.grad)
    show(b.grad)
    kept['pair'] = a, b


@section('by_chapters.optimize')
def _():
    a, b = kept['pair']
    optim = torch.optim.SGD([a, b], lr=1e-2, momentum=0.9)
    optim.step()
    optim.zero_grad()
    show(a, b)


@section('by_chapters.layer')
def _():
    output = nn.Linear(20, 30)(torch.randn(128, 20))
    show(output.size(), output.grad_fn.name())


@section('by_chapters.three_layers')
def _():
    m1, m2, m3 = nn.Linear(20, 30), nn.Linear(30, 30), nn.Linear(30, 40)
    show(m3(m2(m1(torch.randn(128, 20)))).size())


class ThreeLayers(nn.Module):
    def __init__(self):
        super().__init__()
        self.m1 = nn.Linear(20, 30)
        self.m2 = nn.Linear(30, 30)
        self.m3 = nn.Linear(30, 40)

    def forward(self, x):
        return self.m3(self.m2(self.m1(x)))


ThreeLayers.__name__ = 'MyNetwork'


@section('by_chapters.network')
def _():
    my_network = ThreeLayers()
    show(my_network(torch.randn(128, 20)))
    show(my_network)
    show(torch.optim.SGD(my_network.parameters(), lr=1e-2, momentum=0.9))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3)
        self.conv2 = nn.Conv2d(6, 16, 3)
        self.fc1 = nn.Linear(16 * 6 * 6, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


@section('convnet.train')
def _():
    net = Net()
    show(net)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    input, target = torch.randn(1, 1, 32, 32), torch.randn(10).view(1, 10)
    traces['convnet'] = []
    for step in range(100):
        optimizer.zero_grad()
        output = net(input)
        if step == 0:
            show(output)
        loss = nn.MSELoss()(output, target)
        loss.backward()
        optimizer.step()
        traces['convnet'].append(loss.item())


@section('for_torch_users.in_place')
def _():
    a = torch.empty(2, 3).fill_(3.5)
    b = a.add(4.0)
    show(a)
    show(b)


@section('for_torch_users.indexing')
def _():
    a = torch.arange(40.).view(5, 8)
    show(a[0, 3])
    show(a[:, 3:5])


@section('for_torch_users.index_add')
def _():
    x = torch.ones(5, 5)
    show(x)
    z = torch.Tensor(5, 2)
    z[:, 0] = 10
    z[:, 1] = 100
    show(z)
    x.index_add_(1, torch.LongTensor([4, 0]), z)
    show(x)


@section('for_torch_users.long_tensor')
def _():
    show(torch.LongTensor(10).fill_(3))


@section('for_torch_users.unroll')
def _():
    ih, hh = nn.Linear(3, 4), nn.Linear(4, 4)
    outputs, hidden = [], torch.zeros(2, 4)
    for step in torch.randn(5, 2, 3):
        hidden = F.relu(ih(step) + hh(hidden))
        outputs.append(hidden)
    outputs = torch.stack(outputs)
    show(outputs.shape, hidden.shape)
    traces['unroll'] = outputs.tolist()


def write(name, value):
    with open(os.path.join(HERE, name), 'w') as f:
        json.dump(value, f, indent=1)
        f.write('\n')


def finite(x):
    """JSON has no infinities and no NaN: null stands for them."""
    if isinstance(x, dict):
        return {k: finite(v) for k, v in x.items()}
    if isinstance(x, list):
        return [finite(v) for v in x]
    return None if isinstance(x, float) and (x != x or abs(x) == float('inf')) else x


write('text.json', sections)
write('traces.json', finite(traces))
