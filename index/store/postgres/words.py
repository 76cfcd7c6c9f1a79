"""The index of words in PostgreSQL; what it holds, `index/store/sql/words.py` says.

A row of `words` has the hashed terms of a link as two tsvectors: in order, and what is like them. A
tsvector counts places up to 16,383 and keeps up to 255 of one term, which is far more than the
letters that are kept of a picture's words.
"""

from __future__ import annotations

from collections.abc import Sequence

from index.store.sql.database import Said, WordQuestion
from index.types.filter import Filter

PUT = """INSERT INTO words (link, words, near_words)
    VALUES ($1, $2::text::tsvector, array_to_tsvector($3::text[]))
    ON CONFLICT (link) DO UPDATE SET words = excluded.words, near_words = excluded.near_words"""
TAKE = "DELETE FROM words WHERE link = ANY ($1::bigint[])"
CLEAR = "DELETE FROM words"


def row(link: int, said: Said) -> tuple[int, str, list[str]]:
    """The parameters of `PUT`."""
    terms, like = said
    places = " ".join(f"{term}:{place}" for place, term in enumerate(terms, start=1))
    return link, places, list(like)


def statement(
    questions: Sequence[WordQuestion], filter: Filter, *, most: int | None
) -> tuple[str, Sequence[object]]:
    """The statement that gives the numbers of questions with the links found, and its parameters.

    The terms are hashes with their home in them, so an entry of the index is of one home.
    """
    groups = None if filter.groups is None else sorted(filter.groups)
    selects = [
        f"""(SELECT DISTINCT {number}, links.id
        FROM unnest(${number + 4}::text[]) AS home (question)
        JOIN words ON words.{one.table} @@ home.question::tsquery
        JOIN links ON links.id = words.link
        WHERE links.space = $1 AND ($2::bigint[] IS NULL OR links.group_id = ANY ($2::bigint[]))
        LIMIT $3)"""
        for number, one in enumerate(questions)
    ]
    matches = [_matches(one) for one in questions]
    return " UNION ALL ".join(selects), (filter.space, groups, most, *matches)


def _matches(question: WordQuestion) -> list[str]:
    """What the index is asked for each home."""
    joined = " & " if question.every else " | "
    return [
        joined.join("(" + " <-> ".join(phrase) + ")" for phrase in phrases)
        for phrases in question.asked
    ]
