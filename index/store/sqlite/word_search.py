"""Which links show pictures with which words. Only what a filter's groups have is read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeAlias

from index.store.sqlite.database import Database
from index.store.sqlite.words import HOME, Home
from index.transcripts.terms import forgiving, terms
from index.types.filter import Filter
from index.types.transcripts import Mentions

# What FTS5 is asked in each home: a mark, by which the caller knows it again, and the question.
Asked: TypeAlias = Callable[[Home], Sequence[tuple[int, str]]]
# The rows that are read at most. A question for words so common has enough of them.
MOST_ROWS = 50_000


def _phrase(home: Home, text: str) -> str:
    """What finds these terms in a row, in the language of FTS5."""
    return f'"{" ".join(map(home, text.split()))}"'


async def _rows(
    database: Database, table: str, filter: Filter, asked: Asked, most: int = -1
) -> list[sqlite3.Row]:
    """The links of the filter's space and groups that a table has for what is asked, each with its
    mark. Nothing is read of what stands in other channels."""
    groups = None if filter.groups is None else json.dumps(sorted(filter.groups))
    allowed = "(?2 IS NULL OR {} IN (SELECT value FROM json_each(?2)))"
    homes = await database.rows(
        f"""SELECT DISTINCT {HOME} FROM groups
        WHERE space = ?1 AND {allowed.format("groups.id")}""",
        filter.space,
        groups,
    )
    questions = [one for (home,) in homes for one in asked(Home(filter.space, home))]
    return await database.rows(
        f"""SELECT links.id, asked.value ->> 0 FROM json_each(?3) AS asked
        JOIN {table} ON {table} MATCH asked.value ->> 1
        JOIN links ON links.id = {table}.rowid
        WHERE links.space = ?1 AND {allowed.format("links.group_id")} LIMIT ?4""",
        filter.space,
        groups,
        json.dumps(questions),
        most,
    )


async def saying(database: Database, phrases: Sequence[str], filter: Filter) -> frozenset[int]:
    """The links of the filter's space and groups that show a picture with all of these phrases."""
    texts = [" ".join(terms(text)) for text in phrases]
    if not all(texts):
        return frozenset()  # without a letter or figure, nothing is said

    def asked(home: Home) -> list[tuple[int, str]]:
        return [(0, " AND ".join(_phrase(home, text) for text in texts))]

    return frozenset(id for id, _ in await _rows(database, "words", filter, asked))


async def mentions(database: Database, phrases: Sequence[str], filter: Filter) -> Mentions:
    """Which links of the filter's space and groups show pictures with which of these phrases, and
    with nearly the same terms."""

    def exact(home: Home) -> list[tuple[int, str]]:
        return [(mark, _phrase(home, text)) for mark, text in enumerate(phrases)]

    def near(home: Home) -> list[tuple[int, str]]:
        return [
            (mark, " OR ".join(_phrase(home, like) for like in sorted(forgiving(text))))
            for mark, text in enumerate(phrases)
            if forgiving(text)
        ]

    return Mentions(
        exact=_by_link(await _rows(database, "words", filter, exact, MOST_ROWS)),
        near=_by_link(await _rows(database, "near_words", filter, near, MOST_ROWS)),
    )


def _by_link(rows: Sequence[sqlite3.Row]) -> dict[int, frozenset[int]]:
    marks: dict[int, set[int]] = {}
    for id, mark in rows:
        marks.setdefault(id, set()).add(mark)
    return {id: frozenset(found) for id, found in marks.items()}
