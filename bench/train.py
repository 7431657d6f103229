"""The peer of `fmicl train` in the rows of bench.py: SimCLR with f-MICL on a ResNet-18 with the CIFAR stem, as one would
write it in PyTorch, from CIFAR-10's binary files by a DataLoader with torchvision's views on PIL images.

    train.py ROOT BATCH EPOCHS THREADS contiguous|channels_last

Under torchrun it is one of several processes with a batch each, by DistributedDataParallel over gloo, features gathered with
their gradient as solo-learn and lightly do; the first one prints. A process alone needs neither, and has neither.

Prints `first` when the first batch has gone through the network, and at the end one line of JSON.
"""

import json
import os
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image
from torchvision import transforms as T

root, batch, epochs, threads, layout = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5]
torch.set_num_threads(threads)

views = T.Compose(
    [
        T.RandomResizedCrop(32),
        T.RandomHorizontalFlip(),
        T.RandomApply([T.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8),
        T.RandomGrayscale(0.2),
        T.ToTensor(),
        T.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    ]
)


class Cifar(torch.utils.data.Dataset):
    def __init__(self):
        records = np.concatenate([np.fromfile(root / f"data_batch_{i}.bin", np.uint8) for i in range(1, 6)])
        self.images = np.ascontiguousarray(records.reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index])
        return views(image), views(image)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = torchvision.models.resnet18()
        self.backbone.conv1 = torch.nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.backbone.maxpool = self.backbone.fc = torch.nn.Identity()
        linear = torch.nn.Linear
        norm = torch.nn.BatchNorm1d
        self.head = torch.nn.Sequential(linear(512, 512, False), norm(512), torch.nn.ReLU(), linear(512, 128, False), norm(128))

    def forward(self, x):
        return F.normalize(self.head(self.backbone(x)), dim=1)


def loss(x, y):
    """f-MICL with Jensen-Shannon and the Gaussian similarity, sigma = 0.5, as the paper writes it."""

    def critic(squared):
        u = torch.exp(-squared / (2 * 0.5**2))
        return torch.log(2 * u / (1 + u))

    penalty = -torch.log(2 - critic(torch.cdist(x, x).square()).exp())
    return penalty[~torch.eye(len(x), dtype=torch.bool)].mean() - critic((x - y).square().sum(1)).mean()


class Gather(torch.autograd.Function):
    """The features of all processes; the gradient of a process's own is the sum over the losses of all."""

    @staticmethod
    def forward(context, own):
        everyone = [torch.empty_like(own) for _ in range(size)]
        torch.distributed.all_gather(everyone, own)
        return torch.cat(everyone)

    @staticmethod
    def backward(context, gradient):
        gradient = gradient.contiguous()
        torch.distributed.all_reduce(gradient)
        return gradient.chunk(size)[int(os.environ["RANK"])]


cifar, size = Cifar(), int(os.environ.get("WORLD_SIZE", 1))
if "RANK" in os.environ:
    torch.distributed.init_process_group("gloo")
    # Without workers, which would take the processors from the other process.
    sampler = torch.utils.data.distributed.DistributedSampler(cifar, drop_last=True)
    loader = torch.utils.data.DataLoader(cifar, batch, sampler=sampler, drop_last=True)
else:
    loader = torch.utils.data.DataLoader(
        cifar, batch, shuffle=True, drop_last=True, num_workers=threads, persistent_workers=True
    )
model = Model()
if layout == "channels_last":
    model = model.to(memory_format=torch.channels_last)
if size > 1:
    model = torch.nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.06, momentum=0.9, weight_decay=5e-4)
rates = []
for epoch in range(epochs):
    started, images = (time.perf_counter() if "RANK" in os.environ else None), 0
    for x, y in loader:
        # The start of the workers' work is not counted: an epoch of CIFAR-10 is fifty times as long as this one.
        started = started or time.perf_counter()
        both = torch.cat([x, y])
        if layout == "channels_last":
            both = both.contiguous(memory_format=torch.channels_last)
        x, y = model(both).chunk(2)
        if size > 1:
            x, y = Gather.apply(x), Gather.apply(y)
        if not rates and not images:
            print("first", flush=True)
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()
        images += len(x)
    rates.append(images / (time.perf_counter() - started))
if int(os.environ.get("RANK", 0)) == 0:
    print(json.dumps({"images_per_s": rates}))
