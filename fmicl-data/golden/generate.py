"""Golden outputs of the transforms: torchvision 0.26.0 on PIL images, Pillow 13.0.0, numpy 2.2.6, torch 2.11.0.

    scripts/golden fmicl-data/golden/generate.py             # makes everything but the photos again
    scripts/golden fmicl-data/golden/generate.py DIR COUNT   # COUNT random cases on each of the images in DIR

The photos are cuttings from two that scikit-image 0.26.0 ships, both CC0: coffee.png (by Rachel Michetti) and
chelsea.png (by Stefan van der Walt). cube.png has 16 levels of red, green and blue.
"""

import gzip
import pathlib
import random
import sys

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import functional as F

assert (torchvision.__version__.split("+")[0], PIL.__version__) == ("0.26.0", "13.0.0")


def evaluate(image, resize, size):
    return F.center_crop(F.resize(image, [resize]), [size])


# Operation: its function of an image and the arguments as they are written in cases.txt.
OPERATIONS = {
    "resized_crop": lambda image, top, left, height, width, to_width, to_height: F.resized_crop(
        image, top, left, height, width, [to_height, to_width]
    ),
    "resize": lambda image, size: F.resize(image, [size]),
    "evaluate": evaluate,
    "flip": F.hflip,
    "grayscale": lambda image: F.to_grayscale(image, 3),
    "brightness": F.adjust_brightness,
    "contrast": F.adjust_contrast,
    "saturation": F.adjust_saturation,
    "hue": F.adjust_hue,
    "blur": lambda image, kernel, sigma: F.gaussian_blur(image, [kernel, kernel], [sigma, sigma]),
}


def fixed():
    """Operation, image and arguments: both orders of the resize, odd sizes, larger and smaller, edges."""
    for box in [
        (0, 0, 117, 161, 32, 32),  # the whole image, much smaller
        (3, 5, 100, 20, 32, 32),  # tall: rows last would be slow, so columns go first
        (10, 7, 64, 63, 32, 31),  # just not columns first
        (50, 20, 17, 90, 32, 32),  # wide
        (40, 40, 9, 11, 48, 40),  # larger
        (1, 2, 32, 77, 32, 32),  # same height
        (1, 2, 77, 32, 32, 32),  # same width
        (100, 150, 1, 1, 5, 7),  # one pixel
        (80, 120, 37, 41, 57, 29),  # to the lower right corner
    ]:
        yield "resized_crop", "coffee.png", *box
    for box in [(0, 0, 160, 120, 45, 45), (20, 30, 120, 33, 64, 64), (60, 10, 90, 90, 64, 31), (5, 5, 150, 2, 8, 8)]:
        yield "resized_crop", "chelsea.png", *box
    for box in [(0, 0, 32, 32, 32, 32), (4, 9, 20, 17, 32, 32), (0, 0, 32, 12, 32, 32), (7, 3, 25, 29, 32, 32)]:
        yield "resized_crop", "small.png", *box
    yield "resize", "coffee.png", 40
    yield "resize", "chelsea.png", 33
    yield "resize", "small.png", 37
    yield "evaluate", "coffee.png", 37, 32
    yield "evaluate", "chelsea.png", 32, 32
    yield "evaluate", "small.png", 32, 32
    yield "flip", "small.png"
    for image in ["small.png", "cube.png"]:
        yield "grayscale", image
        for factor in [0.0, 0.2, 0.6, 0.8123, 1.0, 1.21, 1.4, 1.8]:
            yield "brightness", image, factor
            yield "contrast", image, factor
            yield "saturation", image, factor
        for factor in [-0.5, -0.2, -0.1, -0.0371, 0.0, 0.001, 0.05, 0.1, 0.33, 0.5]:
            yield "hue", image, factor
    for kernel, sigma in [(3, 0.1), (3, 1.0), (5, 0.7), (9, 2.0), (23, 0.3), (23, 1.1), (23, 2.0), (63, 9.0), (1, 1.0)]:
        yield "blur", "small.png", kernel, sigma
    yield "blur", "chelsea.png", 11, 1.7


def at_random(images, count):
    """As a training run would draw them, 224 px from a photo and 32 px from a small image."""
    for name, image in images.items():
        side = 32 if image.width <= 64 else 224
        f = np.float32
        for _ in range(count):
            i, j, h, w = torchvision.transforms.RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3])
            yield "resized_crop", name, i, j, h, w, side, side
            for operation in ["brightness", "contrast", "saturation"]:
                yield operation, name, float(f(random.uniform(0.2, 1.8)))
            yield "hue", name, float(f(random.uniform(-0.5, 0.5)))
            yield "blur", name, 23 if side == 224 else 3, float(f(random.uniform(0.1, 2.0)))
        yield "grayscale", name
        yield "flip", name
        yield "resize", name, random.randint(20, 300)
        yield "evaluate", name, side * 8 // 7, side
        yield "evaluate", name, side, side


def cube():
    levels = np.arange(16, dtype=np.uint8) * 17
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(64, 64, 3)


def ramp():
    """256 x 1 pixels: red from 0 to 255, green from 255 to 0, blue from 0 to 255."""
    values = np.arange(256, dtype=np.uint8)
    return np.stack([values, values[::-1], values], -1)[None]


def main():
    random.seed(0)
    torchvision.torch.manual_seed(0)
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    folder = folder if folder.is_dir() else folder.parent
    if len(sys.argv) == 1:
        Image.fromarray(cube()).save(folder / "cube.png", optimize=True)
        normalized = F.normalize(F.to_tensor(ramp()), [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616])
        (folder / "normalized.f32").write_bytes(normalized.numpy().astype("<f4").tobytes())
    images = {path.name: Image.open(path).convert("RGB") for path in sorted(folder.glob("*.png"))}
    cases = at_random(images, int(sys.argv[2])) if len(sys.argv) > 1 else fixed()
    lines, outputs = [], []
    for operation, name, *arguments in cases:
        output = OPERATIONS[operation](images[name], *arguments)
        lines.append(" ".join(map(str, [operation, name, output.width, output.height, *arguments])) + "\n")
        outputs.append(output.tobytes())
    (folder / "cases.txt").write_text("".join(lines))
    (folder / "outputs.bin.gz").write_bytes(gzip.compress(b"".join(outputs), 9, mtime=0))


main()
