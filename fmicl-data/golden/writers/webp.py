"""Animations in WebP, which PIL does not write where the first frame is not the whole."""

import struct


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def animated(stills, canvas, place=(0, 0), blended=True):
    """An animation of the frames that files hold, each with the size of its frame. `place` has even numbers."""
    three = lambda *numbers: b"".join(struct.pack("<I", number)[:3] for number in numbers)
    frames = b""
    for still, size in stills:
        body = still[12:]
        if body[:4] == b"VP8X":
            body = body[18:]
        header = three(place[0] // 2, place[1] // 2, size[0] - 1, size[1] - 1, 100) + bytes([0 if blended else 2])
        frames += chunk(b"ANMF", header + body)
    extended = bytes([0x12, 0, 0, 0]) + three(canvas[0] - 1, canvas[1] - 1)
    body = b"WEBP" + chunk(b"VP8X", extended) + chunk(b"ANIM", b"\x10\x20\x30\xff\0\0") + frames
    return chunk(b"RIFF", body)
