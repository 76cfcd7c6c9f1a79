"""When a notice leaves: quiet hours and digests, by the clock of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.languages.speech import speaking
from bot.watches import zones
from bot.watches.choices import Choices, hours

BERLIN, NIGHT = "Europe/Berlin", (22 * 60, 7 * 60)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(choices: Choices, found: str) -> str:
    """When a notice leaves that was found then, as UTC."""
    leaves = datetime.fromtimestamp(choices.due(at(found), 10.0), UTC)
    return leaves.isoformat(timespec="seconds").removesuffix("+00:00")


def test_all_notices_leave_at_the_same_moments() -> None:
    assert due(Choices(), "2026-06-01T12:00:03") == "2026-06-01T12:00:10"
    assert due(Choices(), "2026-06-01T12:00:09") == "2026-06-01T12:00:10"
    assert due(Choices(), "2026-06-01T12:00:10") == "2026-06-01T12:00:20"


@pytest.mark.parametrize(
    ("found", "leaves"),
    [
        ("2026-06-01T19:59:00", "2026-06-01T19:59:10"),  # 21:59 in Berlin
        ("2026-06-01T20:00:00", "2026-06-02T05:00:00"),
        ("2026-06-02T02:00:00", "2026-06-02T05:00:00"),
        ("2026-06-02T05:00:00", "2026-06-02T05:00:10"),
        ("2026-12-01T21:00:00", "2026-12-02T06:00:00"),  # in winter Berlin is an hour ahead
        ("2026-03-28T23:00:00", "2026-03-29T05:00:00"),  # the clock is set forward that night
        ("2026-10-24T23:00:00", "2026-10-25T06:00:00"),  # and back
    ],
)
def test_nothing_leaves_in_quiet_hours(found: str, leaves: str) -> None:
    assert due(Choices(quiet=NIGHT, zone=BERLIN), found) == leaves


def test_quiet_hours_within_a_day() -> None:
    choices = Choices(quiet=(9 * 60, 17 * 60 + 30))
    assert due(choices, "2026-06-01T08:59:00") == "2026-06-01T08:59:10"
    assert due(choices, "2026-06-01T12:00:00") == "2026-06-01T17:30:00"
    assert choices.after_quiet(at("2026-06-01T12:00:00")) == at("2026-06-01T17:30:00")


def test_digests_come_on_the_hour_or_in_the_evening() -> None:
    assert due(Choices(digest="hourly"), "2026-06-01T12:00:00") == "2026-06-01T13:00:00"
    daily = Choices(digest="daily", zone=BERLIN)
    assert due(daily, "2026-06-01T15:59:00") == "2026-06-01T16:00:00"
    assert due(daily, "2026-06-01T16:00:00") == "2026-06-02T16:00:00"
    quiet_then = Choices(digest="daily", zone=BERLIN, quiet=(17 * 60, 20 * 60))
    assert due(quiet_then, "2026-06-01T12:00:00") == "2026-06-01T18:00:00"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("22-7", NIGHT),
        (" 22:00 – 7:00 ", NIGHT),
        ("22h-7h", NIGHT),
        ("0-24", None),
        ("6.30-23", (6 * 60 + 30, 23 * 60)),
        ("24-7", (0, 7 * 60)),
        ("23:59-0", (23 * 60 + 59, 0)),
        ("22", None),
        ("25-7", None),
        ("22:70-7", None),
        ("late", None),
        ("10pm-7am", NIGHT),
        ("10 pm to 7 am", NIGHT),
        ("from 10:00 p.m. to 7 A.M.", NIGHT),
        ("12am-12pm", (0, 12 * 60)),
        ("1 am - 1:30 pm", (60, 13 * 60 + 30)),
        ("22h à 7h", NIGHT),
        ("de 22h00 à 7h", NIGHT),
        ("22 Uhr bis 7 Uhr", NIGHT),
        ("von 22 bis 7 Uhr", NIGHT),
        ("de las 22 a las 7", NIGHT),
        ("das 22h às 7h", NIGHT),
        ("22時〜7時", NIGHT),
        ("２２時から７時まで", NIGHT),
        ("10-7am", None),
        ("22pm-7am", None),
        ("0am-7am", None),
    ],
)
def test_hours_are_read_as_people_write_them(typed: str, read: tuple[int, int] | None) -> None:
    assert hours(typed) == read


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("europe/berlin", BERLIN),
        ("Berlin", BERLIN),
        (" paris ", "Europe/Paris"),
        ("new york", "America/New_York"),
        ("CET", BERLIN),
        ("PST", "America/Los_Angeles"),
        ("UTC", "UTC"),
        ("gmt", "UTC"),
        ("UTC+0", "UTC"),
        ("UTC+2", "Etc/GMT-2"),
        ("utc -03:00", "Etc/GMT+3"),
        ("+9", "Etc/GMT-9"),
        ("UTC+15", None),
        ("UTC+5:30", None),
        ("Mars/Olympus", None),
        ("", None),
    ],
)
def test_zones_are_known_by_the_names_that_people_use(typed: str, zone: str | None) -> None:
    assert zones.named(typed) == zone


def test_cities_are_known_in_the_language_that_is_spoken() -> None:
    assert zones.named("Wien") is None
    with speaking("de"):
        assert zones.named("Wien") == "Europe/Vienna"
        assert zones.like("wie", 5)[0] == "Europe/Vienna"
    with speaking("ja"):
        assert zones.named("東京") == "Asia/Tokyo"


def test_an_offset_is_shown_as_it_was_typed() -> None:
    for typed in ("UTC+2", "UTC-11", "UTC"):
        assert zones.said(zones.named(typed) or "") == typed
    assert zones.said(BERLIN) == BERLIN


def test_zones_are_offered_by_what_was_typed_so_far() -> None:
    assert zones.like("new y", 5)[0] == "America/New_York"
    assert zones.like("utc+2", 5) == ["Etc/GMT-2"]
    assert len(zones.like("", 25)) == 25


def test_choices_are_kept_as_they_are() -> None:
    choices = Choices("de", NIGHT, BERLIN, "daily")
    assert Choices.from_json(choices.to_json()) == choices
    assert Choices.from_json(Choices().to_json()) == Choices()
