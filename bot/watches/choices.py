"""What a member chose for a watch: their language, quiet hours, and whether notices are gathered.

A time of day is in the member's time zone, which they name: Discord doesn't tell it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

Digest: TypeAlias = Literal["", "hourly", "daily"]
Hours: TypeAlias = tuple[int, int]  # from and to, in minutes after midnight
DAY = 24 * 60
DAILY_AT = time(18)  # when a daily digest comes
_HOURS = re.compile(r"(\d{1,2})(?:[:.h](\d{2})?)?\s*(?:-|–|—|to|bis)\s*(\d{1,2})(?:[:.h](\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a member chose for a watch.

    locale   their language, as Discord names it
    quiet    when nothing is sent to them; None: never
    zone     their time zone, as IANA names it
    digest   "": each notice by itself, as soon as there is one
    """

    locale: str = "en-US"
    quiet: Hours | None = None
    zone: str = "UTC"
    digest: Digest = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "locale": self.locale,
            "quiet": self.quiet and list(self.quiet),
            "zone": self.zone,
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Choices:
        quiet = kept["quiet"]
        return cls(kept["locale"], quiet and tuple(quiet), kept["zone"], kept["digest"])

    def due(self, found_at: float, gathered_s: float) -> float:
        """When a notice leaves, in Unix seconds.

        gathered_s   for how long those are gathered that come at once
        """
        at = (found_at // gathered_s + 1) * gathered_s
        if self.digest:
            here = datetime.fromtimestamp(found_at, UTC).astimezone(ZoneInfo(self.zone))
            at = _next_digest(here, self.digest).timestamp()
        return self.after_quiet(at)

    def after_quiet(self, at: float) -> float:
        """This moment, or the end of the quiet hours that it lies in, in Unix seconds."""
        if self.quiet is None:
            return at
        begin, end = self.quiet
        here = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(self.zone))
        now = here.hour * 60 + here.minute
        is_quiet = begin <= now < end if begin < end else now >= begin or now < end
        if not is_quiet:
            return at
        day = here.date() + timedelta(days=begin >= end and now >= begin)
        ends = datetime.combine(day, time(end // 60, end % 60), here.tzinfo)
        return max(ends.timestamp(), at)


def _next_digest(here: datetime, digest: Digest) -> datetime:
    if digest == "hourly":
        # Of UTC, since an hour may come twice on a clock that is set back.
        return (here.astimezone(UTC) + timedelta(hours=1)).replace(
            minute=0, second=0, microsecond=0
        )
    today = datetime.combine(here.date(), DAILY_AT, here.tzinfo)
    if here < today:
        return today
    return datetime.combine(here.date() + timedelta(days=1), DAILY_AT, here.tzinfo)


def hours(typed: str) -> Hours | None:
    """What "22-7" or "22:30–7:00" means; None where it means nothing."""
    match = _HOURS.fullmatch(typed.strip().lower())
    if match is None:
        return None
    begin, end = (
        int(hour) * 60 + int(minute or 0)
        for hour, minute in ((match[1], match[2]), (match[3], match[4]))
    )
    minutes_fit = all(int(minute or 0) < 60 for minute in (match[2], match[4]))
    if not minutes_fit or begin > DAY or end > DAY or begin % DAY == end % DAY:
        return None
    return begin % DAY, end % DAY


def zone_named(typed: str) -> str | None:
    """The time zone of this name, whatever the case; None where there is none."""
    return _ZONES.get(typed.strip().casefold().replace(" ", "_"))


def zones_like(typed: str, most: int) -> list[str]:
    """Time zones whose names have this in them, those whose city begins with it first."""
    part = typed.strip().casefold().replace(" ", "_")
    found = [
        (not _city(folded).startswith(part), name)
        for folded, name in _ZONES.items()
        if part in folded
    ]
    return [name for _, name in sorted(found)][:most]


def _city(zone: str) -> str:
    return zone.rpartition("/")[2]


# Those that people choose, by a continent or ocean and a city; the others are old names of them.
_CONTINENTS = ("africa", "america", "antarctica", "asia", "atlantic", "australia", "europe")
_ZONES = {
    name.casefold(): name
    for name in sorted(available_timezones())
    if name == "UTC" or name.casefold().startswith((*_CONTINENTS, "indian/", "pacific/"))
}
