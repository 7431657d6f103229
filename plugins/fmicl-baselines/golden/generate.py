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


def simcse(x, y, bank):
    """Gao et al., equation 5: the other positives and every hard negative, here the bank's rows."""
    return F.cross_entropy(x @ torch.cat([y, bank]).T / TAU, torch.arange(len(x)))


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


def others(x, y):
    """sum_{j != i} exp(<x_i, y_j> / tau) of each row."""
    return (x @ y.T / TAU).exp().masked_fill(torch.eye(len(x), dtype=torch.bool), 0).sum(1)


def dcl(x, y, weight=1.0):
    """One direction of Yeh et al., equation 6: the positive is not in the denominator."""
    positive = (x * y).sum(1) / TAU
    return (-weight * positive + (others(x, x) + others(x, y)).log()).mean()


def dcl_batch(x, y, bank):
    return (dcl(x, y) + dcl(y, x)) / 2


def dclw_batch(x, y, bank):
    """Equation 7, sigma = 0.5."""
    ratio = ((x * y).sum(1) / 0.5).exp()
    weight = 2 - ratio / ratio.mean()
    return (dcl(x, y, weight) + dcl(y, x, weight)) / 2


def dcl_keys(x, y, bank):
    return (-(x * y).sum(1) / TAU + others(x, y).log()).mean()


def dcl_bank(x, y, bank):
    return (-(x * y).sum(1) / TAU + (x @ bank.T / TAU).exp().sum(1).log()).mean()


def dhel_batch(x, y, bank):
    """The reference code, include_augs = True."""
    return -((x * y).sum(1).div(TAU).exp() / (others(x, x) * others(y, y))).log().mean()


def dhel_keys(x, y, bank):
    return -((x * y).sum(1).div(TAU).exp() / others(x, y)).log().mean()


def dhel_bank(x, y, bank):
    return -((x * y).sum(1).div(TAU).exp() / (x @ bank.T / TAU).exp().sum(1)).log().mean()


KERNELS = {
    "gaussian": lambda squared: (-2 * squared).exp(),
    "log": lambda squared: -(2 * squared + 1).log(),
    "imq": lambda squared: 2 / (4 + squared).sqrt(),
}


def kcl(kernel, source):
    """The reference code's KCL with t = 2, gamma = 16; its log kernel in the energy is twice as large here, as in the
    paper, so that positives and energy have one kernel."""
    k = KERNELS[kernel]

    def energy(x, y, bank):
        if source == "batch":
            return k(torch.pdist(x).square()).mean() + k(torch.pdist(y).square()).mean()
        if source == "bank":
            return 2 * k((x[:, None] - bank[None]).square().sum(2)).mean()
        squared = (x[:, None] - y[None]).square().sum(2)
        return 2 * k(squared[~torch.eye(len(x), dtype=torch.bool)]).mean()

    return lambda x, y, bank: -2 * k((x - y).square().sum(1)).mean() + 16 * energy(x, y, bank)


SOFTMAX = {"temperature": TAU}
# Name, options, where the negatives come from, loss.
CASES = [
    ("infonce", SOFTMAX, "batch", nt_xent),
    ("infonce", SOFTMAX, "keys", keys),
    ("infonce", SOFTMAX, "bank", moco),
    ("infonce", SOFTMAX | {"negatives": "cross"}, "batch", keys),
    ("infonce", SOFTMAX, "hard", simcse),
    ("align-uniform", {}, "batch", align_uniform),
    ("spectral", {}, "batch", spectral),
    ("dcl", SOFTMAX, "batch", dcl_batch),
    ("dcl", SOFTMAX | {"sigma": 0.5}, "batch", dclw_batch),
    ("dcl", SOFTMAX, "keys", dcl_keys),
    ("dcl", SOFTMAX, "bank", dcl_bank),
    ("dhel", SOFTMAX, "batch", dhel_batch),
    ("dhel", SOFTMAX, "keys", dhel_keys),
    ("dhel", SOFTMAX, "bank", dhel_bank),
] + [("kcl", {"kernel": kernel}, source, kcl(kernel, source)) for kernel in KERNELS for source in ["batch", "keys", "bank"]]

result = []
for name, options, negatives, loss in CASES:
    x, y, bank = rows(6, 5, 0.0), rows(6, 5, 0.3), rows(9, 5, 2.0)
    x.requires_grad_()
    # Normalised once more: the gradient along the sphere, which is all that a formula in cosines shares with one in
    # distances.
    value = loss(F.normalize(x, dim=1), y, bank)
    value.backward()
    case = {"objective": name, "options": options, "negatives": negatives}
    result.append(case | {"loss": value.item(), "gradient": x.grad.flatten().tolist()})
Path(__file__).with_name("objectives.json").write_text(json.dumps(result) + "\n")
