"""What `/channels` answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import discord
from discord.abc import GuildChannel

from bot.text.pieces import counted, fitting, i_miss, name_of

# It is the same whether or not a channel is watched that the admin can't see.
NONE_TO_LIST = (
    "I watch no channel that you can see. Add one with `/channels add`, and I will index the "
    "pictures posted in it, old ones too."
)
NO_SUCH_CHANNEL = "I find no such channel, or it is closed to you."


def now_watched(
    channel: GuildChannel, open_: int, closed: Mapping[GuildChannel, Sequence[str]]
) -> str:
    """A channel or category was added; `open_` channels of it can be read."""
    if isinstance(channel, discord.CategoryChannel):
        first = f"I watch all of {name_of(channel)} now ({counted(open_, 'channel')})"
        first += ", and channels that join it later."
    else:
        first = f"I watch {name_of(channel)} now, with its threads."
    rest = (
        " New pictures are searchable within seconds; of what was posted before I am reading "
        "the newest first. `/status` shows how far I am, `/find` already works."
    )
    lines = [first + (rest if open_ else "")]
    lines += [f"- {name_of(place)}: I can’t read it; {i_miss(closed[place])}" for place in closed]
    return fitting(lines)


def cannot_read(channel: GuildChannel, missing: Iterable[str]) -> str:
    return (
        f"I can’t watch {name_of(channel)}: {i_miss(missing)} Give it to my role in the channel’s "
        "settings under Permissions, then add the channel again."
    )


def already_watched(channel: GuildChannel) -> str:
    return f"I watch {name_of(channel)} already. `/status` shows what is indexed."


def watched_by_category(channel: GuildChannel, category: GuildChannel) -> str:
    return f"I watch {name_of(channel)} already, since I watch all of {name_of(category)}."


def remove_the_category(channel: GuildChannel, category: GuildChannel) -> str:
    return (
        f"I watch {name_of(channel)} because I watch all of {name_of(category)}. Remove the "
        "category, or move the channel out of it."
    )


def not_watched(channel: GuildChannel) -> str:
    return f"I don’t watch {name_of(channel)}. `/channels list` shows what I do watch."


def none_inside(category: discord.CategoryChannel) -> str:
    """The same whether or not a channel of it is watched that the admin can't see."""
    return (
        f"I watch no channel of {name_of(category)} that you can see. "
        "`/channels list` shows what I do watch."
    )


def no_longer_watched(
    channel: GuildChannel, erased: int, kept: Collection[GuildChannel], any_erased: bool
) -> str:
    """A mark was removed.

    erased       how many pictures were erased
    kept         channels that another mark still covers
    any_erased   whether any channel was not covered any more
    """
    if kept and not any_erased:
        names = ", ".join(name_of(place) for place in kept)
        return f"Removed, but {names} is still watched in another way, so nothing was erased."
    lines = [
        f"I no longer watch {name_of(channel)}, and have erased what I had indexed from it "
        f"({counted(erased, 'picture')})."
    ]
    lines += [f"- {name_of(place)} is still watched by itself." for place in kept]
    return fitting(lines)


def watched_channels(
    rows: Sequence[tuple[GuildChannel, Sequence[tuple[GuildChannel, int]]]],
) -> str:
    """Each watched channel or category, with its channels and how many pictures each has."""
    if not rows:
        return NONE_TO_LIST
    lines = ["I watch"]
    for named, inside in rows:
        if isinstance(named, discord.CategoryChannel):
            lines.append(f"- all of {name_of(named)}")
            lines += [f"  - {name_of(place)}: {counted(n, 'picture')}" for place, n in inside]
        else:
            lines += [f"- {name_of(place)}: {counted(n, 'picture')}" for place, n in inside]
    return fitting(lines)
