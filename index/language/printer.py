"""What a line asks for → the line, and options of a command → the line that says the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from index.language import dates, negation, tongues
from index.language.dates import EPOCH
from index.language.tokens import DASHES, QUOTES, tokens
from index.language.unreadable import Problem
from index.language.wish import Reader, Wish
from index.types.filter import Sort
from index.types.query import tidy

SORTS = {Sort.BEST: "best", Sort.NEWEST: "new", Sort.OLDEST: "old"}
_SIMPLE_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SIMPLE_NAME = re.compile(rf"[^\s,，、{re.escape(QUOTES + DASHES)}][^\s,，、{re.escape(QUOTES)}]*")


def printed(wish: Wish, reader: Reader | None = None) -> str:
    """A line that asks for the same: `parse(printed(wish), reader) == wish`.

    Without a reader it holds the moments in UTC, so that everybody reads the same; for a reader it
    holds days of their time zone where that is as exact. `wish` is one that `parse` gave to a
    reader of the same language: nothing can be written that would hand a model a "without".
    """
    others = [*(_quoted(text) for text in wish.exact), *_fields(wish, reader)]
    languages = [reader.language] if reader else list(tongues.TONGUES)
    return " ".join([*_words(wish.words, others, languages), *others])


def combined(text: str, options: Mapping[str, str | Sequence[str] | None]) -> str:
    """One line of a text and of options, each named as its field is: "from", "in", "-from",
    "-in", "after", "before", "on", "since", "until", "has", "-has", "sort", "without", "show".

    An option's value is what was typed for it: a text, or several. Options come first, so that
    the text may end with a quotation mark that isn't closed.
    """
    return tidy(" ".join([*_options(options), text]))


def _options(options: Mapping[str, str | Sequence[str] | None]) -> Iterator[str]:
    for name, given in options.items():
        values = [given] if isinstance(given, str) else given or ()
        if name == "without":
            values = [part for value in values for part in re.split("[,，、]", value)]
        yield from (f"{name}:{_quoted(value)}" for value in map(tidy, values) if value)


def _fields(wish: Wish, reader: Reader | None) -> Iterator[str]:
    for text in wish.minus:
        yield f"-{text if _SIMPLE_WORD.fullmatch(text) else _quoted(text)}"
    for sign, field, names in (
        ("", "from", wish.authors),
        ("-", "from", wish.not_authors),
        ("", "in", wish.places),
        ("-", "in", wish.not_places),
    ):
        for name in names:
            simple = _SIMPLE_NAME.fullmatch(name)
            yield f"{sign}{field}:{name if simple else _quoted(name)}"
    yield from _dates(wish.since, wish.until, reader)
    yield from (f"has:{kind}" for kind in sorted(wish.has))
    yield from (f"-has:{kind}" for kind in sorted(wish.not_has))
    if wish.sort is not None:
        yield f"sort:{SORTS[wish.sort]}"
    if wish.show is not None:
        yield f"show:{wish.show}"


def _quoted(text: str) -> str:
    return '"' + re.sub(rf"([\\{re.escape(QUOTES)}])", r"\\\1", text) + '"'


# ---- words


def _words(words: str, others: Sequence[str], languages: Sequence[str]) -> list[str]:
    """The words, with a backslash before those that would be read as something else.

    others     the parts that follow them in the line
    languages  of those who may read it
    """
    found = [re.sub(r"([\\「『])", r"\\\1", word) for word in words.split()]
    escaped: set[int] = set()
    while (number := _misread(found, others, languages)) is not None and number not in escaped:
        escaped.add(number)
        found[number] = "\\" + found[number]
    return found


def _misread(words: Sequence[str], others: Sequence[str], languages: Sequence[str]) -> int | None:
    """The number of the first word that some reader would not read as a word."""
    line, ends = " ".join([*words, *others]), len(" ".join(words))
    parts, places = [], []
    try:
        for part in tokens(line):
            parts.append(part)
    except Problem:  # in the part behind the last one
        behind = parts[-1].end if parts else 0
        places.append(behind + (line[behind] == " "))
    places += [part.start for part in parts if part.kind != "word" or part.signed]
    for language in languages:
        if marker := negation.first_marker(parts, Reader(EPOCH, language)):
            places.append(marker.start)
    first = min(places, default=ends)
    return line[:first].count(" ") if first < ends else None


# ---- dates


def _dates(since: float | None, until: float | None, reader: Reader | None) -> Iterator[str]:
    first, last = _day(since, reader), _day(until, reader)
    if since is not None and reader is not None and since > dates.seconds(reader.now):
        first = ""  # a day in the future would be refused
    if first and last and reader is not None:
        for whole in (first[:4], first[:7], first):
            span = dates.span(whole, reader)
            if span and (dates.seconds(span.start), dates.seconds(span.end)) == (since, until):
                yield f"on:{whole}"
                return
    if since is not None:
        yield f"since:{first or _moment(since)}"
    if until is not None:
        yield f"before:{last or _moment(until)}"


def _day(seconds: float | None, reader: Reader | None) -> str:
    """The day that begins at this moment for the reader; "" if none does."""
    if seconds is None or reader is None:
        return ""
    day = f"{_at(seconds).astimezone(reader.now.tzinfo).date()}"
    span = dates.span(day, reader)
    return day if span and dates.seconds(span.start) == seconds else ""


def _at(seconds: float) -> datetime:
    return EPOCH + timedelta(milliseconds=round(seconds * 1000))


def _moment(seconds: float) -> str:
    moment = _at(seconds)
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"
