"""What `/channels` answers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import discord
from discord.abc import GuildChannel

from bot.languages.speech import _, both, joined, plural
from bot.text.pieces import command, fitting, headed, name_of, permission_names, pictures


def none_to_list() -> str:
    """It is the same whether or not a channel is watched that the admin can't see."""
    return _(
        "I watch no channel that you can see. Add one with {add}, and I will index the "
        "pictures posted in it, old ones too."
    ).format(add=command("channels add"))


def no_such_channel() -> str:
    return _("I find no such channel, or it is closed to you.")


def now_watched(
    channel: GuildChannel, open_: int, closed: Mapping[GuildChannel, Sequence[str]]
) -> str:
    """A channel or category was added; `open_` channels of it can be read."""
    if isinstance(channel, discord.CategoryChannel):
        first = plural(
            "I watch all of {name} now ({n} channel), and channels that join it later.",
            "I watch all of {name} now ({n} channels), and channels that join it later.",
            open_,
        )
    else:
        first = _("I watch {name} now, with its threads.")
    first = first.format(name=name_of(channel))
    if open_:
        rest = _(
            "New pictures are searchable within seconds; of what was posted before I am reading "
            "the newest first. {status} shows how far I am, {find} already works."
        )
        first = joined(first, rest.format(status=command("status"), find=command("find")))
    lines = [f"- {unreadable(place, missing)}" for place, missing in closed.items()]
    return fitting([first, *lines])


def unreadable(channel: GuildChannel, missing: Collection[str]) -> str:
    """A channel that is watched, and the permissions without which it can't be read."""
    return plural(
        "{channel}: I can’t read it; I am missing the permission {permissions}.",
        "{channel}: I can’t read it; I am missing the permissions {permissions}.",
        len(missing),
    ).format(channel=name_of(channel), permissions=permission_names(missing))


def cannot_read(channel: GuildChannel, missing: Collection[str]) -> str:
    return plural(
        "I can’t watch {channel}: I am missing the permission {permissions}. Give it to my role in "
        "the channel’s settings under Permissions, then add the channel again.",
        "I can’t watch {channel}: I am missing the permissions {permissions}. Give them to my role "
        "in the channel’s settings under Permissions, then add the channel again.",
        len(missing),
    ).format(channel=name_of(channel), permissions=permission_names(missing))


def already_watched(channel: GuildChannel) -> str:
    return _("I watch {channel} already. {status} shows what is indexed.").format(
        channel=name_of(channel), status=command("status")
    )


def watched_by_category(channel: GuildChannel, category: GuildChannel) -> str:
    return _("I watch {channel} already, since I watch all of {category}.").format(
        channel=name_of(channel), category=name_of(category)
    )


def remove_the_category(channel: GuildChannel, category: GuildChannel) -> str:
    return _(
        "I watch {channel} because I watch all of {category}. Remove the "
        "category, or move the channel out of it."
    ).format(channel=name_of(channel), category=name_of(category))


def not_watched(channel: GuildChannel) -> str:
    return _("I don’t watch {channel}. {list} shows what I do watch.").format(
        channel=name_of(channel), list=command("channels list")
    )


def none_inside(category: discord.CategoryChannel) -> str:
    """The same whether or not a channel of it is watched that the admin can't see."""
    return _(
        "I watch no channel of {category} that you can see. {list} shows what I do watch."
    ).format(category=name_of(category), list=command("channels list"))


def no_longer_watched(
    channel: GuildChannel, erased: int, kept: Collection[GuildChannel], any_erased: bool
) -> str:
    """A mark was removed.

    erased       how many pictures were erased
    kept         channels that another mark still covers
    any_erased   whether any channel was not covered any more
    """
    if kept and not any_erased:
        return plural(
            "Removed, but {channels} is still watched in another way, so nothing was erased.",
            "Removed, but {channels} are still watched in another way, so nothing was erased.",
            len(kept),
        ).format(channels=both(map(name_of, kept)))
    first = plural(
        "I no longer watch {channel}, and have erased what I had indexed from it ({n} picture).",
        "I no longer watch {channel}, and have erased what I had indexed from it ({n} pictures).",
        erased,
    )
    still = _("{channel} is still watched by itself.")
    lines = ["- " + still.format(channel=name_of(place)) for place in kept]
    return fitting([first.format(channel=name_of(channel)), *lines])


def watched_channels(
    rows: Sequence[tuple[GuildChannel, Sequence[tuple[GuildChannel, int]]]],
) -> str:
    """Each watched channel or category, with its channels and how many pictures each has."""
    if not rows:
        return none_to_list()
    lines = [_("I watch")]
    for named, inside in rows:
        if isinstance(named, discord.CategoryChannel):
            lines.append("- " + _("all of {category}").format(category=name_of(named)))
            lines += [f"  - {headed(name_of(place), pictures(count))}" for place, count in inside]
        else:
            lines += [f"- {headed(name_of(place), pictures(count))}" for place, count in inside]
    return fitting(lines)
