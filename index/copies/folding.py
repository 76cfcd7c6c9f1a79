"""Which hits of an answer are copies of an earlier hit, and fold into it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from index.copies.comparison import HASH_BITS, Sample, compare
from index.copies.fingerprint import Fingerprint
from index.types.records import Floats

Pair: TypeAlias = frozenset[int]
# Pairs whose keypoints are compared, those with the most similar vectors first; 0.2 ms each. Less
# similar ones are seldom copies, and an answer without such a pair needs no compiled loop, whose
# first use takes half a second.
MOST_PAIRS = 16
LEAST_SIMILAR = 0.85


def fold(
    ids: Sequence[int],
    fingerprints: Mapping[int, Fingerprint],
    vectors: Floats,
    not_copies: Collection[Pair] = (),
) -> list[tuple[int, list[int]]]:
    """Each hit that stays, with those that fold into it, in the order of `ids`.

    A hit folds into the first hit before it that it is a copy of and that stays itself; so no hit
    is brought to another by way of a third.

    ids           at most some hundred, the best first
    fingerprints  by id; a hit without one stays
    vectors       (len(ids), d) unit rows
    not_copies    pairs of ids that somebody called different
    """
    known = [place for place, id in enumerate(ids) if id in fingerprints]
    samples = {place: Sample(fingerprints[ids[place]]) for place in known}
    pairs = _promising(known, samples, vectors)
    leaders: dict[int, list[int]] = {}
    for place, id in enumerate(ids):
        for leader in leaders:
            by_keypoints = pairs.get((leader, place))
            if by_keypoints is None or frozenset((ids[leader], id)) in not_copies:
                continue
            if compare(samples[leader], samples[place], by_keypoints=by_keypoints) is not None:
                leaders[leader].append(id)
                break
        else:
            leaders[place] = []
    return [(ids[place], members) for place, members in leaders.items()]


def _promising(
    known: Sequence[int], samples: Mapping[int, Sample], vectors: Floats
) -> dict[tuple[int, int], bool]:
    """Pairs of places that are worth a comparison, each with whether keypoints are."""
    if len(known) < 2:
        return {}
    rows, columns = np.triu_indices(len(known), 1)
    places = np.array(known)
    similar = (vectors[known] @ vectors[known].T)[rows, columns]
    nearest = np.argsort(-similar, kind="stable")[:MOST_PAIRS]
    nearest = nearest[similar[nearest] >= LEAST_SIMILAR]
    near = _near([samples[place] for place in known])[rows, columns]
    promising = dict.fromkeys(_pairs(places, rows[near], columns[near]), False)
    return promising | dict.fromkeys(_pairs(places, rows[nearest], columns[nearest]), True)


def _pairs(
    places: NDArray[np.int64], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    return zip(places[rows].tolist(), places[columns].tolist(), strict=True)


def _near(samples: Sequence[Sample]) -> NDArray[np.bool_]:
    """(n, n) whether the hashes of two pictures are near in any orientation."""
    hashes = np.stack([one.fingerprint.hashes for one in samples])  # (n, 2)
    turned = np.stack([one.hashes for one in samples])  # (n, ORIENTATIONS, 2)
    bits = np.bitwise_count(turned[:, None, :, :, None] ^ hashes[None, :, None, None, :])
    near: NDArray[np.bool_] = bits.min(axis=(2, 3, 4)) <= HASH_BITS
    return near
