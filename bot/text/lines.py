"""The answers to a line that can't be read: what is wrong, where, and the line corrected; and the
notes that say how a line was understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.languages.speech import _, either, joined, plural, said
from bot.text.pieces import command, quoted
from index import Asked, Filter, Reader, Unreadable, Wish, pointed, printed

COLUMNS = 36  # that a phone shows of a block of code
# Letters of a corrected line that are shown; with more, the answer might not fit into a message.
MOST = 1_200

OF_PEOPLE, OF_PLACES = ("authors", "not_authors"), ("places", "not_places")


def only_minus() -> str:
    return _(
        "A minus only says what not to show. Tell me also what to look for, in plain words or with "
        "a picture, such as `dog -snow`."
    )


def not_privately() -> str:
    return _(
        "Everyone here can read what I answer to a message. "
        "For an answer that only you see, ask with {find}."
    ).format(find=command("find"))


def names_unknown() -> str:
    return _(
        "Discord did not tell me who is called what just now. Please ask again in a minute, or "
        "choose the member from the list that Discord offers behind `@`."
    )


def unreadable(error: Unreadable) -> str:
    """What is wrong with a line, with the spot pointed at and the corrected line to copy."""
    return _pointed(error, said(error.reason))


def _pointed(error: Unreadable, reason: str) -> str:
    answer = f"{quoted(reason, 500)}\n{_block(pointed(error, COLUMNS))}"
    if error.corrected and len(error.corrected) <= MOST:
        answer += "\n" + _("This I can read:") + f"\n{_block(error.corrected)}"
    return answer


def misnamed(name: str, wish: Wish, instead: Sequence[str], *, people: bool, several: bool) -> str:
    """A name that means nothing to those who read the answer, or several things.

    instead   names that could be meant, the nearest first
    """
    fields = OF_PEOPLE if people else OF_PLACES
    line = _written(wish)
    start, end = _spot(line, name, wish, fields)
    corrected = _written(_with(wish, fields, name, instead[:1]))
    reason = _misnamed(name[:60], instead, people=people, several=several)
    return _pointed(Unreadable(line, start, end, reason, corrected), reason)


def _misnamed(name: str, instead: Sequence[str], *, people: bool, several: bool) -> str:
    if several:
        reason = _("“{name}” can mean {names}. Please write which one you mean.")
    elif people:
        reason = _("I know nobody called “{name}” among those whose pictures I can show here.")
    else:
        reason = _("I know no channel “{name}” among those that I can search here.")
    reason = reason.format(name=name, names=either(instead))
    if instead and not several:
        return joined(reason, _("Did you mean {names}?").format(names=either(instead)))
    return reason


def _with(wish: Wish, fields: Sequence[str], name: str, instead: Sequence[str]) -> Wish:
    """The wish with another name in the place of one, or without it."""
    changed: dict[str, tuple[str, ...]] = {}
    for field in fields:
        names: list[str] = []
        for one in getattr(wish, field):
            names += instead if one == name else [one]
        changed[field] = tuple(names)
    return replace(wish, **changed)  # type: ignore[arg-type]  # each of these fields is a tuple


def _spot(line: str, name: str, wish: Wish, fields: Sequence[str]) -> tuple[int, int]:
    """Where a name stands in the printed wish."""
    field = next(field for field in fields if name in getattr(wish, field))
    term = _written(Wish(**{field: (name,)}))  # type: ignore[arg-type]  # likewise
    start = max(line.find(term), 0)
    return start + term.index(":") + 1, start + len(term)


def _written(wish: Wish) -> str:
    """The line that asks for this, with days as they are now."""
    return printed(wish, Reader(datetime.now(UTC)))


def _block(text: str) -> str:
    """A block of code. A stranger's text can't end it."""
    return f"```\n{text.replace('```', 'ˋˋˋ')}\n```"


# ---- how a line was understood


def read_as_minus(read: str, minus: str) -> str:
    """Words of the line that were read as a minus."""
    return _("I read “{read}” as: less of “{minus}”.").format(
        read=quoted(read, 60), minus=quoted(minus, 60)
    )


def words_not_read(pictures: int) -> str:
    """Pictures that the reader may see and in which nobody has looked for words."""
    return plural(
        "I have not read the words in {n} picture here, so some may be missing.",
        "I have not read the words in {n} pictures here, so some may be missing.",
        pictures,
    )


def limits(asked: Asked, *, exact: bool = True) -> str:
    """What an answer is limited to, and what it shows less of, as it is typed; "" for nothing.

    exact   with the exact words, which some headings have already

    Members and channels are mentioned, so each reader sees their names as far as they may.
    """
    filter = asked.filter or Filter(0)
    wish = Wish(
        minus=asked.minus,
        exact=filter.says if exact else (),
        since=filter.since,
        until=filter.until,
        has=filter.has,
        not_has=filter.has_not,
    )
    named = [
        *(f"from:<@{id}>" for id in sorted(filter.owners or ())),
        *(f"-from:<@{id}>" for id in sorted(filter.but_owners)),
        *(f"in:<#{id}>" for id in asked.places),
        *(f"-in:<#{id}>" for id in asked.not_places),
    ]
    return " ".join([*named, quoted(_written(wish))]).strip()
