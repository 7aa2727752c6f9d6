"""Writes losses.json: what the programs of examples/tutorials/ print with PyTorch 1.13.1 after manual_seed(0), in
float32 and (from the same random numbers) in float64, which shows how far float32 itself is off.

The programs are those of jcjohnson/pytorch-examples. Run with PyTorch 1.13.1: python3 test/data/examples/make.py
"""
import json
import os
import random

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 100
N, D_in, H, D_out = 64, 1000, 100, 10
DTYPE = torch.float32


def randn(*size):
    return torch.randn(*size).to(DTYPE)


def tensor():
    x, y, w1, w2 = randn(N, D_in), randn(N, D_out), randn(D_in, H), randn(H, D_out)
    for _ in range(STEPS):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        yield (y_pred - y).pow(2).sum().item()
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y_pred)
        grad_h = grad_y_pred.mm(w2.t()).clone()
        grad_h[h < 0] = 0
        w1 -= 1e-6 * x.t().mm(grad_h)
        w2 -= 1e-6 * grad_w2


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        grad_x = grad_output.clone()
        grad_x[x < 0] = 0
        return grad_x


def autograd(relu=lambda x: x.clamp(min=0)):
    x, y = randn(N, D_in), randn(N, D_out)
    w1, w2 = randn(D_in, H).requires_grad_(), randn(H, D_out).requires_grad_()
    for _ in range(STEPS):
        loss = (relu(x.mm(w1)).mm(w2) - y).pow(2).sum()
        yield loss.item()
        loss.backward()
        with torch.no_grad():
            for w in (w1, w2):
                w -= 1e-6 * w.grad
                w.grad.zero_()


def two_layers():
    return torch.nn.Sequential(torch.nn.Linear(D_in, H), torch.nn.ReLU(), torch.nn.Linear(H, D_out))


class TwoLayerNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = torch.nn.Linear(D_in, H)
        self.linear2 = torch.nn.Linear(H, D_out)

    def forward(self, x):
        return self.linear2(self.linear1(x).clamp(min=0))


class DynamicNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.input_linear = torch.nn.Linear(D_in, H)
        self.middle_linear = torch.nn.Linear(H, H)
        self.output_linear = torch.nn.Linear(H, D_out)
        self.choices = []

    def forward(self, x):
        self.choices.append(random.randint(0, 3))
        h_relu = self.input_linear(x).clamp(min=0)
        for _ in range(self.choices[-1]):
            h_relu = self.middle_linear(h_relu).clamp(min=0)
        return self.output_linear(h_relu)


def trained(make_model, make_optimizer, keep=None):
    x, y = randn(N, D_in), randn(N, D_out)
    model = make_model().to(DTYPE)
    loss_fn = torch.nn.MSELoss(reduction='sum')
    optimizer = make_optimizer(model)
    for _ in range(STEPS):
        loss = loss_fn(model(x), y)
        yield loss.item()
        model.zero_grad()
        loss.backward()
        optimizer.step()
    if keep is not None:
        keep.extend(model.choices)


class ByHand:
    def __init__(self, model):
        self.model = model

    def step(self):
        with torch.no_grad():
            for param in self.model.parameters():
                param.data -= 1e-4 * param.grad


choices = []
programs = dict(
    two_layer_net_tensor=tensor,
    two_layer_net_autograd=autograd,
    two_layer_net_custom_function=lambda: autograd(MyReLU.apply),
    two_layer_net_nn=lambda: trained(two_layers, ByHand),
    two_layer_net_module=lambda: trained(TwoLayerNet, lambda m: torch.optim.SGD(m.parameters(), lr=1e-4)),
    two_layer_net_optim=lambda: trained(two_layers, lambda m: torch.optim.Adam(m.parameters(), lr=1e-4)),
    dynamic_net=lambda: trained(DynamicNet, lambda m: torch.optim.SGD(m.parameters(), lr=1e-4, momentum=0.9), choices),
)
losses = {}
for name, program in programs.items():
    losses[name] = {}
    for DTYPE in (torch.float32, torch.float64):
        torch.manual_seed(0)
        random.seed(0)
        choices.clear()
        losses[name][str(DTYPE).replace('torch.', '')] = list(program())
with open(os.path.join(HERE, 'losses.json'), 'w') as f:
    json.dump(dict(losses=losses, choices=choices), f, indent=1)
    f.write('\n')
