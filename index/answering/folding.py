"""Copies of a picture answer as one hit: the best of them, with the others behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from index.answering.answer import Candidate


def by_item(candidates: Sequence[Candidate], items: Mapping[int, int]) -> list[Candidate]:
    """The candidates, those that show the same item folded into the first of them.

    items   the item of each link; a link without one is gone, and left out
    """
    members: dict[int, list[Candidate]] = {}
    for one in candidates:
        if one.link in items:
            members.setdefault(items[one.link], []).append(one)
    return [
        replace(first, copies=tuple(copy.link for copy in copies))
        for first, *copies in members.values()
    ]
