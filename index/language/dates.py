"""A date in figures or in words → the span of time that it names.

Figures are read here, since `5/12/2024` must be certain or refused. Words are translated by the
library dateparser, which knows the months, weekdays and "3 days ago" of some two hundred languages,
to a few words of English, and these are read here, too. The library's own reading guesses: it takes
"one" for January and "may 32" for a year.
"""

from __future__ import annotations

import calendar
import functools
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from index.language import tongues
from index.language.wish import EARLIEST, LATEST, Reader
from index.types.sentences import Sentence

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

    def __init__(self, reason: Sentence, *readings: str) -> None:
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
        raise Doubtful(Sentence("There is no day {day} in the calendar.", day=text)) from None


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
        Sentence("{day} may be a day in two different months.", day=found[0]),
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

_DAYS = [name.lower() for name in calendar.day_name]
_MONTHS = [name.lower() for name in calendar.month_name]
_AGO = re.compile(r"(?:in )?(\d{1,4}) (minute|hour|day|week|month|year)(?: ago)?")
_WEEKDAY = re.compile(rf"(last |this )?({'|'.join(_DAYS)})")
_NAMED = re.compile(
    rf"(?:(?P<day>\d{{1,2}})\.? )?(?P<month>{'|'.join(_MONTHS[1:])})(?: (?P<after>\d{{1,2}}))?"
    r"(?: (?P<year>\d{4}))?"
)
# The library keeps what it has loaded in the modules' own variables.
_one_at_a_time = threading.Lock()


def _in_words(text: str, reader: Reader) -> Span | None:
    """What a date in words names, in the reader's language or in English."""
    for language in dict.fromkeys((reader.language, "en")):
        for words in dict.fromkeys((text, tongues.without_article(text, reader))):
            english = _in_english(words, language)
            if found := _of_english(english, words, reader):
                return found
    return None


def _in_english(text: str, language: str) -> str:
    """The date in the few English words that the library translates all dates to.

    "" for a language that it doesn't know, "1 week ago" for "letzte Woche".
    """
    with _one_at_a_time:
        # Imported here, since that takes 60 ms, and most lines have no date in words.
        from dateparser.conf import settings
        from dateparser.languages.loader import default_loader

        try:
            locale = default_loader.get_locale(language)
        except ValueError:
            return ""
        translated: str = locale.translate(text, keep_formatting=False, settings=settings)
    return " ".join(translated.split())


def _of_english(english: str, typed: str, reader: Reader) -> Span | None:
    if typed.isascii() and len(typed) < 3:
        return None  # "so" and "me" are abbreviated weekdays somewhere
    if found := _AGO.fullmatch(english):
        number = int(found[1]) if english.startswith("in ") else -int(found[1])
        is_day = tongues.is_ago(typed, reader) or any(map(str.isdigit, typed))
        return _shifted(number, found[2], is_day, reader)
    if found := _WEEKDAY.fullmatch(english):
        back = (reader.now.weekday() - _DAYS.index(found[2])) % 7
        return _day_before(reader, back or 7 * (found[1] == "last "))
    if found := _NAMED.fullmatch(english):
        figures = re.findall(r"\d+", typed)
        if any(number and number not in figures for number in found.group("day", "after", "year")):
            return None  # a number in words: "may one"
        if found["day"] and found["after"]:
            return None
        day = found["day"] or found["after"]
        return _named(reader, found["year"], _MONTHS.index(found["month"]), day)
    return None


def _shifted(number: int, unit: str, is_day: bool, reader: Reader) -> Span:
    """The day, week, month or year that is so many units from now; a moment for shorter ones.

    is_day   "3 weeks ago" is a day, "last week" is a week
    """
    if unit in ("minute", "hour"):
        moment = reader.now.astimezone(UTC) + timedelta(**{f"{unit}s": number})
        return _within(moment.replace(microsecond=0), timedelta())
    today = reader.now.replace(tzinfo=None)
    if unit in ("month", "year"):
        months = today.year * 12 + today.month - 1 + number * (12 if unit == "year" else 1)
        year, month = months // 12, months % 12 + 1
        if is_day:
            return _day(reader, year, month, min(today.day, calendar.monthrange(year, month)[1]))
        return _month(reader, year, month) if unit == "month" else _year(reader, year)
    there = today + timedelta(days=number * (7 if unit == "week" else 1))
    if unit == "week" and not is_day:
        return _week(reader, there)
    return _day(reader, there.year, there.month, there.day)


def _day_before(reader: Reader, days: int) -> Span:
    there = reader.now.replace(tzinfo=None) - timedelta(days=days)
    return _day(reader, there.year, there.month, there.day)


def _named(reader: Reader, year: str | None, month: int, day: str | None) -> Span | None:
    """A month, or a day of it. Without a year it is the last one that has begun."""
    years = [int(year)] if year else range(reader.now.year, reader.now.year - 9, -1)
    for one in years:
        if day and not 1 <= int(day) <= calendar.monthrange(one, month)[1]:
            continue
        found = _day(reader, one, month, int(day)) if day else _month(reader, one, month)
        if year or found.start <= reader.now:
            return found
    return None
