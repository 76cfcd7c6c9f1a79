"""The sentences about copies: "Posted before?", and notes under what was posted before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from discord.abc import GuildChannel

from bot.languages.speech import _, listed, number, plural
from bot.text.pieces import command, fitting, name_of, permission_names

# Each place is looked at again when the answer leaves, so no more are counted: 2 µs each.
MOST_TIMES = 1_000


def first() -> str:
    return _("First")


def look_alikes() -> str:
    return _("These look like it, but are not copies:")


def only_look_alikes() -> str:
    return _("What I found looks like it, but is no copy:")


def posted_since() -> str:
    return _("Posted again since then:")


def gone() -> str:
    return _("What I found was closed or deleted just now. Please ask again.")


def unreachable() -> str:
    return _(
        "I found copies, but Discord did not let me read their messages just now. "
        "Please ask again in a minute."
    )


def reply_to_a_picture() -> str:
    """The words of the reply are English in every language, since they are read as such."""
    return _(
        "Reply to the picture that you mean with {reply}, or right-click its message "
        "→ Apps → **{menu}**"
    ).format(reply="`@Magpie posted before?`", menu=_("Posted before?"))


def only_shared() -> str:
    """It is below each public answer, whether or not anything was left out."""
    return _(
        "Here I tell only what everyone in this channel may see. The button tells you all that you "
        "can read."
    )


def details() -> str:
    return _("More, only for me")


def menu() -> str:
    return _("For moderators: correct this")


def not_a_copy(numbered: int, posted: str) -> str:
    """An option of the menu; `posted` is who posted the picture, and where."""
    return _("Not a copy: {number} · {posted}").format(number=number(numbered), posted=posted)


def a_copy_after_all(posted: str) -> str:
    return _("A copy after all: {posted}").format(posted=posted)


def let_pass() -> str:
    return _("Let it pass: no notes under it here")


def note_again() -> str:
    return _("No longer let it pass here")


def not_a_moderator() -> str:
    return _(
        "Only somebody who may manage messages in the channel of the picture, or manage the "
        "server, can do that."
    )


def said_not_a_copy() -> str:
    return _("Noted: I no longer count that one as a copy. The menu takes it back.")


def said_a_copy() -> str:
    return _("Noted: I decide again by what I see.")


def said_passes() -> str:
    return _("Noted: it passes, so I write no more notes under it here. The menu takes it back.")


def said_note_again() -> str:
    return _("Noted: I write notes under it here again.")


def heading(before: int, later: int = 0) -> str:
    """Whether, and how often, a picture was posted before, and again since then."""
    if not before and not later:
        return _("Not posted before")
    if not before:
        return _("Not posted before, and {times} since").format(times=times(later))
    if not later:
        return _("Posted before: {times}").format(times=times(before))
    return _("Posted before: {times}, and {later} since").format(
        times=times(before), later=times(later)
    )


def none_before(*, public: bool) -> str:
    """No copy of a picture is older."""
    if public:
        return _("I found no earlier copy of it in the channels that everyone here can read.")
    return _("I found no earlier copy of it in the channels that you can read.")


def times(count: int) -> str:
    told = {1: _("once"), 2: _("twice")}.get(count) or plural("{n} time", "{n} times", count)
    return _("{times} or more").format(times=told) if count >= MOST_TIMES else told


def edited(kind: str, edits: Collection[str] | None = None) -> str:
    """How the newer of two copies differs from the older one.

    kind, edits   of `index.Copy`; None: it isn't known
    """
    if kind == "exact":
        return _("the same picture")
    if edits is None:
        return _("edited")
    told = {  # in this order
        "cropped": _("cropped"),
        "framed": _("with more around it"),
        "mirrored": _("mirrored"),
        "turned": _("turned"),
        "grey": _("made grey"),
    }
    done = [said for edit, said in told.items() if edit in edits]
    return _("edited: {how}").format(how=listed(done)) if done else _("resized or saved again")


def span(first: int, last: int, total: int) -> str:
    """Which of the places are on this page, counted from 1, oldest first."""
    return _("{first}–{last} of {total}, oldest first").format(
        first=number(first), last=number(last), total=number(total)
    )


def several_pictures(chosen: int, count: int) -> str:
    return _("The message shows {count} pictures; this is about number {chosen}.").format(
        count=number(count), chosen=number(chosen + 1)
    )


# ---- notes


def note(before: int, where: str) -> str:
    """The note under a picture: small print.

    where   the first place: by whom, in which channel, when, and the link
    """
    said = _("Posted before, {times}; first by {where}").format(times=times(before), where=where)
    return f"-# {said}"


def notes_are_on(channel: GuildChannel, people: int) -> str:
    return _(
        "When somebody posts a picture in {channel} that was posted before, I will say "
        "so quietly below it. I tell only what everyone there may see. Stickers get no note, nor "
        "does what {people} different members have posted."
    ).format(channel=name_of(channel), people=number(people))


def notes_are_off(channel: GuildChannel) -> str:
    return _("I write no more notes in {channel}. Those that are there stay.").format(
        channel=name_of(channel)
    )


def no_notes_there(channel: GuildChannel) -> str:
    return _("I write no notes in {channel}. {list} shows where I do.").format(
        channel=name_of(channel), list=command("reposts list")
    )


def notes_by_category(channel: GuildChannel, category: GuildChannel) -> str:
    return _(
        "I write notes in {channel} because I do so in all of {category}. "
        "Turn them off for the category."
    ).format(channel=name_of(channel), category=name_of(category))


def not_watched(channel: GuildChannel) -> str:
    return _(
        "I don’t watch {channel}, so I don’t know its pictures. Add it with {add} first."
    ).format(channel=name_of(channel), add=command("channels add"))


def cannot_write(channel: GuildChannel, missing: Collection[str]) -> str:
    return plural(
        "I can’t write in {channel}: I am missing the permission {permissions}. Give it to my role "
        "in the channel’s settings under Permissions, then try again.",
        "I can’t write in {channel}: I am missing the permissions {permissions}. Give them to my "
        "role in the channel’s settings under Permissions, then try again.",
        len(missing),
    ).format(channel=name_of(channel), permissions=permission_names(missing))


def no_notes() -> str:
    """It is the same whether or not there are notes in a channel that the admin can't see."""
    return _(
        "I write notes in no channel that you can see. {on} lets me say quietly, under a "
        "picture, that it was posted before."
    ).format(on=command("reposts on"))


def noted_channels(rows: Sequence[tuple[GuildChannel, int]]) -> str:
    """The channels and categories with notes, each with the members from which on there is none."""
    if not rows:
        return no_notes()
    lines = [_("I say quietly that a picture was posted before, in")]
    for channel, people in rows:
        said = plural(
            "{channel}, unless {n} member have posted it",
            "{channel}, unless {n} members have posted it",
            people,
        )
        lines.append("- " + said.format(channel=name_of(channel)))
    return fitting(lines)
