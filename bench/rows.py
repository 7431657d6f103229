"""The rows of BENCHMARKS.md: what is measured, against what, and what is asked for.

The kinds of row are the functions of measure.py.
"""

from dataclasses import dataclass, field

DIVERGENCES = ["kl", "js", "pearson", "hellinger", "tsallis", "vlc"]
MINILM = (".models/all-minilm-l6-v2", "make text-model")
SMALL = {"n": "n=300", "times": "times=1", "bank": "bank=2000", "depth": "depth=18"}


@dataclass
class Row:
    title: str
    kind: str
    words: list = field(default_factory=list)
    # How many times faster than the peer ours is asked to be; 0 for a row that only shows.
    target: float = 0
    unit: str = "images/s"
    # Whether that is asked of one core: then it is processor time that is compared.
    per_core: bool = False
    # Our memory in percent of the peer's, at most; 0 where nothing is asked.
    memory: float = 0
    # The words of the matrix products that the row cannot avoid, and how many times their time it may take.
    products: list = field(default_factory=list)
    of_products: float = 0
    # What replaces words in the smoke test, by what stands before `=`; the other kinds have sizes of their own.
    small: dict = field(default_factory=dict)
    # Threads, where it is not as many as `--threads` says.
    threads: int = 0
    # Whether the peer is measured, too; without it the row shows how ours scales.
    peer: bool = True
    # Whether the peer needs more than torch: the packages of scripts/golden.
    packages: bool = False
    # A folder without which there is nothing to measure, and what makes it.
    needs: tuple = ()


@dataclass
class Share:
    """The row above it, ours, in relation to an earlier row's, in the same round."""

    title: str
    of: str
    target: float
    # Whether the ratio is a time's, which may be the target at most.
    at_most: bool = False
    kind: str = "share"


def loss(title, words, target=0, **more):
    return Row(title, "program", words, target, "ms", small=SMALL, **more)


def f_micl(title, divergence, target=0, n=4096, pairs="within", shift="none", **more):
    rest = ["bank=65536"] * (pairs == "bank") + [f"shift={shift}"] * (shift != "none")
    return loss(title, ["f-micl", f"divergence={divergence}", f"pairs={pairs}", f"n={n}", *rest], target, **more)


def photos(title, threads, target, size=224, **more):
    return Row(title, "views", ["photos", threads, size], target, packages=True, **more)


def sentences(title, what, target):
    return Row(title, "sentences", [what], target, "sentences/s", packages=True, needs=MINILM)


SECTIONS = {
    "f-MICL: value and gradient, d = 128, gaussian": [
        *(
            f_micl(f"`{divergence}`, N = {n}", divergence, 20, n, memory=5, products=["products", f"n={n}"], of_products=1.4)
            for n in (4096, 8192)
            for divergence in DIVERGENCES
        ),
        *(f_micl(f"`{divergence}`, `both`, 2N = 8192", divergence, 10, pairs="both", memory=5) for divergence in DIVERGENCES),
        *(f_micl(f"`{divergence}`, N = 256, a bank of 65,536", divergence, 10, 256, "bank", memory=5) for divergence in DIVERGENCES),
        f_micl("`kl` at its best shift, N = 4096", "kl", peer=False, shift="best"),
        Share("in relation to `kl` without a shift", "`kl`, N = 4096", 1.4, at_most=True),
        f_micl("`js` at its best shift, N = 4096", "js", peer=False, shift="best"),
        Share("in relation to `js` without a shift", "`js`, N = 4096", 0, at_most=True),
        *(loss(f"the products alone, N = {n}: half of three, by symmetry; peer: three", ["products", f"n={n}"]) for n in (4096, 8192)),
    ],
    "InfoNCE: value and gradient, d = 128": [
        loss(f"2N = {2 * n}", ["infonce", f"n={n}"], 8, memory=5) for n in (2048, 4096)
    ],
    "Optimizer's step and momentum copy on ResNet-50's parameters": [
        Row(f"`{name}`", "program", ["optimizer", f"name={name}", "depth=50"], 1.5, "ms", small=SMALL, packages=True)
        for name in ("sgd", "adamw")
    ],
    "Views: two of an image, against torchvision on PIL images": [
        Row("CIFAR images in memory, one core", "views", ["cifar", 1, 32], 60, per_core=True, packages=True),
        photos("photos at 224 px, one core", 1, 8, per_core=True),
        photos("photos at 224 px, two cores; peer: two workers", 2, 8),
        Share("two cores in relation to one", "photos at 224 px, one core", 1.85),
        Row("the same photos in tar shards, one core", "views", ["shards", 1, 224], peer=False),
        Share("shards in relation to files", "photos at 224 px, one core", 0.95),
    ],
    "Training step: ResNet-18 with the CIFAR stem, batch 128, from CIFAR-10's files to updated weights": [
        Row("peer: default settings", "training", ["contiguous"], 1.3, packages=True),
        Row("peer: channels_last", "training", ["channels_last"], 1.05, packages=True),
    ],
    "Two processes of a thread each, batch 32 for each, on the same ResNet-18: images a second in relation to twice those of one": [
        Row("peer: DistributedDataParallel over gloo, channels_last, features gathered with their gradient", "processes", [], 1, "%", packages=True),
    ],
    "From start until the first batch has gone through the network, batch 16": [
        Row("seconds", "start", [], 5, "s", packages=True),
    ],
    "Sentences as long as WikiText-2's, with MiniLM (6 layers, 384 wide)": [
        sentences("training step of unsupervised SimCSE, batch 64, dropout, AdamW", "train", 1.1),
        sentences("embedding a file; ours with its start and writing, peer: `encode` alone", "embed", 1.5),
    ],
    "How it scales": [
        *(
            f_micl(f"f-MICL `js`, N = {n}, threads: {threads}", "js", n=n, peer=False, threads=threads)
            for threads in (1, 2)
            for n in (1024, 2048, 4096, 8192, 16384)
        ),
        *(photos(f"photos at {size} px, one core", 1, 0, size, per_core=True) for size in (32, 64, 96, 160, 224)),
    ],
}
