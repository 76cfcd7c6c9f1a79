"""What is kept of a picture to tell its copies: about 3 kB.

A small grey picture, the part of it that isn't frame, a hash of the whole and of that part, and the
keypoints of the picture.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from index.copies.content import Box, content_box
from index.copies.keypoints import keypoints
from index.copies.orientation import BASIS, SAMPLES, Hashes
from index.types.records import Floats

Bytes: TypeAlias = NDArray[np.uint8]

# Of any change here, so that fingerprints are made again.
REVISION = "1"
# Pictures are looked at in this size: the short edge, and no more than that of the long one. A
# phone's screenshot has a picture of half its height in it.
SHORT_EDGE, LONG_EDGE, LEAST_EDGE = 256, 768, 16
THUMBNAIL_PIXELS = 2048
# Of 255: the mean difference between colours, below which a picture counts as grey.
MIN_COLOUR = 3.0
# Of 255: a frame with a smaller deviation shows nothing, as the black one of many an animation.
MIN_CONTRAST = 4.0
# In the file, places are counted in this part of a pixel, and blur in this part of an octave.
PLACE_STEPS, BLUR_STEPS = 64, 16
_HEADER = struct.Struct("<QQ8s?HHBB4H")
_KEYPOINT = np.dtype([("x", "<u2"), ("y", "<u2"), ("blur", "u1"), ("hash", "<u8")])


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """What two pictures are compared by.

    pixels       a hash that only pictures of the same pixels have
    colourful    whether it has colours
    width        of the picture as it was looked at, in pixels of which all other places are counted
    thumbnail    (h, w) uint8, grey, of the whole picture
    content      the box of the part that isn't frame
    hashes       (2,) of the whole picture and of its content
    points       (n, 3) float32, x, y and blur of the keypoints
    surroundings (n,) hashes of their surroundings
    """

    pixels: bytes
    colourful: bool
    width: int
    height: int
    thumbnail: Bytes
    content: Box
    hashes: Hashes
    points: Floats
    surroundings: Hashes

    def to_bytes(self) -> bytes:
        """What `from_bytes` reads; the hashes come first, since the store keeps them apart."""
        high, wide = self.thumbnail.shape
        header = _HEADER.pack(
            *(*self.hashes.tolist(), self.pixels, self.colourful, self.width, self.height),
            *(wide, high, *self.content),
        )
        keypoints = np.empty(len(self.points), _KEYPOINT)
        keypoints["x"] = np.rint(self.points[:, 0] * PLACE_STEPS)
        keypoints["y"] = np.rint(self.points[:, 1] * PLACE_STEPS)
        keypoints["blur"] = np.rint(np.log2(self.points[:, 2]) * BLUR_STEPS).clip(0, 255)
        keypoints["hash"] = self.surroundings
        return header + self.thumbnail.tobytes() + keypoints.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """What `to_bytes` wrote. raises ValueError, struct.error"""
        *hashes, pixels, colourful, width, height, wide, high, left, top, right, bottom = (
            _HEADER.unpack_from(data)
        )
        start = _HEADER.size + wide * high
        thumbnail = np.frombuffer(data[_HEADER.size : start], np.uint8).reshape(high, wide)
        keypoints = np.frombuffer(data[start:], _KEYPOINT)
        x, y = keypoints["x"] / PLACE_STEPS, keypoints["y"] / PLACE_STEPS
        blur = 2.0 ** (keypoints["blur"] / BLUR_STEPS)
        return cls(
            *(pixels, colourful, width, height, thumbnail, (left, top, right, bottom)),
            np.array(hashes, np.uint64),
            np.column_stack((x, y, blur)).astype(np.float32),
            keypoints["hash"].astype(np.uint64),
        )


def fingerprint(frames: Sequence[Image.Image], size: tuple[int, int]) -> Fingerprint:
    """The fingerprint of a picture; of an animation, that of its first frame that shows something.

    frames   RGB
    size     of the full picture
    """
    frame, small, grey = _shown(frames)
    width, height = small.size
    whole, content = (0, 0, width, height), content_box(grey)
    hash_of_whole = _hash(grey, whole)
    hash_of_content = hash_of_whole if content == whole else _hash(grey, content)
    points, surroundings = keypoints(grey)
    return Fingerprint(
        pixels=_digest(frames, size),
        colourful=_is_colourful(frame),
        width=width,
        height=height,
        thumbnail=_thumbnail(small),
        content=content,
        hashes=np.array([hash_of_whole, hash_of_content], np.uint64),
        points=points,
        surroundings=surroundings,
    )


def _shown(frames: Sequence[Image.Image]) -> tuple[Image.Image, Image.Image, Floats]:
    """The first frame that shows something, or the first one; and as it is looked at, which is
    grey, as a picture and as (h, w) float32."""
    looked_at = ((frame, *_grey(frame)) for frame in frames)
    first = next(looked_at)
    return next((one for one in chain([first], looked_at) if one[2].std() >= MIN_CONTRAST), first)


def _grey(frame: Image.Image) -> tuple[Image.Image, Floats]:
    width, height = frame.size
    scale = min(SHORT_EDGE / min(width, height), LONG_EDGE / max(width, height))
    wide, high = (max(LEAST_EDGE, round(edge * scale)) for edge in frame.size)
    image = frame.convert("L").resize((wide, high), Image.Resampling.BICUBIC)
    return image, np.asarray(image, np.float32)


def _thumbnail(grey: Image.Image) -> Bytes:
    width, height = grey.size
    scale = (THUMBNAIL_PIXELS / (width * height)) ** 0.5
    size = tuple(min(max(8, round(edge * scale)), 255) for edge in (width, height))
    return np.asarray(grey.resize(size, Image.Resampling.LANCZOS))


def _hash(grey: Floats, box: Box) -> int:
    """A bit for each of the slowest waves in this box: whether its sign is positive."""
    small = Image.fromarray(grey).resize((SAMPLES, SAMPLES), Image.Resampling.BOX, box)
    waves = BASIS @ np.asarray(small) @ BASIS.T
    positive = (waves > 0).ravel()
    positive[0] = False  # the mean brightness
    return int((positive.astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum())


def _digest(frames: Sequence[Image.Image], size: tuple[int, int]) -> bytes:
    digest = hashlib.blake2b(repr(size).encode(), digest_size=8)
    for frame in frames:
        digest.update(frame.tobytes())
    return digest.digest()


def _is_colourful(frame: Image.Image) -> bool:
    small = np.asarray(frame.resize((32, 32), Image.Resampling.BOX), np.float32)
    return float((small.max(axis=2) - small.min(axis=2)).mean()) >= MIN_COLOUR
