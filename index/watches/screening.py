"""Which watches a picture may fit: one pass over all watches of a space, as matrices.

It computes for one picture and many texts what `Background.fit` computes for many pictures and a
few texts, without a row of the vocabulary for each text: the sum over a text's rivals is the sum
over all words without the few that are no rivals of it. Its bars are a little lower than those of
an answer, since they are of an earlier moment. What passes is judged again by the answer's rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.answering.background import Background, Bools, Ints
from index.answering.cutoff import SURE_TIMES, needed_odds
from index.types.records import Floats
from index.types.watches import Watch

Doubles = NDArray[np.float64]

# How many times less odds, and how much less cosine, let a watch be looked at. The gallery that it
# is compared with may have become four times smaller since.
EASES, SLACK = 2.0, 0.03
# Texts that are compared with the vocabulary at once: their products take some 2 MB.
COMPILED_AT_ONCE = 256
LEAST = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A watch as a screen needs it.

    wanted     (p, d) the parts of its words, without what all texts have in common; (0, d) where
               words don't count
    no_rivals  for each part the words of the vocabulary that don't compete with it
    picture    (d,) what a picture must be like; None: nothing
    """

    wanted: Floats
    no_rivals: Sequence[Ints]
    picture: Floats | None


def compiled(watches: Sequence[Watch], background: Background | None) -> list[Compiled]:
    """Each of these watches as a screen needs it; None for the background where a model has no
    temperature, so that nothing but the spread tells what fits."""
    made = [_parts(watch, background) for watch in watches]
    parts = [part for words, _ in made for part in words]
    wanted, no_rivals = list[Floats](), list[Ints]()
    if background is not None:
        for at in range(0, len(parts), COMPILED_AT_ONCE):
            rows = np.stack(parts[at : at + COMPILED_AT_ONCE]) - background.middle
            similar = rows @ background.columns
            lengths = background.lengths * np.linalg.norm(rows, axis=1)[:, None]
            rivals = background.rivals(similar / np.maximum(lengths, np.float32(LEAST)))
            wanted += list(rows)
            no_rivals += [np.flatnonzero(~row) for row in rivals]
    found, at = [], 0
    for words, picture in made:
        end = at + len(words)
        rows = np.stack(wanted[at:end]) if words else np.zeros((0, 0), np.float32)
        found.append(Compiled(rows, no_rivals[at:end], picture))
        at = end
    return found


def _parts(watch: Watch, background: Background | None) -> tuple[list[Floats], Floats | None]:
    """The vectors of its words that must fit a picture, and the one that a picture must be like."""
    asked = watch.embedding
    if asked is None or not asked.wanted:
        return [], None
    if background is None:
        return [], asked.vector
    if asked.words is None or asked.spelled:
        return [], asked.picture
    return [*asked.parts] if len(asked.parts) else [asked.words], asked.picture


class Screen:
    """Watches of one space, as matrices. Nothing in it changes, so threads may share it.

    watches, rows   of the same length; those without words and picture may fit anything
    """

    def __init__(
        self,
        watches: Sequence[Watch],
        rows: Mapping[int, Compiled],
        background: Background | None,
    ) -> None:
        self.watches = watches
        self._background = background
        of = [rows[watch.id] for watch in watches]
        self._bars = np.array([watch.bar - SLACK for watch in watches], np.float64)
        never = [_is_never_seen(watch, row) for watch, row in zip(watches, of, strict=True)]
        self._never = np.array(never, bool)
        with_picture = [at for at, row in enumerate(of) if row.picture is not None]
        self._with_picture = np.array(with_picture, np.intp)
        self._pictures = _stacked([row.picture for row in of if row.picture is not None])
        with_words = [at for at, row in enumerate(of) if len(row.wanted)]
        self._with_words = np.array(with_words, np.intp)
        counts = [len(of[at].wanted) for at in with_words]
        self._first_parts = np.cumsum([0, *counts[:-1]], dtype=np.intp)
        self._wanted = _stacked([part for at in with_words for part in of[at].wanted])
        self._needed = np.array(
            [_needed(watches[at].searched, len(of[at].wanted)) for at in with_words], np.float64
        )
        no_rivals = [words for at in with_words for words in of[at].no_rivals]
        self._excluded = np.concatenate([np.zeros(0, np.intp), *no_rivals])
        self._parts = np.repeat(np.arange(len(no_rivals)), [len(words) for words in no_rivals])
        # Among so many best words of a picture is one that competes with each part.
        self._tried = min(
            max((len(words) for words in no_rivals), default=0) + 1,
            len(background.words) if background else 1,
        )

    def passing(self, frames: Floats) -> list[Watch]:
        """The watches that a picture may fit by what it shows in one of its frames.

        frames   (f, d) unit rows
        """
        passes = np.zeros(len(self.watches), bool)
        for frame in frames:
            passes |= self._passes(frame)
        passes &= ~self._never
        return [self.watches[at] for at in np.flatnonzero(passes).tolist()]

    def _passes(self, frame: Floats) -> Bools:
        passes = np.ones(len(self.watches), bool)
        if len(self._with_picture):
            at = self._with_picture
            passes[at] &= self._pictures @ frame > self._bars[at]
        if len(self._with_words):
            odds = np.minimum.reduceat(self.odds(frame), self._first_parts)
            passes[self._with_words] &= odds > self._needed
        return passes

    def odds(self, frame: Floats) -> Doubles:
        """(p,) the odds that a picture shows what each part of each watch's words says, as
        `Background.fit` finds them.

        frame   (d,) unit vector
        """
        background = self._background
        assert background is not None
        seen = (frame @ background.columns).astype(np.float64)
        none = float(background.none(frame[None])[0])
        rank = np.argsort(-seen)[: self._tried]
        best = self._best_rivals(rank, len(seen))
        # One product for the picture and for all of these words reads the parts once.
        words = np.unique(best)
        columns = np.column_stack([frame, background.columns[:, words]])
        own, *related = (self._wanted @ columns).T.astype(np.float64)
        odds = self._odds(own, seen, none, slice(None))
        for word, with_word in zip(words.tolist(), related, strict=True):
            parts = np.flatnonzero(best == word)
            length = float(background.lengths[word])
            amount = seen[word] / length
            direction = background.columns[:, word] / np.float32(length)
            left = seen - amount * (direction @ background.columns)
            without = own[parts] - amount * with_word[parts] / length
            odds[parts] = np.maximum(odds[parts], self._odds(without, left, none, parts))
        return odds

    def _best_rivals(self, rank: Ints, words: int) -> Ints:
        """(p,) for each part the word that the picture shows most, of those that compete with it.

        rank   the words that it shows most, the best one first
        """
        places = np.full(words, self._tried, np.intp)
        places[rank] = np.arange(len(rank))
        place = places[self._excluded]
        near = place < self._tried
        blocked = np.zeros((len(self._wanted), self._tried), bool)
        blocked[self._parts[near], place[near]] = True
        best: Ints = rank[blocked.argmin(axis=1)]
        return best

    def _odds(self, own: Doubles, seen: Doubles, none: float, parts: Ints | slice) -> Doubles:
        """(q,) the odds of some parts among their rivals, and the logit `none`.

        own    (q,) products of the picture with these parts    seen  (v,) with the words
        """
        background = self._background
        assert background is not None
        top = float(seen.max())
        shares = np.exp(background.scale * (seen - top))
        excluded = np.bincount(
            self._parts, weights=shares[self._excluded], minlength=len(self._wanted)
        )
        rivals = np.maximum(shares.sum() - excluded[parts], LEAST)
        rivals = rivals + math.exp(min(none - background.scale * top, 700.0))
        mine = np.exp(np.minimum(background.scale * (own - top), 700.0))
        odds: Doubles = mine / rivals
        return odds


def _needed(searched: int, parts: int) -> float:
    return SURE_TIMES * needed_odds(max(searched, 1), parts) / EASES


def _is_never_seen(watch: Watch, row: Compiled) -> bool:
    """Whether no picture fits by what it shows: the model can't read the words."""
    asked = watch.embedding
    return asked is None or bool(asked.wanted and not len(row.wanted) and row.picture is None)


def _stacked(rows: Sequence[Floats]) -> Floats:
    return np.stack(rows) if rows else np.zeros((0, 0), np.float32)
