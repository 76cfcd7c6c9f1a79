"""Names that people type → ids, among what the readers of the answer may see.

A name that means nothing to them, and one that only others may know of, get the same answer, by the
same work: everything else is left out before a name is looked for.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import discord
from discord.abc import GuildChannel

from bot.access.permissions import permission_channel
from bot.access.sight import Sight
from bot.ask.asker import Asker
from bot.ask.members import Called, Members
from bot.platform.places import Place, group_of
from bot.platform.refusal import Refusal
from bot.text import lines as text
from bot.text.answers import outage
from index import Group, Links, Wish, tidy

ME = "me"
MAX_NEAR = 3  # names that are suggested instead of an unknown one

_MENTION = re.compile(r"<(?:@!?|#)(\d{1,20})>|(\d{15,20})")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a name may mean.

    called  its names as they are compared (`bare`)
    shown   how it is written in a line, so that it is read as this again
    kind    what is meant where several have the same name: the smallest
    """

    id: int
    called: tuple[str, ...]
    shown: str
    kind: int = 0


@dataclass(frozen=True, slots=True)
class Meant:
    """The ids that the names of a wish mean. None, and (): there were none.

    places   channels, threads and categories
    """

    owners: frozenset[int] | None = None
    but_owners: frozenset[int] = frozenset()
    places: tuple[int, ...] = ()
    not_places: tuple[int, ...] = ()


class Names:
    """Reads the names of wishes."""

    def __init__(self, links: Links, members: Members) -> None:
        self._links = links
        self._members = members

    async def meant(self, asker: Asker, sight: Sight, wish: Wish) -> Meant:
        """What the names of a wish mean to those who will read the answer.

        raises   Refusal, which points at the first name that means nothing or several things
        """
        of_places, of_people = wish.places + wish.not_places, wish.authors + wish.not_authors
        if not of_places and not of_people:
            return Meant()
        if sight.outage:
            raise Refusal(outage)
        groups = await self._links.groups(asker.guild.id)
        await sight.look([*groups, *_own_thread(asker)])
        places: dict[str, int] = {}
        if of_places:
            known = known_places(asker.guild, groups, sight.open)
            places = {name: _place(name, known, wish) for name in of_places}
        people: dict[str, int] = {}
        if of_people:
            people = await self._people(asker, sight.open(groups), of_people, wish)
        return Meant(
            owners=frozenset(people[name] for name in wish.authors) or None,
            but_owners=frozenset(people[name] for name in wish.not_authors),
            places=tuple(places[name] for name in wish.places),
            not_places=tuple(places[name] for name in wish.not_places),
        )

    async def _people(
        self, asker: Asker, groups: Collection[int], names: Sequence[str], wish: Wish
    ) -> dict[str, int]:
        """Whom the names mean, of those who have pictures in these groups."""
        ids = {name: id for name in names if (id := _id_of(name, asker)) is not None}
        if len(ids) == len(names):
            return ids
        guild = asker.guild
        owners = await self._links.owners(guild.id, groups)
        called = await self._members.called(asker.member, list(owners))
        if owners and not called:
            raise Refusal(text.names_unknown)
        for name in names:
            if name in ids:
                continue
            meant = fitting(name, people_named(called.values()))
            if not meant:
                called |= await self._members.beginning(asker.member, bare(name), owners)
                meant = fitting(name, people_named(called.values()))
            if len(meant) != 1:
                known = people_named(called.values())
                raise _misnamed(name, meant, near(name, known), wish, people=True)
            ids[name] = meant[0].id
        return ids


def _own_thread(asker: Asker) -> list[Group]:
    """The thread in which is asked: whether it is open has to be known even without pictures."""
    return [group_of(asker.channel)] if isinstance(asker.channel, discord.Thread) else []


def _id_of(name: str, asker: Asker) -> int | None:
    """Whom a name means by itself: a mention, an id, or “me”."""
    if bare(name) == ME:
        return asker.member.id
    return _mentioned(name)


def _mentioned(name: str) -> int | None:
    found = _MENTION.fullmatch(name)
    return int(found[1] or found[2]) if found else None


def known_places(
    guild: discord.Guild, groups: Iterable[Group], open: Callable[[list[Group]], set[int]]
) -> list[Named]:
    """The channels and threads that are open, and the categories that have one of them.

    groups   those of the gallery: discord.py doesn't know archived threads
    open     says which of some groups are open
    """
    channels = [one for one in guild.channels if not isinstance(one, discord.CategoryChannel)]
    here: list[Place] = [*sorted(channels, key=_position), *guild.threads]
    by_id = {group.id: group for group in [*groups, *map(group_of, here)]}
    allowed = open(list(by_id.values()))
    named = [_place_named(place) for place in here if place.id in allowed]
    categories = {
        place.category.id: place.category
        for place in here
        if place.id in allowed and place.category is not None
    }
    named += [_place_named(category) for category in categories.values()]
    known = {one.id for one in named}
    named += [Named(id, (), f"<#{id}>") for id in sorted(allowed - known)]
    return _written_apart(named)


def narrowed(
    guild: discord.Guild, groups: Iterable[Group], places: Collection[int], but: Collection[int]
) -> list[Group]:
    """The groups that are one of these places or lie in one, and in none of the others.

    places   ids of channels, threads and categories; none: all groups
    """
    inside = {group: around(guild, group) for group in groups}
    return [
        group
        for group, ids in inside.items()
        if (not places or ids.intersection(places)) and not ids.intersection(but)
    ]


def around(guild: discord.Guild, group: Group) -> set[int]:
    """Ids of the group, of its channel and of its category."""
    channel = permission_channel(guild, group)
    if channel is None:
        return {group.id}
    return {group.id, channel.id, channel.category_id or channel.id}


def _position(channel: GuildChannel) -> tuple[int, int, int]:
    """Where Discord shows a channel: below its category, and those without one at the top."""
    category = channel.category
    return (-1 if category is None else category.position, channel.position, channel.id)


def _place_named(place: Place) -> Named:
    if isinstance(place, discord.CategoryChannel):
        return Named(place.id, (bare(place.name),), place.name, kind=1)
    kind = 2 if isinstance(place, discord.Thread) else 0
    return Named(place.id, (bare(place.name),), f"#{place.name}", kind)


def people_named(people: Iterable[Called]) -> list[Named]:
    """These people as names may mean them."""
    return [Named(one.id, tuple(map(bare, one.names)), f"@{one.username}") for one in people]


def _written_apart(places: list[Named]) -> list[Named]:
    """The places; one that would be read as another one is written as a mention."""
    called: dict[str, list[Named]] = {}
    for one in places:
        for name in one.called:
            called.setdefault(name, []).append(one)
    return [
        one
        if one.called and _smallest_kind(called[one.called[0]]) == [one]
        else replace(one, shown=f"<#{one.id}>")
        for one in places
    ]


# ---- which one is meant


def fitting(name: str, known: Sequence[Named]) -> list[Named]:
    """What a name means: what is called so, else what is called something that begins so."""
    wanted = bare(name)
    if not wanted:
        return []
    exact = _smallest_kind([one for one in known if wanted in one.called])
    # Of several people with a name, the one who has it as the name that only one can have.
    alone = [one for one in exact if bare(one.shown) == wanted]
    if exact:
        return alone if len(alone) == 1 else exact
    return [one for one in known if any(own.startswith(wanted) for own in one.called)]


def _smallest_kind(known: list[Named]) -> list[Named]:
    kind = min((one.kind for one in known), default=0)
    return [one for one in known if one.kind == kind]


def bare(name: str) -> str:
    """A name as it is compared: as it is seen, without the mark before it, in small letters."""
    return unicodedata.normalize("NFKC", tidy(name)).lstrip("@#").strip().casefold()


def near(name: str, known: Sequence[Named]) -> list[Named]:
    """What is called nearly so, the nearest first."""
    by_name = {own: one for one in reversed(known) for own in one.called}
    if _mentioned(name) is not None:
        return []
    close = difflib.get_close_matches(bare(name), by_name, n=MAX_NEAR, cutoff=0.6)
    return list(dict.fromkeys(by_name[one] for one in close))


def _place(name: str, known: Sequence[Named], wish: Wish) -> int:
    """The place that a name means.

    raises   Refusal
    """
    mentioned = _mentioned(name)
    if mentioned is not None:
        meant = [one for one in known if one.id == mentioned]
    else:
        meant = fitting(name, known)
    if len(meant) != 1:
        raise _misnamed(name, meant, near(name, known), wish, people=False)
    return meant[0].id


def _misnamed(
    name: str, meant: Sequence[Named], nearest: Sequence[Named], wish: Wish, *, people: bool
) -> Refusal:
    """The answer to a name that means nothing, or several things."""
    instead = [one.shown for one in (meant or nearest)[:MAX_NEAR]]
    several = bool(meant)
    return Refusal(partial(text.misnamed, name, wish, instead, people=people, several=several))
