"""Pictures → clusters: sets of pictures that are about the same. Their number comes from the data.

All is computed from the given vectors alone and without chance, so the same pictures make the same
clusters each time, and a few new ones change little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from index.search.kernels.arguments import Bools, Ints
from index.types.records import Floats

MOST_CLUSTERS = 12  # more than people read, and than fit in a message
# Fewer pictures than this are no cluster of their own.
FEWEST = 3
# More clusters tell more. So their silhouette may be so much of the best one.
NEARLY_BEST = 0.9
REFINED_TIMES, SPLIT_TIMES = 12, 3
DIRECTION_TIMES = 8
# From this cosine on, two pictures are near-copies. Of a photograph that is saved again, or made
# smaller, CLIP's vector has more than 0.97 with the photograph's own.
NEAR_COPY = 0.97
COMPARED_AT_ONCE = 512


def distinct(vectors: Floats) -> Bools:
    """(n,) which pictures are no near-copies of an earlier one.

    vectors   (n, d) unit rows; all pairs are compared, so n is at most some thousand
    """
    first = np.ones(len(vectors), np.bool_)
    for start in range(0, len(vectors), COMPARED_AT_ONCE):
        some = vectors[start : start + COMPARED_AT_ONCE]
        near = some @ vectors[: start + len(some)].T >= NEAR_COPY
        for number, row in enumerate(near, start=start):
            first[number] = not (row[:number] & first[:number]).any()
    return first


def directions(vectors: Floats, middle: Floats) -> Floats:
    """(n, d) unit vectors without what all pictures have in common, their `middle`, (d,)."""
    rest = vectors - middle
    found: Floats = rest / np.maximum(np.linalg.norm(rest, axis=1, keepdims=True), 1e-12)
    return found


def clustered(pictures: Floats, check: Callable[[], None]) -> Floats:
    """(k, d) unit vectors, the centres of the clusters: the most that fit the pictures nearly as
    well as any number does, by the silhouette.

    pictures  (n, d) unit rows, `directions` of distinct pictures
    check     called now and then; what it raises ends the work
    source    spherical k-means (Dhillon and Modha, 2001), begun by splitting a cluster along its
              principal direction (Boley, 1998); the silhouette of centres (Hruschka and
              others, 2004)
    """
    one = _centres(pictures, np.zeros(len(pictures), np.int64), 1)
    most = min(MOST_CLUSTERS, len(pictures) // FEWEST)
    grown = list(_growing(pictures, most, check))
    scores = [_silhouette(pictures, centres) for centres in grown]
    least = NEARLY_BEST * max(scores, default=0.0)
    good = [centres for centres, score in zip(grown, scores, strict=True) if score >= least > 0]
    return good[-1] if good else one


def nearest(pictures: Floats, centres: Floats) -> Ints:
    """(n,) the cluster of each picture."""
    found: Ints = (pictures @ centres.T).argmax(axis=1)
    return found


def _growing(pictures: Floats, most: int, check: Callable[[], None]) -> Iterator[Floats]:
    """The centres of two clusters, then of three, and so on up to `most`: the cluster is split of
    which two explain the most."""
    of = np.zeros(len(pictures), np.int64)
    for k in range(2, most + 1):
        check()
        splits = [_split(pictures[of == cluster]) for cluster in range(k - 1)]
        cluster = int(np.argmax([gain for _, gain in splits]))
        apart, gain = splits[cluster]
        if gain <= 0:
            return
        of[np.flatnonzero(of == cluster)[apart]] = k - 1
        for _ in range(REFINED_TIMES):
            check()
            before, of = of, nearest(pictures, _centres(pictures, of, k))
            if (before == of).all():
                break
        if np.bincount(of, minlength=k).min() < FEWEST:
            return
        yield _centres(pictures, of, k)


def _split(pictures: Floats) -> tuple[Bools, float]:
    """Which pictures of a cluster, (n,), would make another one, and how much nearer all would be
    to their centres."""
    apart = _far_side(pictures).astype(np.int64)
    for _ in range(SPLIT_TIMES):
        apart = nearest(pictures, _centres(pictures, apart, 2))
    counts = np.bincount(apart, minlength=2)
    if counts.min() < FEWEST:
        return apart > 0, 0.0
    whole = float(np.linalg.norm(pictures.sum(axis=0)))
    halves = (float(np.linalg.norm(pictures[apart == half].sum(axis=0))) for half in (0, 1))
    return apart > 0, sum(halves) - whole


def _centres(pictures: Floats, of: Ints, k: int) -> Floats:
    """(k, d) the middle of each cluster; zeros of one without pictures."""
    member = np.zeros((k, len(pictures)), np.float32)
    member[of, np.arange(len(pictures))] = 1
    sums: Floats = member @ pictures
    found: Floats = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return found


def _far_side(pictures: Floats) -> Bools:
    """(n,) which pictures are on one side of their middle, in the direction in which they differ
    most."""
    rest = pictures - pictures.mean(axis=0)
    along = rest[np.linalg.norm(rest, axis=1).argmax()]
    for _ in range(DIRECTION_TIMES):  # power iteration
        along = rest.T @ (rest @ along)
        along = along / max(float(np.linalg.norm(along)), 1e-12)
    side: Bools = rest @ along > 0
    return side


def _silhouette(pictures: Floats, centres: Floats) -> float:
    """How much nearer pictures are to their own centre than to the next one, from -1 to 1."""
    away = np.partition(1 - pictures @ centres.T, 1, axis=1)[:, :2]
    return float(((away[:, 1] - away[:, 0]) / np.maximum(away[:, 1], 1e-9)).mean())
