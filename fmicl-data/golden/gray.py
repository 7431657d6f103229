"""A photo in PIL's gray, as the view for evaluation has it: Pillow 13.0.0.

    scripts/golden fmicl-data/golden/gray.py        # makes gray.u8 again

convert("L"), then the shorter side resized to 28, then the centre of 24 x 24 pixels: its bytes, row by row.
"""

import pathlib

import PIL
from PIL import Image

assert PIL.__version__ == "13.0.0"


def main():
    home = pathlib.Path(__file__).resolve().parent
    photo = Image.open(home / "coffee.png").convert("RGB").crop((30, 10, 130, 110))
    gray = photo.convert("L").resize((28, 28), Image.Resampling.BILINEAR).crop((2, 2, 26, 26))
    (home / "gray.u8").write_bytes(gray.tobytes())


main()
