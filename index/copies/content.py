"""The part of a picture that is the picture: without borders, captions, a phone's frame.

A border is of one tone, and the band of a caption or the page of an app is mostly of one tone, too.
So rows and columns that are mostly of the tone of the picture's own edge are cut off, again and
again, until the run of other rows and columns is left that shows most. A cut must be sharp: a wall
or a sky in a picture has no straight edge from side to side.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.types.records import Floats

Box: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom, in pixels

# A border, within it a band, within that another border.
ROUNDS = 3
# The share of the picture's edge that must be of one tone.
EDGE_SHARE = 0.3
TONE = 8  # of 255: width of a bin
SAME_TONE = 10  # of 255: how far a pixel of the border may be from its tone
# A row belongs to the picture if a smaller share of it is of the border's tone. Text leaves more.
INSIDE_SHARE = 0.6
MAX_GAP = 6  # rows of the border's tone within a picture, such as a white line across it
# A cut is sharp where of so many rows beyond it, one is of the border's tone but for this share.
NEXT_ROWS, OUTSIDE_SHARE = 4, 0.92
FRAME_SHARE = 0.6  # of all that is cut off that must be of the border's tone
# The smallest picture in a frame: of the whole edge, and in pixels.
MIN_SHARE, MIN_EDGE = 0.08, 16


def content_box(grey: Floats) -> Box:
    """Where the picture is in `grey`, (h, w) of 0 to 255; all of it when it has no frame."""
    height, width = grey.shape
    left, top, right, bottom = 0, 0, width, height
    for _ in range(ROUNDS):
        part = grey[top:bottom, left:right]
        tone = _edge_tone(part)
        if tone is None:
            break
        framed = np.abs(part - tone) < SAME_TONE
        steps = np.abs(np.diff(part, axis=1, append=part[:, -1:]))
        first, last = _picture_run(framed.mean(axis=1), steps.sum(axis=1))
        shares = framed[first:last].mean(axis=0)
        start, stop = _picture_run(shares, steps[first:last].sum(axis=0))
        if last - first < max(MIN_SHARE * height, MIN_EDGE):
            break
        if stop - start < max(MIN_SHARE * width, MIN_EDGE):
            break
        cut = part.size - (last - first) * (stop - start)
        if framed.sum() - framed[first:last, start:stop].sum() < FRAME_SHARE * cut or not cut:
            break
        left, top, right, bottom = left + start, top + first, left + stop, top + last
    return left, top, right, bottom


def _edge_tone(part: Floats) -> float | None:
    """The tone of the picture's edge, if enough of it has one."""
    edge = np.concatenate((part[0], part[-1], part[:, 0], part[:, -1]))
    bins = np.bincount((edge / TONE).astype(np.int64).clip(0), minlength=1)
    common = int(bins.argmax())
    if bins[max(0, common - 1) : common + 2].sum() < EDGE_SHARE * len(edge):
        return None
    return float(np.median(edge[np.abs(edge - (common + 0.5) * TONE) < 1.5 * TONE]))


def _picture_run(shares: NDArray[np.float64], steps: Floats) -> tuple[int, int]:
    """Which rows are the picture: those between two sharp cuts, or up to an end.

    shares   of each row, how much of it is of the border's tone
    steps    how much each row shows
    """
    inside = shares < INSIDE_SHARE
    if not inside.any():
        return 0, len(shares)
    changes = np.flatnonzero(np.diff(np.concatenate(([False], inside, [False])).astype(np.int8)))
    starts, ends = changes[::2], changes[1::2]
    apart = starts[1:] - ends[:-1] > MAX_GAP
    starts, ends = starts[np.append(True, apart)], ends[np.append(apart, True)]
    # An empty sky may be the longest run, and a bar of buttons the one that shows most.
    sums = np.concatenate(([0.0], np.cumsum(steps, dtype=np.float64)))
    busiest = int(np.argmax((sums[ends] - sums[starts]) * (ends - starts)))
    start, end = int(starts[busiest]), int(ends[busiest])
    before, after = shares[max(0, start - NEXT_ROWS) : start], shares[end : end + NEXT_ROWS]
    return (
        start if before.max(initial=0.0) >= OUTSIDE_SHARE else 0,
        end if after.max(initial=0.0) >= OUTSIDE_SHARE else len(shares),
    )
