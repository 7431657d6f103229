"""Makes the shards beside it, as their own libraries write them: run `scripts/golden plugins/fmicl-shards/golden/generate.py`.

Written with webdataset 1.0.2, datasets 5.2.0, pyarrow 26.0.1 and Pillow 13. expected.txt is what webdataset itself reads of the tar
files: shard, key, label, and the CRC-32 of the image's bytes and of the text; images.txt has the labels and the images of the Parquet
files.
"""

import io
import zlib
from pathlib import Path

import datasets
import numpy
import pyarrow.parquet
import webdataset
from datasets import ClassLabel, Dataset, Features
from PIL import Image

FOLDER = Path(__file__).parent
# Without a hash of the data, for which dill pickles all of pyarrow where that is installed outside of site-packages.
datasets.arrow_dataset.generate_fingerprint = lambda *_: "golden"
random = numpy.random.default_rng(0)


def image(number, format):
    """The bytes of an image of noise."""
    file = io.BytesIO()
    Image.fromarray(random.integers(0, 256, (6, 5 + number % 3, 3), numpy.uint8)).save(file, format, quality=90)
    return file.getvalue()


# Keys with folders and with dots in them, several extensions, a second file of an extension with a dot.
KEYS = ["0000", "n01440764/n01440764_10026", "v1.0/a", "./b", "c"]
pattern = str(FOLDER / "train-%06d.tar")
with webdataset.ShardWriter(pattern, maxcount=3, user="", group="", mtime=0, verbose=0) as writer:
    for number, key in enumerate(KEYS):
        kind = ["jpg", "png", "webp"][number % 3]
        writer.write(
            {
                "__key__": key,
                kind: image(number, {"jpg": "JPEG"}.get(kind, kind.upper())),
                "cls": (3 * number) % 4,
                "json": {"label": number % 2, "caption": f"image {number}"},
                "txt": f"The image é {number}.\n",
                "seg.npy": numpy.zeros(2, numpy.uint8),
            }
        )

lines = []
for sample in webdataset.WebDataset([str(FOLDER / f"train-{shard:06d}.tar") for shard in range(2)], shardshuffle=False):
    content = next(sample[kind] for kind in ("jpg", "png", "webp") if kind in sample)
    shard = Path(sample["__url__"]).name
    lines.append(f"{shard} {sample['__key__']} {int(sample['cls'])} {zlib.crc32(content)} {zlib.crc32(sample['txt'].strip())}\n")
(FOLDER / "expected.txt").write_text("".join(lines))

# The same of datasets: images as it stores them now, compressed as it stored them before, by their bytes alone, and texts.
IMAGES = [image(number, "PNG") for number in range(7)]
LABELS = [number % 3 for number in range(7)]
features = Features({"image": datasets.Image(), "label": ClassLabel(names=["cat", "dog", "eel"])})
encoded = [{"bytes": content, "path": f"{number}.png"} for number, content in enumerate(IMAGES)]
table = Dataset.from_dict({"image": encoded, "label": LABELS}, features=features)
table.to_parquet(FOLDER / "images.parquet", batch_size=3)
for compression in ["snappy", "zstd", "gzip"]:
    plain = pyarrow.parquet.read_table(FOLDER / "images.parquet")
    pyarrow.parquet.write_table(plain, FOLDER / f"images-{compression}.parquet", compression=compression, row_group_size=3)
raw = pyarrow.table({"img": pyarrow.array(IMAGES, pyarrow.binary()), "fine": pyarrow.array(LABELS, pyarrow.int32())})
pyarrow.parquet.write_table(raw, FOLDER / "raw.parquet", compression="none")
TEXTS = {"first": ["One é.", " ", "Three.", None, "Five."], "second": ["Eins.", "Zwei.", "Drei.", "Vier.", "Fünf.\n"], "score": [0.5] * 5}
Dataset.from_dict(TEXTS).to_parquet(FOLDER / "texts.parquet")
(FOLDER / "images.txt").write_text("".join(f"{label} {zlib.crc32(content)}\n" for label, content in zip(LABELS, IMAGES)))
