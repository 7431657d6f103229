"""The peer of the row `views` of examples/bench: torchvision 0.26 on PIL images (Pillow 13), the same views.

    scripts/golden bench/views.py what=cifar|photos root=FOLDER threads=1 seconds=3 size=224

The number of threads is the number of DataLoader workers; with 0 the views are made in this process, which costs least.
"""

import json
import os
import pathlib
import sys
import time

import numpy as np
import torch
from PIL import Image
from torchvision import datasets, transforms as T

arguments = dict(word.split("=", 1) for word in sys.argv[1:])
what, root, workers = arguments["what"], pathlib.Path(arguments["root"]), int(arguments["threads"])
seconds, size = float(arguments["seconds"]), int(arguments["size"])
torch.set_num_threads(1)


class Cifar(torch.utils.data.Dataset):
    """CIFAR-10's binary files in memory, as torchvision's CIFAR10 keeps them."""

    def __init__(self, root, transform):
        folder = root if (root / "data_batch_1.bin").exists() else root / "cifar-10-batches-bin"
        records = np.concatenate([np.fromfile(folder / f"data_batch_{i}.bin", np.uint8) for i in range(1, 6)])
        images = records.reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32)
        self.images, self.transform = np.ascontiguousarray(images.transpose(0, 2, 3, 1)), transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), 0


class TwoViews:
    def __init__(self, transform):
        self.transform = transform

    def __call__(self, image):
        return self.transform(image), self.transform(image)


def views(size, strength, blur, mean, std):
    jitter = T.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
    steps = [T.RandomResizedCrop(size), T.RandomHorizontalFlip(), T.RandomApply([jitter], 0.8), T.RandomGrayscale(0.2)]
    steps += [T.RandomApply([T.GaussianBlur(23, (0.1, 2.0))], 0.5)] if blur else []
    return TwoViews(T.Compose(steps + [T.ToTensor(), T.Normalize(mean, std)]))


if what == "cifar":
    dataset = Cifar(root, views(size, 0.5, False, (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)))
    batch = 256
else:
    recipe = views(size, 1.0, True, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    dataset, batch = datasets.ImageFolder(root / "train", recipe), 50

loader = torch.utils.data.DataLoader(
    dataset, batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
)


def cpu_seconds():
    """Of this process and of the workers, which are alive."""
    ticks = 0
    pids = [os.getpid()] + [worker.pid for worker in getattr(iterator, "_workers", [])]
    for pid in pids:
        fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def epoch():
    global iterator
    iterator = iter(loader)
    return sum(len(views[0]) for views, _ in iterator)


iterator = None
epoch()
images, started, before = 0, time.perf_counter(), cpu_seconds()
while time.perf_counter() - started < seconds:
    images += epoch()
wall, cpu = time.perf_counter() - started, cpu_seconds() - before
print(json.dumps({"per_second": images / wall, "cpu_seconds": cpu / images}))
