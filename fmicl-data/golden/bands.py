"""Images of other channels than RGB, as tifffile 2026.3.3, Pillow 13 and numpy write them, and numpy's values of them as
checksums.

    scripts/golden fmicl-data/golden/bands.py    # makes bands/* and bands/values.txt again

Each line of values.txt: file, width, height, channels, CRC-32 of the samples as little-endian float32 (row, column, channel), CRC-32
of the bytes that the range of -100 to 4000 makes of them; or file, "refused".
"""

import io
import pathlib
import struct
import zlib

import numpy
import tifffile
from PIL import Image

WIDTH, HEIGHT = 7, 5
LOW, HIGH = -100, 4000
RANDOM = numpy.random.default_rng(8)


def random(channels, dtype, most=5000):
    """Of signed kinds a fifth is negative, of floats no value is whole."""
    values = RANDOM.uniform(0, min(most, numpy.iinfo(dtype).max + 1 if numpy.dtype(dtype).kind in "iu" else most), (HEIGHT, WIDTH, channels))
    if numpy.dtype(dtype).kind in "if":
        values -= most / 5 if numpy.dtype(dtype).itemsize > 1 else 25
    return values.astype(dtype)


def tiffs():
    """Name, samples, options of tifffile."""
    plain = {"photometric": "minisblack", "metadata": None}
    apart = {**plain, "planarconfig": "separate"}
    yield "bytes-4", random(4, "u1"), {**plain, "planarconfig": "contig"}
    yield "rgb-infrared", random(4, "u1"), {"photometric": "rgb", "extrasamples": ["unspecified"], "metadata": None}
    yield "bytes-2", random(2, "u1"), {**plain, "planarconfig": "contig"}
    yield "sentinel", random(13, "u2"), {**plain, "planarconfig": "contig"}
    yield "sentinel-apart", random(13, "u2"), apart
    yield "sentinel-big-endian", random(13, "u2"), {**plain, "planarconfig": "contig", "byteorder": ">"}
    yield "sentinel-tiles", random(13, "u2"), {**plain, "planarconfig": "contig", "tile": (16, 16)}
    yield "sentinel-deflate", random(13, "u2"), {**plain, "planarconfig": "contig", "compression": "deflate", "predictor": True}
    yield "sentinel-bigtiff", random(13, "u2"), {**plain, "planarconfig": "contig", "bigtiff": True, "rowsperstrip": 2}
    yield "floats-5", random(5, "f4"), {**plain, "planarconfig": "contig"}
    yield "floats-apart", random(5, "f4"), {**apart, "rowsperstrip": 2}
    yield "halves", random(5, "f2"), {**plain, "planarconfig": "contig"}
    yield "doubles", random(5, "f8"), {**plain, "planarconfig": "contig"}
    yield "signed", random(6, "i2"), {**plain, "planarconfig": "contig"}
    yield "unsigned-32", random(6, "u4"), {**plain, "planarconfig": "contig"}
    yield "gray-16", random(1, "u2"), plain


def arrays():
    """Name, array, samples: the last axis is of channels, or the first."""
    for dtype in ["u1", "<u2", ">u2", "<f4", ">f4", "<i2", ">i4", "<u4", "<i8", "<u8", "<f8", "i1"]:
        name = numpy.dtype(dtype).name + ("-big-endian" if dtype[0] == ">" else "")
        samples = random(5, dtype)
        yield name, samples, samples
    samples = random(5, "<u2")
    yield "fortran", numpy.asfortranarray(samples), samples
    yield "first-axis", numpy.ascontiguousarray(samples.transpose(2, 0, 1)), samples
    yield "first-axis-fortran", numpy.asfortranarray(samples.transpose(2, 0, 1)), samples
    yield "two-axes", samples[..., 0].copy(), samples[..., :1]
    yield "two-axes-fortran", numpy.asfortranarray(samples[..., 0]), samples[..., :1]
    square = RANDOM.integers(0, 5000, (5, 4, 5)).astype("<u2")
    yield "both-axes", square, square


def npy(array, version=None):
    out = io.BytesIO()
    numpy.lib.format.write_array(out, array, version, allow_pickle=True)
    return out.getvalue()


def hostile():
    """Headers that lie, and arrays that are no images."""
    sound = npy(random(5, "<u2"))
    header = lambda text: b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
    of = lambda shape, dtype="'<u2'", order="False": header(f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}\n")
    yield "cut", sound[:-1]
    yield "cut-header", sound[:40]
    yield "magic-alone", sound[:7]
    yield "overflow", of("(4294967296, 4294967296, 5)") + bytes(100)
    yield "too-long", of("(99999999999999999999999999, 1, 5)") + bytes(100)
    yield "large", of("(100000, 100000, 5)") + bytes(100)
    yield "negative", of("(-1, 7, 5)") + bytes(100)
    yield "empty", of("(0, 4294967296, 5)")
    yield "objects", npy(numpy.array([{}, 1], dtype=object))
    yield "records", npy(numpy.zeros((5, 7), [("red", "u1"), ("green", "u1")]))
    yield "complex", npy(numpy.zeros((5, 7, 5), "c8"))
    yield "bools", npy(numpy.zeros((5, 7, 5), "?"))
    yield "four-axes", npy(numpy.zeros((1, 5, 7, 5), "u1"))
    yield "one-axis", npy(numpy.zeros(5, "u1"))
    yield "no-axis", npy(numpy.zeros((), "u1"))
    yield "other-channels", npy(numpy.zeros((6, 7, 6), "u1"))
    yield "twice-open", of("((5, 7, 5)") + bytes(350)
    yield "code", of("(5, 7, __import__('os'))") + bytes(350)
    yield "no-shape", header("{'descr': '<u2', 'fortran_order': False}\n")
    yield "other-key", header("{'descr': '<u2', 'fortran_order': False, 'shape': (5, 7, 5), 'more': 1}\n") + bytes(350)
    yield "version-9", sound[:6] + b"\x09" + sound[7:]


def line(name, samples):
    floats = numpy.ascontiguousarray(samples.astype("<f4"))
    scaled = numpy.rint((floats.astype("f8") - LOW) / (HIGH - LOW) * 255).clip(0, 255).astype("u1")
    height, width, channels = samples.shape
    return f"{name} {width} {height} {channels} {zlib.crc32(floats.tobytes())} {zlib.crc32(scaled.tobytes())}"


def main():
    folder = pathlib.Path(__file__).resolve().parent / "bands"
    folder.mkdir(exist_ok=True)
    lines = []
    for name, samples, options in tiffs():
        data = samples.transpose(2, 0, 1) if options.get("planarconfig") == "separate" else samples
        data = data[..., 0] if samples.shape[2] == 1 else data
        tifffile.imwrite(folder / f"{name}.tif", data, software=False, datetime=False, **options)
        lines.append(line(f"{name}.tif", samples))
    for name, array, samples in arrays():
        (folder / f"{name}.npy").write_bytes(npy(array))
        lines.append(line(f"{name}.npy", samples))
    for version in [(2, 0), (3, 0)]:
        samples = random(5, "<u2")
        (folder / f"version-{version[0]}.npy").write_bytes(npy(samples, version))
        lines.append(line(f"version-{version[0]}.npy", samples))
    for name, mode, channels in [("clear", "RGBA", 4), ("gray-clear", "LA", 2)]:
        samples = random(channels, "u1")
        Image.fromarray(samples, mode).save(folder / f"{name}.png")
        lines.append(line(f"{name}.png", samples))
    samples = random(1, "u2")
    Image.fromarray(samples[..., 0]).save(folder / "gray-16.png")
    lines.append(line("gray-16.png", samples))
    for name, data in hostile():
        (folder / f"{name}.npy").write_bytes(data)
        lines.append(f"{name}.npy refused")
    (folder / "values.txt").write_text("".join(f"{line}\n" for line in lines))


main()
