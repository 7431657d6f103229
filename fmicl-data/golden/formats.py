"""Files of every format, sound and damaged, and PIL's pixels of them as checksums: Pillow 13.0.0.

    scripts/golden fmicl-data/golden/formats.py        # makes formats/* and formats/pixels.txt again
    scripts/golden fmicl-data/golden/formats.py DIR    # writes DIR/pixels.txt for the files in DIR

Each line of pixels.txt: file, width, height, CRC-32 of the bytes of convert("RGB"); or file, "refused". Gray of 16 bits,
which PIL clips at 255, is what PIL makes of colours of 16 bits.
"""

import base64
import io
import pathlib
import struct
import sys
import zlib

import numpy
import PIL
from PIL import Image
from writers import bmp, gif, png, pnm, tiff, webp

assert PIL.__version__ == "13.0.0"

WIDTH, HEIGHT = 23, 17


def jpegs(photo):
    """Colours and codings that no other file has. CMYK and YCCK as Photoshop marks them, and without its mark."""
    cmyk = numpy.random.default_rng(6).integers(0, 256, (5, 6, 4), dtype="u1")
    cmyk = Image.fromarray(cmyk, "CMYK").resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    for name, options in [("cmyk", {}), ("cmyk-420", {"subsampling": 2}), ("cmyk-progressive", {"progressive": True})]:
        data = saved(cmyk, format="JPEG", quality=90, **options)
        mark = data.index(b"Adobe")
        assert data[mark + 11] == 0
        yield f"{name}.jpg", data
        yield f"{name.replace('cmyk', 'ycck')}.jpg", data[: mark + 11] + b"\2" + data[mark + 12 :]
    yield "cmyk-unmarked.jpg", data[: mark - 4] + data[mark + 12 :]
    gray = saved(photo.convert("L"), format="JPEG")
    precision = gray.index(b"\xff\xc0") + 4
    yield "12-bits.jpg", gray[:precision] + b"\x0c" + gray[precision + 1 :]
    yield "cut-header.jpg", gray[:100]
    # PIL does not write them: `cjpeg -arithmetic`, and with `-progressive`.
    for name, data in ARITHMETIC.items():
        yield f"{name}.jpg", base64.b64decode(data)


def renamed(data, old, new):
    """A JPEG within `data` whose three components have other names, in the frames and in the scans."""
    data = bytearray(data)
    for marker, first, step in [(b"\xff\xc0", 10, 3), (b"\xff\xda", 5, 2)]:
        at = data.find(marker)
        while at >= 0:
            places = [at + first + step * index for index in range(3)]
            if bytes(data[place] for place in places) == old:
                for place, name in zip(places, new):
                    data[place] = name
            at = data.find(marker, at + 1)
    return bytes(data)


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


def webps(photo, clear):
    yield "lossless.webp", saved(photo, format="WEBP", lossless=True)
    yield "lossless-clear.webp", saved(clear, format="WEBP", lossless=True, exact=True)
    yield "lossy.webp", saved(photo, format="WEBP", quality=60)
    yield "lossy-clear.webp", saved(clear, format="WEBP", quality=60)
    yield "animated.webp", saved(photo, format="WEBP", lossless=True, save_all=True, append_images=[photo.rotate(180)])
    for name, options in [("lossless", {"lossless": True, "exact": True}), ("lossy", {"quality": 60})]:
        still = saved(clear, format="WEBP", **options), clear.size
        yield f"animated-{name}.webp", webp.animated([still, still], clear.size)
        yield f"animated-{name}-within.webp", webp.animated([still, still], (40, 30), (6, 8))
        yield f"animated-{name}-unblended.webp", webp.animated([still], (40, 30), (6, 8), blended=False)
    yield "animated-beyond.webp", webp.animated([still], (20, 20), (6, 8))
    yield "animated-opaque.webp", webp.animated([(saved(photo, format="WEBP", quality=60), photo.size)], (40, 30), (2, 2))
    yield "animated-cut.webp", webp.animated([still], (40, 30), (6, 8))[:300]
    yield "one-colour.webp", saved(Image.new("RGB", (4000, 3000), (10, 200, 30)), format="WEBP", lossless=True)
    yield "cut.webp", saved(photo, format="WEBP", lossless=True)[:500]


def saved(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def files(photo):
    rgb = numpy.asarray(photo)
    clear = photo.copy()
    clear.putalpha(photo.convert("L"))
    yield from jpegs(photo)
    # A few bytes of deflate stand for many rows.
    for side in [53, 96, 256]:
        yield f"plain-{side}.png", saved(Image.new("RGB", (side, side)), format="PNG")
    yield "plain-clear.png", saved(Image.new("RGBA", (256, 256)), format="PNG")
    for name, data in png.files(rgb):
        yield f"{name}.png", data
    for name, data in bmp.files(rgb):
        yield f"{name}.bmp", data
    for name, mode in [("rgb", "RGB"), ("gray", "L"), ("two", "1"), ("rgba", "RGBA")]:
        image = clear if mode == "RGBA" else photo.convert(mode)
        yield f"{name}.bmp", saved(image, format="BMP")
        for packed in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
            yield f"{name}-{packed}.tif", saved(image, format="TIFF", compression=packed)
        if mode in ["RGB", "L"]:
            data = saved(image, format="TIFF", compression="jpeg", quality=90)
            yield f"{name}-jpeg.tif", data
            # The directory says that it is RGB, whatever libjpeg tells by the names of the components.
            for ids in [(0, 1, 2), (1, 2, 3)] if name == "rgb" else []:
                yield f"rgb-jpeg-{''.join(map(str, ids))}.tif", renamed(data, b"RGB", bytes(ids))
            yield f"{name}-lzw-predicted.tif", saved(image, format="TIFF", compression="tiff_lzw", tiffinfo={317: 2})
    yield "gray-alpha.tif", saved(clear.convert("LA"), format="TIFF")
    yield "gray-alpha-lzw.tif", saved(clear.convert("LA"), format="TIFF", compression="tiff_lzw")
    yield "two-group4.tiff", saved(photo.convert("1"), format="TIFF", compression="group4")
    yield "palette.tif", saved(photo.convert("P"), format="TIFF")
    yield "jpeg-strips.tif", saved(photo.resize((40, 100)), format="TIFF", compression="jpeg", strip_size=2000)
    yield "several.tif", saved(photo, format="TIFF", save_all=True, append_images=[photo.rotate(180)])
    yield "cut.tif", saved(photo, format="TIFF")[:500]
    for name, data in tiff.files(rgb):
        yield f"{name}.tif", data
    yield from turned(photo)
    yield "gray.pgm", saved(photo.convert("L"), format="PPM")
    yield "rgb.ppm", saved(photo, format="PPM")
    yield from pnm.files(rgb)
    yield from webps(photo, clear)
    for name, data in gif.files():
        yield f"{name}.gif", data
    yield "adaptive.gif", saved(photo.resize((40, 30)).quantize(64), format="GIF")
    yield "webp-called.jpg", saved(photo, format="WEBP", lossless=True)
    yield "png-called.jpg", saved(photo, format="PNG")
    yield "gif-called.png", saved(photo.quantize(16), format="GIF")
    yield "empty.png", b""


ARITHMETIC = {
    "arithmetic": """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a
        YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//yQAR
        CAALABMDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwDSZG/5/JepEYIdzWRhXmDeDA+0ZEzMpAttUtSfBZ8E83Sk4QJKyPbO
        Zurgal0O+/CqaY/yjIYG7obId6ptXWcxC/IJ7NHJa8dFcQOXwE771nrO7K2J0lwC4SzlAj9cWordVJHlycSk1CY7W2lWUvOrpDZpaJUhp1Kw
        Av/Z
    """,
    "arithmetic-progressive": """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a
        YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//ygAR
        CAALABMDASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAdHi7K0Dpgl2cKj2/8wABBAF/9oACAEBAAEFAjapICz2ocJpH18fe2F4e6V7
        CV2b0v/MAAQRBf/aAAgBAwEBPwEesAZr/8wABBEF/9oACAECAQE/AS7l/8wABBAF/9oACAEBAAY/Am02zGLFZkKOi/qMdUSpGv/MAAQQBf/a
        AAgBAQABPyHIUTjaGxy2+Aq+7K1Y+PI5pe/R8iMXIv/aAAwDAQACAAMAAAAQvqD/zAAEEQX/2gAIAQMBAT8QckbHRP/MAAQRBf/aAAgBAgEB
        PxC+zkf/zAAEEAX/2gAIAQEAAT8Q56oSoigGttIuQECv3bvW55RHP100KEnypcTNq43bhn/24T7/2Q==
    """,
}


def converted(path):
    """The image in RGB."""
    image = Image.open(path)
    if image.mode not in ["I;16", "I;16B", "I"] or "signed" in path.name:
        return image.convert("RGB")
    # PGM is read as of 16 bits whatever its maximum, and in colours rounded; the others lose their lower bits.
    samples = numpy.asarray(image).astype(int)
    gray = numpy.round(samples / 65535 * 255) if image.format == "PPM" else samples >> 8
    return Image.fromarray(gray.astype("u1")).convert("RGB")


def main():
    home = pathlib.Path(__file__).resolve().parent
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else home / "formats"
    if len(sys.argv) == 1:
        folder.mkdir(exist_ok=True)
        photo = Image.open(home / "coffee.png").convert("RGB").crop((100, 60, 100 + WIDTH, 60 + HEIGHT))
        names = []
        for name, data in files(photo):
            (folder / name).write_bytes(data)
            names.append(name)
        assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)
    else:
        names = sorted(path.name for path in folder.iterdir() if path.name != "pixels.txt")
    with open(folder / "pixels.txt", "w") as out:
        for name in names:
            try:
                rgb = converted(folder / name)
                print(name, *rgb.size, zlib.crc32(rgb.tobytes()), file=out)
            except (OSError, SyntaxError, ValueError, KeyError, TypeError, EOFError, IndexError, struct.error, AssertionError):
                print(name, "refused", file=out)


main()
