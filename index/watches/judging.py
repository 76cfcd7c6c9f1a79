"""Whether a picture fits a watch: by the rule by which an answer is sure of a hit.

The picture is judged alone, as the best candidate of an answer would be. What an answer calls
"perhaps" doesn't fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from index.answering.cutoff import FEWEST_TO_JUDGE, Judge, by_spread, least_to_stand_out
from index.answering.scoring import Spread
from index.transcripts.terms import terms
from index.types.query import NOTHING, QueryEmbedding
from index.types.records import Floats

# How many deviations of the gallery a picture may be more like what is unwanted. With 1, no picture
# with the unwanted thing is told of, and .91 of the right ones are (`bench query`).
MOST_UNWANTED = 1.0


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a link by a watch.

    fits             whether its owner is to be told
    searched, bar    as `Watch` keeps them
    """

    fits: bool
    searched: int = 0
    bar: float = -1.0


def judged(
    embedding: QueryEmbedding, frames: Floats, sample: Floats, searched: int, judge: Judge
) -> Judged:
    """What is said of a picture by what it shows.

    frames     (f, d) its frames; one that fits is enough
    sample     (s, d) rows from all that may answer    searched  how many those are
    """
    unwanted = [Spread.of(part, sample) for part in embedding.minus]
    fits = any(
        _is_sure(embedding, frame[None], sample, searched, judge)
        and not any(
            frame @ part > spread.mean + MOST_UNWANTED * spread.deviation
            for part, spread in zip(embedding.minus, unwanted, strict=True)
        )
        for frame in frames
    )
    anchor = embedding.picture if embedding.picture is not None else embedding.vector
    bar = least_to_stand_out(sample @ anchor)
    return Judged(fits, searched, max(float(bar), -1.0))


def _is_sure(
    embedding: QueryEmbedding, frame: Floats, sample: Floats, searched: int, judge: Judge
) -> bool:
    """Whether an answer would be sure of this picture, (1, d), if it were its best candidate.

    Where a picture is asked with, the answer's rule says that a few pictures all stand out. Then
    nothing is told.
    """
    if embedding.picture is not None:
        alone = replace(embedding, words=None, parts=NOTHING)
        if len(sample) < FEWEST_TO_JUDGE:
            return False
        if not by_spread(alone, frame, sample, searched).sure[0]:
            return False
        if embedding.words is None:
            return True
    return bool(judge(embedding, frame, sample, searched).sure[0])


def is_written(phrases: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether all of these phrases stand in a transcript, in any order.

    phrases   of terms, as `transcripts.terms.asked` gives them
    """
    said = f" {' '.join(' '.join(terms(line)) for line in lines)} "
    return bool(phrases) and all(f" {phrase} " in said for phrase in phrases)
