"""Writes objectives.json: InfoNCE as NT-Xent, MoCo v3's and MoCo's by torch.nn.functional.cross_entropy; the rest by
their papers' code.

Run from the project's root: scripts/golden plugins/fmicl-baselines/golden/generate.py
Made with torch 2.11.0; the features are a formula, so there is no seed.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

TAU = 0.2


def rows(count, d, salt):
    i = torch.arange(count, dtype=torch.float64)[:, None]
    j = torch.arange(d, dtype=torch.float64)[None, :]
    return F.normalize(torch.sin(1.0 + 1.7 * i + 0.9 * j * j + salt), dim=1)


def nt_xent(x, y, bank):
    z = torch.cat([x, y])
    n = len(x)
    logits = (z @ z.T / TAU).fill_diagonal_(float("-inf"))
    target = torch.arange(2 * n).roll(n)
    return F.cross_entropy(logits, target)


def keys(x, y, bank):
    return F.cross_entropy(x @ y.T / TAU, torch.arange(len(x)))


def moco(x, y, bank):
    logits = torch.cat([(x * y).sum(1, keepdim=True), x @ bank.T], dim=1) / TAU
    return F.cross_entropy(logits, torch.zeros(len(x), dtype=torch.long))


def uniformity(z):
    return torch.pdist(z, p=2).pow(2).mul(-2).exp().mean().log()


def align_uniform(x, y, bank):
    """The reference code's align_loss and uniform_loss, both weights 1."""
    align = (x - y).norm(p=2, dim=1).pow(2).mean()
    return align + (uniformity(x) + uniformity(y)) / 2


def spectral(x, y, bank):
    n = len(x)
    c = x @ y.T
    off = ~torch.eye(n, dtype=torch.bool)
    return -2 * c.diagonal().mean() + c[off].pow(2).mean()


result = {}
losses = {"infonce batch": nt_xent, "infonce keys": keys, "infonce bank": moco, "align-uniform batch": align_uniform, "spectral batch": spectral}
for name, loss in losses.items():
    x, y, bank = rows(6, 5, 0.0), rows(6, 5, 0.3), rows(9, 5, 2.0)
    x.requires_grad_()
    # Normalised once more: the gradient along the sphere, which is all that a formula in cosines shares with one in
    # distances.
    value = loss(F.normalize(x, dim=1), y, bank)
    value.backward()
    result[name] = {"loss": value.item(), "gradient": x.grad.flatten().tolist()}
Path(__file__).with_name("objectives.json").write_text(json.dumps(result, indent=1) + "\n")
