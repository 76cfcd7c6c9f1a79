"""Readers of lines, all on a Sunday afternoon."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from index import Reader, Unreadable, Wish, parse

NOW = datetime(2026, 11, 29, 16, 0, tzinfo=UTC)


def reader(locale: str = "en-US", zone: tzinfo = UTC) -> Reader:
    return Reader(NOW.astimezone(zone), locale)


def read(line: str, locale: str = "en-US") -> Wish:
    return parse(line, reader(locale))


def refused(line: str, locale: str = "en-US") -> Unreadable:
    """The refusal of a line, whose corrected line can be read."""
    try:
        wish = read(line, locale)
    except Unreadable as refusal:
        read(refusal.corrected, locale)
        return refusal
    raise AssertionError(f"{line!r} is read as {wish}")
