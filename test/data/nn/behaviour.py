"""Records how PyTorch 1.13.1's Module behaves: names, order, text, state, hooks, initialisation, gradient clipping.

usage: python3 test/data/nn/behaviour.py
Writes behaviour.json; the tests beside test/nn/module.test.ts build the same things in TypeScript.
"""
import json, os, math
import torch
from torch import nn

def values(n, salt): return torch.tensor([((((i + 1) * 7919 + salt * 104729) % 997) / 997 * 3 - 1.5) for i in range(n)])
def nums(t): return [float("%.9g" % x) for x in t.detach().flatten().tolist()]
out = {}

class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.lin = nn.Linear(n, n)
        self.act = nn.ReLU()
        self.scale = nn.Parameter(torch.ones(n))
        self.register_buffer("seen", torch.zeros(1))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
    def forward(self, x): return self.act(self.lin(x)) * self.scale
    def extra_repr(self): return "a block"

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Block(2)
        self.layers = nn.Sequential(Block(2), nn.Dropout(0.5))
        self.shared = self.first
        self.register_parameter("unused", None)
        self.head = nn.Linear(2, 1, bias=False)
    def forward(self, x): return self.head(self.layers(self.first(x)))

net = Net()
out["repr"] = repr(net)
out["parameters"] = [n for n, _ in net.named_parameters()]
out["parameters twice"] = [n for n, _ in net.named_parameters(prefix="net")]
out["own parameters"] = [n for n, _ in net.first.named_parameters(recurse=False)]
out["buffers"] = [n for n, _ in net.named_buffers()]
out["modules"] = [n for n, _ in net.named_modules()]
out["modules with repeats"] = [n for n, _ in net.named_modules(remove_duplicate=False)]
out["children"] = [n for n, _ in net.named_children()]
out["state"] = list(net.state_dict().keys())
out["state prefix"] = list(net.state_dict(prefix="m.").keys())
order = []
net.apply(lambda m: order.append(m.__class__.__name__))
out["apply"] = order
net.eval()
out["eval"] = [m.training for m in net.modules()]
del net.first
out["after delete"] = [n for n, _ in net.named_parameters()]
net.head = nn.Linear(2, 3)
out["after replace"] = repr(net.head)

# hooks: what they see
log = []
lin = nn.Linear(2, 2)
with torch.no_grad(): lin.weight.copy_(values(4, 1).view(2, 2)); lin.bias.copy_(values(2, 2))
lin.register_forward_pre_hook(lambda m, a: log.append(["pre", nums(a[0])]))
lin.register_forward_pre_hook(lambda m, a: (a[0] * 2,))
lin.register_forward_hook(lambda m, a, o: log.append(["forward", nums(a[0]), nums(o)]))
lin.register_forward_hook(lambda m, a, o: o + 1)
lin.register_full_backward_hook(lambda m, gi, go: log.append(["backward", nums(gi[0]), nums(go[0])]))
h = lin.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
x = values(4, 3).view(2, 2).requires_grad_()
y = lin(x)
log.append(["out", nums(y), y.grad_fn.name()])
(y * values(4, 4).view(2, 2)).sum().backward()
log.append(["grad", nums(x.grad), nums(lin.weight.grad)])
h.remove(); x.grad = None
lin(x).sum().backward()
log.append(["grad after remove", nums(x.grad)])
log2 = []
lin2 = nn.Linear(2, 1)
with torch.no_grad(): lin2.weight.copy_(values(2, 1).view(1, 2)); lin2.bias.copy_(values(1, 2))
lin2.register_full_backward_hook(lambda m, gi, go: log2.append(["no input grad", [None if g is None else nums(g) for g in gi], nums(go[0])]))
lin2(values(2, 3).view(1, 2)).sum().backward()
out["hooks"] = log + log2

# initialisation: after manual_seed(0)
def init(f, *sizes):
    torch.manual_seed(0)
    t = torch.empty(*sizes); f(t); return nums(t)
I = nn.init
out["init"] = {
    "uniform_": init(lambda t: I.uniform_(t, -1, 2), 3, 4),
    "normal_": init(lambda t: I.normal_(t, 1, 2), 3, 4),
    "normal_ long": init(lambda t: I.normal_(t), 5, 4),
    "trunc_normal_": init(lambda t: I.trunc_normal_(t, std=0.5, a=-0.5, b=1), 3, 4),
    "constant_": init(lambda t: I.constant_(t, 0.3), 2),
    "eye_": init(I.eye_, 2, 3),
    "dirac_": init(I.dirac_, 4, 2, 3),
    "dirac_ groups": init(lambda t: I.dirac_(t, 2), 4, 2, 3, 3),
    "xavier_uniform_": init(lambda t: I.xavier_uniform_(t, 2.0), 3, 4),
    "xavier_normal_": init(I.xavier_normal_, 3, 2, 2),
    "kaiming_uniform_": init(lambda t: I.kaiming_uniform_(t, a=0.1), 3, 4),
    "kaiming_normal_": init(lambda t: I.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"), 3, 2, 3),
    "orthogonal_": init(lambda t: I.orthogonal_(t, 2.0), 3, 5),
    "orthogonal_ tall": init(I.orthogonal_, 6, 2, 2),
    "sparse_": init(lambda t: I.sparse_(t, 0.4, 0.1), 5, 3),
}
out["gains"] = {n: I.calculate_gain(n) for n in ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]}
out["gains"]["leaky_relu 0.2"] = I.calculate_gain("leaky_relu", 0.2)

# utils
def grads():
    ps = [nn.Parameter(values(4, 5).view(2, 2)), nn.Parameter(values(3, 6)), nn.Parameter(torch.zeros(1))]
    ps[0].grad = values(4, 7).view(2, 2); ps[1].grad = values(3, 8)
    return ps
U = nn.utils
out["utils"] = {}
for name, f in {"norm": lambda p: U.clip_grad_norm_(p, 0.5), "norm loose": lambda p: U.clip_grad_norm_(p, 100), "norm 1": lambda p: U.clip_grad_norm_(p, 0.5, 1),
                "norm inf": lambda p: U.clip_grad_norm_(p, 0.5, math.inf), "value": lambda p: U.clip_grad_value_(p, 0.25)}.items():
    ps = grads(); r = f(ps)
    out["utils"][name] = [None if r is None else nums(r), nums(ps[0].grad), nums(ps[1].grad)]
out["utils"]["vector"] = nums(U.parameters_to_vector(grads()))
seqs = [values(6, 1).view(3, 2), values(2, 2).view(1, 2), values(4, 3).view(2, 2)]
out["utils"]["pad"] = [list(U.rnn.pad_sequence(seqs).shape), nums(U.rnn.pad_sequence(seqs))]
out["utils"]["pad batch first"] = [list(U.rnn.pad_sequence(seqs, True, 9.5).shape), nums(U.rnn.pad_sequence(seqs, True, 9.5))]

# repr of containers and parameters
out["reprs"] = {
    "empty": repr(nn.Sequential()),
    "list": repr(nn.ModuleList([nn.Linear(1, 1), nn.ReLU()])),
    "dict": repr(nn.ModuleDict({"b": nn.ReLU(), "a": nn.ModuleList([nn.Tanh()])})),
    "parameter list": repr(nn.ParameterList([torch.zeros(2, 3), nn.Parameter(torch.zeros(1).double())])),
    "parameter dict": repr(nn.ParameterDict({"b": torch.zeros(2, 3), "a": nn.Parameter(torch.zeros(1))})),
    "nested": repr(nn.Sequential(nn.Sequential(nn.Linear(1, 2)), nn.LSTM(2, 3))),
    "parameter": repr(nn.Parameter(torch.tensor([[1.5, 2], [3, 4]]))),
    "frozen parameter": repr(nn.Parameter(torch.ones(2), False)),
}
json.dump(out, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "behaviour.json"), "w"), indent=1)
print("ok")
