"""What the benchmarks read: images in CIFAR-10's layout, photos, an experiment. Made once in a folder that goes away."""

import io
import itertools
import os
import pathlib
import random
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MADE_PHOTOS = "500 x 375 pixels, quality 90, 115 KB each, made from two small ones with noise"


def cifar(scratch, count):
    """CIFAR-10's binary layout with random pixels, `count` in each of six files: no step depends on what is seen."""
    folder = scratch / f"cifar-{count}"
    if not folder.exists():
        folder.mkdir()
        for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
            folder.joinpath(name).write_bytes(b"".join(bytes([i % 10]) + os.urandom(3072) for i in range(count)))
    return folder


def photos(scratch, count):
    """JPEGs in the size, the bytes and the subsampling that ImageNet's have on average."""
    folder = scratch / "photos"
    if not folder.exists():
        (folder / "train" / "all").mkdir(parents=True)
        for index in range(count):
            (folder / "train" / "all" / f"{index}.JPEG").write_bytes(photo(index))
    return folder


def photo(seed):
    sys.path.append(str(ROOT / ".golden"))
    try:
        import numpy
        from PIL import Image
    except ImportError:
        # Enough to see that the program runs.
        return (ROOT / "fmicl-data" / "golden" / "jpeg" / "444.jpg").read_bytes()
    random = numpy.random.default_rng(seed)
    source = Image.open(ROOT / "fmicl-data" / "golden" / ["coffee.png", "chelsea.png"][seed % 2]).convert("RGB")
    left, top = random.integers(0, 40, 2)
    enlarged = source.crop((left, top, left + 80, top + 60)).resize((500, 375), Image.Resampling.BICUBIC)
    # Noise of one pixel and of two, which quality 90 keeps some of.
    noise = random.normal(0, NOISE, (375, 500, 3)) + random.normal(0, NOISE, (188, 250, 3)).repeat(2, 0).repeat(2, 1)[:375]
    pixels = numpy.clip(numpy.asarray(enlarged) + noise, 0, 255).astype(numpy.uint8)
    # Four of five of ImageNet's photos have colour at full size.
    jpeg = io.BytesIO()
    Image.fromarray(pixels).save(jpeg, "JPEG", quality=90, subsampling="4:2:0" if seed % 5 == 0 else "4:4:4")
    return jpeg.getvalue()


# 115 KB, as ImageNet has on average.
NOISE = 8


def sentences(scratch, count):
    """A sentence a line: words of MiniLM's vocabulary by Zipf's law, as many as in WikiText-2's sentences: 25 in the mean, a
    tenth below 11, a tenth above 41."""
    file = scratch / f"sentences-{count}.txt"
    if not file.exists():
        vocabulary = (ROOT / ".models" / "all-minilm-l6-v2" / "vocab.txt").read_text().split()
        words = [word for word in vocabulary if word.isascii() and word.isalpha()]
        sums, draw = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1))), random.Random(0)
        lengths = [max(2, round(draw.gammavariate(4, 6.25))) for _ in range(count)]
        # Some words are none of the vocabulary's, so that they take two tokens or more, as in WikiText-2.
        word = lambda: "".join(draw.choices(words, cum_weights=sums, k=2 if draw.random() < 0.15 else 1))
        file.write_text("".join(" ".join(word() for _ in range(length)) + " .\n" for length in lengths))
    return file


def sentences_experiment(scratch, model, file, batch, epochs, threads):
    path = scratch / "sentences.toml"
    path.write_text(
        f"""
dataset = {{ name = "sentences", path = "{file}" }}
backbone = {{ name = "bert", folder = "{model}", pooling = "mean" }}
views = {{ name = "text", tokenizer = "{model}", max_length = 32 }}
architecture = {{ name = "simclr", layers = 0 }}
objective = {{ name = "infonce", temperature = 0.05 }}
optimizer = {{ name = "adamw", weight_decay = 0.0 }}
device = "cpu"
train = {{ epochs = {epochs}, batch_size = {batch}, lr = 3e-5, clip_grad_norm = 1.0, threads = {threads} }}
"""
    )
    return path


def experiment(scratch, root, batch, epochs, threads, small):
    path = scratch / "experiment.toml"
    path.write_text(
        f"""
dataset = {{ name = "cifar10", root = "{root}" }}
backbone = {{ name = "resnet", depth = 18, stem = "cifar"{", width = 8" if small else ""} }}
architecture = {{ name = "simclr", out = 128 }}
objective = {{ name = "f-micl", divergence = "js", similarity = {{ name = "gaussian", sigma = 0.5 }}, shift = "none" }}
optimizer = {{ name = "sgd", momentum = 0.9, weight_decay = 5e-4 }}
device = "cpu"
train = {{ epochs = {epochs}, batch_size = {batch}, lr = 0.06, threads = {threads} }}
"""
    )
    return path
