"""Dates are spans of the reader's own days; what isn't certain is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from index import parse
from tests.index.language.readers import NOW, read, reader, refused


def span(line: str, locale: str = "en-US") -> tuple[str | None, str | None]:
    """since and until of a line, in UTC, without what is 0."""
    wish = read(line, locale)
    return _shown(wish.since), _shown(wish.until)


def _shown(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    shown = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes")
    return shown.removesuffix("+00:00").removesuffix("T00:00")


@pytest.mark.parametrize(
    ("line", "since", "until"),
    [
        ("on:2024-05", "2024-05-01", "2024-06-01"),
        ("since:2024-05", "2024-05-01", None),
        ("after:2024-05", "2024-06-01", None),
        ("before:2024-05", None, "2024-05-01"),
        ("until:2024-05", None, "2024-06-01"),
        ("during:2024-12", "2024-12-01", "2025-01-01"),
        ("after:2024-05 before:yesterday", "2024-06-01", "2026-11-28"),
        ("after:2023 after:2024 before:2026", "2025-01-01", "2026-01-01"),
        ("on:2024 before:2024-03", "2024-01-01", "2024-03-01"),
    ],
)
def test_after_and_before_leave_the_span_out(
    line: str, since: str | None, until: str | None
) -> None:
    assert span(line) == (since, until)


@pytest.mark.parametrize(
    ("locale", "date", "since", "until"),
    [
        ("en-US", "2024", "2024-01-01", "2025-01-01"),
        ("en-US", "2024-5-3", "2024-05-03", "2024-05-04"),
        ("en-US", "05/2024", "2024-05-01", "2024-06-01"),
        ("en-US", "5/12/2024", "2024-05-12", "2024-05-13"),
        ("en-GB", "5/12/2024", "2024-12-05", "2024-12-06"),
        ("de", "5/12/2024", "2024-12-05", "2024-12-06"),
        ("en", "13/12/2024", "2024-12-13", "2024-12-14"),
        ("de", "12/25/2024", "2024-12-25", "2024-12-26"),
        ("en-US", "12.5.2024", "2024-05-12", "2024-05-13"),
        ("ja", "2024/5/12", "2024-05-12", "2024-05-13"),
        ("ja", "2024年5月3日", "2024-05-03", "2024-05-04"),
        ("ja", "2024年5月", "2024-05-01", "2024-06-01"),
        ("en-US", "today", "2026-11-29", "2026-11-30"),
        ("en-US", "yesterday", "2026-11-28", "2026-11-29"),
        ("en-US", "the day before yesterday", "2026-11-27", "2026-11-28"),
        ("en-US", "last week", "2026-11-22", "2026-11-29"),  # it begins on Sunday there
        ("en-GB", "last week", "2026-11-16", "2026-11-23"),
        ("en-US", "last month", "2026-10-01", "2026-11-01"),
        ("en-US", "this year", "2026-01-01", "2027-01-01"),
        ("en-US", "3 days ago", "2026-11-26", "2026-11-27"),
        ("en-US", "2 weeks ago", "2026-11-15", "2026-11-16"),
        ("en-US", "a year ago", "2025-11-29", "2025-11-30"),
        ("en-US", "monday", "2026-11-23", "2026-11-24"),
        ("en-US", "Sunday", "2026-11-29", "2026-11-30"),  # today
        ("en-US", "last sunday", "2026-11-22", "2026-11-23"),
        ("en-US", "may", "2026-05-01", "2026-06-01"),
        ("en-US", "December", "2025-12-01", "2026-01-01"),  # the last one, not the next
        ("en-US", "may 2024", "2024-05-01", "2024-06-01"),
        ("en-US", "may 5, 2024", "2024-05-05", "2024-05-06"),
        ("de", "5. Mai 2024", "2024-05-05", "2024-05-06"),
        ("de", "vor 3 Tagen", "2026-11-26", "2026-11-27"),
        ("de", "yesterday", "2026-11-28", "2026-11-29"),
        ("fr", "la semaine dernière", "2026-11-16", "2026-11-23"),
        ("es-ES", "ayer", "2026-11-28", "2026-11-29"),
        ("pt-BR", "mês passado", "2026-10-01", "2026-11-01"),
        ("it", "agosto 2024", "2024-08-01", "2024-09-01"),
        ("ja", "先週", "2026-11-22", "2026-11-29"),
        ("pl", "wczoraj", "2026-11-28", "2026-11-29"),  # a language without a table of its own
    ],
)
def test_a_date_is_read_in_the_readers_language(
    locale: str, date: str, since: str, until: str
) -> None:
    assert span(f"on:{date}", locale) == (since, until)
    assert read(f"on:{date} dog", locale).words == "dog"
    assert read(f'on:"{date}" dog', locale) == read(f"on: {date} dog", locale)


@pytest.mark.parametrize(
    ("line", "since"),
    [
        ("after:2 hours ago", "2026-11-29T14:00"),
        ("since:2024-05-01T10:00Z", "2024-05-01T10:00"),
        ("since:2024-05-01T10:00+02:00", "2024-05-01T08:00"),
        ("since:2024-05-01 10:00", "2024-05-01T10:00"),
    ],
)
def test_a_moment_has_no_length(line: str, since: str) -> None:
    assert span(line) == (since, None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("on:monday in snow", "in snow"),
        ("on:2024 sun dog", "sun dog"),
        ("on:may one dog", "one dog"),
        ("on:may 5 dogs", "dogs"),
        ("on:2024 5 dogs", "5 dogs"),
        ("before:3 days ago the dog", "the dog"),
    ],
)
def test_a_date_takes_only_its_own_words(line: str, words: str) -> None:
    assert read(line).words == words


def test_a_day_is_one_of_the_readers_time_zone() -> None:
    tokyo = parse("on:2024-05-01", reader(zone=ZoneInfo("Asia/Tokyo")))
    assert tokyo.since == datetime(2024, 4, 30, 15, tzinfo=UTC).timestamp()
    # In Tokyo it is Monday already.
    assert parse("on:today", reader(zone=ZoneInfo("Asia/Tokyo"))).since == NOW.timestamp() - 3600


def test_a_day_when_the_clocks_change_is_as_long_as_it_is() -> None:
    wish = parse("on:2024-03-31", reader("de", ZoneInfo("Europe/Berlin")))
    assert wish.since is not None
    assert wish.until is not None
    assert wish.until - wish.since == 23 * 3600


@pytest.mark.parametrize(
    ("line", "locale", "corrected"),
    [
        ("on:5/12/2024", "en", "on:2024-12-05"),
        ("after:smarch dog", "en-US", "after:march dog"),
        ("dog on:yesteday cat", "en-US", "dog on:yesterday cat"),
        ('on:"last wek"', "en-US", 'on:"last week"'),
        ("on:letzter Monat", "de", "on:letzten monat"),
        ("on:2024-13 dog", "en-US", "dog"),
        ("on:2023-02-29", "en-US", ""),
        ("on:may 32", "en-US", "on:may"),
        ("on:feb 30 dog", "en-US", "on:feb dog"),
        ("on:5", "en-US", ""),
        ("on:12:30", "en-US", ""),
        ("on:one", "en-US", ""),
        ("on:an", "en-US", ""),
        ("on:so", "de", ""),
        ("on:any 5", "en-US", "5"),
        ("on:christmas", "en-US", ""),
        ("after:last decade", "en-US", "decade"),
        ("after:2027 dog", "en-US", "dog"),
        ("on:tomorrow", "en-US", ""),
        ("after:today", "en-US", "since:today"),
        ("after:2026", "en-US", "since:2026"),
        ("on:2 hours ago", "en-US", "since:2 hours ago"),
        ("-after:2024", "en-US", "until:2024"),
        ("-before:2024 dog", "en-US", "since:2024 dog"),
        ("after:2024 dog before:2023", "en-US", "until:2024 dog since:2023"),
        ("after:2023 before:2024", "en-US", "since:2023 until:2024"),
        ("on:2023 before:2022", "en-US", "on:2023"),
    ],
)
def test_what_is_not_certain_is_refused(line: str, locale: str, corrected: str) -> None:
    assert refused(line, locale).corrected == corrected


def test_a_reader_without_a_time_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="time zone"):
        reader().__class__(datetime(2026, 1, 1), "en")
