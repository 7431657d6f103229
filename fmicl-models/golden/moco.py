"""Makes the files moco* beside it: run `scripts/golden fmicl-models/golden/moco.py`.

Written with torch 2.11.0, torchvision 0.26.0, timm 1.0.31 and safetensors 0.8.0, in f64 and without a seed: weights, views and the
first queue are made from their names, as in generate.py. Each method is written as its paper's algorithm 1, with the
details of its code (facebookresearch/moco and moco-v3, `builder.py`), for one process. Kept are the loss of every
step and, after the last one, the queue and a digest of every weight and buffer.
"""

import copy
import math

import torch
import torchvision
from generate import FOLDER, digest, noise, vit, weight
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

RATE, TEMPERATURE, SIDE = 0.05, 0.2, 16
OUT, HIDDEN, MOMENTUM = 8, 24, 0.9


class NarrowResNet(torchvision.models.ResNet):
    """torchvision's ResNet-18 of any width, with SimCLR's stem for CIFAR and without a classifier."""

    def __init__(self, width):
        self.width = width
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.Identity()
        self.fc = nn.Identity()

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        if planes == 64:
            self.inplanes = self.width
        return super()._make_layer(block, planes * self.width // 64, blocks, stride, dilate)


class Encoder(nn.Module):
    def __init__(self, backbone, projector):
        super().__init__()
        self.backbone, self.projector = backbone, projector

    def forward(self, x):
        return self.projector(self.backbone(x))


@torch.no_grad()
def fill(module):
    """The weights that belong to the names."""
    for name, tensor in module.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(weight(name, tensor.shape))


@torch.no_grad()
def follow(key, query, momentum):
    for k, q in zip(key.parameters(), query.parameters()):
        k.copy_(k * momentum + q * (1.0 - momentum))


def sgd(model):
    """Weight decay for what has two or more dimensions."""
    decaying = [p for p in model.parameters() if p.ndim > 1 and p.requires_grad]
    plain = [p for p in model.parameters() if p.ndim <= 1 and p.requires_grad]
    groups = [{"params": decaying, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=RATE, momentum=0.9)


def view(index, step, batch):
    return noise(f"view {index} step {step}", (batch, 3, SIDE, SIDE))


def kept(prefix, module):
    tensors = {name: tensor for name, tensor in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    return {prefix + name: digest(name, tensor) for name, tensor in tensors.items()}


def run(step, optimizer, steps, batch, total):
    """The losses; `step` makes one of them."""
    losses = []
    for index in range(steps):
        loss = step(index)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return {"losses": torch.stack(losses), "batch": torch.tensor(batch), "total steps": torch.tensor(total)}


def moco(steps, batch, size):
    """MoCo v2. The batch need not divide the queue: key by key, the place after the last one is the first."""
    f_q = Encoder(NarrowResNet(4), nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, OUT)))
    fill(f_q)
    f_k = copy.deepcopy(f_q).requires_grad_(False)
    queue = F.normalize(noise("queue", (size, OUT)), dim=1).T.contiguous()
    pointer = 0
    optimizer = sgd(f_q)

    def step(index):
        nonlocal pointer
        q = F.normalize(f_q(view(0, index, batch)), dim=1)
        with torch.no_grad():
            follow(f_k, f_q, MOMENTUM)
            k = F.normalize(f_k(view(1, index, batch)), dim=1)
        l_pos = torch.einsum("nc,nc->n", [q, k]).unsqueeze(-1)
        l_neg = torch.einsum("nc,ck->nk", [q, queue.clone().detach()])
        logits = torch.cat([l_pos, l_neg], dim=1) / TEMPERATURE
        for key in k:
            queue[:, pointer] = key
            pointer = (pointer + 1) % size
        return F.cross_entropy(logits, torch.zeros(batch, dtype=torch.long))

    tensors = run(step, optimizer, steps, batch, steps)
    # The reference follows at the start of a step; here that belongs to the end of the one before.
    follow(f_k, f_q, MOMENTUM)
    tensors |= kept("", f_q) | kept("momentum.", f_k)
    return tensors | {"queue": queue.T.contiguous(), "queue_ptr": torch.tensor([pointer])}


def head(layers, first, last_norm):
    """moco-v3's `_build_mlp`."""
    mlp = []
    for layer in range(layers):
        last = layer == layers - 1
        out = OUT if last else HIDDEN
        mlp.append(nn.Linear(first if layer == 0 else HIDDEN, out, bias=False))
        if not last:
            mlp += [nn.BatchNorm1d(out), nn.ReLU()]
        elif last_norm:
            mlp.append(nn.BatchNorm1d(out, affine=False))
    return nn.Sequential(*mlp)


def moco_v3(backbone, width, transformer, steps, batch, total):
    """The projector has 3 layers for a transformer and 2 else, the predictor 2; at its end there is a norm for a
    transformer alone."""
    base = Encoder(backbone, head(3 if transformer else 2, width, True))
    predictor = head(2, OUT, transformer)
    head_named = nn.ModuleDict({"predictor": predictor})
    fill(base)
    fill(head_named)
    key = copy.deepcopy(base).requires_grad_(False)
    optimizer = sgd(nn.ModuleList([base, predictor]))
    momentum = lambda step: 1.0 - 0.5 * (1.0 + math.cos(math.pi * step / total)) * (1.0 - MOMENTUM)

    def ctr(q, k):
        logits = torch.einsum("nc,mc->nm", [F.normalize(q, dim=1), F.normalize(k, dim=1)]) / TEMPERATURE
        return F.cross_entropy(logits, torch.arange(batch)) * (2 * TEMPERATURE)

    def step(index):
        x1, x2 = view(0, index, batch), view(1, index, batch)
        q1, q2 = predictor(base(x1)), predictor(base(x2))
        with torch.no_grad():
            follow(key, base, momentum(index))
            k1, k2 = key(x1), key(x2)
        # The mean of the two cross entropies instead of their sum, and without the factor 2 tau.
        return (ctr(q1, k2) + ctr(q2, k1)) / (4 * TEMPERATURE)

    tensors = run(step, optimizer, steps, batch, total)
    follow(key, base, momentum(steps))
    return tensors | kept("", base) | kept("momentum.", key) | kept("", head_named)


def main():
    save_file(moco(steps=6, batch=4, size=10), FOLDER / "moco.safetensors")
    save_file(moco_v3(NarrowResNet(4), 32, False, steps=3, batch=6, total=4), FOLDER / "moco-v3.safetensors")
    transformer = vit(SIDE, 4, 24, 2, 3)
    transformer.patch_embed.proj.requires_grad_(False)
    save_file(moco_v3(transformer, 24, True, steps=3, batch=6, total=4), FOLDER / "moco-v3-vit.safetensors")


main()
