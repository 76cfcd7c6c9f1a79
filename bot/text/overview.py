"""The sentences of an overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from babel import dates, numbers

from bot.languages.speech import LOCALES, _, listed, plural, spoken
from bot.text.pieces import followed
from index import Month

BARS = "\u00a0▁▂▃▄▅▆▇█"  # of a month without pictures, a blank at which no line is broken
MAX_NAME = 60  # letters of a cluster's name


def title() -> str:
    return _("What the pictures here are about")


def atlas_title() -> str:
    return _("The map of the pictures")


def how_to_read_the_atlas() -> str:
    return _("Pictures that look alike lie together. Each dot is a picture.")


def pictures(count: int) -> str:
    return plural("{n} picture", "{n} pictures", count)


def clusters(count: int) -> str:
    return plural("{n} cluster", "{n} clusters", count)


def share(part: int, whole: int) -> str:
    """A part of all pictures: "12%"."""
    percent: str = numbers.format_percent(part / max(whole, 1), locale=LOCALES[spoken()])
    return percent


def month(moment: Month) -> str:
    """A month: "May 2024"."""
    first = date(*moment, 1)
    said: str = dates.format_skeleton("yMMM", first, locale=LOCALES[spoken()])
    return said


def months(first: Month, last: Month) -> str:
    """From when to when the pictures were posted."""
    if first == last:
        return month(first)
    return _("{first} to {last}").format(first=month(first), last=month(last))


def name(words: Sequence[str]) -> str:
    """A cluster's name. The words are of Magpie's own list, in English."""
    return listed(words)[:MAX_NAME] or _("assorted")


def line(number: int, words: Sequence[str], count: int, whole: int, bars: str) -> str:
    """A cluster on a line of its own."""
    told = [f"**{number} · {name(words)}**", pictures(count), share(count, whole)]
    return " · ".join(told) + (f" `{bars}`" if bars else "")


def bars(counts: Mapping[Month, int], shown: Sequence[Month]) -> str:
    """How many pictures each of these months has, as bars; "" for a single month."""
    most = max((counts.get(one, 0) for one in shown), default=0)
    if len(shown) < 2 or not most:
        return ""
    steps = len(BARS) - 1
    return "".join(BARS[-(-steps * counts.get(one, 0) // most)] for one in shown)


def what_bars_say(shown: Sequence[Month]) -> str:
    return _("The bars are months, {months}.").format(months=months(shown[0], shown[-1]))


def sheet_described(names: Sequence[str]) -> str:
    """The contact sheet in plain words."""
    return _("A contact sheet with some pictures of each cluster: {names}").format(
        names=reduce(followed, names)
    )


def atlas_described(names: Sequence[str]) -> str:
    """The map in plain words."""
    return _(
        "A map on which pictures that look alike lie together, with the clusters {names}"
    ).format(names=reduce(followed, names))


def one_of(words: Sequence[str]) -> str:
    """One picture of a cluster in plain words."""
    return _("A picture of the cluster “{name}”").format(name=name(words))


def menu() -> str:
    return _("See the pictures of a cluster")


def names_are_made() -> str:
    return _("The names are words that I see in the pictures of a cluster, and less in the others.")


def public_shows_no_map() -> str:
    return _("The map and the contact sheet are only in an answer that you alone see.")


def nothing_to_tell(*, public: bool) -> str:
    """Nothing is indexed that the readers may see."""
    if public:
        return _("I found nothing to show here.")
    return _("I have not indexed any picture in the channels you can read.")


def changed_meanwhile() -> str:
    return _("While I was looking, it changed what may be seen here. Please ask again.")


def yours_is_being_made() -> str:
    return _("I am still making your overview. Please wait until it is here.")


def before_yours(count: int) -> str:
    """How many overviews are made before that of the reader."""
    return plural(
        "{n} overview is made before yours. Yours will come here.",
        "{n} overviews are made before yours. Yours will come here.",
        count,
    )


def yours_now() -> str:
    return _("I am making your overview now. It will come here.")


def many_are_being_made() -> str:
    return _(
        "So many people ask for an overview right now that I can take no more. "
        "Please try again in a minute."
    )
