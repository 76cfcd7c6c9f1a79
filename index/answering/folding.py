"""Copies of a picture answer as one hit: the best of them, with the others behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from index.answering.answer import Candidate
from index.copies.fingerprint import Fingerprint
from index.copies.folding import Pair, fold


def by_item(candidates: Sequence[Candidate], items: Mapping[int, int]) -> list[Candidate]:
    """The candidates, those that show the same item folded into the first of them.

    items   the item of each link; a link without one is gone, and left out
    """
    members: dict[int, list[Candidate]] = {}
    for one in candidates:
        if one.link in items:
            members.setdefault(items[one.link], []).append(one)
    return [
        replace(first, copies=tuple(copy.link for copy in copies)) if copies else first
        for first, *copies in members.values()
    ]


def by_fingerprint(
    candidates: Sequence[Candidate],
    fingerprints: Mapping[int, tuple[int, bytes]],
    not_copies: Collection[Pair],
) -> list[Candidate]:
    """The candidates, those that show an edited copy folded into the first of its copies.

    fingerprints  of some links, each behind its item
    not_copies    pairs of links that somebody called different
    """
    by_link = {one.link: one for one in candidates if one.link in fingerprints}
    read = {link: Fingerprint.from_bytes(fingerprints[link][1]) for link in by_link}
    folded = fold(
        list(by_link), read, np.stack([one.vector for one in by_link.values()]), not_copies
    )
    copies = dict(folded)
    return [
        _with_copies(one, [by_link[link] for link in copies.get(one.link, ())])
        for one in candidates
        if one.link in copies or one.link not in by_link
    ]


def _with_copies(first: Candidate, others: Sequence[Candidate]) -> Candidate:
    if not others:
        return first
    behind = (link for one in others for link in (one.link, *one.copies))
    return replace(first, copies=(*first.copies, *behind))
