"""What people are called in a server. Discord tells it only when it is asked.

The bot keeps no list of members, which would need a further intent. It asks for the names of single
people, and keeps them in memory for a few minutes.

https://docs.discord.com/developers/events/gateway-events#request-guild-members
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

import discord
from cachetools import LRUCache, TTLCache
from discord.app_commands import Cooldown

from bot.ops.logs import fields
from bot.platform.codes import RequestFailed
from bot.platform.unreadable import readable

log = logging.getLogger(__name__)

REMEMBERED, REMEMBERED_S = 20_000, 600.0  # names
AT_ONCE = 100  # people in one request of the gateway: Discord's limit
# People who left the server cost a request each, so no more than these are looked up at once.
LEFT_AT_ONCE = 8
TIMEOUT_S = 1.5
# Requests by a server's gateway connection: Discord allows 120 a minute, for everything. A member
# may use a third of a server's, so that names are known to the others, too.
LOOKUPS, OF_A_MEMBER, MINUTE_S = 60, 20, 60.0
SERVERS, ASKERS = 10_000, 100_000


@dataclass(frozen=True, slots=True)
class Called:
    """What somebody is called: in this server, and everywhere.

    username   there is only one of it
    """

    id: int
    shown: str
    username: str
    names: tuple[str, ...]  # all of them, each once


class Members:
    """Looks up what people are called, by their ids or by how their name begins."""

    def __init__(self, client: discord.Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: TTLCache[tuple[int, int], Called] = TTLCache(
            REMEMBERED, REMEMBERED_S, timer=clock
        )
        self._of_servers: LRUCache[int, Cooldown] = LRUCache(SERVERS)
        self._of_members: LRUCache[tuple[int, int], Cooldown] = LRUCache(ASKERS)

    async def called(self, asker: discord.Member, ids: Sequence[int]) -> dict[int, Called]:
        """What the first `AT_ONCE` of these people are called in the asker's server, as far as
        Discord tells.

        People who left the server are called by the names they have elsewhere.
        """
        guild, wanted = asker.guild, list(dict.fromkeys(ids))[:AT_ONCE]
        unknown = [id for id in wanted if (guild.id, id) not in self._known]
        if unknown:
            asking = guild.query_members(user_ids=unknown, limit=AT_ONCE, cache=False)
            there = await self._ask(asker, asking)
            if there is not None:
                left = set(unknown) - {member.id for member in there}
                await self._look_up_left(guild, [id for id in unknown if id in left])
        known = {id: self._known.get((guild.id, id)) for id in wanted}
        return {id: called for id, called in known.items() if called is not None}

    async def beginning(
        self, asker: discord.Member, typed: str, among: Collection[int]
    ) -> dict[int, Called]:
        """The members whose names begin so, of those in `among`. Nothing is kept of others."""
        guild = asker.guild
        asking = guild.query_members(query=typed, limit=AT_ONCE, cache=False)
        await self._ask(asker, asking, among)
        return {
            id: called
            for id in among
            if (called := self._known.get((guild.id, id))) is not None
            and any(name.casefold().startswith(typed.casefold()) for name in called.names)
        }

    async def _ask(
        self,
        asker: discord.Member,
        asking: Awaitable[list[discord.Member]],
        among: Collection[int] | None = None,
    ) -> list[discord.Member] | None:
        """What Discord answers; None if it doesn't, or has been asked too often."""
        guild = asker.guild
        if not self._may_ask(asker):
            asking.close()  # type: ignore[attr-defined]  # a coroutine that nothing runs
            log.warning(fields("names_not_asked", guild=guild.id, reason="too often"))
            return None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await asking
        except (*RequestFailed, discord.ClientException, RuntimeError) as error:
            log.warning(fields("names_unknown", guild=guild.id, reason=repr(error)))
            return None
        for member in found:
            if among is None or member.id in among:
                self._known[guild.id, member.id] = called_of(member)
        return found

    def _may_ask(self, asker: discord.Member) -> bool:
        """Count a look-up, if this member and this server have some left."""
        now, server = self._clock(), asker.guild.id
        own = self._of_members.setdefault((server, asker.id), Cooldown(OF_A_MEMBER, MINUTE_S))
        all_ = self._of_servers.setdefault(server, Cooldown(LOOKUPS, MINUTE_S))
        if not own.get_tokens(now) or not all_.get_tokens(now):
            return False
        own.update_rate_limit(now)
        all_.update_rate_limit(now)
        return True

    async def _look_up_left(self, guild: discord.Guild, ids: Sequence[int]) -> None:
        async def look_up(id: int) -> None:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    user = await readable(self._client.fetch_user(id))
            except RequestFailed as error:
                log.info(fields("name_unknown", user=id, reason=repr(error)))
                return
            self._known[guild.id, id] = called_of(user)

        await asyncio.gather(*(look_up(id) for id in ids[:LEFT_AT_ONCE]))


def called_of(person: discord.Member | discord.User) -> Called:
    """What somebody is called, as Discord has just told."""
    names = (person.display_name, person.global_name, person.name)
    distinct = tuple(dict.fromkeys(name for name in names if name))
    return Called(person.id, person.display_name, person.name, distinct)
