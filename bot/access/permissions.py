"""Which groups of the gallery a member may read at this moment.

Discord computes permissions from the member's roles and the channel's overwrites. The roles come
with the interaction or the message, and the overwrites from the guild's state, so no member cache
is needed. A group counts as not readable if that can't be decided.

https://docs.discord.com/developers/topics/permissions
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Hashable, Iterable

import discord
from discord.abc import GuildChannel

from bot.access.audience import Audience
from bot.ops.logs import fields
from bot.platform.codes import RequestFailed
from bot.platform.refusal import Refusal
from bot.platform.state import permissions_known
from bot.text import answers as text
from index import Group

log = logging.getLogger(__name__)

# Each private thread costs a request for its membership, and Discord allows 50 requests a second in
# all. Private threads beyond the newest ones count as not readable, so that nobody waits for them.
MAX_PRIVATE_THREADS = 50
PRIVATE_THREADS_AT_ONCE = 8

# The permissions that reading a channel's history needs. They are also kept as numbers: a question
# checks every channel, and checking them by name took a third of its time.
IN_TEXT = ("view_channel", "read_message_history")
IN_VOICE = (*IN_TEXT, "connect")
VOICE = (discord.ChannelType.voice, discord.ChannelType.stage_voice)
ALL_IN_TEXT, ALL_IN_VOICE = (
    discord.Permissions(**dict.fromkeys(names, True)) for names in (IN_TEXT, IN_VOICE)
)


async def readable(
    client: discord.Client,
    member: discord.Member,
    guild: discord.Guild,
    asked_in: object,
    groups: Iterable[Group],
) -> set[int]:
    """Ids of the `groups` that `member` may read at this moment.

    A channel needs View Channel and Read Message History, text in a voice channel Connect
    as well. A thread follows its parent; a private one also needs membership or Manage
    Threads. Age-restricted groups count only when `asked_in` is age-restricted too.
    Guests, who were invited to one voice channel, read only that one; their roles don't show it.
    During an outage of the server no group is readable: Discord announces no changes then, so a
    member may have lost a permission. The same holds for a channel whose newest announcement could
    not be read.
    """
    allowed, private = known(member, guild, asked_in, groups)
    return allowed | await joined(client, member, private)


def known(
    member: discord.Member, guild: discord.Guild, asked_in: object, groups: Iterable[Group]
) -> tuple[set[int], list[Group]]:
    """What of `readable` is known without asking Discord.

    returns  ids of the groups that are readable, and the private threads that are if the member has
             joined them
    """
    if guild.unavailable:
        return set(), []
    adult = is_age_restricted(guild, asked_in)
    here, guest = _channel_of(guild, asked_in), member.flags.guest
    channels: dict[int, discord.Permissions | None] = {}  # a forum's posts share one
    computed: dict[Hashable, discord.Permissions] = {}
    allowed: set[int] = set()
    private: list[Group] = []
    for group in groups:
        channel = permission_channel(guild, group)
        if channel is None or (guest and channel != here):
            continue
        if channel.id not in channels:
            channels[channel.id] = _reading(channel, member, adult, computed)
        permissions = channels[channel.id]
        if permissions is None:
            continue
        if is_private(guild, group) and not permissions.manage_threads:
            private.append(group)
        else:
            allowed.add(group.id)
    return allowed, private


def _reading(
    channel: GuildChannel,
    member: discord.Member,
    adult: bool,
    computed: dict[Hashable, discord.Permissions],
) -> discord.Permissions | None:
    """The permissions of `member` in `channel`; None if they don't include reading its history.

    computed   those of the member in other channels at this moment, by what they follow from
    """
    if not permissions_known(channel):
        return None
    if _is_nsfw(channel) and not adult:
        return None
    given_by = _given_by(channel)
    permissions = computed.get(given_by)
    if permissions is None:
        permissions = computed[given_by] = channel.permissions_for(member)
    needed = ALL_IN_VOICE if _is_voice(channel) else ALL_IN_TEXT
    return permissions if permissions >= needed else None


def _given_by(channel: GuildChannel) -> Hashable:
    """All of a channel that a member's permissions in it follow from. Most channels of a server
    have the overwrites of their category, or none."""
    overwrites = [(one.id, one.type, one.allow, one.deny) for one in channel._overwrites]
    return (channel.type, *overwrites)


def shared_with_everyone_here(
    guild: discord.Guild, channel: object, groups: Iterable[Group]
) -> set[int]:
    """Ids of the `groups` that everyone who can view `channel` may read as well.

    An answer in `channel` may show only these. Members' roles are unknown. So a group passes only
    if no possible member (with any combination of roles, and each person named in an overwrite)
    could view `channel` and not read the group; see `audience`.
    """
    here = _channel_of(guild, channel)
    if here is None or not permissions_known(here):
        return set()
    adult = is_age_restricted(guild, channel)
    audience = Audience(guild, here)
    verdicts: dict[int, bool] = {}  # by the channel whose permissions count
    shared: set[int] = set()
    for group in groups:
        there = permission_channel(guild, group)
        if there is None or not permissions_known(there) or (_is_nsfw(there) and not adult):
            continue
        if is_private(guild, group) and group.id != getattr(channel, "id", None):
            continue  # its members are not those of this channel
        if _is_voice(here) and there != here:
            continue  # guests may be there, who can see nothing else
        if there.id not in verdicts:
            # Members who read the text of a voice channel can connect to it.
            needs = IN_VOICE if _is_voice(there) and there != here else IN_TEXT
            verdicts[there.id] = audience.all_have(needs, there)
        if verdicts[there.id]:
            shared.add(group.id)
    return shared


def refuse_in_outage(guild: discord.Guild) -> None:
    """Refuse to show anything while Discord doesn't tell what happens in the server.

    raises   Refusal
    """
    if guild.unavailable:
        raise Refusal(text.outage)


def sees(member: discord.Member, channel: GuildChannel | None) -> bool:
    """Whether `member` may know of a channel or category; not if that is unknown, as during an
    outage."""
    if channel is None or channel.guild.unavailable or not permissions_known(channel):
        return False
    return not member.flags.guest and channel.permissions_for(member).view_channel


def seen_by_everyone_here(
    guild: discord.Guild, channel: object, there: GuildChannel | None
) -> bool:
    """Whether everyone who can view `channel` may know of the channel or category `there`."""
    here = _channel_of(guild, channel)
    if here is None or there is None or guild.unavailable or not permissions_known(there):
        return False
    if _is_voice(here) and there != here:
        return False  # guests may be there, who can see nothing else
    return Audience(guild, here).all_have(("view_channel",), there)


def permission_channel(guild: discord.Guild, group: Group) -> GuildChannel | None:
    """The channel whose permissions count for `group`: itself, or a thread's parent.

    discord.py does not cache archived threads, so the parent in the gallery is used for them.
    """
    thread = guild.get_thread(group.id)
    parent = thread.parent_id if thread is not None else group.parent
    return guild.get_channel(parent if parent is not None else group.id)


def is_private(guild: discord.Guild, group: Group) -> bool:
    thread = guild.get_thread(group.id)
    return group.private or (thread is not None and thread.is_private())


def is_age_restricted(guild: discord.Guild, place: object) -> bool:
    """Whether `place` is an age-restricted channel, or a thread of one."""
    channel = _channel_of(guild, place)
    return channel is not None and permissions_known(channel) and _is_nsfw(channel)


def _channel_of(guild: discord.Guild, place: object) -> GuildChannel | None:
    if isinstance(place, discord.Thread):
        return guild.get_channel(place.parent_id)
    return guild.get_channel(getattr(place, "id", 0))


def _is_nsfw(channel: GuildChannel) -> bool:
    return bool(getattr(channel, "nsfw", False))


def _is_voice(channel: GuildChannel) -> bool:
    return channel.type in VOICE  # `isinstance` takes ten times as long with discord.py's classes


async def joined(
    client: discord.Client, member: discord.Member, threads: Collection[Group]
) -> set[int]:
    """Ids of the private `threads` that `member` has joined; one request each."""
    newest = sorted(threads, key=lambda group: group.id, reverse=True)[:MAX_PRIVATE_THREADS]
    if len(newest) < len(threads):
        log.warning(
            fields("threads_unasked", private=len(threads), asked=len(newest), member=member.id)
        )
    at_once = asyncio.Semaphore(PRIVATE_THREADS_AT_ONCE)

    async def has_joined(thread: Group) -> bool:
        async with at_once:
            try:
                await client.http.get_thread_member(thread.id, member.id)
            except RequestFailed as error:
                if getattr(error, "status", None) not in (403, 404):  # not a member is 404
                    log.warning(fields("members_unread", thread=thread.id, reason=repr(error)))
                return False
            return True

    answers = await asyncio.gather(*(has_joined(thread) for thread in newest))
    return {thread.id for thread, is_member in zip(newest, answers, strict=True) if is_member}
