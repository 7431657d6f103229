"""The rows of BENCHMARKS.md: what is measured, against what, and what is hoped for."""

from dataclasses import dataclass, field

DIVERGENCES = ["kl", "js", "pearson", "hellinger", "tsallis", "vlc"]


@dataclass
class Row:
    title: str
    # `program` runs examples/bench and peer.py with the same words; the others are explained in bench.py.
    kind: str
    words: list = field(default_factory=list)
    target: float = 0
    # What replaces words in the smoke test, by prefix.
    small: dict = field(default_factory=dict)
    # Whether the peer is measured, too; without it the row shows how ours scales.
    peer: bool = True
    # Whether the peer needs more than torch.
    torchvision: bool = False


def loss(title, words, target, **more):
    return Row(title, "program", words, target, {"n": "n=300", "times": "times=1", "bank": "bank=2000"}, **more)


SECTIONS = {
    "Objectives: value and gradient, d = 128": [
        *(
            loss(f"f-MICL `{divergence}`, N = {n}", ["f-micl", f"divergence={divergence}", "pairs=within", f"n={n}"], 20)
            for n in (4096, 8192)
            for divergence in DIVERGENCES
        ),
        *(
            loss(f"f-MICL `{d}`, both views, 2N = {2 * n}", ["f-micl", f"divergence={d}", "pairs=both", f"n={n}"], 10)
            for n in (2048, 4096)
            for d in ("kl", "js")
        ),
        *(
            loss(f"f-MICL `{d}`, N = 256, a bank of 65,536", ["f-micl", f"divergence={d}", "pairs=bank", "n=256", "bank=65536"], 10)
            for d in ("kl", "js")
        ),
        *(loss(f"InfoNCE, 2N = {2 * n}", ["infonce", f"n={n}"], 8) for n in (2048, 4096)),
        *(loss(f"the matrix products alone, N = {n}", ["products", f"n={n}"], 0) for n in (4096, 8192)),
    ],
    "Scaling: f-MICL `js` within, ours": [
        *(
            loss(f"N = {n}, threads = {threads}", ["f-micl", "divergence=js", "pairs=within", f"n={n}", f"threads={threads}"], 0, peer=False)
            for threads in (1, 2)
            for n in (1024, 2048, 4096, 8192, 16384)
        ),
    ],
    "Optimizer and momentum copy on ResNet-50's parameters": [
        Row(f"`{name}` and EMA", "program", ["optimizer", f"name={name}"], 1.5, {"times": "times=1"}, torchvision=True)
        for name in ("sgd", "adamw")
    ],
    "Views, images a second of processor time": [
        Row("CIFAR, one thread", "views", ["cifar", "1"], 60, torchvision=True),
        Row("photos at 224 px, one thread", "views", ["imagenet", "1"], 8, torchvision=True),
        Row("photos at 224 px, two threads", "views", ["imagenet", "2"], 8, torchvision=True),
    ],
    "Training: ResNet-18 with the CIFAR stem, batch 128, from files to weights, images a second": [
        Row("against default settings", "training", ["contiguous"], 1.3, torchvision=True),
        Row("against channels_last", "training", ["channels_last"], 1.05, torchvision=True),
    ],
    "From start until the first batch has gone through the network, batch 16": [
        Row("seconds", "start", [], 5, torchvision=True),
    ],
}
