"""Checkpoints as training scripts write them, in both forms of torch.save: checkpoint.pth and checkpoint-legacy.pth hold the
weights of a small network below `state_dict` with MoCo's names, an optimizer's state beside them, and what else such scripts
keep; shared.pth holds parts of shared and turned storages of every type at the top; module.pth holds a whole module, which
is a program."""

import argparse
import collections
from pathlib import Path

import torch

HERE = Path(__file__).parent


def numbers(count, *size, kind=torch.float32):
    return torch.arange(count, count + torch.Size(size).numel(), dtype=torch.float32).view(size).to(kind)


state = collections.OrderedDict()
state["module.encoder_q.conv1.weight"] = numbers(1, 4, 3, 2, 2)
state["module.encoder_q.conv1.bias"] = torch.nn.Parameter(numbers(100, 4))
state["module.encoder_q.frozen"] = numbers(200, 2)
state["module.encoder_q.fc.weight"] = numbers(300, 2, 4)
state["module.encoder_k.conv1.weight"] = numbers(400, 4, 3, 2, 2)
state["module.queue_ptr"] = torch.tensor([7])
state._metadata = {"": {"version": 1}}
checkpoint = {
    "epoch": 1,
    "arch": "resnet18",
    "state_dict": state,
    "optimizer": {"state": {0: {"momentum_buffer": numbers(0, 3)}}, "param_groups": [{"lr": 0.03, "params": [0]}]},
    "args": argparse.Namespace(lr=0.03, data="/data"),
    "best": (float("inf"), None, True, -5, 1 << 70, b"bytes", {"a", "set"}),
}
torch.save(checkpoint, HERE / "checkpoint.pth")
torch.save(checkpoint, HERE / "checkpoint-legacy.pth", _use_new_zipfile_serialization=False)

base = numbers(0, 4, 5)
kinds = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
shared = {str(kind).removeprefix("torch."): numbers(1, 3, kind=kind) for kind in kinds}
shared |= {
    "bool": torch.tensor([True, False]),
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 4),
    "whole": base,
    "turned": base.t(),
    "part": base[1:3, 1:4],
}
torch.save(shared, HERE / "shared.pth")
torch.save(torch.nn.Linear(2, 2), HERE / "module.pth")
