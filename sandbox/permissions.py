"""Permissions, computed step by step as in Discord's documentation.

source  "Permissions" in Discord's developer documentation: base permissions (the everyone role,
        then the member's roles), overwrites (for everyone, then for all roles together, then for
        the member), and implicit permissions

The bot under test computes permissions itself. This module shares no code with it, so that one can
check the other.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import Channel, Guild, Member

KICK_MEMBERS = 1 << 1
ADMINISTRATOR = 1 << 3
MANAGE_CHANNELS = 1 << 4
MANAGE_GUILD = 1 << 5
ADD_REACTIONS = 1 << 6
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
SEND_TTS_MESSAGES = 1 << 12
MANAGE_MESSAGES = 1 << 13
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
CONNECT = 1 << 20
MANAGE_NICKNAMES = 1 << 27
MANAGE_ROLES = 1 << 28
USE_APPLICATION_COMMANDS = 1 << 31
MANAGE_THREADS = 1 << 34
CREATE_PUBLIC_THREADS = 1 << 35
CREATE_PRIVATE_THREADS = 1 << 36
SEND_MESSAGES_IN_THREADS = 1 << 38
MODERATE_MEMBERS = 1 << 40
SEND_POLLS = 1 << 49
PIN_MESSAGES = 1 << 51


ALL = (1 << 53) - 1

# What everybody may do in their direct messages.
DIRECT = VIEW_CHANNEL | SEND_MESSAGES | READ_MESSAGE_HISTORY | EMBED_LINKS | ATTACH_FILES
DIRECT |= ADD_REACTIONS | USE_APPLICATION_COMMANDS | SEND_POLLS | PIN_MESSAGES

# Without Send Messages, these have no effect in a channel ("Implicit permissions").
NEEDS_SENDING = MENTION_EVERYONE | SEND_TTS_MESSAGES | ATTACH_FILES | EMBED_LINKS

# All permissions that a timed-out member keeps. Owners and administrators keep everything.
KEPT_IN_A_TIMEOUT = VIEW_CHANNEL | READ_MESSAGE_HISTORY


def in_guild(guild: Guild, member: Member) -> int:
    """The member's permissions in the guild: owner, roles, administrator."""
    if guild.owner_id == member.user_id:
        return ALL
    permissions = guild.roles[guild.id].permissions
    for role_id in member.roles:
        if role_id in guild.roles:
            permissions |= guild.roles[role_id].permissions
    if permissions & ADMINISTRATOR:
        return ALL
    return permissions & KEPT_IN_A_TIMEOUT if _is_timed_out(member) else permissions


def in_channel(guild: Guild, member: Member, channel: Channel) -> int:
    """The member's permissions in a channel, with implicit ones applied.

    A thread has the overwrites of its parent, and Send Messages in Threads replaces Send Messages.
    Without View Channel there are no permissions.
    """
    permissions = in_guild(guild, member)
    if permissions & ADMINISTRATOR:
        return ALL
    home = channel if channel.thread is None else guild.channels.get(channel.parent_id or 0)
    if home is None:
        return 0
    permissions = _overwrite(guild, member, home, permissions)
    if _is_timed_out(member):
        permissions &= KEPT_IN_A_TIMEOUT
    if not permissions & VIEW_CHANNEL:
        return 0
    if channel.thread is not None and permissions & SEND_MESSAGES_IN_THREADS:
        return permissions | SEND_MESSAGES
    if channel.thread is not None:
        permissions &= ~SEND_MESSAGES
    return permissions if permissions & SEND_MESSAGES else permissions & ~NEEDS_SENDING


def may_see(guild: Guild, member: Member, channel: Channel) -> bool:
    """Whether the member can see the channel.

    It needs View Channel. A voice channel's text also needs Connect, and a private thread also
    needs membership or Manage Threads.
    """
    permissions = in_channel(guild, member, channel)
    if not permissions & VIEW_CHANNEL:
        return False
    if channel.is_private_thread and channel.thread is not None:
        return member.user_id in channel.thread.members or bool(permissions & MANAGE_THREADS)
    return True


def may_read(guild: Guild, member: Member, channel: Channel) -> bool:
    """Whether the member may read new messages: `may_see`, and Connect in a voice channel."""
    if not may_see(guild, member, channel):
        return False
    return not channel.is_voice or bool(in_channel(guild, member, channel) & CONNECT)


def _is_timed_out(member: Member) -> bool:
    return member.timed_out_until > time.time()


def _overwrite(guild: Guild, member: Member, channel: Channel, permissions: int) -> int:
    """Permissions after the overwrites, in the documented order: everyone, roles, the member."""
    overwrites = {overwrite.id: overwrite for overwrite in channel.overwrites}
    if everyone := overwrites.get(guild.id):
        permissions = permissions & ~everyone.deny | everyone.allow
    of_roles = [overwrites[role] for role in member.roles if role in overwrites]
    allow = deny = 0
    for overwrite in of_roles:
        allow |= overwrite.allow
        deny |= overwrite.deny
    permissions = permissions & ~deny | allow
    if own := overwrites.get(member.user_id):
        permissions = permissions & ~own.deny | own.allow
    return permissions
