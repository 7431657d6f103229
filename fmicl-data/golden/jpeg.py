"""JPEG files of every kind that photos have, and PIL's pixels of them as checksums: Pillow 13.0.0, libjpeg-turbo.

    scripts/golden fmicl-data/golden/jpeg.py        # makes jpeg/*.jpg and jpeg/pixels.txt again
    scripts/golden fmicl-data/golden/jpeg.py DIR    # writes DIR/pixels.txt for the JPEG files anywhere below DIR

Each line of pixels.txt: path, width, height, CRC-32 of the RGB bytes. The photos: see generate.py.
"""

import pathlib
import sys
import zlib

import PIL
from PIL import Image

assert PIL.__version__ == "13.0.0"

# Name: photo, size, and how it is saved. Sizes that are no multiple of a block, so that edges matter.
FILES = {
    "444": ("coffee.png", (161, 117), {"subsampling": 0}),
    "422": ("coffee.png", (157, 113), {"subsampling": 1}),
    "420": ("chelsea.png", (159, 119), {"subsampling": 2}),
    "420-high": ("coffee.png", (83, 117), {"subsampling": 2, "quality": 98}),
    "420-low": ("chelsea.png", (120, 90), {"subsampling": 2, "quality": 15}),
    "restart": ("coffee.png", (131, 99), {"subsampling": 2, "restart_marker_rows": 1}),
    "progressive": ("chelsea.png", (121, 97), {"subsampling": 2, "progressive": True}),
    "gray": ("coffee.png", (101, 77), {}),
    "rgb": ("coffee.png", (67, 61), {"keep_rgb": True}),
    "tiny": ("coffee.png", (1, 1), {}),
}


def main():
    home = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else home / "jpeg"
    if len(sys.argv) == 1:
        folder.mkdir(exist_ok=True)
        for name, (photo, (width, height), options) in FILES.items():
            image = Image.open(home / photo).convert("L" if name == "gray" else "RGB").crop((0, 0, width, height))
            image.save(folder / f"{name}.jpg", **{"quality": 80, **options})
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in [".jpg", ".jpeg"])
    with open(folder / "pixels.txt", "w") as out:
        for path in paths:
            with Image.open(path) as image:
                # Others are not JPEG files, or not what libjpeg turns into RGB.
                if image.format == "JPEG" and image.mode in ["L", "RGB"]:
                    rgb = image.convert("RGB")
                    print(path.relative_to(folder), *rgb.size, zlib.crc32(rgb.tobytes()), file=out)


main()
