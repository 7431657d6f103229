"""Golden tables of `solarize`: Pillow 13.0.0's ImageOps.solarize of every value, for several thresholds.

    scripts/golden plugins/fmicl-transforms/golden/solarize.py
"""

import pathlib
import struct

import PIL
from PIL import Image, ImageOps

assert PIL.__version__ == "13.0.0"

records = []
for threshold in [0, 1, 100, 127, 128, 129, 255, 256]:
    # Each value in another channel: red rises, green falls, blue is shifted.
    pixels = [(value, 255 - value, (value + 85) % 256) for value in range(256)]
    image = Image.new("RGB", (256, 1))
    image.putdata(pixels)
    tables = [{}, {}, {}]
    for before, after in zip(pixels, ImageOps.solarize(image, threshold).get_flattened_data()):
        for table, value, found in zip(tables, before, after):
            table[value] = found
    assert tables[0] == tables[1] == tables[2]
    records.append(struct.pack("<H256B", threshold, *(tables[0][value] for value in range(256))))
pathlib.Path(__file__).with_name("solarize.bin").write_bytes(b"".join(records))
