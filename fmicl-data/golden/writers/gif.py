"""GIF files of every kind of palette, order and place on the screen. Their codes are those of LZW that never grow."""

import struct

import numpy


def packed(indices, bits):
    """LZW of the indices, each a code of its own: a clear code comes before the codes would become longer."""
    clear, size = 1 << bits, bits + 1
    codes = []
    for at, index in enumerate(indices.flatten()):
        codes += [clear] if at % (clear - 2) == 0 else []
        codes.append(int(index))
    codes.append(clear + 1)
    number = sum(code << (size * at) for at, code in enumerate(codes))
    data = number.to_bytes(-(-size * len(codes) // 8), "little")
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    return bytes([bits]) + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def palette(colors):
    """Its bytes, and the three bits that say how long it is; the length is a power of 2."""
    return colors.astype("u1").tobytes(), len(colors).bit_length() - 2


def gif(indices, screen, everyone=None, own=None, place=(0, 0), clear=None, interlaced=False, before=b"", bits=8):
    """Of one frame. `screen`: width and height; `clear`: the transparent index."""
    height, width = indices.shape
    order = [y for first, step in [(0, 8), (4, 8), (2, 4), (1, 2)] for y in range(first, height, step)]
    colors, size = palette(everyone) if everyone is not None else (b"", 0)
    out = b"GIF89a" + struct.pack("<HHBBB", *screen, (0x80 | size) if colors else 0, 1, 0) + colors + before
    if clear is not None:
        out += b"!\xf9\4" + struct.pack("<BHB", 1, 10, clear) + b"\0"
    colors, size = palette(own) if own is not None else (b"", 0)
    flags = ((0x80 | size) if colors else 0) | 0x40 * interlaced
    out += b"," + struct.pack("<HHHHB", *place, width, height, flags) + colors
    return out + packed(indices[order] if interlaced else indices, bits)


def files():
    draw = numpy.random.default_rng(5)
    width, height = 13, 11
    colors, others = draw.integers(0, 256, (2, 256, 3))
    grays = numpy.arange(256)[:, None].repeat(3, 1)
    indices = draw.integers(0, 256, (height, width))
    few = indices % 16
    screen, end = (width, height), b";"
    yield "everyone", gif(indices, screen, colors) + end
    yield "own", gif(indices, screen, None, others) + end
    yield "own-and-everyone", gif(indices, screen, colors, others) + end
    yield "no-palette", gif(indices, screen) + end
    yield "gray", gif(indices, screen, grays) + end
    # With everyone's colours beside it, PIL forgets that the frame has grays of its own.
    yield "gray-own", gif(indices, screen, None, grays) + end
    # Indices without a colour.
    yield "short", gif(indices, screen, colors[:16]) + end
    yield "gray-short", gif(indices, screen, grays[:16]) + end
    yield "few", gif(few, screen, colors[:16], bits=4) + end
    yield "two", gif(indices % 2, screen, colors[:2], bits=2) + end
    yield "interlaced", gif(few, screen, colors[:16], interlaced=True, bits=4) + end
    yield "interlaced-low", gif(few[:3], (width, 3), colors[:16], interlaced=True, bits=4) + end
    yield "clear", gif(few, screen, colors[:16], clear=3, bits=4) + end
    large = (19, 17)
    yield "within", gif(few, large, colors[:16], place=(4, 5), bits=4) + end
    yield "within-own", gif(few, large, colors[:16], others[:16], place=(4, 5), bits=4) + end
    yield "within-clear", gif(few, large, colors[:16], place=(4, 5), clear=7, bits=4) + end
    yield "within-interlaced", gif(few, large, colors[:16], place=(6, 6), interlaced=True, bits=4) + end
    yield "beyond", gif(few, (10, 8), colors[:16], place=(2, 1), bits=4) + end
    second = gif((few + 1) % 16, screen, colors[:16], bits=4)[13 + 48 :]
    yield "animated", gif(few, screen, colors[:16], clear=2, bits=4) + second + end
    comment = b"!\xfe\7a photo\0" + b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    yield "comment", gif(few, screen, colors[:16], before=comment, bits=4) + end
    yield "no-end", gif(few, screen, colors[:16], bits=4)
    yield "version-87", b"GIF87a" + gif(few, screen, colors[:16], bits=4)[6:] + end
    # What PIL refuses.
    yield "cut", gif(few, screen, colors[:16], bits=4)[:-40]
    yield "no-frame", gif(few, screen, colors[:16], bits=4)[: 13 + 48] + end
