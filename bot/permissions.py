"""Which groups of a gallery somebody may see, right now.

Discord decides a channel's permissions from the member's roles and the channel's
overwrites; both come with the interaction or the message and from the guild's state,
so no member cache is needed. What cannot be decided is not readable.

https://docs.discord.com/developers/topics/permissions
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import discord
from discord.abc import GuildChannel

from bot.logs import fields
from index import Group

log = logging.getLogger(__name__)

# Membership of a private thread costs one request each (50 a second is Discord's limit for
# everything together). Beyond the newest ones of these, nobody waits: they are not readable.
MAX_PRIVATE_THREADS = 50
PRIVATE_THREADS_AT_ONCE = 8


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
    """
    adult = is_age_restricted(guild, asked_in)
    allowed: set[int] = set()
    private: list[Group] = []
    for group in groups:
        channel = permission_channel(guild, group)
        if channel is None or (_is_nsfw(channel) and not adult):
            continue
        permissions = channel.permissions_for(member)
        if not all(getattr(permissions, need) for need in _needs(channel)):
            continue
        if is_private(guild, group) and not permissions.manage_threads:
            private.append(group)
        else:
            allowed.add(group.id)
    return allowed | await _joined(client, member, private)


def shared_with_everyone_here(
    guild: discord.Guild, channel: object, groups: Iterable[Group]
) -> set[int]:
    """Ids of the `groups` that everyone who can view `channel` may read as well.

    What an answer in `channel` may show. Nobody's roles are looked up: a group passes only
    when no possible member (any combination of roles, and each person named in an
    overwrite) could view `channel` and not read the group. See `_somebody_misses`.
    """
    here = _channel_of(guild, channel)
    if here is None:
        return set()
    adult = is_age_restricted(guild, channel)
    verdicts: dict[int, bool] = {}  # by the channel whose permissions count
    shared: set[int] = set()
    for group in groups:
        there = permission_channel(guild, group)
        if there is None or (_is_nsfw(there) and not adult):
            continue
        if is_private(guild, group) and group.id != getattr(channel, "id", None):
            continue  # its members are not those of this channel
        if there.id not in verdicts:
            verdicts[there.id] = not any(
                _somebody_misses(guild, here, there, need) for need in _needs(there)
            )
        if verdicts[there.id]:
            shared.add(group.id)
    return shared


def permission_channel(guild: discord.Guild, group: Group) -> GuildChannel | None:
    """The channel whose permissions count for `group`: itself, or a thread's parent.

    Archived threads are not cached, so the parent kept with the group is what counts.
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
    return channel is not None and _is_nsfw(channel)


def _channel_of(guild: discord.Guild, place: object) -> GuildChannel | None:
    if isinstance(place, discord.Thread):
        return guild.get_channel(place.parent_id)
    return guild.get_channel(getattr(place, "id", 0))


def _is_nsfw(channel: GuildChannel) -> bool:
    return bool(getattr(channel, "nsfw", False))


def _needs(channel: GuildChannel) -> tuple[str, ...]:
    """The permissions without which messages of `channel` cannot be read back."""
    if isinstance(channel, discord.VoiceChannel | discord.StageChannel):
        return ("view_channel", "read_message_history", "connect")
    return ("view_channel", "read_message_history")


async def _joined(
    client: discord.Client, member: discord.Member, threads: Collection[Group]
) -> set[int]:
    """Ids of the private `threads` that `member` has joined; one request each."""
    newest = sorted(threads, key=lambda group: group.id, reverse=True)[:MAX_PRIVATE_THREADS]
    if len(newest) < len(threads):
        log.warning(
            fields("threads_unasked", private=len(threads), asked=len(newest), member=member.id)
        )
    at_once = asyncio.Semaphore(PRIVATE_THREADS_AT_ONCE)

    async def joined(thread: Group) -> bool:
        async with at_once:
            try:
                await client.http.get_thread_member(thread.id, member.id)
            except discord.HTTPException as error:
                if error.status not in (403, 404):  # not a member is 404
                    log.warning(fields("members_unread", thread=thread.id, reason=error))
                return False
            return True

    answers = await asyncio.gather(*(joined(thread) for thread in newest))
    return {thread.id for thread, is_member in zip(newest, answers, strict=True) if is_member}


# ── What everyone may see ────────────────────────────────────────────────────────────────


class Stance(NamedTuple):
    """What one role says about one permission in one channel."""

    base: bool  # the role's own permission
    overwrite: bool | None  # the channel's word for the role: allowed, denied, nothing


Trait = tuple[Stance, Stance]  # of a role: about viewing here, about the need there


def _somebody_misses(
    guild: discord.Guild, here: GuildChannel, there: GuildChannel, need: str
) -> bool:
    """Whether a member may exist who can view `here` and has no `need` in `there`.

    Over all sets of roles, two roles are always enough to show it: one that lets them view
    `here`, and one that denies `there`. Taking other roles away from such a member takes no
    denial from `here` that mattered (an allowing role outweighs any, and where none allows
    there was none) and gives nothing in `there`. So singles and pairs of roles decide, and
    only distinct ones: at most 36 kinds. Owner and administrators see everything.
    """
    everyone: Trait = _trait(guild.default_role, here, there, need)
    if guild.default_role.permissions.administrator:
        return False
    traits = {
        _trait(role, here, there, need)
        for role in guild.roles
        if not role.is_default() and not role.permissions.administrator
    }
    cases = [
        (_granted(everyone[0], [t[0] for t in held]), _granted(everyone[1], [t[1] for t in held]))
        for held in _up_to_two(traits)
    ]
    if any(views and not has for views, has in cases):
        return True
    for views_self, has_self in _personal(guild, here, there, need):
        # their own overwrite outweighs their roles, which are unknown: any may be theirs
        for views, has in cases:
            if (views if views_self is None else views_self) and not (
                has if has_self is None else has_self
            ):
                return True
    return False


def _up_to_two(traits: Collection[Trait]) -> Iterator[tuple[Trait, ...]]:
    return itertools.chain([()], ((trait,) for trait in traits), itertools.combinations(traits, 2))


def _trait(role: discord.Role, here: GuildChannel, there: GuildChannel, need: str) -> Trait:
    return (
        Stance(role.permissions.view_channel, here.overwrites_for(role).view_channel),
        Stance(getattr(role.permissions, need), getattr(there.overwrites_for(role), need)),
    )


def _granted(everyone: Stance, roles: Collection[Stance]) -> bool:
    """Discord's order: any role's allow, any role's deny, @everyone's word, the base."""
    words = {role.overwrite for role in roles}
    if True in words:
        return True
    if False in words:
        return False
    if everyone.overwrite is not None:
        return everyone.overwrite
    return everyone.base or any(role.base for role in roles)


def _personal(
    guild: discord.Guild, here: GuildChannel, there: GuildChannel, need: str
) -> Iterator[tuple[bool | None, bool | None]]:
    """What overwrites for single persons say: about viewing `here`, about `need` in `there`.

    The owner sees everything; the bot itself is no reader.
    """
    says_here = {person: o.view_channel for person, o in _for_persons(here)}
    says_there = {person: getattr(o, need) for person, o in _for_persons(there)}
    exempt = {guild.owner_id, guild.me.id if guild.me else None}
    for person in (says_here.keys() | says_there.keys()) - exempt:
        yield says_here.get(person), says_there.get(person)


def _for_persons(channel: GuildChannel) -> Iterator[tuple[int, discord.PermissionOverwrite]]:
    for target, overwrite in channel.overwrites.items():
        is_role = isinstance(target, discord.Role) or getattr(target, "type", None) is discord.Role
        if not is_role:
            yield target.id, overwrite
