"""Files of every format beside JPEG, sound and damaged, and PIL's pixels of them as checksums: Pillow 13.0.0.

    scripts/golden fmicl-data/golden/formats.py     # makes formats/* and formats/pixels.txt again

Each line of pixels.txt: file, width, height, CRC-32 of the bytes of convert("RGB"); or file, "refused". Of some files there
are the bytes themselves, as NAME.rgb.
"""

import io
import pathlib
import struct
import zlib

import numpy
import PIL
from PIL import Image

assert PIL.__version__ == "13.0.0"

WIDTH, HEIGHT = 23, 17


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


def pngs(rgb):
    draw = numpy.random.default_rng(1)
    random_of = lambda channels, most: draw.integers(0, most + 1, (HEIGHT, WIDTH, channels))
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
    yield "fewer-rows", png(rgb, 8, 2, change=lambda data: zlib.compress(zlib.decompress(data)[: -3 * WIDTH - 1]))
    # What PIL refuses.
    yield "header-crc", png(rgb, 8, 2, wrong_header=True)
    yield "palette-crc", png(random_of(1, 15), 4, 3, palette[:-1] + bytes([palette[-1] ^ 1]))
    yield "text-crc", png(rgb, 8, 2, chunk(b"tEXt", b"Comment\0a photo", True))
    yield "adler", png(rgb, 8, 2, change=lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    yield "half", sound[: len(sound) // 2]
    yield "half-interlaced", png(rgb, 8, 2, interlaced=True)[: len(sound) // 2]
    yield "header-only", sound[:33]
    yield "header-and-half-a-chunk", png(rgb, 8, 2, text)[:40]


def bmp(image, bits, compression=0, masks=b"", palette=b"", flipped=True):
    """`image`: the rows' bytes from above, or the data where they are compressed."""
    height = HEIGHT if flipped else -HEIGHT
    data = image if compression == 1 else b"".join(row + bytes(-len(row) % 4) for row in (image[::-1] if flipped else image))
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(data), 0, 0, len(palette) // 4, 0)
    offset = 14 + len(header) + len(masks) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + masks + palette + data


def bmps(rgb):
    draw = numpy.random.default_rng(2)
    words = [row.astype("<u2").tobytes() for row in draw.integers(0, 65536, (HEIGHT, WIDTH))]
    palette = b"".join(bytes(color) + b"\0" for color in draw.integers(0, 256, (256, 3), dtype=numpy.uint8))
    indices = draw.integers(0, 256, (HEIGHT, WIDTH), dtype=numpy.uint8)
    yield "555", bmp(words, 16)
    yield "565", bmp(words, 16, 3, struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    yield "32", bmp([row.tobytes() for row in draw.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=numpy.uint8)], 32)
    yield "palette", bmp([row.tobytes() for row in indices], 8, palette=palette)
    yield "from-above", bmp([row.tobytes() for row in rgb[:, :, ::-1]], 24, flipped=False)
    runs = b"".join(b"".join(bytes([1, index]) for index in row) + b"\0\0" for row in indices) + b"\0\1"
    yield "rle", bmp(runs, 8, 1, palette=palette)


def tiff(samples, color, extra=None):
    """Samples of 16 bits, uncompressed; PIL does not write such files."""
    height, width, channels = samples.shape
    data = samples.astype("<u2").tobytes()
    entries = [(256, 3, width), (257, 3, height), (259, 3, 1), (262, 3, color), (277, 3, channels), (278, 3, height), (279, 4, len(data))]
    entries += [] if extra is None else [(338, 3, extra)]
    bits = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries = sorted(entries + [(258, 3, bits), (273, 4, bits + 2 * channels)])
    counts = [channels if tag == 258 else 1 for tag, _, _ in entries]
    directory = b"".join(struct.pack("<HHII", tag, kind, count, value) for (tag, kind, value), count in zip(entries, counts))
    bits = struct.pack(f"<{channels}H", *[16] * channels)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + bits + data


def turned(photo):
    """Files that say how the camera was held: PIL turns TIFF as it loads it, and no other format."""
    orientation = 274
    for way in range(1, 10):
        yield f"turned-{way}.tif", saved(photo, format="TIFF", tiffinfo={orientation: way})
    yield "turned-lzw.tif", saved(photo, format="TIFF", tiffinfo={orientation: 6}, compression="tiff_lzw")
    exif = Image.Exif()
    exif[orientation] = 6
    yield "turned.webp", saved(photo, format="WEBP", lossless=True, exif=exif)
    yield "turned.png", saved(photo, format="PNG", exif=exif)


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def files(photo):
    rgb = numpy.asarray(photo)
    clear = photo.copy()
    clear.putalpha(photo.convert("L"))
    for name, data in pngs(rgb):
        yield f"{name}.png", data
    for name, data in bmps(rgb):
        yield f"{name}.bmp", data
    for name, mode in [("rgb", "RGB"), ("gray", "L"), ("two", "1"), ("rgba", "RGBA")]:
        image = clear if mode == "RGBA" else photo.convert(mode)
        yield f"{name}.bmp", saved(image, format="BMP")
        for packed in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
            yield f"{name}-{packed}.tif", saved(image, format="TIFF", compression=packed)
    yield "gray-alpha.tif", saved(clear.convert("LA"), format="TIFF")
    yield "two-group4.tiff", saved(photo.convert("1"), format="TIFF", compression="group4")
    yield "palette.tif", saved(photo.convert("P"), format="TIFF")
    yield "cut.tif", saved(photo, format="TIFF")[:500]
    draw = numpy.random.default_rng(3)
    yield "rgb-16.tif", tiff(draw.integers(0, 65536, (HEIGHT, WIDTH, 3)), 2)
    yield "rgba-16.tif", tiff(draw.integers(0, 65536, (HEIGHT, WIDTH, 4)), 2, extra=2)
    yield from turned(photo)
    yield "gray.pgm", saved(photo.convert("L"), format="PPM")
    yield "rgb.ppm", saved(photo, format="PPM")
    size = f"{WIDTH} {HEIGHT}\n# a photo\n"
    yield "text.ppm", (f"P3\n{size}255\n" + "\n".join(str(value) for value in rgb.flatten())).encode()
    yield "100.pgm", f"P5\n{size}100\n".encode() + (rgb[:, :, 0] % 101).astype("u1").tobytes()
    yield "100.ppm", f"P6\n{size}100\n".encode() + (rgb % 101).astype("u1").tobytes()
    yield "65535.ppm", f"P6\n{size}65535\n".encode() + (rgb.astype(">u2") * 255 + 7).tobytes()
    yield "cut.ppm", saved(photo, format="PPM")[:500]
    yield "lossless.webp", saved(photo, format="WEBP", lossless=True)
    yield "lossless-clear.webp", saved(clear, format="WEBP", lossless=True, exact=True)
    yield "lossy.webp", saved(photo, format="WEBP", quality=60)
    yield "lossy-clear.webp", saved(clear, format="WEBP", quality=60)
    yield "animated.webp", saved(photo, format="WEBP", lossless=True, save_all=True, append_images=[photo.rotate(180)])
    yield "webp-called.jpg", saved(photo, format="WEBP", lossless=True)
    yield "png-called.jpg", saved(photo, format="PNG")
    yield "one-colour.webp", saved(Image.new("RGB", (4000, 3000), (10, 200, 30)), format="WEBP", lossless=True)
    yield "cut.webp", saved(photo, format="WEBP", lossless=True)[:500]
    yield "empty.png", b""


def main():
    home = pathlib.Path(__file__).resolve().parent
    folder = home / "formats"
    folder.mkdir(exist_ok=True)
    photo = Image.open(home / "coffee.png").convert("RGB").crop((100, 60, 100 + WIDTH, 60 + HEIGHT))
    with open(folder / "pixels.txt", "w") as out:
        for name, data in files(photo):
            (folder / name).write_bytes(data)
            try:
                rgb = Image.open(folder / name).convert("RGB")
                print(name, *rgb.size, zlib.crc32(rgb.tobytes()), file=out)
                if name in ["555.bmp", "565.bmp", "100.pgm", "100.ppm"]:
                    (folder / f"{name}.rgb").write_bytes(rgb.tobytes())
            except (OSError, SyntaxError, ValueError):
                print(name, "refused", file=out)


main()
