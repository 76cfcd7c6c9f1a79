"""Time zones, as people name them: by a city, in their language, too; "CET"; "UTC+2"."""

from __future__ import annotations

import functools
import re
from zoneinfo import available_timezones

from bot.languages.speech import LOCALES, spoken

# Those that people choose, by a continent or ocean and a city; the others are old names of them.
_CONTINENTS = ("africa", "america", "antarctica", "asia", "atlantic", "australia", "europe")
_ZONES = {
    name.casefold(): name
    for name in sorted(available_timezones())
    if name == "UTC" or name.casefold().startswith((*_CONTINENTS, "indian/", "pacific/"))
}
# Each in winter and summer. Of what means several zones, the one that most people mean.
_SHORT = {
    "UTC": ("gmt",),
    "Europe/London": ("bst",),
    "Europe/Lisbon": ("wet", "west"),
    "Europe/Berlin": ("cet", "cest", "mez", "mesz"),
    "Europe/Athens": ("eet", "eest"),
    "Europe/Moscow": ("msk",),
    "America/New_York": ("est", "edt", "et"),
    "America/Chicago": ("cst", "cdt", "ct"),
    "America/Denver": ("mst", "mdt", "mt"),
    "America/Los_Angeles": ("pst", "pdt", "pt"),
    "America/Sao_Paulo": ("brt",),
    "Asia/Tokyo": ("jst",),
    "Asia/Seoul": ("kst",),
    "Australia/Sydney": ("aest", "aedt"),
}
_BY_SHORT = {short: zone for zone, names in _SHORT.items() for short in names}
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])0?(\d{1,2})(?::?00)?")
_EAST, _WEST = 14, 12  # the most hours before and behind UTC
# IANA's names of whole hours have the sign the other way round: "Etc/GMT-2" is UTC+2.
_WHOLE_HOURS = re.compile(r"Etc/GMT([+-])(\d+)")


def named(typed: str) -> str | None:
    """The time zone that people call so, as IANA names it; None where there is none."""
    name = _folded(typed)
    if (hours := _OFFSET.fullmatch(name.replace("_", ""))) is not None:
        return _from_utc(hours[1], int(hours[2]))
    return _ZONES.get(name) or _BY_SHORT.get(name) or _cities(spoken()).get(name)


def like(typed: str, most: int) -> list[str]:
    """Time zones whose names have this in them, those whose city begins with it first."""
    part = _folded(typed)
    begin = [zone for city, zone in _cities(spoken()).items() if city.startswith(part)]
    others = [name for folded, name in _ZONES.items() if part in folded]
    exact = named(typed) if part else None
    return list(dict.fromkeys([*filter(None, [exact]), *sorted(begin), *others]))[:most]


def said(zone: str) -> str:
    """A time zone, as people read it."""
    whole = _WHOLE_HOURS.fullmatch(zone)
    return zone if whole is None else f"UTC{'-' if whole[1] == '+' else '+'}{whole[2]}"


def _from_utc(sign: str, hours: int) -> str | None:
    if hours == 0:
        return "UTC"
    if hours > (_EAST if sign == "+" else _WEST):
        return None
    return f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"


def _folded(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


@functools.cache
def _cities(language: str) -> dict[str, str]:
    """Zones by their cities, in English and in this language."""
    cities = {folded.rpartition("/")[2]: name for folded, name in _ZONES.items()}
    for zone, known in LOCALES[language].time_zones.items():
        if zone.casefold() in _ZONES and "city" in known:
            cities[_folded(known["city"])] = zone
    return cities
