# The other side of scripts/memory.ts: the same steps in PyTorch. Prints the growth of the resident set's peak in bytes.
import resource
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(2)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def steps(model, optimizer, loss_of):
    def step():
        loss = loss_of(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def mlp():
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    x, y = torch.randn(128, 784), torch.randint(0, 10, [128])
    return steps(model, torch.optim.Adam(model.parameters()), lambda m: F.cross_entropy(m(x), y))


def cnn():
    model = nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 8 * 8, 10),
    )
    x, y = torch.randn(64, 3, 32, 32), torch.randint(0, 10, [64])
    return steps(model, torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), lambda m: F.cross_entropy(m(x), y))


def attention():
    q, k, v = (torch.randn(1, 8, 2048, 64, requires_grad=True) for _ in range(3))

    def step():
        weights = torch.softmax(q @ k.transpose(-2, -1) / 8, -1)
        torch.autograd.grad((weights @ v).sum(), [q, k, v])

    return step


def lstm():
    embedding, model, head = nn.Embedding(1000, 128), nn.LSTM(128, 128), nn.Linear(128, 1000)
    x, y = torch.randint(0, 1000, [16, 32]), torch.randint(0, 1000, [512])
    parameters = [*embedding.parameters(), *model.parameters(), *head.parameters()]

    return steps(model, torch.optim.Adam(parameters), lambda m: F.cross_entropy(head(m(embedding(x))[0].flatten(0, 1)), y))


before = peak()
step = {"mlp": mlp, "cnn": cnn, "attention": attention, "lstm": lstm}[sys.argv[1]]()
for _ in range(int(sys.argv[2])):
    step()
print(peak() - before)
