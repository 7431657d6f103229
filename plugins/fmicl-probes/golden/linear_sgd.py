"""Writes linear-sgd.json: losses of linear layers that torch.optim.SGD trains one by one, at several learning rates.

Run from the project's root: scripts/golden plugins/fmicl-probes/golden/linear_sgd.py
Made with torch 2.11.0; the features are a formula, so there is no seed. The update is that of facebookresearch/moco's
main_lincls.py: momentum 0.9, no weight decay, rates that fall by steps.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

COUNT, WIDTH, CLASSES, BATCH, STEPS = 48, 6, 4, 12, 20
RATES = [0.03, 1.0, 30.0]


def formula(rows, columns, salt):
    i = torch.arange(rows, dtype=torch.float64)[:, None]
    j = torch.arange(columns, dtype=torch.float64)[None, :]
    return torch.sin(1.0 + 1.7 * i + 0.9 * j * j + salt).mul(1e4).round().div(1e4).float()


features = formula(COUNT, WIDTH, 0.0)
labels = (features[:, :CLASSES] + 0.3 * formula(COUNT, CLASSES, 2.0)).argmax(1)
start = formula(CLASSES, WIDTH, 5.0) * 0.01
order = [[(7 * (BATCH * step + i) + step) % COUNT for i in range(BATCH)] for step in range(STEPS)]
factors = [1.0 if step < 12 else 0.1 if step < 16 else 0.01 for step in range(STEPS)]

losses, logits = [], []
for lr in RATES:
    head = torch.nn.Linear(WIDTH, CLASSES)
    with torch.no_grad():
        head.weight.copy_(start)
        head.bias.zero_()
    optimizer = torch.optim.SGD(head.parameters(), lr, momentum=0.9, weight_decay=0.0)
    losses.append([])
    for batch, factor in zip(order, factors):
        for group in optimizer.param_groups:
            group["lr"] = lr * factor
        loss = F.cross_entropy(head(features[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses[-1].append(loss.item())
    logits.append(head(features).detach())

golden = {
    "features": [[round(value, 4) for value in row] for row in features.tolist()],
    "labels": labels.tolist(),
    "weights": [[round(value, 6) for value in row] for row in start.T.tolist()],
    "order": order,
    "lr": RATES,
    "factors": factors,
    "losses": torch.tensor(losses).T.tolist(),
    "logits": torch.stack(logits, 1).flatten(0, 1).tolist(),
}
Path(__file__).with_name("linear-sgd.json").write_text(json.dumps(golden) + "\n")
