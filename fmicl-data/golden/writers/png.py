"""PNG files, sound and damaged."""

import struct
import zlib

import numpy


def chunk(kind, data, wrong=False):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ wrong)


def rows(image, depth):
    """The image's bytes for a PNG: unfiltered rows of samples of so many bits."""
    samples = image.reshape(image.shape[0], -1)
    if depth == 16:
        lines = [row.astype(">u2").tobytes() for row in samples]
    else:
        bits = [(row[:, None] >> numpy.arange(depth - 1, -1, -1)) & 1 for row in samples]
        lines = [numpy.packbits(row).tobytes() for row in bits]
    return b"".join(b"\0" + line for line in lines)


def png(image, depth, color, before=b"", interlaced=False, parts=1, wrong_header=False, wrong_data=(), change=lambda data: data):
    height, width = image.shape[:2]
    raw = rows(image, depth)
    if interlaced:
        passes = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
        parts_of = [image[y::dy, x::dx] for x, dx, y, dy in passes]
        raw = b"".join(rows(part, depth) for part in parts_of if part.size)
    data = change(zlib.compress(raw))
    size = -(-len(data) // parts)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    chunks = [chunk(b"IHDR", header, wrong_header), before]
    chunks += [chunk(b"IDAT", data[i * size : (i + 1) * size], i in wrong_data) for i in range(parts)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def files(rgb):
    height, width = rgb.shape[:2]
    draw = numpy.random.default_rng(1)
    random_of = lambda channels, most: draw.integers(0, most + 1, (height, width, channels))
    palette = chunk(b"PLTE", bytes(draw.integers(0, 256, 3 * 16, dtype=numpy.uint8)))
    for depth in [1, 2, 4, 8]:
        yield f"gray-{depth}", png(random_of(1, 2**depth - 1), depth, 0)
        # At eight bits there are indices without a color.
        yield f"palette-{depth}", png(random_of(1, min(2**depth, 32) - 1), depth, 3, palette)
    yield "palette-clear", png(random_of(1, 15), 4, 3, palette + chunk(b"tRNS", bytes([0, 100, 255])))
    yield "rgb-clear", png(rgb, 8, 2, chunk(b"tRNS", struct.pack(">3H", *rgb[0, 0])))
    yield "gray-alpha", png(random_of(2, 255), 8, 4)
    yield "rgba", png(random_of(4, 255), 8, 6)
    yield "gray-alpha-16", png(random_of(2, 65535), 16, 4)
    yield "gray-16", png(random_of(1, 65535), 16, 0)
    yield "gray-16-clear", png(random_of(1, 65535), 16, 0, chunk(b"tRNS", b"\0\x64"))
    yield "rgb-16", png(random_of(3, 65535), 16, 2)
    yield "rgba-16", png(random_of(4, 65535), 16, 6)
    yield "interlaced", png(rgb, 8, 2, interlaced=True)
    yield "interlaced-palette-2", png(random_of(1, 3), 2, 3, palette, interlaced=True)
    yield "interlaced-narrow", png(rgb[:5, :2], 8, 2, interlaced=True)
    yield "interlaced-low", png(rgb[:1, :9], 8, 2, interlaced=True)

    sound = png(rgb, 8, 2)
    text = chunk(b"tEXt", b"Comment\0a photo")
    end = len(chunk(b"IEND", b""))
    yield "sound", sound
    yield "data-crc", png(rgb, 8, 2, wrong_data=[0])
    yield "data-crc-first-of-3", png(rgb, 8, 2, parts=3, wrong_data=[0])
    yield "data-crc-all-of-3", png(rgb, 8, 2, parts=3, wrong_data=[0, 1, 2])
    yield "data-crc-interlaced", png(rgb, 8, 2, interlaced=True, wrong_data=[0])
    yield "end-crc", sound[:-1] + b"\0"
    for cut in [1, 6, end, end + 1, end + 4, end + 6, end + 8]:
        yield f"cut-{cut:02}", sound[:-cut]
    yield "cut-interlaced", png(rgb, 8, 2, interlaced=True)[: -end - 6]
    yield "garbage-behind-data", sound[:-end] + b"no chunk, by no means"
    yield "garbage-behind-end", sound + b"and more"
    yield "text-crc-behind", sound[:-end] + chunk(b"tEXt", b"Comment\0a photo", True) + sound[-end:]
    yield "text", png(rgb, 8, 2, text)
    yield "unknown-critical", png(rgb, 8, 2, chunk(b"ABCD", b"abc"))
    # PIL leaves the last row black.
    yield "fewer-rows", png(rgb, 8, 2, change=lambda data: zlib.compress(zlib.decompress(data)[: -3 * width - 1]))
    shorter = lambda count: lambda data: zlib.compress(zlib.decompress(data)[:-count])
    row = 1 + 3 * width
    yield "fewer-one-row", png(rgb, 8, 2, change=shorter((height - 1) * row))
    # Five rows of the last pass.
    yield "fewer-interlaced", png(rgb, 8, 2, interlaced=True, change=shorter(5 * row))
    # Of the palette's first colour.
    yield "fewer-palette", png(random_of(1, 15), 4, 3, palette, change=shorter(2 * 13))
    yield "fewer-palette-interlaced", png(random_of(1, 15), 4, 3, palette, interlaced=True, change=shorter(3 * 13))
    yield "fewer-gray-alpha", png(random_of(2, 255), 8, 4, change=shorter(7 * (1 + 2 * width)))
    # An animation, whose first frame is the image, or comes behind it.
    control = chunk(b"acTL", struct.pack(">II", 2, 0))
    frame = lambda number: chunk(b"fcTL", struct.pack(">5I2H2B", number, width, height, 0, 0, 1, 10, 0, 0))
    more = chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(rows(255 - rgb, 8)))
    yield "animated", png(rgb, 8, 2, control + frame(0))[:-end] + frame(1) + more + sound[-end:]
    yield "animated-behind", png(rgb, 8, 2, control)[:-end] + frame(1) + more + sound[-end:]
    # What PIL refuses.
    yield "fewer-half-row", png(rgb, 8, 2, change=shorter(40))
    yield "fewer-all", png(rgb, 8, 2, change=shorter(height * row))
    yield "fewer-by-adler", png(rgb, 8, 2, change=lambda data: shorter(row)(data)[:-1] + b"?")
    yield "header-crc", png(rgb, 8, 2, wrong_header=True)
    yield "palette-crc", png(random_of(1, 15), 4, 3, palette[:-1] + bytes([palette[-1] ^ 1]))
    yield "text-crc", png(rgb, 8, 2, chunk(b"tEXt", b"Comment\0a photo", True))
    yield "adler", png(rgb, 8, 2, change=lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    yield "half", sound[: len(sound) // 2]
    yield "half-interlaced", png(rgb, 8, 2, interlaced=True)[: len(sound) // 2]
    yield "header-only", sound[:33]
    yield "header-and-half-a-chunk", png(rgb, 8, 2, text)[:40]
