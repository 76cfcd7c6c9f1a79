"""Where a gallery is: in a file, or in a database at the address of a PostgreSQL server."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

Place: TypeAlias = Path | str  # a file, or the address of a database

SCHEMES = ("postgresql://", "postgres://")
EXAMPLE = "postgresql://magpie:PASSWORD@localhost/magpie"


def is_address(place: Place) -> bool:
    """Whether it is the address of a database; else it is a file."""
    return isinstance(place, str) and place.lower().startswith(SCHEMES)


def shown(place: Place) -> str:
    """The place for people: of an address neither who uses it nor the password."""
    text = str(place)
    if "://" not in text:
        return text
    scheme, _, rest = text.partition("://")
    before, _, query = rest.partition("?")
    if "@" in query:  # it may be part of a password, and so may all else
        return f"{scheme}://…"
    # What stands before the last @ may be part of a password with letters that don't belong there.
    host, slash, name = before.rpartition("@")[2].partition("/")
    return f"{scheme}://{host}{slash}{name}"


def fault_of(address: str) -> str | None:
    """What is wrong with the address of a database; None: nothing."""
    encode = "letters such as @, / and # in the password are written as %40, %2F and %23"
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname
    except ValueError:
        return f"must be an address such as {EXAMPLE}; {encode}."
    given = dict(parse_qsl(parts.query))
    if parts.fragment or "@" in parts.path or port == 0:
        return f"must be an address such as {EXAMPLE}; {encode}."
    if not (host or given.get("host")):
        return f"names no server; an address is {EXAMPLE}."
    if "/" in parts.path.lstrip("/") or not unquote(parts.path.lstrip("/")):
        return f"names no database; an address is {EXAMPLE}."
    return None
