"""Colours that a file states by numbers, without a profile: as a profile (ICC).

PNG has such numbers (cICP, gAMA, cHRM), and so have HEIC and AVIF (nclx). Cameras and phones write
them in place of a profile, which has hundreds of bytes.

source   ITU-T H.273, tables 2 and 3; ITU-R BT.2100 and BT.2408 (white of a bright screen); ICC.1
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Point: TypeAlias = tuple[float, float]  # a chromaticity, x and y
Points: TypeAlias = tuple[Point, Point, Point, Point]  # of white, red, green and blue

_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
SRGB: Points = (_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_PRIMARIES: dict[int, Points] = {
    1: SRGB,
    4: (_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
# Of the light of a screen's white, in candela a square metre, where a number states light itself.
_WHITE_PQ, _MOST_PQ = 203.0, 10_000.0
_WHITE_HLG = 0.265  # of its greatest light, which 75 % of its range stand for


def _srgb(numbers: Floats) -> Floats:
    return np.where(numbers <= 0.04045, numbers / 12.92, ((numbers + 0.055) / 1.055) ** 2.4)


def _pq(numbers: Floats) -> Floats:
    root = numbers ** (32 / 2523)
    part = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)
    return part ** (16384 / 2610) * _MOST_PQ / _WHITE_PQ


def _hlg(numbers: Floats) -> Floats:
    bright = (np.exp((numbers - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.where(numbers <= 0.5, numbers**2 / 3, bright) / _WHITE_HLG


def _power(gamma: float) -> Callable[[Floats], Floats]:
    return lambda numbers: numbers**gamma


# Numbers of 0 to 1 → light, by the numbers of the curves. That of BT.709 (1, 6, 14, 15) is shown as
# sRGB's, as most viewers do. What is brighter than white is white.
_CURVES: dict[int, Callable[[Floats], Floats]] = {
    **dict.fromkeys((1, 6, 13, 14, 15), _srgb),
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
    16: _pq,
    18: _hlg,
}
# Steps of a curve. In PQ, most of them stand for darkness.
_STEPS = 4096
# A gamma that is nearer to that of screens than this part of it is meant to be sRGB's curve. Almost
# all programs that write sRGB name it so.
_SCREEN, _NEAR = 2.2, 0.05
_D50 = np.array([0.9642, 1.0, 0.8249])
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@lru_cache(16)
def by_code_points(primaries: int, curve: int) -> bytes | None:
    """The profile for H.273's numbers; None for sRGB's, and for those that aren't known."""
    if primaries not in _PRIMARIES or curve not in _CURVES:
        return None
    if _PRIMARIES[primaries] == SRGB and _CURVES[curve] is _srgb:
        return None
    return _profile(_PRIMARIES[primaries], _CURVES[curve])


@lru_cache(16)
def by_points(points: Points, gamma: float | None) -> bytes | None:
    """The profile for these chromaticities and this gamma; None where they make no sense.

    gamma   by which numbers become light; None: sRGB's curve
    """
    if gamma is None or abs(gamma / _SCREEN - 1) < _NEAR:
        return _profile(points, _srgb)
    return _profile(points, _power(gamma)) if 0.2 < gamma < 5 else None


def _profile(points: Points, curve: Callable[[Floats], Floats]) -> bytes | None:
    with contextlib.suppress(ArithmeticError, np.linalg.LinAlgError, struct.error):
        steps = (curve(np.linspace(0, 1, _STEPS)).clip(0, 1) * 65535).round().astype(">u2")
        table = b"curv" + struct.pack(">II", 0, _STEPS) + steps.tobytes()
        primaries = [b"XYZ \0\0\0\0" + _fixed(row) for row in _at_d50(points)]
        return _file(
            {
                b"wtpt": b"XYZ \0\0\0\0" + _fixed(_D50),
                **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)),
                **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), table),
            }
        )
    return None


def _at_d50(points: Points) -> Floats:
    """(3, 3) the XYZ of red, green and blue, in a profile's white (by Bradford).

    raises   ArithmeticError, LinAlgError where the points make no triangle
    """
    white, *primaries = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in points)
    colours = np.stack(primaries)
    colours = colours * (white @ np.linalg.inv(colours))[:, None]
    ratio = (_CONES @ _D50) / (_CONES @ white)
    adapted: Floats = colours @ (np.linalg.inv(_CONES) @ np.diag(ratio) @ _CONES).T
    return adapted


def _fixed(numbers: Floats) -> bytes:
    return struct.pack(">3i", *(round(float(number) * 65536) for number in numbers))


def _file(tags: dict[bytes, bytes]) -> bytes:
    """A profile of a screen with these tags; equal ones are stored once."""
    contents = b""
    places: dict[bytes, int] = {}
    begin = 128 + 4 + 12 * len(tags)
    for content in tags.values():
        if content not in places:
            places[content] = begin + len(contents)
            contents += content + bytes(-len(content) % 4)
    table = b"".join(
        name + struct.pack(">II", places[content], len(content)) for name, content in tags.items()
    )
    size = begin + len(contents)
    head = struct.pack(">I4xI4s4s4s", size, 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _fixed(_D50)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + contents
