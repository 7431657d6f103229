"""Writes golden/cifar/: a batch of CIFAR-10 as torchvision's download has it, and the names of its classes.

    python3 fmicl-data/golden/cifar.py      # needs NumPy

`python2.pkl` has the opcodes of the official files, which Python 2 wrote; the others are what Python 3 and NumPy write for the
same batch with the later protocols. Byte `p` of image `i` is `(3 * i + p) % 251`.
"""

import pathlib
import pickle
import struct

import numpy

folder = pathlib.Path(__file__).parent / "cifar"
folder.mkdir(exist_ok=True)
COUNT = 2
labels = [6, 9]
rows = (3 * numpy.arange(COUNT)[:, None] + numpy.arange(3072)) % 251
data = rows.astype(numpy.uint8)


def short(text):
    """SHORT_BINSTRING, a string of Python 2."""
    return b"U" + bytes([len(text)]) + text


def numbers(values):
    """A list of small numbers, put away as 5."""
    return b"]q\x05(" + b"".join(b"K" + bytes([value]) for value in values) + b"e"


python2 = (
    b"\x80\x02}q\x01(" + short(b"batch_label") + b"q\x02" + short(b"training batch 1 of 5") + b"q\x03"
    + short(b"labels") + b"q\x04" + numbers(labels)
    + short(b"data") + b"q\x06" + b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85" + short(b"b") + b"\x87Rq\x09"
    + b"(K\x01" + b"K" + bytes([COUNT]) + b"M" + struct.pack("<H", 3072) + b"\x86"
    + b"cnumpy\ndtype\nq\x0a" + short(b"u1") + b"K\x00K\x01\x87Rq\x0b(K\x03" + short(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    + b"\x89T" + struct.pack("<i", data.nbytes) + data.tobytes() + b"tb"
    + short(b"filenames") + b"q\x0c]q\x0d(" + short(b"leptodactylus_pentadactylus_s_000004.png") + b"q\x0e" + short(b"camion_s_000148.png") + b"q\x0fe"
    + b"u."
)
# Python 3 reads it as it reads the official files.
read = pickle.loads(python2, encoding="bytes")
assert read[b"labels"] == labels and (read[b"data"] == data).all() and len(read[b"filenames"]) == COUNT
(folder / "python2.pkl").write_bytes(python2)
for protocol in [3, 4, 5]:
    for name, value in [("array", data), ("view", numpy.frombuffer(data.tobytes(), numpy.uint8).reshape(data.shape))]:
        batch = {"batch_label": "x", "labels": labels, "data": value, "long": 2**70, "number": -1.5, "none": None}
        if name == "array" or protocol == 5:
            (folder / f"{name}{protocol}.pkl").write_bytes(pickle.dumps(batch, protocol))
names = [b"airplane", b"automobile", b"bird", b"cat", b"deer", b"dog", b"frog", b"horse", b"ship", b"truck"]
meta = b"\x80\x02}q\x01(" + short(b"num_cases_per_batch") + b"M\x10'" + short(b"label_names") + b"](" + b"".join(map(short, names)) + b"e" + short(b"num_vis") + b"M\x00\x0cu."
assert pickle.loads(meta, encoding="bytes")[b"label_names"] == names
(folder / "meta.pkl").write_bytes(meta)
