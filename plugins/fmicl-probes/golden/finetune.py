"""Writes finetune.json: losses of a small network that torch.optim.SGD trains with labels.

Run from the project's root: scripts/golden plugins/fmicl-probes/golden/finetune.py
Made with torch 2.11.0; weights and images are a formula, so there is no seed. Nesterov momentum is SimCLR's for labels; the rate
halves from layer to layer, weights of two or more dimensions decay, and labels are smoothed.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

COUNT, CLASSES, BATCH, STEPS, WARMUP = 24, 4, 8, 20, 4


def formula(size, salt, scale=1.0):
    i = torch.arange(math.prod(size), dtype=torch.float64)
    return torch.sin(1.0 + 1.7 * i + 0.013 * i * i + salt).mul(scale).mul(1e4).round().div(1e4).float().view(size)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, bias=False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Block())
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer1[0].conv1(x).relu()
        return self.fc(x.mean((2, 3)))


images = formula((COUNT, 3, 6, 6), 0.0)
labels = torch.arange(COUNT) % CLASSES
images = (images + torch.stack([formula((3, 6, 6), 10.0 * label) for label in labels.tolist()])).mul(1e4).round().div(1e4)
order = [[(5 * (BATCH * step + i) + step) % COUNT for i in range(BATCH)] for step in range(STEPS)]

net = Net()
start = {
    "conv1.weight": formula((8, 3, 3, 3), 1.0, 0.3),
    "bn1.weight": 1.0 + formula((8,), 2.0, 0.2),
    "bn1.bias": formula((8,), 3.0, 0.1),
    "layer1.0.conv1.weight": formula((8, 8, 3, 3), 4.0, 0.2),
    "fc.weight": formula((CLASSES, 8), 5.0, 0.1),
    "fc.bias": formula((CLASSES,), 6.0, 0.1),
}
assert start.keys() == {name for name, _ in net.named_parameters()}
with torch.no_grad():
    for name, parameter in net.named_parameters():
        parameter.copy_(start[name])

layers = {"conv1": 0, "bn1": 0, "layer1": 1, "fc": 2}
groups = [
    {"params": [parameter], "rate": 0.5 ** (2 - layers[name.split(".")[0]]), "weight_decay": 1e-3 * (parameter.dim() >= 2)}
    for name, parameter in net.named_parameters()
]
optimizer = torch.optim.SGD(groups, 0.1, momentum=0.9, nesterov=True)


def rate(step):
    if step < WARMUP:
        return 1.0 * step / WARMUP
    return 1.0 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


losses = []
for step, batch in enumerate(order):
    for group in optimizer.param_groups:
        group["lr"] = rate(step) * group["rate"]
    loss = F.cross_entropy(net(images[batch]), labels[batch], label_smoothing=0.1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

def short(tensor):
    """The digits that the formula has: read as f32 they are the same numbers."""
    return [round(value, 4) for value in tensor.flatten().tolist()]


golden = {
    "images": short(images),
    "labels": labels.tolist(),
    "weights": {name: short(tensor) for name, tensor in start.items()},
    "order": order,
    "lr": [rate(step) for step in range(STEPS)],
    "losses": losses,
    "logits": net.eval()(images).flatten().tolist(),
}
Path(__file__).with_name("finetune.json").write_text(json.dumps(golden) + "\n")
