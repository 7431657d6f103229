"""Writes infonce.json: NT-Xent, MoCo v3's and MoCo's InfoNCE by torch.nn.functional.cross_entropy.

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


result = {}
for name, loss in [("batch", nt_xent), ("keys", keys), ("bank", moco)]:
    x, y, bank = rows(6, 5, 0.0), rows(6, 5, 0.3), rows(9, 5, 2.0)
    x.requires_grad_()
    value = loss(x, y, bank)
    value.backward()
    result[name] = {"loss": value.item(), "gradient": x.grad.flatten().tolist()}
Path(__file__).with_name("infonce.json").write_text(json.dumps(result, indent=1) + "\n")
