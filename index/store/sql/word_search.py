"""Which links show pictures with which words. Only what a filter's groups have is read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from index.store.sql.database import Database, Phrases, WordQuestion, WordTable
from index.store.sql.words import HOME, hashed
from index.transcripts.terms import forgiving, terms
from index.types.filter import Filter
from index.types.transcripts import Mentions

# The links that are read for a phrase. One that is more common hardly tells pictures apart.
MOST_LINKS = 5_000


class Sought(NamedTuple):
    """Phrases that are looked for in a table: all of them, or one where `every` is False."""

    table: WordTable
    phrases: Phrases
    every: bool


async def saying(database: Database, phrases: Sequence[str], filter: Filter) -> frozenset[int]:
    """The links of the filter's space and groups that show a picture with all of these phrases."""
    wanted = [terms(text) for text in phrases]
    if not all(wanted):
        return frozenset()  # without a letter or figure, nothing is said
    [links] = await _found(database, [Sought("words", wanted, every=True)], filter)
    return frozenset(links)


async def mentions(database: Database, phrases: Sequence[str], filter: Filter) -> Mentions:
    """Which links of the filter's space and groups show pictures with which of these phrases, and
    with nearly the same terms; of a phrase of several terms, only the same."""
    exact = [Sought("words", [text.split()], every=True) for text in phrases]
    near = {
        mark: Sought("near_words", [[like] for like in sorted(forgiving(text))], every=False)
        for mark, text in enumerate(phrases)
        if " " not in text and forgiving(text)
    }
    # All of one kind, then all of the other: so few statements differ, and each is prepared once.
    answers = await _found(database, [*exact, *near.values()], filter, most=MOST_LINKS)
    found = Mentions({}, {})
    for mark, links in enumerate(answers[: len(exact)]):
        _note(found.exact, mark, links)
    for mark, links in zip(near, answers[len(exact) :], strict=True):
        _note(found.near, mark, links)
    return found


async def _found(
    database: Database, sought: Sequence[Sought], filter: Filter, *, most: int | None = None
) -> list[list[int]]:
    """For each of these the links of the filter's space and groups, at most so many."""
    groups = None if filter.groups is None else sorted(filter.groups)
    rows = await database.rows(
        f"""SELECT DISTINCT {HOME} FROM groups
        WHERE space = ?1 AND (groups.id IN (numbers(?2)) OR ?2 IS NULL)""",
        *(filter.space, groups),
    )
    homes = [home for (home,) in rows]
    questions = partial(_at_homes, filter.space, homes, sought)
    return await database.saying(questions, filter, most=most)


def _at_homes(space: int, homes: Sequence[int], sought: Sequence[Sought]) -> list[WordQuestion]:
    """What is sought, in the terms of each of these homes."""
    every = {term for one in sought for phrase in one.phrases for term in phrase}
    hashes = hashed(space, homes, every)

    def at_homes(phrases: Phrases) -> list[Phrases]:
        there = [zip(*[hashes[term] for term in phrase], strict=True) for phrase in phrases]
        return list(zip(*there, strict=True))

    return [WordQuestion(one.table, at_homes(one.phrases), one.every) for one in sought]


def _note(marks: dict[int, set[int]], mark: int, links: Sequence[int]) -> None:
    for link in links:
        marks.setdefault(link, set()).add(mark)
