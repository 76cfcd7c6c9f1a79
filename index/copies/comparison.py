"""Whether one picture is a copy of another, and what was done to it.

Two ways find how one picture may lie on the other: hashes of the wholes and of the parts within
frames, in all eight orientations, and keypoints that match. What they propose is judged by the
small grey pictures: where one lies on the other, both must show the same all over. A sprite or the
frame of an app that two pictures share matches, too, but not all over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.copies.content import Box
from index.copies.fingerprint import Fingerprint
from index.copies.orientation import FLIP_X, FLIP_Y, ORIENTATIONS, TRANSPOSE, Hashes, oriented
from index.types.records import Edit, Floats

Floats64: TypeAlias = NDArray[np.float64]
Region: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom

# Hashes that differ in more of their 63 bits propose nothing; unrelated ones differ in about 31.
HASH_BITS = 16
# The same for the surroundings of keypoints, and how many matches propose a placement together.
MATCH_BITS, MIN_MATCHES = 14, 4
# By how much a copy's shape may differ without being cropped.
MOST_STRETCH = 1.15
# A copy has at least so much of the smaller picture.
MIN_SHARE = 0.75
# Proposals with a smaller correlation are not improved.
PROMISING = 0.4
# What a copy reaches where one picture lies on the other: a correlation, and a share of blocks that
# agree. Whole on whole, two screenshots of one app with different pictures reach 0.94 of these, and
# copies 1; two other scenes with the same sprite reach 0.89 on a part of either.
# No part within a frame may have less than the least.
MIN_CORRELATION = 0.8
LEAST_CORRELATION, LEAST_AGREEMENT = 0.6, 0.7
MIN_AGREEMENT, MIN_AGREEMENT_OF_WHOLES, MIN_AGREEMENT_OF_PARTS = 0.85, 0.98, 0.92
BLOCKS = 36  # of the overlap, each judged by itself
INSET = 0.03  # of the overlap, left out on each side: a border is never cut to the pixel
MIN_OVERLAP = 12.0  # pixels
MIN_AREA = 0.06  # of either picture: less than this of a picture is no copy of it
# Of a picture: what is missing of a smaller part was cut off by rounding, not by anybody.
WHOLE = 0.93


@dataclass(frozen=True, slots=True)
class Relation:
    """How one picture is a copy of another.

    kind   "exact": the same pixels, which may be in another kind of file; "copy": edited or
           compressed anew
    edits  what was done to the one for the other to come out, as far as it shows
    """

    kind: Literal["exact", "copy"]
    edits: frozenset[Edit] = frozenset()


@dataclass(frozen=True, slots=True)
class Placement:
    """How picture a lies on b: turned in this way, then scaled and shifted."""

    way: int
    at: Floats64  # scale_x, scale_y, shift_x, shift_y

    def of(self, box: Box | Region) -> Region:
        """Where a box of a lies on b."""
        left, top, right, bottom = box
        if self.way & TRANSPOSE:
            left, top, right, bottom = top, left, bottom, right
        if self.way & FLIP_X:
            left, right = -right, -left
        if self.way & FLIP_Y:
            top, bottom = -bottom, -top
        scale_x, scale_y, x, y = self.at.tolist()
        return left * scale_x + x, top * scale_y + y, right * scale_x + x, bottom * scale_y + y


class Sample:
    """A picture that is compared with several others; what all of them need is made once."""

    def __init__(self, fingerprint: Fingerprint) -> None:
        self.fingerprint = fingerprint
        self.size = np.array((fingerprint.width, fingerprint.height), np.float64)
        self.whole: Box = (0, 0, fingerprint.width, fingerprint.height)
        self.boxes = list(dict.fromkeys((self.whole, fingerprint.content)))

    @cached_property
    def hashes(self) -> Hashes:
        """(ORIENTATIONS, 2)"""
        return oriented(self.fingerprint.hashes)

    @cached_property
    def surroundings(self) -> Hashes:
        """(ORIENTATIONS, keypoints)"""
        return oriented(self.fingerprint.surroundings)


def compare(
    a: Fingerprint | Sample, b: Fingerprint | Sample, *, by_keypoints: bool = True
) -> Relation | None:
    """How b is a copy of a; None when it isn't one.

    by_keypoints   False: only by their hashes, which is quicker and misses cropped copies
    """
    a, b = (one if isinstance(one, Sample) else Sample(one) for one in (a, b))
    if a.fingerprint.pixels == b.fingerprint.pixels:
        return Relation("exact")
    for placement in chain(_by_hashes(a, b), _by_keypoints(a, b) if by_keypoints else ()):
        if _confirmed(a, b, placement):
            return Relation("copy", _edits(a, b, placement))
    return None


# ---- proposals


def _by_hashes(a: Sample, b: Sample) -> Iterator[Placement]:
    """Wholes and parts within frames, each on each, where their hashes are near."""
    hashes = a.hashes[:, : len(a.boxes), None]
    bits = np.bitwise_count(hashes ^ b.fingerprint.hashes[: len(b.boxes)])
    for way, i, j in zip(*np.nonzero(bits <= HASH_BITS), strict=True):
        if (placement := _box_on_box(int(way), a.boxes[i], b.boxes[j])) is not None:
            yield placement


def _box_on_box(way: int, box_a: Box, box_b: Box) -> Placement | None:
    """The placement that puts one box on the other, unless their shapes are too different."""
    left, top, right, bottom = Placement(way, np.array((1.0, 1.0, 0.0, 0.0))).of(box_a)
    scale_x = (box_b[2] - box_b[0]) / (right - left)
    scale_y = (box_b[3] - box_b[1]) / (bottom - top)
    if not 1 / MOST_STRETCH < scale_x / scale_y < MOST_STRETCH:
        return None
    shifts = (box_b[0] - scale_x * left, box_b[1] - scale_y * top)
    return Placement(way, np.array((scale_x, scale_y, *shifts)))


def _by_keypoints(a: Sample, b: Sample) -> Iterator[Placement]:
    """In each orientation, the placement on which most keypoints agree, if enough of them do."""
    from index.copies import loops

    here, there = a.fingerprint.points, b.fingerprint.points
    in_a, in_b = np.empty((2, len(here)), np.int64)
    out = np.empty(3)
    for way in range(ORIENTATIONS):
        hashes = a.surroundings[way], b.fingerprint.surroundings
        matches = loops.match(*hashes, MATCH_BITS, in_a, in_b)
        if matches < MIN_MATCHES:
            continue
        points = _oriented_points(here[in_a[:matches]], way)
        if loops.placed(points, there[in_b[:matches]], out) >= MIN_MATCHES:
            scale, x, y = out
            yield Placement(way, np.array((scale, scale, x, y)))


def _oriented_points(points: Floats, way: int) -> Floats:
    points = points[:, [1, 0, 2]] if way & TRANSPOSE else points.copy()
    if way & FLIP_X:
        points[:, 0] *= -1
    if way & FLIP_Y:
        points[:, 1] *= -1
    return np.ascontiguousarray(points)


# ---- judgement


def _confirmed(a: Sample, b: Sample, placement: Placement) -> bool:
    """Whether both pictures show the same where they lie on each other.

    Frames are no evidence: two screenshots of one app are no copies. So no part within a frame may
    say otherwise, wherever it lies on the other picture.
    """
    confirmed = False
    for region in _regions(a, b, placement):
        correlation, agreement = _agreement(a, b, placement, region)
        if agreement < 0:
            continue  # an empty part of a sky says nothing
        if correlation < LEAST_CORRELATION or agreement < LEAST_AGREEMENT:
            return False
        least = _least_agreement(a, b, placement, region)
        confirmed |= correlation >= MIN_CORRELATION and agreement >= least
    return confirmed


def _regions(a: Sample, b: Sample, placement: Placement) -> set[Region]:
    """Where on b the two pictures lie on each other, with and without their frames."""
    here, there = a.fingerprint.content, b.fingerprint.content
    pairs = dict.fromkeys(((here, there), (a.whole, there), (here, b.whole)))
    regions = [_overlap(placement.of(box_a), box_b) for box_a, box_b in pairs]
    return {
        region
        for region in regions
        if region is not None and min(_shares(a, b, placement, region)) >= MIN_AREA
    }


def _overlap(one: Region, other: Box) -> Region | None:
    """Where two boxes overlap, if that is most of the smaller one."""
    region = _common(one, other)
    if min(region[2] - region[0], region[3] - region[1]) < MIN_OVERLAP:
        return None
    if _area(region) < MIN_SHARE * min(_area(one), _area(other)):
        return None
    return region


def _common(one: Region, other: Box) -> Region:
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def _agreement(a: Sample, b: Sample, placement: Placement, region: Region) -> tuple[float, float]:
    """Correlation, and the share of blocks that agree, in this region of b; improves the
    placement."""
    from index.copies import loops

    inset_x, inset_y = (INSET * (region[n + 2] - region[n]) for n in (0, 1))
    left, top, right, bottom = region
    box = np.array((left + inset_x, top + inset_y, right - inset_x, bottom - inset_y))
    pair = (a.fingerprint.thumbnail, b.fingerprint.thumbnail, a.size, b.size, placement.way)
    samples = np.empty((2, *_grid(box)))
    loops.sample(*pair, placement.at, box, samples)
    if loops.correlation(samples) < PROMISING:
        return 0.0, 0.0
    loops.improve(*pair, placement.at, box, samples)
    loops.sample(*pair, placement.at, box, samples)
    return loops.correlation(samples), loops.agreement(samples)


def _grid(box: Floats64) -> tuple[int, int]:
    """Rows and columns of samples in a box: square blocks, about BLOCKS of them."""
    from index.copies import loops

    left, top, right, bottom = box.tolist()
    columns = (BLOCKS * (right - left) / (bottom - top)) ** 0.5
    columns = min(max(round(columns), 2), BLOCKS // 2)
    return loops.BLOCK * max(2, round(BLOCKS / columns)), loops.BLOCK * columns


def _least_agreement(a: Sample, b: Sample, placement: Placement, region: Region) -> float:
    """The share of blocks that must agree in this region."""
    of_a, of_b = _shares(a, b, placement, region)
    if min(of_a, of_b) >= WHOLE:
        return MIN_AGREEMENT_OF_WHOLES
    return MIN_AGREEMENT if max(of_a, of_b) >= WHOLE else MIN_AGREEMENT_OF_PARTS


def _shares(a: Sample, b: Sample, placement: Placement, region: Region) -> tuple[float, float]:
    """How much of either picture a region of b is."""
    area = _area(region)
    return area / _area(placement.of(a.whole)), area / _area(b.whole)


def _edits(a: Sample, b: Sample, placement: Placement) -> frozenset[Edit]:
    """What was done to a for b to come out."""
    flips = bool(placement.way & FLIP_X) + bool(placement.way & FLIP_Y)
    edits: set[Edit] = set()
    # A transposition is a mirror image, and so is one flip; two of them are a turn.
    mirrored = (flips + bool(placement.way & TRANSPOSE)) % 2 == 1
    if mirrored:
        edits.add("mirrored")
    if placement.way & TRANSPOSE or (flips == 2):
        edits.add("turned")
    of_a, of_b = _shares(a, b, placement, _common(placement.of(a.whole), b.whole))
    if of_a < WHOLE:
        edits.add("cropped")
    if of_b < WHOLE:
        edits.add("framed")
    if a.fingerprint.colourful and not b.fingerprint.colourful:
        edits.add("grey")
    return frozenset(edits)


def _area(box: Box | Region) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
