"""The order in which torchvision's ImageFolder lists files: torchvision 0.26.0.

    scripts/golden fmicl-data/golden/folder.py      # makes folder.txt again

Each line of folder.txt: class, path.
"""

import pathlib
import tempfile

import torchvision
from torchvision.datasets import ImageFolder

assert torchvision.__version__.startswith("0.26.0")

# Folders beside files, folders whose names begin alike, and characters before and behind the slash.
PATHS = """
a/b.png a/c/1.png a/z.png a/x/1.png a/x-y/1.png a/x/z/2.jpg a/x.y/0.webp a/x0/9.bmp a/x/Z.TIFF a/B.JPEG a/10.ppm a/9.pgm
a/x-y/deep/er/1.tif a/.x/1.txt a-b/1.png A/1.png A/a/é.png A/a/z.png A/a/Z.png é/1.png é/e/1.png é/é/1.png a/c.d/1.jpg a/c/d/1.jpg
a/notes.txt a/c/notes.gif list.png
""".split()


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path in PATHS:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        with open(pathlib.Path(__file__).with_name("folder.txt"), "w") as out:
            for path, label in ImageFolder(folder).samples:
                print(label, pathlib.Path(path).relative_to(root), file=out)


main()
