"""PBM, PGM and PPM files: bytes and text, comments, and maxima of every kind."""

import numpy


def files(rgb):
    height, width = rgb.shape[:2]
    size = f"{width} {height}\n# a photo\n"
    text = lambda samples: "\n".join(str(value) for value in samples.flatten()).encode()
    gray, two = rgb[:, :, 0], rgb[:, :, 1] > 99
    binary = lambda kind, most, samples, dtype="u1": f"P{kind}\n{size}{most}\n".encode() + samples.astype(dtype).tobytes()
    yield "text.ppm", f"P3\n{size}255\n".encode() + text(rgb)
    yield "text.pgm", f"P2\n{size}255 ".encode() + text(gray) + b" and more"
    yield "text.pbm", f"P1\n{size}".encode() + text(two.astype(int))
    yield "text-close.pbm", f"P1 {width}\t{height}\n".encode() + text(two.astype(int)).replace(b"\n", b"")
    yield "text-comments.pgm", f"P2 {width} #wide\n{height}#high\n 255 ".encode() + text(gray).replace(b"\n", b" # next\n", 20)
    yield "text-100.ppm", f"P3\n{size}100\n".encode() + text(rgb % 101)
    yield "text-1000.ppm", f"P3\n{size}1000\n".encode() + text(rgb.astype(int) * 3)
    yield "bits.pbm", f"P4\n{size}".encode() + numpy.packbits(two, axis=1).tobytes()
    yield "100.pgm", binary(5, 100, gray % 101)
    yield "100.ppm", binary(6, 100, rgb % 101)
    # Halves are rounded to even: 3 of 10 are 76.5 of 255.
    yield "10.pgm", binary(5, 10, gray % 11)
    yield "1.ppm", binary(6, 1, rgb % 2)
    # There is more than the maximum.
    yield "above.ppm", binary(6, 100, rgb)
    yield "1000.ppm", binary(6, 1000, rgb.astype(int) * 3, ">u2")
    yield "65535.ppm", binary(6, 65535, rgb.astype(int) * 255 + 7, ">u2")
    yield "1000.pgm", binary(5, 1000, gray.astype(int) * 3, ">u2")
    yield "65535.pgm", binary(5, 65535, gray.astype(int) * 255 + 7, ">u2")
    # What PIL refuses.
    yield "cut.ppm", binary(6, 255, rgb)[:500]
    yield "cut.pbm", f"P4\n{size}".encode() + bytes(20)
    yield "text-cut.pgm", f"P2\n{size}255\n".encode() + text(gray)[:200]
    yield "text-above.pgm", f"P2\n{size}100\n".encode() + text(gray)
    yield "text-word.pgm", f"P2\n{size}255\n".encode() + text(gray).replace(b"1", b"one")
    yield "no-maximum.pgm", b"P5 3 3 0\n123456789"
    yield "header.ppm", b"P6 3 # 3\n"
