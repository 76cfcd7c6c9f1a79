"""The sentences about copies: "Posted before?", and notes under what was posted before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from discord.abc import GuildChannel

from bot.text.pieces import counted, fitting, name_of, permission_names

# What was done to a picture, in the order in which it is told.
EDITS: Mapping[str, str] = {
    "cropped": "cropped",
    "framed": "with more around it",
    "mirrored": "mirrored",
    "turned": "turned",
    "grey": "made grey",
}
# Each place is looked at again when the answer leaves, so no more are counted: 2 µs each.
MOST_TIMES = 1_000

FIRST = "First"
SAME = "the same picture"
SAVED_AGAIN = "resized or saved again"
EDITED = "edited"

LOOK_ALIKES = "These look like it, but are not copies:"
ONLY_LOOK_ALIKES = "What I found looks like it, but is no copy:"
SINCE = "Posted again since then:"
GONE = "What I found was closed or deleted just now. Please ask again."
UNREACHABLE = (
    "I found copies, but Discord did not let me read their messages just now. "
    "Please ask again in a minute."
)
REPLY_TO_A_PICTURE = (
    "Reply to the picture that you mean with `@Magpie posted before?`, or right-click its message "
    "→ Apps → **Posted before?**"
)

# It is below each public answer, whether or not anything was left out.
ONLY_SHARED = (
    "Here I tell only what everyone in this channel may see. The button tells you all that you can "
    "read."
)
DETAILS = "More, only for me"

MENU = "For moderators: correct this"
NOT_A_COPY = "Not a copy:"
A_COPY_AFTER_ALL = "A copy after all:"
LET_PASS = "Let it pass: no notes under it here"
NOTE_AGAIN = "No longer let it pass here"
NOT_A_MODERATOR = (
    "Only somebody who may manage messages in the channel of the picture, or manage the server, "
    "can do that."
)

SAID_NOT_A_COPY = "Noted: I no longer count that one as a copy. The menu takes it back."
SAID_A_COPY = "Noted: I decide again by what I see."
SAID_PASSES = "Noted: it passes, so I write no more notes under it here. The menu takes it back."
SAID_NOTE_AGAIN = "Noted: I write notes under it here again."


def heading(before: int) -> str:
    """Whether, and how often, a picture was posted before."""
    if not before:
        return "Not posted before"
    return f"Posted before: {times(before)}"


def none_before(*, public: bool) -> str:
    """No copy of a picture is older."""
    where = "that everyone here can read" if public else "that you can read"
    return f"I found no earlier copy of it in the channels {where}."


def since(later: int) -> str:
    """How often a picture was posted again."""
    return f"and {times(later)} since"


def times(number: int) -> str:
    told = {1: "once", 2: "twice"}.get(number, f"{number:,} times")
    return f"{told} or more" if number >= MOST_TIMES else told


def edited(kind: str, edits: Collection[str] | None = None) -> str:
    """How the newer of two copies differs from the older one.

    kind, edits   of `index.Copy`; None: it isn't known
    """
    if kind == "exact":
        return SAME
    if edits is None:
        return EDITED
    done = [word for edit, word in EDITS.items() if edit in edits]
    return f"{EDITED}: {', '.join(done)}" if done else SAVED_AGAIN


def span(first: int, last: int, total: int) -> str:
    """Which of the places are on this page, counted from 1, oldest first."""
    return f"{first:,}–{last:,} of {total:,}, oldest first"


def several_pictures(chosen: int, count: int) -> str:
    return f"The message shows {count} pictures; this is about number {chosen + 1}."


# ---- notes


def note(before: int, where: str) -> str:
    """The note under a picture: small print.

    where   the first place: by whom, in which channel, when, and the link
    """
    return f"-# Posted before, {times(before)}; first by {where}"


def notes_are_on(channel: GuildChannel, people: int) -> str:
    return (
        f"When somebody posts a picture in {name_of(channel)} that was posted before, I will say "
        "so quietly below it. I tell only what everyone there may see. Stickers get no note, nor "
        f"does what {people} different members have posted."
    )


def notes_are_off(channel: GuildChannel) -> str:
    return f"I write no more notes in {name_of(channel)}. Those that are there stay."


def no_notes_there(channel: GuildChannel) -> str:
    return f"I write no notes in {name_of(channel)}. `/reposts list` shows where I do."


def notes_by_category(channel: GuildChannel, category: GuildChannel) -> str:
    return (
        f"I write notes in {name_of(channel)} because I do so in all of {name_of(category)}. "
        "Turn them off for the category."
    )


def not_watched(channel: GuildChannel) -> str:
    return (
        f"I don’t watch {name_of(channel)}, so I don’t know its pictures. "
        "Add it with `/channels add` first."
    )


def cannot_write(channel: GuildChannel, missing: Iterable[str]) -> str:
    return (
        f"I can’t write in {name_of(channel)}: I am missing {permission_names(missing)}. Give it "
        "to my role in the channel’s settings under Permissions, then try again."
    )


# It is the same whether or not there are notes in a channel that the admin can't see.
NO_NOTES = (
    "I write notes in no channel that you can see. `/reposts on` lets me say quietly, under a "
    "picture, that it was posted before."
)


def noted_channels(rows: Sequence[tuple[GuildChannel, int]]) -> str:
    """The channels and categories with notes, each with the members from which on there is none."""
    if not rows:
        return NO_NOTES
    lines = ["I say quietly that a picture was posted before, in"]
    lines += [
        f"- {name_of(channel)}, unless {counted(people, 'member')} have posted it"
        for channel, people in rows
    ]
    return fitting(lines)
