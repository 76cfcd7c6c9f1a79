"""How well what is written in a picture fits a question, beside what the picture shows.

Plain words may mean either: "one does not simply" a meme, "dog in snow" what is seen. So both
count. The score of what is seen is raised where the words are written, by some deviations
of the gallery, which is about as much as a picture that shows the words stands out of it. So a
picture with all of several words comes first, and one that happens to have a single word stands
among those that show it. Words that stand side by side as they were asked count more than the same
words scattered.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.types.transcripts import Mentions

# The most deviations by which written words raise a score.
MOST_RAISED = 12.0
# The share of the words, by weight, from which on they count; and from which the picture belongs in
# the answer, whatever it shows.
LEAST_SHARE, PASSING_SHARE = 0.5, 0.75
# By how much less a single word raises a score, and what is left of this with each further word. A
# single word stands by chance in many pictures of a large gallery. There, three deviations would
# drive one in thirty of the right pictures off the first page (`bench words`, of 10,000).
LONE_FALLS_SHORT, WITH_EACH_WORD = 0.9, 0.25
# How many deviations more it is where all of the words stand side by side as they were asked. Then
# a caption comes before others that have its words, or hardly fewer. Chosen in galleries that
# `bench words` isn't judged by: 3 finds .01 fewer captions of 10,000 pictures, and 8 no more.
IN_A_ROW = 5.0
# What a word counts that differs by a letter; alone, only if it is at least so long.
NEAR_COUNTS, LONE_NEAR = 0.8, 7


@dataclass(frozen=True, slots=True)
class Written:
    """What of a question's words is written in a picture.

    raises   by how many deviations of the gallery this raises its score
    passes   whether it belongs in the answer, whatever it shows
    sure     whether all words are there; if only one of several has a meaning, beside another one
    """

    raises: float
    passes: bool
    sure: bool


def written(phrases: Sequence[str], pairs: Sequence[str], mentions: Mentions) -> dict[int, Written]:
    """What is written in the picture of each link of which that counts.

    Rare words count more, and so do rare pairs. How rare they are, is taken from these links alone:
    from others it would tell about channels that the asker can't read.

    phrases   what is looked for          pairs   words of the question that stand side by side
    mentions  of all these, the pairs behind the phrases
    """
    weights = _weights(len(phrases), mentions)
    paired = _weights_of_pairs(len(phrases), len(pairs), mentions)
    nothing = set[int]()
    found = {}
    for link in {*mentions.exact, *mentions.near}:
        there = mentions.exact.get(link, nothing)
        exact, row = {m for m in there if m < len(phrases)}, there & paired.keys()
        near = mentions.near.get(link, nothing) - exact
        if len(there) + len(near) == 1:
            near = {mark for mark in near if len(phrases[mark]) >= LONE_NEAR}
        told = sum(weights[mark] for mark in exact)
        told += NEAR_COUNTS * sum(weights[mark] for mark in near)
        share = told / sum(weights)
        if share >= LEAST_SHARE:
            others = len(there) + len(near) - 1
            several = 1 - LONE_FALLS_SHORT * WITH_EACH_WORD**others
            in_a_row = sum(paired[mark] for mark in row)
            found[link] = Written(
                raises=MOST_RAISED * share**2 * several + IN_A_ROW * in_a_row,
                passes=share >= PASSING_SHARE,
                sure=len(exact) == len(phrases) and (len(phrases) > 1 or not pairs or bool(row)),
            )
    return found


def _weights(count: int, mentions: Mentions) -> list[float]:
    """What each of the first `count` phrases weighs. One that stands nowhere, not even nearly, was
    mistyped or misread, and weighs as much as the rarest of the others."""
    exact, near = _counted(mentions.exact), _counted(mentions.near)
    counts = [exact[mark] or near[mark] for mark in range(count)]
    least = min(filter(None, counts), default=0)
    return [_rarity(standing or least) for standing in counts]


def _weights_of_pairs(first: int, count: int, mentions: Mentions) -> dict[int, float]:
    """The share of each pair in all of them by weight, as far as they stand anywhere."""
    exact = _counted(mentions.exact)
    marks = [mark for mark in range(first, first + count) if exact[mark]]
    total = sum(_rarity(exact[mark]) for mark in marks)
    return {mark: _rarity(exact[mark]) / total for mark in marks}


def _counted(marks: Mapping[int, set[int]]) -> Counter[int]:
    """In how many pictures each phrase stands."""
    return Counter(mark for there in marks.values() for mark in there)


def _rarity(count: int) -> float:
    return 1 / (1 + math.log1p(count))
