"""BMP files of every depth and compression."""

import struct

import numpy


def bmp(image, width, bits, compression=0, masks=b"", palette=b"", flipped=True, header=40, gap=b"", height=None, colors=None):
    """`image`: the rows' bytes from above, or the data where they are compressed. A header of other than 40 bytes has the
    masks within it; one of 12 is OS/2's."""
    is_packed = compression in [1, 2]
    height = height or len(image)
    data = image if is_packed else b"".join(row + bytes(-len(row) % 4) for row in (image[::-1] if flipped else image))
    if header == 12:
        start = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        colors = len(palette) // 4 if colors is None else colors
        start = struct.pack("<IiiHHIIiiII", header, width, height if flipped else -height, 1, bits, compression, len(data), 0, 0, colors, 0)
        start += masks.ljust(header - 40, b"\0")
    offset = 14 + len(start) + len(palette) + len(gap)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + start + palette + gap + data


def files(rgb):
    height, width = rgb.shape[:2]
    draw = numpy.random.default_rng(2)
    words = [row.astype("<u2").tobytes() for row in draw.integers(0, 65536, (height, width))]
    longs = [row.tobytes() for row in draw.integers(0, 256, (height, width, 4), dtype=numpy.uint8)]
    colors = draw.integers(0, 256, (256, 3), dtype=numpy.uint8)
    palette = b"".join(bytes(color) + b"\0" for color in colors)
    grays = lambda count: b"".join(bytes([gray, gray, gray, 0]) for gray in range(count))
    indices = draw.integers(0, 256, (height, width), dtype=numpy.uint8)
    plain = [row.tobytes() for row in indices]
    reds = lambda *masks: struct.pack(f"<{len(masks)}I", *masks)
    yield "555", bmp(words, width, 16)
    yield "555-masks", bmp(words, width, 16, 3, reds(0x7C00, 0x3E0, 0x1F))
    yield "565", bmp(words, width, 16, 3, reds(0xF800, 0x7E0, 0x1F))
    yield "565-from-above", bmp(words, width, 16, 3, reds(0xF800, 0x7E0, 0x1F), flipped=False)
    yield "565-version-4", bmp(words, width, 16, 3, reds(0xF800, 0x7E0, 0x1F), header=108)
    yield "32", bmp(longs, width, 32)
    yield "32-masks", bmp(longs, width, 32, 3, reds(0xFF0000, 0xFF00, 0xFF))
    yield "32-other-masks", bmp(longs, width, 32, 3, reds(0xFF000000, 0xFF0000, 0xFF00))
    yield "32-alpha", bmp(longs, width, 32, 3, reds(0xFF, 0xFF00, 0xFF0000, 0xFF000000), header=124)
    yield "palette", bmp(plain, width, 8, palette=palette)
    yield "palette-short", bmp(plain, width, 8, palette=palette[:400])
    yield "palette-uncounted", bmp(plain, width, 8, palette=palette, colors=0)
    yield "palette-gap", bmp(plain, width, 8, palette=palette, gap=b"between")
    yield "palette-os2", bmp(plain, width, 8, palette=colors.tobytes(), header=12)
    yield "gray-short", bmp(plain, width, 8, palette=grays(20))
    nibbles = [row.tobytes() for row in indices[:, : (width + 1) // 2]]
    yield "palette-4", bmp(nibbles, width, 4, palette=palette[:64])
    yield "palette-4-short", bmp(nibbles, width, 4, palette=palette[:20])
    bits = [row.tobytes() for row in indices[:, : (width + 7) // 8]]
    yield "palette-1", bmp(bits, width, 1, palette=palette[:8])
    yield "palette-1-os2", bmp(bits, width, 1, palette=palette[:6], header=12)
    yield "inverted-1", bmp(bits, width, 1, palette=b"\xff\xff\xff\0\0\0\0\0")
    yield "from-above", bmp([row.tobytes() for row in rgb[:, :, ::-1]], width, 24, flipped=False)
    yield "os2", bmp([row.tobytes() for row in rgb[:, :, ::-1]], width, 24, header=12)
    runs = b"".join(b"".join(bytes([1, index]) for index in row) + b"\0\0" for row in indices) + b"\0\1"
    yield "rle", bmp(runs, width, 8, 1, palette=palette, height=height)
    # Absolute runs, the ends of rows left out, and a step to the right and up.
    steps = b"\0\7abcdefg\0" + b"\0\0" + b"\5z\0\2\4\2\3y" + b"\0\0" + b"\2a\0\0" * (height - 4) + b"\0\1"
    yield "rle-steps", bmp(steps, width, 8, 1, palette=palette, height=height)
    quarters = b"".join(b"\7\x12" + b"\0\5\x34\x56\x70\0" + b"\0\0" for _ in range(height)) + b"\0\1"
    yield "rle-4", bmp(quarters, width, 4, 2, palette=palette[:64], height=height)
    yield "rle-cut", bmp(runs[:200], width, 8, 1, palette=palette, height=height)
    yield "palette-cut", bmp(plain, width, 8, palette=palette)[:-20]
