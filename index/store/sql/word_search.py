"""Which links show pictures with which words. Only what a filter's groups have is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from index.store.sql.database import Database, Phrases, WordQuestion
from index.store.sql.words import HOME, hashed
from index.transcripts.terms import forgiving, terms
from index.types.filter import Filter
from index.types.transcripts import Mentions

# The links that are read for a phrase. One that is more common hardly tells pictures apart.
MOST_LINKS = 5_000


async def saying(database: Database, phrases: Sequence[str], filter: Filter) -> frozenset[int]:
    """The links of the filter's space and groups that show a picture with all of these phrases."""
    wanted = [terms(text) for text in phrases]
    if not all(wanted):
        return frozenset()  # without a letter or figure, nothing is said
    here = await _hashes(database, {term for phrase in wanted for term in phrase}, filter)
    question = WordQuestion("words", _there(here, wanted), every=True)
    [links] = await database.saying([question], filter)
    return frozenset(links)


async def mentions(database: Database, phrases: Sequence[str], filter: Filter) -> Mentions:
    """Which links of the filter's space and groups show pictures with which of these phrases, and
    with nearly the same terms; of a phrase of several terms, only the same."""
    exact = [text.split() for text in phrases]
    near = [sorted(forgiving(text)) if " " not in text else [] for text in phrases]
    asked = {term for wanted in (*exact, *near) for term in wanted}
    here, found = await _hashes(database, asked, filter), Mentions({}, {})
    questions, noted = list[WordQuestion](), list[tuple[dict[int, set[int]], int]]()
    for mark, (phrase, likes) in enumerate(zip(exact, near, strict=True)):
        questions.append(WordQuestion("words", _there(here, [phrase]), every=True))
        noted.append((found.exact, mark))
        if likes:
            each = [[like] for like in likes]
            questions.append(WordQuestion("near_words", _there(here, each), every=False))
            noted.append((found.near, mark))
    answers = await database.saying(questions, filter, most=MOST_LINKS)
    for (marks, mark), links in zip(noted, answers, strict=True):
        _note(marks, mark, links)
    return found


async def _hashes(
    database: Database, asked: Collection[str], filter: Filter
) -> list[dict[str, str]]:
    """The hashes of these terms in each home of the filter's space and groups."""
    groups = None if filter.groups is None else sorted(filter.groups)
    rows = await database.rows(
        f"""SELECT DISTINCT {HOME} FROM groups
        WHERE space = ?1 AND (groups.id IN (numbers(?2)) OR ?2 IS NULL)""",
        *(filter.space, groups),
    )
    return hashed(filter.space, [home for (home,) in rows], asked)


def _there(here: Sequence[Mapping[str, str]], phrases: Phrases) -> list[Phrases]:
    """The phrases in the terms of each home."""
    return [[[hashes[term] for term in phrase] for phrase in phrases] for hashes in here]


def _note(marks: dict[int, set[int]], mark: int, links: Sequence[int]) -> None:
    for link in links:
        marks.setdefault(link, set()).add(mark)
