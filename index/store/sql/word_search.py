"""Which links show pictures with which words. Only what a filter's groups have is read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from index.store.sql.database import Database, Transaction
from index.store.sql.words import HOME, Home
from index.transcripts.terms import forgiving, terms
from index.types.filter import Filter
from index.types.transcripts import Mentions

# What FTS5 is asked in a home.
Asked: TypeAlias = Callable[[Home], str]
# The links that are read for a phrase. One that is more common hardly tells pictures apart.
MOST_LINKS = 5_000
# Whether a group is one of the filter's, which are ?2.
_ALLOWED = "(?2 IS NULL OR {} IN (numbers(?2)))"


def _phrase(home: Home, text: str) -> str:
    """What finds these terms in a row, in the language of FTS5."""
    return f'"{" ".join(map(home, text.split()))}"'


async def _homes(database: Database, filter: Filter) -> list[Home]:
    """Where words of the filter's space and groups stand."""
    rows = await database.rows(
        f"""SELECT DISTINCT {HOME} FROM groups
        WHERE space = ?1 AND {_ALLOWED.format("groups.id")}""",
        filter.space,
        _groups(filter),
    )
    return [Home(filter.space, home) for (home,) in rows]


async def _links(
    database: Database,
    table: str,
    filter: Filter,
    homes: Sequence[Home],
    asked: Asked,
    most: int = -1,
) -> frozenset[int]:
    """The links of the filter's space and groups that a table has for what is asked in these homes,
    at most so many. Nothing is read of what stands in other channels."""
    # CROSS JOIN keeps the order: each question is asked once, not once for each link.
    rows = await database.many_rows(
        f"""SELECT links.id FROM json_each(?3) AS asked
        CROSS JOIN {table} ON {table} MATCH asked.value
        CROSS JOIN links ON links.id = {table}.rowid
        WHERE links.space = ?1 AND {_ALLOWED.format("links.group_id")} LIMIT ?4""",
        filter.space,
        _groups(filter),
        json.dumps([asked(home) for home in homes]),
        most,
    )
    return frozenset(id for (id,) in rows)


def _groups(filter: Filter) -> str | None:
    return None if filter.groups is None else sorted(filter.groups)


async def saying(database: Database, phrases: Sequence[str], filter: Filter) -> frozenset[int]:
    """The links of the filter's space and groups that show a picture with all of these phrases."""
    texts = [" ".join(terms(text)) for text in phrases]
    if not all(texts):
        return frozenset()  # without a letter or figure, nothing is said

    def asked(home: Home) -> str:
        return " AND ".join(_phrase(home, text) for text in texts)

    return await _links(database, "words", filter, await _homes(database, filter), asked)


async def mentions(database: Database, phrases: Sequence[str], filter: Filter) -> Mentions:
    """Which links of the filter's space and groups show pictures with which of these phrases, and
    with nearly the same terms; of a phrase of several terms, only the same."""
    found, homes = Mentions({}, {}), await _homes(database, filter)
    for mark, text in enumerate(phrases):
        exact = partial(_phrase, text=text)
        links = await _links(database, "words", filter, homes, exact, MOST_LINKS)
        _note(found.exact, mark, links)
        if " " not in text and (likes := sorted(forgiving(text))):
            near = partial(_any, texts=likes)
            links = await _links(database, "near_words", filter, homes, near, MOST_LINKS)
            _note(found.near, mark, links)
    return found


def _any(home: Home, texts: Sequence[str]) -> str:
    return " OR ".join(_phrase(home, text) for text in texts)


def _note(marks: dict[int, set[int]], mark: int, links: frozenset[int]) -> None:
    for link in links:
        marks.setdefault(link, set()).add(mark)
