"""Records what PyTorch 1.13.1 raises for bad input to modules and functions of torch.nn.

usage: python3 test/data/nn/errors.py
Writes errors.json: {name: [class, message]}. test/nn/errors.test.ts has the same calls under the same names.
"""
import json, os, warnings
import torch
from torch import nn
import torch.nn.functional as F
warnings.filterwarnings("ignore")
z = torch.zeros
i64 = lambda *v: torch.tensor(list(v))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.register_buffer("mask", z(2))

def unexpected():
    sd = Net().state_dict(); sd["extra"] = z(1); Net().load_state_dict(sd)

def both():
    sd = Net().state_dict(); del sd["mask"]; sd["fc.extra"] = z(1); sd["fc.weight"] = z(2, 4); Net().load_state_dict(sd)

class NoForward(nn.Module): pass

calls = {
    # modules
    "load unexpected": unexpected,
    "load missing": lambda: Net().load_state_dict({}),
    "load all kinds": both,
    "load no dict": lambda: Net().load_state_dict(5),
    "load no tensor": lambda: nn.Linear(1, 1, bias=False).load_state_dict({"weight": 3}),
    "no forward": lambda: NoForward()(1),
    "buffer twice": lambda: Net().register_buffer("fc", z(1)),
    "buffer dot": lambda: Net().register_buffer("a.b", z(1)),
    "buffer empty": lambda: Net().register_buffer("", z(1)),
    "buffer no tensor": lambda: Net().register_buffer("b", 3),
    "parameter taken": lambda: Net().register_parameter("fc", nn.Parameter(z(1))),
    "parameter tensor": lambda: Net().register_parameter("p", z(1)),
    "parameter dot": lambda: Net().register_parameter("a.b", nn.Parameter(z(1))),
    "module number": lambda: Net().add_module("m", 3),
    "module dot": lambda: Net().add_module("a.b", nn.ReLU()),
    "module empty": lambda: Net().add_module("", nn.ReLU()),
    "module taken": lambda: Net().add_module("mask", nn.ReLU()),
    "get submodule": lambda: Net().get_submodule("fc.foo"),
    "get no submodule": lambda: Net().get_submodule("mask"),
    "get parameter": lambda: Net().get_parameter("fc.foo"),
    "get no parameter": lambda: Net().get_parameter("mask"),
    "get no buffer": lambda: Net().get_buffer("fc.weight"),
    "train number": lambda: Net().train(3),
    "to integer": lambda: Net().to(torch.int64),
    "two kinds of hooks": lambda: (lambda m: (m.register_backward_hook(print), m.register_full_backward_hook(print)))(Net()),
    "list index": lambda: nn.ModuleList([nn.ReLU()])[3],
    "sequential index": lambda: nn.Sequential(nn.ReLU())[-2],
    "sequential member": lambda: nn.Sequential(nn.ReLU(), 5),
    "list extend": lambda: nn.ModuleList(5),
    "list call": lambda: nn.ModuleList([nn.ReLU()])(z(1)),
    "parameter list call": lambda: nn.ParameterList([])(z(1)),
    "dict key": lambda: nn.ModuleDict({"a": nn.ReLU()})["b"],
    "dict update": lambda: nn.ModuleDict(5),
    "dict pair": lambda: nn.ModuleDict([["a", nn.ReLU(), 3]]),
    "parameter of integers": lambda: nn.Parameter(i64(1)),
    # constructors
    "conv in channels": lambda: nn.Conv2d(3, 4, 3, groups=2),
    "conv out channels": lambda: nn.Conv2d(4, 3, 3, groups=2),
    "conv padding mode": lambda: nn.Conv2d(1, 1, 3, padding_mode="zero"),
    "conv padding word": lambda: nn.Conv2d(1, 1, 3, padding="full"),
    "conv same stride": lambda: nn.Conv2d(1, 1, 3, padding="same", stride=2),
    "dropout p": lambda: nn.Dropout(1.5),
    "embedding padding": lambda: nn.Embedding(3, 2, padding_idx=5),
    "embedding bag padding": lambda: nn.EmbeddingBag(3, 2, padding_idx=5),
    "embedding bag table": lambda: nn.EmbeddingBag(3, 2, _weight=z(2, 2)),
    "embedding bag mode": lambda: nn.EmbeddingBag(3, 2, mode="median")(i64(0), i64(0)),
    "embedding bag offsets": lambda: nn.EmbeddingBag(3, 2)(i64(0)),
    "embedding bag 2d": lambda: nn.EmbeddingBag(3, 2)(i64(0).view(1, 1), i64(0)),
    "embedding bag 3d": lambda: nn.EmbeddingBag(3, 2)(i64(0).view(1, 1, 1)),
    "embedding bag shares": lambda: nn.EmbeddingBag(3, 2)(i64(0), i64(0), z(2)),
    "embedding bag shares of means": lambda: nn.EmbeddingBag(3, 2)(i64(0), i64(0), z(1)),
    "embedding bag max by frequency": lambda: nn.EmbeddingBag(3, 2, mode="max", scale_grad_by_freq=True)(i64(0), i64(0)),
    "embedding bag first offset": lambda: nn.EmbeddingBag(3, 2)(i64(0, 1), i64(1)),
    "embedding bag last offset": lambda: nn.EmbeddingBag(3, 2)(i64(0, 1), i64(0, 3)),
    "embedding bag no offset": lambda: nn.EmbeddingBag(3, 2, include_last_offset=True)(i64(0, 1), z(0, dtype=torch.int64)),
    "embedding bag index": lambda: nn.EmbeddingBag(3, 2, mode="max")(i64(3), i64(0)),
    "embedding bag floats": lambda: nn.EmbeddingBag(3, 2)(z(2), i64(0)),
    "group norm channels": lambda: nn.GroupNorm(2, 3),
    "pixel shuffle": lambda: nn.PixelShuffle(2)(z(1, 3, 2, 2)),
    "rnn nonlinearity": lambda: nn.RNN(1, 2, nonlinearity="gelu"),
    "lstm proj": lambda: nn.LSTM(1, 2, proj_size=2),
    "gru proj": lambda: nn.GRU(1, 2, proj_size=1),
    "lstm dropout": lambda: nn.LSTM(1, 2, dropout=2),
    "elementwise": lambda: nn.Threshold(),
    "hardtanh": lambda: nn.Hardtanh(1, 0),
    # calls
    "linear": lambda: nn.Linear(5, 3)(z(2, 4)),
    "linear dtype": lambda: nn.Linear(4, 3)(z(2, 4, dtype=torch.int64)),
    "bilinear size": lambda: nn.Bilinear(2, 3, 1)(z(1, 3), z(1, 3)),
    "bilinear batch": lambda: nn.Bilinear(2, 3, 1)(z(2, 2), z(1, 3)),
    "conv channels": lambda: nn.Conv2d(1, 6, 3)(z(1, 3, 8, 8)),
    "conv dimensions": lambda: nn.Conv2d(1, 6, 3)(z(8, 8)),
    "conv1d dimensions": lambda: nn.Conv1d(1, 6, 3)(z(1, 1, 8, 8)),
    "conv kernel": lambda: nn.Conv2d(1, 6, 3)(z(1, 1, 2, 2)),
    "conv dtype": lambda: nn.Conv2d(1, 6, 3)(z(1, 1, 4, 4, dtype=torch.float64)),
    "conv weight": lambda: F.conv2d(z(1, 1, 4, 4), z(1, 1, 3)),
    "conv bias": lambda: F.conv2d(z(1, 1, 4, 4), z(2, 1, 3, 3), z(3)),
    "conv stride": lambda: F.conv2d(z(1, 1, 4, 4), z(2, 1, 3, 3), stride=0),
    "conv padding": lambda: F.conv2d(z(1, 1, 4, 4), z(2, 1, 3, 3), padding=-1),
    "conv dilation count": lambda: F.conv2d(z(1, 1, 4, 4), z(2, 1, 3, 3), dilation=(1, 1, 1)),
    "conv groups": lambda: F.conv2d(z(1, 4, 4, 4), z(3, 2, 3, 3), groups=2),
    "conv transpose channels": lambda: nn.ConvTranspose2d(2, 6, 3)(z(1, 3, 8, 8)),
    "conv transpose output padding": lambda: nn.ConvTranspose2d(1, 1, 3, stride=2, output_padding=2)(z(1, 1, 3, 3)),
    "max pool dimensions": lambda: nn.MaxPool2d(2)(z(4, 4)),
    "max pool size": lambda: nn.MaxPool2d(5)(z(1, 1, 2, 2)),
    "max pool padding": lambda: nn.MaxPool2d(2, padding=2)(z(1, 1, 4, 4)),
    "max pool stride": lambda: F.max_pool2d(z(1, 1, 4, 4), 2, 0),
    "avg pool divisor": lambda: F.avg_pool2d(z(1, 1, 4, 4), 2, divisor_override=0),
    "avg pool kernel": lambda: F.avg_pool2d(z(1, 1, 4, 4), (2, 2, 2)),
    "unpool shape": lambda: F.max_unpool2d(z(1, 1, 2, 2), i64(0, 1).view(1, 1, 1, 2), 2),
    "unpool size": lambda: F.max_unpool2d(z(1, 1, 2, 2), i64(0, 1, 2, 3).view(1, 1, 2, 2), 2, output_size=(9, 9)),
    "unpool index": lambda: F.max_unpool2d(z(1, 1, 2, 2), i64(0, 1, 2, 30).view(1, 1, 2, 2), 2),
    "adaptive dimensions": lambda: F.adaptive_avg_pool2d(z(4), 2),
    "batch norm one value": lambda: nn.BatchNorm1d(3)(z(1, 3)),
    "batch norm dimensions": lambda: nn.BatchNorm2d(3)(z(1, 3)),
    "batch norm 1d dimensions": lambda: nn.BatchNorm1d(3)(z(1, 3, 2, 2)),
    "batch norm channels": lambda: nn.BatchNorm1d(3)(z(2, 4)),
    "layer norm": lambda: nn.LayerNorm(4)(z(2, 3)),
    "layer norm weight": lambda: F.layer_norm(z(2, 3), [3], z(2)),
    "group norm": lambda: F.group_norm(z(2, 3, 2), 2),
    "group norm one value": lambda: F.group_norm(z(1, 2), 2),
    "instance norm one value": lambda: nn.InstanceNorm1d(3)(z(2, 3, 1)),
    "instance norm dimensions": lambda: nn.InstanceNorm2d(3)(z(3, 2)),
    "embedding index": lambda: nn.Embedding(3, 2)(i64(3)),
    "embedding dtype": lambda: nn.Embedding(3, 2)(z(2)),
    "embedding matrix": lambda: F.embedding(i64(0), z(3)),
    "softmax dim": lambda: F.softmax(z(2, 3), dim=2),
    "softmax integer": lambda: F.softmax(i64(1, 2), dim=0),
    "nll batch": lambda: F.nll_loss(z(3, 5), i64(1, 2)),
    "nll float": lambda: F.nll_loss(z(2, 5), z(2)),
    "nll class": lambda: F.nll_loss(z(2, 5), i64(1, 5)),
    "nll weight": lambda: F.nll_loss(z(2, 5), i64(1, 2), z(3)),
    "nll 2d size": lambda: F.nll_loss(z(2, 5, 3), i64(1, 2, 0, 1).view(2, 2)),
    "cross entropy float": lambda: F.cross_entropy(z(2, 5), z(2)),
    "cross entropy smoothing": lambda: F.cross_entropy(z(2, 5), i64(1, 2), label_smoothing=2.0),
    "cross entropy class": lambda: nn.CrossEntropyLoss()(z(2, 5), i64(-1, 2)),
    "bce range": lambda: F.binary_cross_entropy(z(2) + 2, z(2)),
    "bce size": lambda: F.binary_cross_entropy(z(2), z(3)),
    "bce logits size": lambda: F.binary_cross_entropy_with_logits(z(2), z(3)),
    "reduction": lambda: F.mse_loss(z(2), z(2), reduction="avg"),
    "mse broadcast": lambda: F.mse_loss(z(2), z(3)),
    "smooth l1 beta": lambda: F.smooth_l1_loss(z(2), z(2), beta=-1.0),
    "huber delta": lambda: F.huber_loss(z(2), z(2), delta=0.0),
    "margin ranking": lambda: F.margin_ranking_loss(z(2), z(2, 2), z(2)),
    "cosine embedding": lambda: F.cosine_embedding_loss(z(2), z(2), z(2)),
    "multi margin p": lambda: F.multi_margin_loss(z(2, 3), i64(0, 1), p=3),
    "multi margin target": lambda: F.multi_margin_loss(z(2, 3), i64(0, 1, 2)),
    "triplet": lambda: F.triplet_margin_loss(z(2), z(2, 2), z(2)),
    "gaussian var": lambda: F.gaussian_nll_loss(z(2, 3), z(2, 3), z(4)),
    "gaussian negative": lambda: F.gaussian_nll_loss(z(2), z(2), z(2) - 1),
    "poisson reduction": lambda: F.poisson_nll_loss(z(2), z(2), reduction="avg"),
    "functional dropout p": lambda: F.dropout(z(2), p=-0.5),
    "dropout1d": lambda: F.dropout1d(z(2)),
    "one hot dtype": lambda: F.one_hot(z(2)),
    "one hot negative": lambda: F.one_hot(i64(-1)),
    "one hot classes": lambda: F.one_hot(i64(3), 3),
    "one hot empty": lambda: F.one_hot(i64().long()),
    "interpolate none": lambda: F.interpolate(z(1, 1, 4)),
    "interpolate two": lambda: F.interpolate(z(1, 1, 4), 2, 2.0),
    "interpolate align": lambda: F.interpolate(z(1, 1, 4), 2, align_corners=True),
    "interpolate size": lambda: F.interpolate(z(1, 1, 4), (2, 3)),
    "interpolate scale": lambda: F.interpolate(z(1, 1, 4), scale_factor=(2.0, 3.0)),
    "interpolate mode": lambda: F.interpolate(z(1, 1, 4, 4), 2, mode="linear"),
    "interpolate dims": lambda: F.interpolate(z(4, 4), 2),
    "cosine similarity integers": lambda: F.cosine_similarity(i64(1, 2), i64(1, 2), dim=0),
    "glu": lambda: F.glu(z(3)),
    "prelu": lambda: F.prelu(z(2, 3), z(2)),
    "pdist": lambda: F.pdist(z(3)),
    "rnn dimensions": lambda: nn.RNN(3, 2)(z(3)),
    "rnn size": lambda: nn.RNN(3, 2)(z(4, 2, 5)),
    "rnn hidden": lambda: nn.RNN(3, 2)(z(4, 2, 3), z(1, 3, 2)),
    "lstm hidden": lambda: nn.LSTM(3, 2)(z(4, 2, 3), (z(1, 3, 2), z(1, 3, 2))),
    "rnn hidden dimensions": lambda: nn.RNN(3, 2)(z(4, 2, 3), z(1, 2)),
    "lstm hidden dimensions": lambda: nn.LSTM(3, 2)(z(4, 3), (z(1, 3, 2), z(1, 3, 2))),
    "gru cell size": lambda: nn.GRUCell(3, 2)(z(4, 5)),
    "gru cell hidden": lambda: nn.GRUCell(3, 2)(z(4, 3), z(3, 2)),
    "lstm cell dimensions": lambda: nn.LSTMCell(3, 2)(z(4, 3, 3)),
    # init and utils
    "gain": lambda: nn.init.calculate_gain("gelu"),
    "xavier": lambda: nn.init.xavier_uniform_(z(3)),
    "eye": lambda: nn.init.eye_(z(3)),
    "dirac": lambda: nn.init.dirac_(z(3)),
    "orthogonal": lambda: nn.init.orthogonal_(z(3)),
    "sparse": lambda: nn.init.sparse_(z(3), 0.1),
    "kaiming mode": lambda: nn.init.kaiming_normal_(z(3, 3), mode="fan"),
    "clip nonfinite": lambda: _clip(),
    "vector": lambda: nn.utils.vector_to_parameters(3, []),
}

def _clip():
    p = nn.Parameter(z(1)); p.grad = z(1) + float("inf")
    nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)

out = {}
for name, call in calls.items():
    try:
        call()
        print("NO ERROR", name)
    except Exception as e:
        message = e.args[0] if isinstance(e, KeyError) and e.args else str(e)
        out[name] = [type(e).__name__, message]
json.dump(out, open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "errors.json"), "w"), indent=1)
print(len(out), "errors")
