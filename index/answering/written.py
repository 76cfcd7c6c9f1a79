"""How well what is written in a picture fits a question, beside what the picture shows.

Plain words may mean either: "one does not simply" a meme, "dog in snow" what is seen. So both
count. The score of what is seen is raised where the words are written, by some deviations
of the gallery, which is about as much as a picture that shows the words stands out of it. So a
picture with all of several words comes first, and one that happens to have a single word stands
among those that show it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
# What a word counts that differs by a letter; alone, only if it is at least so long.
NEAR_COUNTS, LONE_NEAR = 0.8, 7


@dataclass(frozen=True, slots=True)
class Written:
    """What of a question's words is written in a picture.

    raises   by how many deviations of the gallery this raises its score
    passes   whether it belongs in the answer, whatever it shows
    sure     whether all words are there
    """

    raises: float
    passes: bool
    sure: bool


def written(phrases: Sequence[str], mentions: Mentions) -> dict[int, Written]:
    """What is written in the picture of each link of which that counts.

    Rare words count more. How rare a word is, is taken from these links alone: from others it would
    tell about channels that the asker can't read.
    """
    counts = [0] * len(phrases)
    for marks in mentions.exact.values():
        for mark in marks:
            counts[mark] += 1
    weights = [1 / (1 + math.log1p(count)) for count in counts]
    nothing = set[int]()
    found = {}
    for link in {*mentions.exact, *mentions.near}:
        exact = mentions.exact.get(link, nothing)
        near = {
            mark
            for mark in mentions.near.get(link, nothing) - exact
            if exact or len(phrases[mark]) >= LONE_NEAR
        }
        told = sum(weights[mark] for mark in exact)
        told += NEAR_COUNTS * sum(weights[mark] for mark in near)
        share = told / sum(weights)
        if share >= LEAST_SHARE:
            several = 1 - LONE_FALLS_SHORT * WITH_EACH_WORD ** (len(exact) + len(near) - 1)
            found[link] = Written(
                raises=MOST_RAISED * share**2 * several,
                passes=share >= PASSING_SHARE,
                sure=len(exact) == len(phrases),
            )
    return found
