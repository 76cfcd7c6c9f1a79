"""Which frames of an animation or video are searched: of new scenes, and evenly spread ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from index.images.colour import rgb

Tiny: TypeAlias = NDArray[np.int16]  # (TINY * TINY * 3,) colours

# Formats whose further frames are an animation. In other formats they are pages or previews.
ANIMATED = frozenset({"GIF", "PNG", "WEBP", "AVIF", "Lottie"})
# Frames of an animation or video that are searched. Each one costs as much as a picture of its own,
# so a second frame of the same scene is taken only of those that are evenly spread.
MAX_FRAMES = 12
EVENLY_SPREAD = 4
# Frames are compared in this size, in pixels; their difference is the mean one, of 255. Two frames
# with a smaller difference count as one; a frame with a larger one from all others is of a new
# scene.
TINY = 16
SAME_FRAME = 2.0
NEW_SCENE = 10.0
# Frames of an animation that are compared; of longer ones, every second or third frame, and so on.
MAX_COMPARED = 1000
# Browsers show a frame that names a shorter time than 20 ms for 100 ms.
LEAST_MS, INSTEAD_MS = 20, 100


def frame_count(image: Image.Image) -> int:
    """Frames of an animation; 1 for every other picture."""
    return int(getattr(image, "n_frames", 1)) if image.format in ANIMATED else 1


def compared(n_frames: int) -> range:
    """Numbers of the frames that are compared."""
    return range(0, n_frames, max(1, math.ceil(n_frames / MAX_COMPARED)))


def shown_s(image: Image.Image) -> float:
    """For how many seconds the frame is shown at which the animation stands."""
    told = float(image.info.get("duration") or 0)
    return (told if told >= LEAST_MS else INSTEAD_MS) / 1000


def tiny(frame: Image.Image) -> Tiny:
    """The frame as it is compared with others."""
    small = rgb(frame).resize((TINY, TINY), Image.Resampling.BOX)
    return np.asarray(small, np.int16).ravel()


def evenly_spread(n_frames: int, wanted: int) -> list[int]:
    """At most `wanted` frame numbers from the first to the last."""
    count = max(1, min(n_frames, wanted))
    return sorted({round(i * (n_frames - 1) / max(1, count - 1)) for i in range(count)})


def chosen(frames: Sequence[Tiny], wanted: int) -> list[int]:
    """The places of the frames that are searched, in order, at most `wanted`.

    The evenly spread ones come first, without those that look like one before. Then, again and
    again, the frame that is least like all that were taken, as long as it shows a new scene.
    """
    seen = np.stack(frames)
    nearest = np.full(len(seen), np.inf)  # difference of each frame from the most similar taken one
    taken: list[int] = []

    def take(number: int) -> None:
        taken.append(number)
        difference = np.abs(seen - seen[number]).mean(axis=1)
        np.minimum(nearest, difference, out=nearest)

    for number in evenly_spread(len(seen), min(wanted, EVENLY_SPREAD)):
        if nearest[number] > SAME_FRAME:
            take(number)
    while len(taken) < wanted and nearest.max() > NEW_SCENE:
        take(int(nearest.argmax()))
    return sorted(taken)
