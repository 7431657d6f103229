"""TIFF files, which PIL writes with few layouts."""

import itertools
import struct
import zlib

import numpy

SHORT, LONG, LONG8 = 3, 4, 16


def packed(data):
    return zlib.compress(data)


def tiff(chunks, tags, order="<", big=False):
    """`chunks`: the bytes of the strips or tiles; `tags`: the values of each, numbers. Offsets are added."""
    tiled = 322 in tags
    header = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}H", 43 if big else 42)
    start = (16 if big else 8) + sum(len(chunk) + len(chunk) % 2 for chunk in chunks)
    header += struct.pack(f"{order}HHQ", 8, 0, start) if big else struct.pack(f"{order}I", start)
    offsets = list(itertools.accumulate([len(chunk) + len(chunk) % 2 for chunk in chunks[:-1]], initial=len(header)))
    places, lengths = (324, 325) if tiled else (273, 279)
    tags = {**tags, places: offsets, lengths: [len(chunk) for chunk in chunks]}
    entries, behind = b"", b""
    room, entry = (8, 20) if big else (4, 12)
    after = start + (8 if big else 2) + entry * len(tags) + room
    for tag, values in sorted(tags.items()):
        values = values if isinstance(values, list) else [values]
        kind = LONG if tag in (places, lengths) else SHORT
        data = struct.pack(f"{order}{len(values)}{'I' if kind == LONG else 'H'}", *values)
        if len(data) > room:
            value = struct.pack(f"{order}{'Q' if big else 'I'}", after + len(behind))
            behind += data + bytes(len(data) % 2)
        else:
            value = data.ljust(room, b"\0")
        entries += struct.pack(f"{order}HH{'Q' if big else 'I'}", tag, kind, len(values)) + value
    count = struct.pack(f"{order}{'Q' if big else 'H'}", len(tags))
    body = b"".join(chunk + bytes(len(chunk) % 2) for chunk in chunks)
    return header + body + count + entries + bytes(room) + behind


def image(samples, photometric, bits=8, extra=None, order="<", compress=None, planar=False, tile=None, rows=None, kind=None, more=(), big=False, predictor=False):
    """`samples`: height, width and channels. `tile`: its side; `rows`: of a strip; `kind`: the format of samples."""
    height, width, channels = samples.shape
    dtype = {8: "u1", 16: "u2", 32: "u4"}.get(bits, "u1")
    dtype = samples.dtype.str[1:] if kind else dtype

    def coded(part):
        if predictor:
            part = numpy.diff(part.astype(dtype), axis=1, prepend=numpy.zeros_like(part[:, :1], dtype))
        if bits < 8:
            lines = part.reshape(len(part), -1)
            lines = [numpy.packbits((row[:, None] >> numpy.arange(bits - 1, -1, -1)) & 1) for row in lines]
            data = b"".join(line.tobytes() for line in lines)
        else:
            data = part.astype(order + dtype).tobytes()
        return compress(data) if compress else data

    def parts(plane):
        if tile:
            padded = numpy.pad(plane, ((0, -height % tile), (0, -width % tile), (0, 0)))
            return [padded[y : y + tile, x : x + tile] for y in range(0, height, tile) for x in range(0, width, tile)]
        return [plane[y : y + (rows or height)] for y in range(0, height, rows or height)]

    planes = [samples[:, :, at : at + 1] for at in range(channels)] if planar else [samples]
    tags = {256: width, 257: height, 258: [bits] * channels, 259: 8 if compress else 1, 262: photometric, 277: channels}
    tags.update({322: tile, 323: tile} if tile else {278: rows or height})
    tags.update({284: 2} if planar else {})
    tags.update({317: 2} if predictor else {})
    tags.update({338: extra} if extra is not None else {})
    tags.update({339: [kind] * channels} if kind else {})
    return tiff([coded(part) for plane in planes for part in parts(plane)], {**tags, **dict(more)}, order, big)


def files(rgb):
    height, width = rgb.shape[:2]
    draw = numpy.random.default_rng(3)
    random = lambda channels, bits=16: draw.integers(0, 2**bits, (height, width, channels))
    colors = draw.integers(0, 65536, (3, 256))
    map_of = lambda bits: {320: [int(value) for value in colors[:, : 2**bits].flatten()]}.items()
    yield "rgb-16", image(random(3), 2, 16)
    yield "rgba-16", image(random(4), 2, 16, extra=2)
    yield "rgb-16-big-endian", image(random(3), 2, 16, order=">")
    yield "rgb-16-predicted", image(random(3), 2, 16, compress=packed, predictor=True)
    yield "multiplied", image(random(4, 8), 2, extra=1)
    yield "multiplied-16", image(random(4), 2, 16, extra=1)
    yield "unspecified", image(random(4, 8), 2, extra=0)
    yield "unspecified-two", image(random(5, 8), 2, extra=[0, 0])
    yield "alpha-unsaid", image(random(4, 8), 2)
    for bits in [1, 2, 4, 8]:
        yield f"gray-{bits}", image(random(1, bits), 1, bits)
        yield f"inverted-{bits}", image(random(1, bits), 0, bits)
        yield f"palette-{bits}", image(random(1, bits), 3, bits, more=map_of(bits))
    yield "palette-packed", image(random(1, 8), 3, more=map_of(8), compress=packed, predictor=True)
    yield "palette-tiled", image(random(1, 8), 3, more=map_of(8), tile=16)
    yield "gray-and-more", image(random(2, 8), 1, extra=0)
    yield "cmyk", image(random(4, 8), 5)
    yield "cmyk-and-more", image(random(5, 8), 5, extra=0)
    yield "cmyk-16", image(random(4), 5, 16)
    yield "cmyk-packed", image(random(4, 8), 5, compress=packed, predictor=True)
    yield "planes", image(rgb, 2, planar=True, rows=5)
    yield "planes-packed", image(rgb, 2, planar=True, rows=5, compress=packed, predictor=True)
    yield "planes-tiled", image(rgb, 2, planar=True, tile=16)
    yield "planes-16", image(random(3), 2, 16, planar=True, compress=packed)
    yield "tiles", image(rgb, 2, tile=16)
    yield "tiles-packed", image(rgb, 2, tile=16, compress=packed, predictor=True)
    yield "strips", image(rgb, 2, rows=3)
    yield "big", image(rgb, 2, rows=3, big=True)
    yield "big-endian", image(rgb, 2, rows=3, order=">")
    # Without a range of their own: what is between 0 and 255.
    yield "float", image(draw.normal(100, 100, (height, width, 1)).astype("f4"), 1, 32, kind=3)
    yield "float-packed", image(draw.normal(100, 100, (height, width, 1)).astype("f4"), 1, 32, kind=3, compress=packed)
    yield "signed-16", image(draw.integers(-300, 600, (height, width, 1)).astype("i2"), 1, 16, kind=2)
    yield "signed-32", image(draw.integers(-300, 600, (height, width, 1)).astype("i4"), 1, 32, kind=2)
    yield "unsigned-32", image(draw.integers(0, 600, (height, width, 1)), 1, 32)
    yield "gray-16", image(random(1), 1, 16)
    yield "gray-16-big-endian", image(random(1), 1, 16, order=">")
    yield "gray-16-packed", image(random(1), 1, 16, compress=packed, predictor=True)
    # What PIL refuses.
    yield "palette-missing", image(random(1, 8), 3)
    yield "seven", image(random(7, 8), 2)
    yield "planes-cut", image(rgb, 2, planar=True, rows=5)[:-400]
