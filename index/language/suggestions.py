"""What may follow while somebody types a line."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from index.language import fields, tongues
from index.language.parser import parse
from index.language.tokens import DASHES
from index.language.unreadable import Unreadable
from index.language.wish import HAS, Reader

# What a field asks for, in words that follow it.
MEANING: Mapping[str, str] = {
    "from:": "a member who posted it",
    "in:": "a channel that it is in",
    "after:": "posted after a day, a month or a year",
    "before:": "posted before a day, a month or a year",
    "on:": "posted on a day, in a month or in a year",
    "since:": "posted on a day or later",
    "until:": "posted on a day or earlier",
    "has:": "a kind of picture",
    "sort:": "the order of the answer",
    "show:": "who sees the answer",
    "-from:": "a member who did not post it",
    "-in:": "a channel that it is not in",
    "-has:": "a kind of picture to leave out",
}
_SORTS = {"best": "the best match first", "new": "the newest first", "old": "the oldest first"}
_SHOW = {"me": "only you", "everyone": "everyone who can read this channel"}
# A field and what has been typed behind it. A date may have blanks.
_VALUE = re.compile(rf"(?<!\S)([{re.escape(DASHES)}]?)(\w+)[:：] ?([^:：\"]*)$")
_WORD = re.compile(r"\S*$")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """How a line may go on.

    line         the whole line with it
    start, end   the part of the typed line that it replaces
    instead      what stands there then
    meaning      what it asks for, in a few words
    """

    line: str
    start: int
    end: int
    instead: str
    meaning: str


def suggestions(text: str, reader: Reader, cursor: int | None = None) -> list[Suggestion]:
    """How a line may go on at the cursor (its end, where there is none).

    The names behind `from:` and `in:` are the caller's to suggest. All others can be read as they
    are, but for a field that still needs its value. The first dates of a language take up to a
    second to load: call it in a thread.
    """
    end = len(text) if cursor is None else min(cursor, len(text))
    before, after = text[:end], text[end:]
    return [
        Suggestion(f"{before[:start]}{instead}{after}", start, end, instead, meaning)
        for start, instead, meaning in _ways(before, reader)
    ]


def _ways(before: str, reader: Reader) -> Iterator[tuple[int, str, str]]:
    """Where each suggestion begins, what it is, and what it means."""
    named = _VALUE.search(before)
    field = fields.FIELDS.get(named[2].lower(), "") if named else ""
    if named and field:
        begun = named.start(3) + named[3].rfind(",") + 1
        typed = before[begun:].lower()
        ways = [way for way in _values(field, reader).items() if way[0].lower().startswith(typed)]
        if ways:
            yield from ((begun, value, meaning) for value, meaning in ways)
            return
    word = _WORD.search(before)
    typed = word[0].lower() if word else ""
    typed = re.sub(f"^[{re.escape(DASHES)}]", "-", typed)
    for name, meaning in MEANING.items():
        if name.startswith(typed) and name != typed and (typed or name[0] != "-"):
            yield len(before) - len(typed), name, meaning


def _values(field: str, reader: Reader) -> Mapping[str, str]:
    """The values of a field, with their meaning."""
    if field in fields.DATES:
        today = reader.now.replace(hour=12, minute=0, second=0, microsecond=0)
        return dict.fromkeys(_dates(field, replace(reader, now=today)), "")
    meanings: Mapping[str, Mapping[str, str]] = {"has": HAS, "sort": _SORTS, "show": _SHOW}
    return meanings.get(field, {})


@functools.lru_cache(maxsize=64)
def _dates(field: str, reader: Reader) -> tuple[str, ...]:
    """Dates that people choose often; only those that the field takes, which depends on the day."""
    dates = (date for tongue in tongues.read_by(reader) for date in tongue.dates)
    return tuple(date for date in dates if _can_be_read(f"{field}:{date}", reader))


def _can_be_read(line: str, reader: Reader) -> bool:
    try:
        parse(line, reader)
    except Unreadable:
        return False
    return True
