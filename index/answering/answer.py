"""From candidates to a page: scores → cut-off → order → copies folded → the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.answering.cutoff import Judge
from index.answering.scoring import Spreads, scores
from index.answering.written import Written
from index.search.interface import Found
from index.types.filter import Sort
from index.types.query import QueryEmbedding
from index.types.records import Floats, Position, Verdict

UNWRITTEN = Written(raises=0.0, passes=False, sure=False)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A link that may be a hit; `vector` is its best frame's."""

    link: int
    frame: int
    score: float
    posted_at: float
    vector: Floats
    sure: bool = True
    concepts: tuple[str, ...] = ()
    copies: tuple[int, ...] = ()
    written: bool = False  # whether the words of the question are written in it


@dataclass(frozen=True, slots=True)
class Ranked:
    """All candidates that answer, in order, and whether any of them fits."""

    candidates: list[Candidate] = field(default_factory=list)
    verdict: Verdict = Verdict.NOTHING
    all_fit: bool = True  # whether no candidate was left out


class _Frames(NamedTuple):
    """Rows of `Found`, and how well each fits."""

    rows: NDArray[np.int64]
    fits: NDArray[np.float64]


def ranked(
    embedding: QueryEmbedding,
    found: Found,
    written: Mapping[int, Written],
    judge: Judge,
    spreads: Spreads,
    *,
    sort: Sort,
    guesses: bool,
) -> Ranked:
    """The candidates that answer, in the order that was asked for.

    written   what counts of the words that are written in pictures, by link
    guesses   also those that don't pass the cut-off
    """
    best = _best_frames(embedding, found, spreads)
    if not len(best.rows):
        return Ranked()
    vectors = found.vectors[best.rows]
    judgement = judge(embedding, vectors, found.sample, found.searched)
    told, verdict = [], judgement.verdict
    columns = (
        best.fits.tolist(),
        found.row_links[best.rows].tolist(),
        found.row_frames[best.rows].tolist(),
        found.posted[best.rows].tolist(),
        vectors,
        judgement.sure.tolist(),
        judgement.passes.tolist(),
    )
    for fit, link, frame, posted_at, vector, sure, passes in zip(*columns, strict=True):
        said = written.get(link, UNWRITTEN)
        if said.sure:
            verdict = Verdict.SURE
        elif said.passes and verdict is Verdict.NOTHING:
            verdict = Verdict.UNSURE
        if passes or said.passes or guesses:
            score = round(round(fit, 9) + said.raises * spreads.wanted[0].deviation, 9)
            told.append(
                Candidate(
                    link=link,
                    frame=frame,
                    score=score,
                    posted_at=posted_at,
                    vector=vector,
                    sure=sure or said.sure,
                    written=said.raises > 0,
                )
            )
    all_fit = len(told) == len(best.rows)
    if sort is Sort.BEST:
        told.sort(key=lambda one: (-one.score, one.link))
    else:
        direction = -1 if sort is Sort.NEWEST else 1
        told.sort(key=lambda one: (direction * one.posted_at, direction * one.link))
    return Ranked(told, verdict, all_fit)


def _best_frames(embedding: QueryEmbedding, found: Found, spreads: Spreads) -> _Frames:
    """Each link once, with the frame that fits best, in the order of scores and then of ids."""
    if not len(found.row_links):
        return _Frames(np.zeros(0, np.int64), np.zeros(0))
    fits = scores(embedding, found.vectors, spreads)
    order = np.lexsort((found.row_frames, found.row_links, -fits))
    _, first = np.unique(found.row_links[order], return_index=True)
    rows = order[np.sort(first)]
    return _Frames(rows, fits[rows])


def following(candidates: Sequence[Candidate], after: Position | None, sort: Sort) -> int:
    """The place where the page behind `after` begins.

    It is behind the link that ended the page before. Where that one is gone, it is behind all that
    came before it.
    """
    if after is None:
        return 0
    for place, one in enumerate(candidates):
        if one.link == after.link or after.link in one.copies:
            return place + 1
    if sort is Sort.BEST:
        key, last = [(-one.score, one.link) for one in candidates], (-after.score, after.link)
    else:
        direction = -1 if sort is Sort.NEWEST else 1
        key = [(direction * one.posted_at, direction * one.link) for one in candidates]
        last = (direction * after.posted_at, direction * after.link)
    return sum(one <= last for one in key)
