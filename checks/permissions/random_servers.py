"""Random servers, for questions about who may see what.

A layout is what stays: channels, threads, roles, people. A deal is what changes: permissions,
overwrites, age restriction, who has which role, who is timed out, who is in a thread, who has
left. Only what decides on reading changes: everyone may always write and use commands.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from checks.permissions.oracle import (
    ADMINISTRATOR,
    CONNECT,
    MANAGE_GUILD,
    MANAGE_THREADS,
    READ_MESSAGE_HISTORY,
    VIEW_CHANNEL,
    Member,
    Place,
    Says,
    Server,
)

TEXT, VOICE, CATEGORY, NEWS, STAGE, FORUM = 0, 2, 4, 5, 13, 15
NEWS_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = 10, 11, 12

READING = (VIEW_CHANNEL, READ_MESSAGE_HISTORY, CONNECT)
# Send messages (in threads, too), embed, attach, application commands, reactions.
WRITING = 1 << 11 | 1 << 38 | 1 << 14 | 1 << 15 | 1 << 31 | 1 << 6


@dataclass(frozen=True, slots=True)
class Layout:
    """What stays: ids, and the channels and threads with their kinds."""

    server: int
    bot: int
    bots_role: int
    category: int
    roles: tuple[int, ...]  # without the role @everyone
    people: tuple[int, ...]  # the first is the owner
    places: tuple[Place, ...]

    def name(self, place: int) -> str:
        """What a channel or thread is called; the same in servers that look the same."""
        number = next(n for n, one in enumerate(self.places) if one.id == place)
        return f"place-{number:02}"


def layout(rng: random.Random, ids: Iterator[int], bot: int, *, roles: int, people: int) -> Layout:
    """A server with some of every kind of channel and thread."""
    server, bots_role, category = next(ids), next(ids), next(ids)
    channels = [Place(next(ids), kind) for kind in (TEXT, TEXT, VOICE, FORUM)]
    channels += [
        Place(next(ids), rng.choice((TEXT, TEXT, VOICE, NEWS, STAGE, FORUM)))
        for _ in range(rng.randint(1, 3))
    ]
    threads = []
    for channel in channels:
        for kind in _threads(rng, channel.kind):
            private = kind == PRIVATE_THREAD
            threads.append(Place(next(ids), kind, parent=channel.id, private=private))
    return Layout(
        server,
        bot,
        bots_role,
        category,
        tuple(next(ids) for _ in range(roles)),
        tuple(next(ids) for _ in range(people)),
        tuple(channels + threads),
    )


def _threads(rng: random.Random, kind: int) -> Sequence[int]:
    kinds = {
        TEXT: (PUBLIC_THREAD, PRIVATE_THREAD, PRIVATE_THREAD),
        NEWS: (NEWS_THREAD,),
        FORUM: (PUBLIC_THREAD, PUBLIC_THREAD),
    }.get(kind, ())
    most = len(kinds)
    return rng.sample(kinds, rng.randint(1, most)) if most else ()


def deal(rng: random.Random, of: Layout) -> Server:
    """The server with random permissions: sometimes open to most people, sometimes to few."""
    open_ = rng.choice((0.9, 0.7, 0.4))  # how likely @everyone has a permission

    def bits(*likely: tuple[int, float]) -> int:
        return sum(bit for bit, likelihood in likely if rng.random() < likelihood)

    def says() -> Says:
        allow = bits(*((bit, 0.25) for bit in (*READING, MANAGE_THREADS)))
        deny = bits(*((bit, 0.35) for bit in (*READING, MANAGE_THREADS)))
        return Says(deny & ~allow, allow)

    everyone = bits(
        *((bit, open_) for bit in READING), (MANAGE_THREADS, 0.05), (ADMINISTRATOR, 0.01)
    )
    roles = {of.server: WRITING | everyone}
    for role in of.roles:
        reading = ((bit, 0.35) for bit in READING)
        ruling = ((MANAGE_THREADS, 0.15), (MANAGE_GUILD, 0.25), (ADMINISTRATOR, 0.08))
        roles[role] = bits(*reading, *ruling)
    owner, *others = of.people
    members = {owner: Member(owner, frozenset(rng.sample(of.roles, 1)))}
    for id in others:
        if rng.random() < 0.9:  # otherwise they have left the server
            held = frozenset(role for role in of.roles if rng.random() < 0.35)
            members[id] = Member(id, held, timed_out=rng.random() < 0.15)
    places = {one.id: _dealt(rng, one, of, says) for one in of.places}
    return Server(of.server, owner, of.bot, roles, places, members)


def _dealt(rng: random.Random, place: Place, of: Layout, says: Callable[[], Says]) -> Place:
    dealt = Place(place.id, place.kind, place.parent, place.private)
    if place.parent is not None:
        dealt.archived = rng.random() < 0.3
        dealt.joined = {id for id in of.people if rng.random() < 0.4}
        return dealt
    dealt.age_restricted = rng.random() < 0.2
    likely = rng.choice((0.0, 0.3, 0.6))
    targets = (of.server, *of.roles)
    dealt.to_roles = {id: says() for id in targets if rng.random() < likely}
    dealt.to_members = {id: says() for id in (*of.people, of.bot) if rng.random() < likely / 3}
    return dealt
