"""What a line of the query language asks for, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from index.types.filter import Sort
from index.types.query import tidy
from index.types.sentences import Sentence

# What a picture can be or have, as `has:` names it.
HAS: Mapping[str, Sentence] = {
    "image": Sentence("a picture that stands still"),
    "gif": Sentence("a picture that moves"),
    "video": Sentence("a video"),
    "sticker": Sentence("a sticker"),
    "link": Sentence("a picture that a link or an embed shows"),
    "file": Sentence("a picture that was uploaded"),
    "spoiler": Sentence("a picture behind a spoiler"),
    "forward": Sentence("a picture of a forwarded message"),
}
# Of each of these no picture is two.
_APART = ({"image", "gif", "video"}, {"image", "sticker"}, {"sticker", "link", "file"})
# Who sees the answer.
SHOW = ("me", "everyone")
# The first and the last second that a date can be: the years 1 to 9999, without a day at either
# end, so that it is a date in every time zone.
EARLIEST, LATEST = -62135510400.0, 253402214400.0


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a line is read.

    now      the present, with their time zone (UTC where it isn't known): "yesterday" ends at
             midnight of that zone
    locale   their language and country, such as "en-US", "de" or "pt_BR.UTF-8": months and
             weekdays are also read in this language, and 5/12/2024 in the order of this country
    """

    now: datetime
    locale: str = "en"

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("Reader.now needs a time zone")

    @property
    def language(self) -> str:
        """The language alone, such as "pt" of "pt-BR"; "en" where there is none."""
        language = self.locale.replace("_", "-").split("-")[0].split(".")[0].lower()
        return language if len(language) in (2, 3) else "en"

    @property
    def region(self) -> str:
        """The country alone, such as "BR" of "pt-BR"; "" where there is none."""
        return self.locale.replace("_", "-").partition("-")[2].split(".")[0].upper()


@dataclass(frozen=True, slots=True)
class Understood:
    """Words that were read as a minus: `read` as typed, such as "without snow"; `minus` "snow"."""

    read: str
    minus: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a line asks for.

    words          what the pictures shall show, in plain words, in their order
    minus          what they shall not show
    exact          what shall be written in them
    authors, not_authors   names of members as typed behind `from:`, such as "@ana" or "<@1>"
    places, not_places     names of channels or folders as typed behind `in:`
    since, until   posted in [since, until), Unix seconds, rounded to milliseconds; None: no limit
    has, not_has   names of HAS
    sort           None: not said
    show           of SHOW; None: not said
    understood     which of `minus` were words such as "without snow". An answer tells it. It is no
                   part of what is asked, so two wishes are equal without it

    raises   ValueError when `since` is not before `until`, a name is unknown, or no picture can
             have all of `has`
    """

    words: str = ""
    minus: tuple[str, ...] = ()
    exact: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    not_authors: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    not_places: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    has: frozenset[str] = frozenset()
    not_has: frozenset[str] = frozenset()
    sort: Sort | None = None
    show: str | None = None
    understood: tuple[Understood, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        _set(self, "words", tidy(self.words))
        for name in ("minus", "exact", "authors", "not_authors", "places", "not_places"):
            _set(self, name, _different(getattr(self, name)))
        for name in ("since", "until"):
            if getattr(self, name) is not None:
                _set(self, name, _moment(getattr(self, name)))
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("since must come before until")
        if unknown := (self.has | self.not_has) - HAS.keys():
            raise ValueError(f"unknown kinds: {sorted(unknown)}")
        if apart(self.has):
            raise ValueError(f"no picture is all of {sorted(self.has)}")
        if self.show is not None and self.show not in SHOW:
            raise ValueError(f"show is one of {SHOW}, not {self.show!r}")

    @property
    def empty(self) -> bool:
        """Whether nothing at all is asked, not even a filter or an order."""
        return self == Wish(show=self.show)


def apart(kinds: Iterable[str]) -> bool:
    """Whether no picture is of all these kinds at once."""
    return any(len(group.intersection(kinds)) > 1 for group in _APART)


def _set(wish: Wish, name: str, value: object) -> None:
    object.__setattr__(wish, name, value)


def _different(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts as they are seen, each once, without empty ones."""
    return tuple(dict.fromkeys(text for text in map(tidy, texts) if text))


def _moment(seconds: float) -> float:
    if not math.isfinite(seconds) or not EARLIEST <= seconds <= LATEST:
        raise ValueError(f"{seconds} is no moment between the years 1 and 9999")
    return round(seconds, 3)
