"""What is offered while somebody types `/find`: channels, members, dates, and terms of the line.

Only what the asker may read at that moment is offered, and nothing else is even looked for: neither
a choice, nor its place, nor the time that it takes tells of other channels. Each key asks anew, so
this is kept cheap: private threads are left out, since Discord would have to be asked who is in
each of them; the one in which is asked is open.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

import discord
from cachetools import TTLCache
from discord.app_commands import Choice

from bot.access import permissions
from bot.ask import asker as askers
from bot.ask.asker import Asker
from bot.ask.members import Called, Members
from bot.ask.names import ME, Named, around, bare, known_places, people_named
from bot.ask.rate_limiter import RateLimiter
from bot.ops.logs import fields
from bot.ops.tuning import Clocks, Limits
from bot.platform.refusal import Refusal
from bot.platform.unreadable import described
from bot.text import suggestions as text
from index import Group, Links, Reader, Unreadable, Wish, combined, parse, printed, suggestions

log = logging.getLogger(__name__)

MOST = 25  # choices: Discord's limit
LETTERS = 100  # of a choice's name, and of its value: Discord's limit
AT_ONCE, OF_A_MEMBER_AT_ONCE = 24, 2  # being answered; a key beyond them gets no choices
TIMEOUT_S = 2.0  # Discord waits three seconds
MOMENTS = 1_000  # in which it is remembered whose pictures an asker may see

# A field at the end of a line that holds a name, and what is typed of the name so far.
_NAME = re.compile(
    r'(?:^|\s)-?(?P<field>from|in): ?(?P<name>"[^"]*|[^\s"]*)$',
    re.IGNORECASE,
)

Choices: TypeAlias = list[Choice[str]]
Interaction: TypeAlias = discord.Interaction[discord.Client]


class Suggestions:
    """Completes what is typed."""

    def __init__(self, links: Links, members: Members, clocks: Clocks, limits: Limits) -> None:
        self._links = links
        self._members = members
        self._rate_limiter = RateLimiter(limits.keys_a_minute)
        self._working: Counter[int] = Counter()  # by member
        self._owners: TTLCache[tuple[int, int, frozenset[int]], dict[int, int]] = TTLCache(
            MOMENTS, clocks.typing_s, timer=time.monotonic
        )

    async def answer(
        self, interaction: Interaction, complete: Callable[[Asker], Awaitable[Choices]]
    ) -> Choices:
        """What `complete` offers; nothing if it fails, takes too long, or is asked too often."""
        member = interaction.user.id
        busy = self._working.total() >= AT_ONCE or self._working[member] >= OF_A_MEMBER_AT_ONCE
        self._working[member] += 1
        try:
            asker = askers.of_interaction(interaction, public=False)
            self._rate_limiter.take(asker.guild.id, member)
            if busy or asker.guild.unavailable:
                return []
            async with asyncio.timeout(TIMEOUT_S):
                return _within_limits(await complete(asker))
        except Refusal:
            return []
        except Exception as error:
            log.warning(
                fields("nothing_suggested", guild=interaction.guild_id, why=described(error))
            )
            return []
        finally:
            self._working -= Counter({member: 1})  # without those who have nothing left

    # ---- what may be offered

    async def _groups(self, asker: Asker) -> list[Group]:
        """The groups with pictures that are open to the asker, as far as is known at once."""
        groups = await self._links.groups(asker.guild.id)
        open_ = _open(asker, groups)
        return [group for group in groups if group.id in open_]

    async def _people(self, asker: Asker, typed: str) -> list[Called]:
        """Members who have pictures there, those with most of them first."""
        groups = frozenset(group.id for group in await self._groups(asker))
        moment = (asker.guild.id, asker.member.id, groups)
        owners = self._owners.get(moment)
        if owners is None:
            owners = await self._links.owners(asker.guild.id, groups)
            self._owners[moment] = owners
        called = await self._members.called(asker.member, list(owners))
        if bare(typed) and len(called) < len(owners):
            called |= await self._members.beginning(asker.member, bare(typed), owners)
        return [called[id] for id in owners if id in called]

    async def _places(self, asker: Asker) -> list[Named]:
        """Channels, threads and categories with pictures, without those whose name is unknown."""
        guild, groups = asker.guild, await self._groups(asker)
        pictured = set().union(*(around(guild, group) for group in groups))
        known = known_places(guild, groups, lambda asked: _open(asker, asked))
        return [place for place in known if place.id in pictured and place.called]

    # ---- options

    async def authors(self, asker: Asker, typed: str) -> Choices:
        """For `from`: members. Their ids are the values, since names change and are not unique."""
        people = await self._people(asker, typed)
        mine = [Choice(name=text.you(), value=ME)] if asker.member.id in _ids(people) else []
        names = {one.id: text.member(one.shown, one.username) for one in people}
        chosen = _best(typed, people_named(people))
        return [
            *(mine if ME.startswith(bare(typed)) else []),
            *(Choice(name=names[one.id], value=f"<@{one.id}>") for one in chosen),
        ]

    async def places(self, asker: Asker, typed: str) -> Choices:
        """For `in`: channels, threads and categories."""
        chosen = _best(typed, await self._places(asker))
        return [
            Choice(name=text.place(asker.guild, one.id), value=f"<#{one.id}>") for one in chosen
        ]

    async def dates(self, field: str, typed: str, by: Reader) -> Choices:
        """For `after` and `before`: days, months and years in words and numbers.

        field   the option's name: what a date means depends on it
        """
        return await asyncio.to_thread(_dates, field, typed, by)

    async def line(self, asker: Asker, typed: str, by: Reader) -> Choices:
        """For `query`: the line with the field that is begun at its end, or with its value.

        Where words could also be what is meant, what is typed is the first choice, so that Enter
        takes nothing else.
        """
        named = _NAME.search(typed)
        if named is not None:
            before, name = typed[: named.start("name")], named["name"].strip('"')
            values = await self._names(asker, named["field"].lower(), name)
            return _lines([before + value for value in values])
        if not typed.strip() or typed[-1].isspace():
            return []
        ways = await asyncio.to_thread(suggestions, typed, by)
        begun = [way.line for way in ways]
        words = any(way.instead.endswith(":") for way in ways)
        return _lines([typed, *begun] if words else begun)

    async def _names(self, asker: Asker, field: str, typed: str) -> list[str]:
        """The names that may stand behind `from:` or `in:`, as they are written there."""
        if field == "from":
            people = people_named(await self._people(asker, typed))
            return [_written(Wish(authors=(one.shown,))) for one in _best(typed, people)]
        places = await self._places(asker)
        return [_written(Wish(places=(one.shown,))) for one in _best(typed, places)]


def _written(wish: Wish) -> str:
    """The value of the only field of a wish."""
    return printed(wish).partition(":")[2]


def _lines(lines: Iterable[str]) -> Choices:
    return [Choice(name=line, value=line) for line in lines if len(line) <= LETTERS]


def _dates(field: str, typed: str, by: Reader) -> Choices:
    wanted = " ".join(typed.split())
    words = [way.instead for way in suggestions(f"{field}:{wanted}", by)]
    numbers = [*_months(by.now), *(str(by.now.year - n) for n in range(MOST))]
    days = [wanted, *words, *(one for one in numbers if one.startswith(wanted))]
    read = {day: _moment(field, day, by) for day in dict.fromkeys(days[: 2 * MOST]) if day}
    return [
        Choice(name=text.date(field, day, moment), value=day)
        for day, moment in read.items()
        if moment is not None
    ]


def _months(now: datetime) -> list[str]:
    """This month and those before it, as 2024-05."""
    first = now.year * 12 + now.month - 1
    return [f"{month // 12}-{month % 12 + 1:02}" for month in range(first, first - 24, -1)]


def _moment(field: str, day: str, by: Reader) -> float | None:
    """When a day begins or ends that is typed for a field; None if it isn't one."""
    try:
        wish = parse(combined("", {field: day}), by)
    except Unreadable:
        return None
    return wish.since if wish.since is not None else wish.until


def _open(asker: Asker, groups: Iterable[Group]) -> set[int]:
    """Ids of the groups that are open to the asker, without asking Discord."""
    allowed, private = permissions.known(asker.member, asker.guild, asker.channel, groups)
    here = getattr(asker.channel, "id", 0)
    return allowed | {group.id for group in private if group.id == here}


def _ids(people: Iterable[Called]) -> set[int]:
    return {one.id for one in people}


def _best(typed: str, known: Sequence[Named]) -> list[Named]:
    """Those whose names begin as is typed, then those whose names have it in them."""
    wanted = bare(typed)
    begins = [one for one in known if any(name.startswith(wanted) for name in one.called)]
    holds = [one for one in known if any(wanted in name for name in one.called)]
    return list(dict.fromkeys([*begins, *holds]))[:MOST]


def _within_limits(choices: Choices) -> Choices:
    """The choices that Discord takes: not too many, none too long, none twice."""
    fitting = {choice.value: choice for choice in choices if 0 < len(choice.value) <= LETTERS}
    return [Choice(name=choice.name[:LETTERS], value=choice.value) for choice in fitting.values()][
        :MOST
    ]
