"""What a member chose for a watch: their language, quiet hours, and whether notices are gathered.

A time of day is in the member's time zone, which they name: Discord doesn't tell it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

Digest: TypeAlias = Literal["", "hourly", "daily"]
Hours: TypeAlias = tuple[int, int]  # from and to, in minutes after midnight
UTC_ZONE = "UTC"  # of who names no time zone
DAY = 24 * 60
DAILY_AT = time(18)  # when a daily digest comes
HALVES = ("am", "pm")
_TIME = r"(?:las? )?(\d{1,2}) ?(?:[:.h時] ?(\d{2})?分?)? ?(am|pm|uhr|h|hs|)\.?"
_HOURS = re.compile(
    rf"(?:from |von |de |das |desde )?{_TIME}"
    rf" ?(?:-|–|—|~|〜|to|until|till|bis|à|a|às|as|hasta|até|から) ?{_TIME}(?:まで)?"
)


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
    zone: str = UTC_ZONE
    digest: Digest = ""

    @property
    def uses_zone(self) -> bool:
        """Whether a time of day counts."""
        return self.quiet is not None or self.digest == "daily"

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
    """What "22-7", "22:30–7:00", "10pm-7am" or "22 Uhr bis 7 Uhr" means; None where it means
    nothing, or may mean two things."""
    match = _HOURS.fullmatch(
        unicodedata.normalize("NFKC", typed).strip().lower().replace(".m", "m")
    )
    if match is None:
        return None
    first, last = match.groups()[:3], match.groups()[3:]
    if (first[2] in HALVES) != (last[2] in HALVES):
        return None  # "10-7am" may begin in the morning or in the evening
    begin, end = _minutes(*first), _minutes(*last)
    if begin is None or end is None or begin % DAY == end % DAY:
        return None
    return begin % DAY, end % DAY


def _minutes(hour: str, minute: str | None, unit: str) -> int | None:
    """A time of day in minutes after midnight; None where there is no such time."""
    hours, minutes = int(hour), int(minute or 0)
    if unit in HALVES:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + 12 * (unit == "pm")
    after_midnight = hours * 60 + minutes
    return after_midnight if minutes < 60 and after_midnight <= DAY else None
