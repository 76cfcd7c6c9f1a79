"""Colour profiles made by code, and pictures in their colours.

source   ICC.1:2010: a header of 128 bytes, a table of tags, and their contents
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
D50 = (0.9642, 1.0, 0.8249)
# Red, green and blue as XYZ at D50, one a row.
SRGB = np.array([[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]])
DISPLAY_P3 = np.array(
    [[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]]
)
ADOBE_RGB = np.array([[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]])
ADOBE_GAMMA = 563 / 256


def linear(pixels: NDArray[np.uint8]) -> Floats:
    """sRGB's numbers as light, 0 to 1."""
    part = pixels / 255.0
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def unlinear(light: Floats) -> Floats:
    """Light as sRGB's numbers, 0 to 1."""
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _image(numbers: Floats) -> Image.Image:
    return Image.fromarray((numbers * 255).round().clip(0, 255).astype(np.uint8))


def in_colours_of(image: Image.Image, primaries: Floats, gamma: float | None = None) -> Image.Image:
    """An sRGB picture in the numbers of another RGB; its curve is sRGB's, or a gamma."""
    light = linear(np.asarray(image)) @ SRGB @ np.linalg.inv(primaries)
    return _image(unlinear(light) if gamma is None else light.clip(0, 1) ** (1 / gamma))


# ---- files


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _parametric(kind: int, *numbers: float) -> bytes:
    return b"para" + struct.pack(">IHH", 0, kind, 0) + _fixed(*numbers)


SRGB_CURVE = _parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(colours: bytes, tags: Mapping[bytes, bytes], pcs: bytes = b"XYZ ") -> bytes:
    """A profile of a screen or printer with these tags."""
    tags = {
        b"desc": b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, 2, 28) + b"\0x",
        b"cprt": b"mluc" + struct.pack(">IIIHHII", 0, 1, 12, 0x656E, 0x5553, 2, 28) + b"\0x",
        b"wtpt": b"XYZ \0\0\0\0" + _fixed(*D50),
        **tags,
    }
    table, contents = b"", b""
    begin = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", begin + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    size = begin + len(contents)
    device = b"mntr" if colours in (b"RGB ", b"GRAY") else b"prtr"
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x04200000, device, colours, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(*D50)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + contents


def of_rgb(primaries: Floats, gamma: float | None = None) -> bytes:
    """A profile of three primaries and a curve, as screens and cameras have."""
    curve = SRGB_CURVE if gamma is None else _parametric(0, gamma)
    tags = {
        name: b"XYZ \0\0\0\0" + _fixed(*row)
        for name, row in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)
    }
    return profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def of_grey(gamma: float) -> bytes:
    return profile(b"GRAY", {b"kTRC": _parametric(0, gamma)})


def _table(inputs: int, grid: int, colour: Callable[[Floats], Floats]) -> bytes:
    """A table (lut16) from device numbers, 0 to 1, to Lab."""
    steps = np.linspace(0, 1, grid)
    corners = np.array(list(itertools.product(steps, repeat=inputs)))
    lab = lab_of(colour(corners))
    coded = np.stack([lab[:, 0] / 100 * 65280, *((lab[:, 1:].T + 128) * 256)], axis=1)
    identity = struct.pack(">2H", 0, 65535)
    return (
        b"mft2"
        + struct.pack(">IBBBx", 0, inputs, 3, grid)
        + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
        + struct.pack(">2H", 2, 2)
        + identity * inputs
        + coded.round().clip(0, 65535).astype(">u2").tobytes()
        + identity * 3
    )


def lab_of(light: Floats) -> Floats:
    """(n, 3) Lab of linear sRGB."""
    relative = light @ SRGB / np.array(D50)
    root = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


# ---- printing colours, whose inks aren't pure


INKS = np.array([[0.0, 0.30, 0.60], [0.75, 0.02, 0.25], [0.95, 0.80, 0.02], [0.03, 0.03, 0.03]])


def printed(inks: Floats) -> Floats:
    """(n, 3) linear sRGB of (n, 4) inks, 0 to 1, one over the other."""
    seen: Floats = np.prod(1 - inks[:, :, None] * (1 - INKS), axis=1)
    return seen


def of_printer() -> bytes:
    return profile(b"CMYK", {b"A2B0": _table(4, 9, printed)}, b"Lab ")


# ---- "XYB", as JPEGs of new encoders have it: cube roots of what the eye's cones take

_CONES = np.array([[0.300, 0.622, 0.078], [0.230, 0.692, 0.078], [0.243, 0.205, 0.552]])


def to_xyb(image: Image.Image) -> Image.Image:
    """An sRGB picture in XYB's numbers, each brought to 0 to 255."""
    long, medium, short = np.cbrt(linear(np.asarray(image)) @ _CONES.T).transpose(2, 0, 1)
    parts = ((long - medium) * 8 + 0.5, (long + medium) / 2, (short - medium) / 2 + 0.5)
    return _image(np.stack(parts, axis=-1))


def from_xyb(numbers: Floats) -> Floats:
    """(n, 3) linear sRGB of (n, 3) numbers, 0 to 1."""
    x, y, b = numbers.T
    medium = y - (x - 0.5) / 16
    cones = np.stack([y + (x - 0.5) / 16, medium, (b - 0.5) * 2 + medium], axis=1)
    light: Floats = cones**3 @ np.linalg.inv(_CONES).T
    return light.clip(0, 1)


def of_xyb() -> bytes:
    return profile(b"RGB ", {b"A2B0": _table(3, 33, from_xyb)}, b"Lab ")
