"""Which links show pictures with which words. Only what a filter's groups have is read."""

from __future__ import annotations

from collections.abc import Sequence

from index.store.sql.database import Database
from index.store.sql.words import HOME, Home
from index.transcripts.terms import forgiving, terms
from index.types.filter import Filter
from index.types.transcripts import Mentions

# The links that are read for a phrase. One that is more common hardly tells pictures apart.
MOST_LINKS = 5_000


async def _homes(database: Database, filter: Filter) -> list[Home]:
    """Where words of the filter's space and groups stand."""
    groups = None if filter.groups is None else sorted(filter.groups)
    rows = await database.rows(
        f"""SELECT DISTINCT {HOME} FROM groups
        WHERE space = ?1 AND (groups.id IN (numbers(?2)) OR ?2 IS NULL)""",
        *(filter.space, groups),
    )
    return [Home(filter.space, home) for (home,) in rows]


async def saying(database: Database, phrases: Sequence[str], filter: Filter) -> frozenset[int]:
    """The links of the filter's space and groups that show a picture with all of these phrases."""
    wanted = [terms(text) for text in phrases]
    if not all(wanted):
        return frozenset()  # without a letter or figure, nothing is said
    homes = await _homes(database, filter)
    asked = [[list(map(home, phrase)) for phrase in wanted] for home in homes]
    return frozenset(await database.saying("words", filter, asked, every=True))


async def mentions(database: Database, phrases: Sequence[str], filter: Filter) -> Mentions:
    """Which links of the filter's space and groups show pictures with which of these phrases, and
    with nearly the same terms; of a phrase of several terms, only the same."""
    found, homes = Mentions({}, {}), await _homes(database, filter)
    for mark, text in enumerate(phrases):
        exact = [[list(map(home, text.split()))] for home in homes]
        links = await database.saying("words", filter, exact, every=True, most=MOST_LINKS)
        _note(found.exact, mark, links)
        if " " not in text and (likes := sorted(forgiving(text))):
            near = [[[home(like)] for like in likes] for home in homes]
            links = await database.saying("near_words", filter, near, every=False, most=MOST_LINKS)
            _note(found.near, mark, links)
    return found


def _note(marks: dict[int, set[int]], mark: int, links: Sequence[int]) -> None:
    for link in links:
        marks.setdefault(link, set()).add(mark)
