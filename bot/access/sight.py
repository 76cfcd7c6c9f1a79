"""What the readers of an answer may see, also when it leaves a while after the question.

What Discord announces is known at every moment: channels, their overwrites, the roles' permissions,
and outages. Two things it tells only when asked: the roles of a member, and who is in a private
thread. The roles come with the question, and count for `roles_fresh_s`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable

import discord

from bot.access import permissions
from bot.ops.tuning import Clocks
from bot.platform.codes import RequestFailed
from bot.platform.refusal import Refusal
from bot.platform.unreadable import readable
from bot.text import answers as text
from index import Group

ASK_TIMEOUT_S = 10.0  # discord.py would try for half a minute


class Sight:
    """What a member may see; for a public answer, only what everyone in its channel may see, too.

    member    with the roles that came with the question
    asked_at  when they came, by the monotonic clock
    public    whether everyone who can view `channel` reads the answer
    """

    def __init__(
        self,
        client: discord.Client,
        clocks: Clocks,
        member: discord.Member,
        channel: object,
        asked_at: float,
        *,
        public: bool,
    ) -> None:
        self._client = client
        self._clocks = clocks
        self._member = member
        self._space = member.guild.id
        self._channel = channel
        self._public = public
        self._joined: set[int] = set()  # private threads
        self._asked_at = asked_at

    @property
    def fresh(self) -> bool:
        """Whether what was asked of Discord still counts."""
        return time.monotonic() - self._asked_at <= self._clocks.roles_fresh_s

    @property
    def outage(self) -> bool:
        """Whether Discord doesn't tell now what happens in the server."""
        guild = self._client.get_guild(self._space)
        return guild is None or guild.unavailable

    async def look(self, groups: Collection[Group]) -> set[int]:
        """Ids of the `groups` that are open. Asks who is in private threads."""
        allowed, private = self._known(groups)
        self._joined |= await permissions.joined(self._client, self._member, private)
        return self._shared(allowed | self._joined_of(private), groups)

    def open(self, groups: Collection[Group]) -> set[int]:
        """Ids of the `groups` that are open at this moment, as far as is known without asking."""
        allowed, private = self._known(groups)
        return self._shared(allowed | self._joined_of(private), groups)

    def _joined_of(self, private: Iterable[Group]) -> set[int]:
        return {group.id for group in private} & self._joined

    def _shared(self, allowed: set[int], groups: Iterable[Group]) -> set[int]:
        """The allowed ones; for a public answer, those that all its readers may see."""
        guild = self._client.get_guild(self._space)
        if self._public and guild is not None:
            allowed &= permissions.shared_with_everyone_here(guild, self._channel, groups)
        return allowed

    def _known(self, groups: Iterable[Group]) -> tuple[set[int], list[Group]]:
        guild = self._client.get_guild(self._space)
        if guild is None:
            return set(), []
        return permissions.known(self._member, guild, self._channel, groups)

    async def renew(self, groups: Collection[Group]) -> None:
        """Ask Discord again for the member's roles, and who is in the private ones of `groups`.

        raises   Refusal if Discord doesn't tell
        """
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                _, private = self._known(groups)
                self._member, self._joined = await asyncio.gather(
                    readable(self._member.guild.fetch_member(self._member.id)),
                    permissions.joined(self._client, self._member, private),
                )
        except RequestFailed as error:
            raise Refusal(text.roles_unknown) from error
        self._asked_at = time.monotonic()
