"""Clusters → their names: words of the background that the model sees in their pictures, and far
less in the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from index.answering.background import Background, Bools
from index.search.kernels.arguments import Ints
from index.types.records import Floats

# Pictures of a cluster in which its words are looked for, and those that stand for the others.
LOOKED_AT, OF_EACH = 32, 4
# Words that are tried for a cluster: those that are nearest to its middle, of things and of kinds,
# and those that are seen most in single pictures.
THINGS, KINDS, SEEN = 8, 4, 6
# How probable a word must be in a picture, to be seen there.
LEAST_FIT = 0.3
# In how many pictures of the cluster a word of its name is seen: this share, and so many times the
# share of the other clusters' pictures. All words together: this share.
LEAST_SHARE, LEAST_TIMES, LEAST_TOGETHER = 0.25, 3.0, 0.3
MOST_WORDS = 2
# From this cosine on, as `Background.alike` gives it, only one of two words is in a name.
ALIKE = 0.6
LEAST_GAIN = 0.1  # of the share, by the second word
# A thing says more than its kind. So the word for a kind has to be seen in so much more of the
# cluster: else "landscape" names pictures of snow.
KIND_LESS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A word that a cluster may be named by; where it is seen, (pictures,); in which share of
    the other clusters' pictures; whether it is the word for a whole kind."""

    cluster: int
    word: int
    seen: Bools
    elsewhere: float
    is_kind: bool

    @property
    def rank(self) -> float:
        """The less, the better it names the cluster."""
        return self.elsewhere - self.share + KIND_LESS * self.is_kind

    @property
    def share(self) -> float:
        return float(self.seen.mean())

    @property
    def tells(self) -> bool:
        """Whether it says something of this cluster that isn't true of the others."""
        return self.share >= max(LEAST_SHARE, LEAST_TIMES * self.elsewhere)


def names(
    pictures: Floats, of: Ints, background: Background, check: Callable[[], None]
) -> list[tuple[str, ...]]:
    """The words of each cluster, the best first; () for one that no words fit. No two words of all
    names mean nearly the same.

    pictures  (n, d) unit rows, as the model made them
    of        (n,) the cluster of each, from 0; each has some
    check     called now and then; what it raises ends the work
    """
    count = int(of.max(initial=-1)) + 1
    members = [np.flatnonzero(of == cluster) for cluster in range(count)]
    some = np.concatenate([_spread(one, OF_EACH) for one in members]) if members else of[:0]
    candidates = []
    for cluster, mine in enumerate(members):
        check()
        others = pictures[some[of[some] != cluster]]
        candidates += _candidates(cluster, pictures, mine, others, background)
    chosen: list[list[_Candidate]] = [[] for _ in range(count)]
    taken = np.zeros(len(background.words), np.bool_)
    for one in sorted(candidates, key=lambda one: one.rank):
        name = chosen[one.cluster]
        if not taken[one.word] and len(name) < MOST_WORDS and _adds(one, name):
            name.append(one)
            taken |= background.alike(one.word) >= ALIKE
    return [
        tuple(background.words[one.word] for one in name) if _together(name) else ()
        for name in chosen
    ]


def _adds(one: _Candidate, name: Sequence[_Candidate]) -> bool:
    """Whether a word is seen in pictures in which those of the name are not."""
    return not name or _share([*name, one]) >= _share(name) + LEAST_GAIN


def _together(name: Sequence[_Candidate]) -> bool:
    return bool(name) and _share(name) >= LEAST_TOGETHER


def _share(name: Sequence[_Candidate]) -> float:
    """In which share of the cluster's pictures any of these words is seen."""
    return float(np.logical_or.reduce([one.seen for one in name]).mean())


def _spread(places: Ints, count: int) -> Ints:
    """At most `count` of these places, from the first to the last."""
    return places[:: max(-(-len(places) // count), 1)]


def _candidates(
    cluster: int, pictures: Floats, mine: Ints, others: Floats, background: Background
) -> list[_Candidate]:
    """The words that tell something of a cluster, whose pictures are at `mine`."""
    shown = pictures[_spread(mine, LOOKED_AT)]
    words = _tried(pictures[mine].mean(axis=0) - pictures.mean(axis=0), shown, background)
    wanted = background.columns[:, words].T + background.middle
    seen = background.fit(wanted, np.concatenate([shown, others])) >= LEAST_FIT
    own, elsewhere = seen[:, : len(shown)], seen[:, len(shown) :]
    found = [
        _Candidate(
            cluster,
            word,
            here,
            float(there.mean()) if len(there) else 0.0,
            bool(background.kinds[word]),
        )
        for word, here, there in zip(words.tolist(), own, elsewhere, strict=True)
    ]
    return [one for one in found if one.tells]


def _tried(middle: Floats, shown: Floats, background: Background) -> Ints:
    """The words that may fit a cluster: its `middle`, (d,), is without what all pictures share."""
    near = np.where(background.whole, middle @ background.columns / background.lengths, -np.inf)
    order = np.argsort(-near, kind="stable")
    things, kinds = order[~background.kinds[order]], order[background.kinds[order]]
    places = {word: place for place, word in enumerate(background.words)}
    said = Counter(word for words in background.concepts(shown) for word in words)
    often = [places[word] for word, _ in said.most_common(SEEN)]
    tried: Ints = np.unique([*things[:THINGS], *kinds[:KINDS], *often])
    found: Ints = tried[background.whole[tried]]
    return found
