"""A date in figures or in words → the span of time that it names.

Figures are read here, since `5/12/2024` must be certain or refused. Words are read by dateparser,
which knows the months, weekdays and "3 days ago" of some two hundred languages. It guesses where
it isn't certain, so what it gives is taken only when a second look agrees.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from index.language import tongues
from index.language.wish import EARLIEST, LATEST, Reader

DAY_S = 24 * 3600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Longer texts are no date. It bounds the time that a hostile one takes.
MOST_LETTERS = 40
# Where the month is written before the day, the year before both, and where a week begins on
# Sunday (CLDR's dateFormats and weekData).
_MONTH_FIRST = {"en-US", "en-PH", "es-US", "es-PR", "en-PR"}
_YEAR_FIRST = {"ja", "zh", "ko", "hu", "lt", "sv", "fa", "mn"}
_SUNDAY = {"US", "CA", "MX", "BR", "JP", "KR", "TW", "HK", "IL", "IN", "PH", "TH", "ZA", "CO", "PE"}
_SUNDAY_LANGUAGES = {"ja", "ko", "he", "hi", "th"}
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[t ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_YEAR = re.compile(r"(\d{4})年?")
_MONTH = re.compile(r"(\d{4})[-./年](\d{1,2})月?")
_MONTH_AND_YEAR = re.compile(r"(\d{1,2})[-./](\d{4})")
_DAY = re.compile(r"(\d{4})([-./年])(\d{1,2})([-./月])(\d{1,2})日?")
_DAY_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})\.?")
_FIGURES = re.compile(r"[\d\s./:,-]*")


@dataclass(frozen=True, slots=True)
class Span:
    """The time in [start, end); a moment has no length."""

    start: datetime
    end: datetime

    @property
    def is_moment(self) -> bool:
        return self.start == self.end


class Doubtful(Exception):
    """A date that can be read in several ways, or in none.

    reason    a sentence
    readings  how it may be meant, the likeliest first
    """

    def __init__(self, reason: str, *readings: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.readings = readings


def span(text: str, reader: Reader) -> Span | None:
    """The time that a text names; None if it names none.

    raises   Doubtful if it isn't certain which
    """
    text = text.strip(" ,;!?").lower()
    if not text or len(text) > MOST_LETTERS:
        return None
    try:
        found = _in_figures(text, reader)
        return found if found or _FIGURES.fullmatch(text) else _in_words(text, reader)
    except (ValueError, OverflowError):  # no such day, or beyond the year 9999
        raise Doubtful(f"There is no day {text} in the calendar.") from None


def _in_figures(text: str, reader: Reader) -> Span | None:
    if found := _MOMENT.fullmatch(text):
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}{(found[3] or '').upper()}")
        return _within(at if at.tzinfo else at.replace(tzinfo=reader.now.tzinfo), timedelta())
    if found := _YEAR.fullmatch(text):
        return _year(reader, int(found[1]))
    if found := _DAY.fullmatch(text):
        if (found[2], found[4]) not in (("年", "月"), *((sign, sign) for sign in "-./")):
            return None
        return _day(reader, *map(int, found.group(1, 3, 5)))
    if found := _MONTH.fullmatch(text):
        return _month(reader, int(found[1]), int(found[2]))
    if found := _MONTH_AND_YEAR.fullmatch(text):
        return _month(reader, int(found[2]), int(found[1]))
    if found := _DAY_LAST.fullmatch(text):
        return _day_last(found, reader)
    return None


def _day_last(found: re.Match[str], reader: Reader) -> Span:
    """A day such as 12.5.2024 or 5/12/2024, in the order of the reader's country."""
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    by_day = functools.partial(_day, reader, year, second, first)
    by_month = functools.partial(_day, reader, year, first, second)
    if found[2] == "." or first > 12 or first == second:
        return by_day()  # with full stops the day comes first, wherever they are used
    if second > 12 or _order(reader) == "month":
        return by_month()
    if _order(reader) == "day":
        return by_day()
    raise Doubtful(
        f"{found[0]} may be a day in two different months.",
        f"{year}-{second:02}-{first:02}",
        f"{year}-{first:02}-{second:02}",
    )


def _order(reader: Reader) -> str:
    """What comes first in a date with slashes: "month", "day", or "" if that isn't known."""
    if f"{reader.language}-{reader.region}" in _MONTH_FIRST:
        return "month"
    if reader.language in _YEAR_FIRST or (reader.language == "en" and not reader.region):
        return ""
    return "day"


# ---- spans


def _at(reader: Reader, year: int, month: int = 1, day: int = 1) -> datetime:
    """The midnight at which a day begins."""
    return datetime(year, month, day, tzinfo=reader.now.tzinfo)


def _year(reader: Reader, year: int) -> Span:
    return _between(_at(reader, year), _at(reader, year + 1))


def _month(reader: Reader, year: int, month: int) -> Span:
    return _between(_at(reader, year, month), _at(reader, year + month // 12, month % 12 + 1))


def _day(reader: Reader, year: int, month: int, day: int) -> Span:
    start = datetime(year, month, day)
    end = start + timedelta(days=1)
    return _between(_at(reader, year, month, day), _at(reader, end.year, end.month, end.day))


def _week(reader: Reader, day: datetime) -> Span:
    """The week of this day."""
    on_sunday = reader.region in _SUNDAY or reader.language in _SUNDAY_LANGUAGES
    begun = day - timedelta(days=(day.weekday() + on_sunday) % 7)
    end = begun + timedelta(days=7)
    start = _at(reader, begun.year, begun.month, begun.day)
    return _between(start, _at(reader, end.year, end.month, end.day))


def _within(start: datetime, length: timedelta) -> Span:
    return _between(start, start + length)


def _between(start: datetime, end: datetime) -> Span:
    """raises ValueError where it is outside of all calendars"""
    if seconds(start) < EARLIEST or seconds(end) > LATEST:
        raise ValueError
    return Span(start, end)


def seconds(moment: datetime) -> float:
    """Unix seconds, in whole milliseconds, also of years that a system's own clock lacks."""
    return round((moment - EPOCH).total_seconds(), 3)


# ---- words


def _in_words(text: str, reader: Reader) -> Span | None:
    local = reader.now.replace(tzinfo=None, microsecond=0)
    for language in dict.fromkeys((reader.language, "en")):
        read = _library(language)
        if read is None:
            continue
        for words in dict.fromkeys((text, tongues.without_article(text, reader))):
            when, period = read(words, local)
            if when is not None and when.tzinfo is None and _is_sure(words, when, period, local):
                return _span_of(words, when, period, reader)
    return None


def _is_sure(text: str, when: datetime, period: str, now: datetime) -> bool:
    """Whether what the library read is what the text says.

    Every number of the text must be found again in the date: the day, the year, or how long ago
    it is. The library reads "may 32" as a year, and "last decade" as a single one.
    """
    if period not in ("day", "week", "month", "year", "time") or ":" in text:
        return False
    ago = abs(now - when)
    years = abs(now.year - when.year)
    months = abs((now.year - when.year) * 12 + now.month - when.month)
    days, weeks = round(ago.total_seconds() / DAY_S), round(ago.days / 7)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    found = {when.year, when.month, when.day, days, weeks, months, years}
    if period == "time":
        found |= {round(ago.total_seconds() / 3600), round(ago.total_seconds() / 60)}
    if sum(number < 100 for number in numbers) > 1 or not found.issuperset(numbers):
        return False
    # "last decade" would be the one year that is ten years ago.
    return bool(numbers) or period in ("day", "month", "time") or (weeks <= 1 or years == 1)


def _span_of(text: str, when: datetime, period: str, reader: Reader) -> Span:
    now = reader.now
    if period == "time":
        return _within(when.replace(tzinfo=now.tzinfo), timedelta())
    if period == "day" or tongues.is_ago(text, reader):
        # A weekday is the last one, which is today's on that day.
        if " " not in text and (now.date() - when.date()).days == 7:
            when += timedelta(days=7)
        return _day(reader, when.year, when.month, when.day)
    if period == "week":
        return _week(reader, when)
    return _year(reader, when.year) if period == "year" else _month(reader, when.year, when.month)


_Reading = Callable[[str, datetime], tuple[datetime | None, str]]
# The library keeps what it has loaded in the modules' own variables.
_one_at_a_time = threading.Lock()


@functools.lru_cache(maxsize=32)
def _library(language: str) -> _Reading | None:
    """The library's reading of one language; None if it doesn't know the language.

    It is imported here, since that takes 60 ms, and most lines have no date in words.
    """
    with _one_at_a_time:
        from dateparser.data.languages_info import language_order
        from dateparser.date import DateDataParser

    if language not in language_order:
        return None

    def read(text: str, now: datetime) -> tuple[datetime | None, str]:
        settings: Any = {
            "RELATIVE_BASE": now,
            "PREFER_DATES_FROM": "past",
            "RETURN_TIME_AS_PERIOD": True,
        }
        with _one_at_a_time:
            parser = DateDataParser(languages=[language], settings=settings)
            found = parser.get_date_data(text)
        return found.date_obj, found.period or ""

    return read
