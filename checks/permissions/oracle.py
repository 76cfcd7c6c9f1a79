"""Who may read what in a Discord server: from Discord's documentation, and from nothing else.

The oracle judges the bot, so it shares no code with the bot, with discord.py or with the sandbox.
Each rule is from a page below https://docs.discord.com/developers:

- topics/permissions, "Permission overwrites": everyone's role and the member's roles together;
  then what the channel denies and allows to everyone, then to all the member's roles, then to the
  member. Owners and administrators may do everything.
- topics/permissions, "Implicit permissions": without View Channel no other permission counts.
- topics/permissions, "Inherited permissions (threads)": a thread has its channel's permissions;
  nobody sees a thread without View Channel there, even if they were added to the thread.
- topics/permissions, "Permissions for timed out members": all but View Channel and Read Message
  History are lost, except by owners and administrators.
- topics/threads, "Public & private threads": a private thread is for its members, and for those
  who have Manage Threads. "NSFW threads": they inherit it.
- resources/message, "Get channel messages": View Channel, in voice channels (and stages) Connect
  as well; without Read Message History no messages are returned.
- resources/guild, "Guild member flags": a guest can only access the voice channel that they
  were invited to.

Magpie's own promise adds one: age-restricted pictures only inside age-restricted channels.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

ADMINISTRATOR = 0x0000000000000008
MANAGE_GUILD = 0x0000000000000020
VIEW_CHANNEL = 0x0000000000000400
READ_MESSAGE_HISTORY = 0x0000000000010000
CONNECT = 0x0000000000100000
MANAGE_THREADS = 0x0000000400000000
EVERYTHING = (1 << 64) - 1
LEFT_IN_A_TIMEOUT = VIEW_CHANNEL | READ_MESSAGE_HISTORY


@dataclass(frozen=True, slots=True)
class Says:
    """What a channel's overwrite denies and allows."""

    deny: int = 0
    allow: int = 0


@dataclass(slots=True)
class Place:
    """A channel, or a thread of `parent`, which has no overwrites of its own."""

    id: int
    kind: int  # Discord's channel type
    parent: int | None = None
    private: bool = False
    archived: bool = False
    age_restricted: bool = False
    to_roles: dict[int, Says] = field(default_factory=dict)  # everyone's has the server's id
    to_members: dict[int, Says] = field(default_factory=dict)
    joined: set[int] = field(default_factory=set)  # a thread's members

    @property
    def is_voice(self) -> bool:
        return self.kind in (2, 13)


@dataclass(frozen=True, slots=True)
class Member:
    id: int
    roles: frozenset[int] = frozenset()
    timed_out: bool = False
    guest: bool = False


@dataclass(slots=True)
class Server:
    """A server at one moment. The bot is no reader: no answer depends on what it may see."""

    id: int
    owner: int
    bot: int
    roles: dict[int, int]  # permissions, everyone's too
    places: dict[int, Place]
    members: dict[int, Member]

    def home(self, place: int) -> Place:
        """The channel whose overwrites count: the place, or what it is a thread of."""
        one = self.places[place]
        return one if one.parent is None else self.places[one.parent]


# ---- one member


def in_server(server: Server, member: Member) -> int:
    """Permissions before any channel's overwrites, and before a timeout."""
    if member.id == server.owner:
        return EVERYTHING
    permissions = server.roles[server.id]
    for role in member.roles:
        permissions |= server.roles.get(role, 0)
    return EVERYTHING if permissions & ADMINISTRATOR else permissions


def in_place(server: Server, member: Member, place: int) -> int:
    """Permissions in a channel, or in a thread as in its channel."""
    permissions = in_server(server, member)
    if permissions == EVERYTHING:
        return EVERYTHING
    home = server.home(place)
    steps = [home.to_roles.get(server.id, Says())]
    of_roles = [home.to_roles[role] for role in member.roles if role in home.to_roles]
    taken, given = 0, 0
    for says in of_roles:
        taken, given = taken | says.deny, given | says.allow
    steps += [Says(taken, given), home.to_members.get(member.id, Says())]
    for says in steps:
        permissions = permissions & ~says.deny | says.allow
    if member.timed_out:
        permissions &= LEFT_IN_A_TIMEOUT
    return permissions if permissions & VIEW_CHANNEL else 0


def follows(server: Server, member: Member, place: int) -> bool:
    """Whether a message that is posted now reaches the member."""
    return _is_let_in(server.places[place], member, in_place(server, member, place))


def _is_let_in(one: Place, member: Member, permissions: int) -> bool:
    if not permissions & VIEW_CHANNEL:
        return False
    if one.is_voice and not permissions & CONNECT:
        return False
    return not one.private or member.id in one.joined or bool(permissions & MANAGE_THREADS)


def reads(server: Server, member: Member, place: int) -> bool:
    """Whether the member may read what was posted before."""
    history = in_place(server, member, place) & READ_MESSAGE_HISTORY
    return bool(history) and follows(server, member, place)


def readable(server: Server, member: Member, asked_in: int) -> set[int]:
    """The places whose pictures the member may be shown when they ask in `asked_in`."""
    grown_up = server.home(asked_in).age_restricted
    return {
        place
        for place in server.places
        if reads(server, member, place)
        and (grown_up or not server.home(place).age_restricted)
        and (not member.guest or place == asked_in)
    }


# ---- everyone in a channel


class Audience:
    """What an answer that everyone in a channel sees may show, and what it must show."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._there = [Reach(server, member) for member in server.members.values()]
        self._conceivable = [Reach(server, member) for member in conceivable(server)]

    def may_show(self, here: int) -> set[int]:
        """The places that everyone can read whom a message in `here` reaches."""
        shared = self._suited(here)
        for one in self._there:
            if here in one.follows:
                shared &= one.reads
        return shared

    def must_show(self, here: int) -> set[int]:
        """The places that everyone can read who could be in `here`, with any roles.

        A bot without the members' intent doesn't know who is there. In a voice channel everyone
        counts who sees the channel, and a guest may be listening who can read nothing else. That
        somebody is in a private thread proves only that they can read that thread.
        """
        places, shared = self._server.places, self._suited(here)
        shared -= {id for id, place in places.items() if place.private and id != here}
        if places[here].is_voice:
            shared &= {here}
        for one in self._conceivable:
            if here in one.views:
                shared &= one.reads | ({here} & one.looks_back)
        return shared

    def _suited(self, here: int) -> set[int]:
        grown_up = self._server.home(here).age_restricted
        places = self._server.places
        return {id for id in places if grown_up or not self._server.home(id).age_restricted}


class Reach:
    """The places that a member views, follows and reads.

    looks_back   the places whose history they could read if they were let in
    """

    def __init__(self, server: Server, member: Member) -> None:
        places = server.places
        may = {id: in_place(server, member, id) for id in places}
        self.views = {id for id in places if may[id] & VIEW_CHANNEL}
        self.looks_back = {id for id in self.views if may[id] & READ_MESSAGE_HISTORY}
        self.follows = {id for id in self.views if _is_let_in(places[id], member, may[id])}
        self.reads = self.follows & self.looks_back


def conceivable(server: Server) -> Iterator[Member]:
    """Every kind of member that the server could have.

    Any set of roles, a stranger or somebody whom an overwrite names, timed out or not.
    """
    roles = [role for role in server.roles if role != server.id]
    named = {id for place in server.places.values() for id in place.to_members}
    yield Member(server.owner)
    for size in range(len(roles) + 1):
        for held in itertools.combinations(roles, size):
            for id in sorted(named - {server.owner, server.bot} | {0}):
                yield Member(id, frozenset(held))
                yield Member(id, frozenset(held), timed_out=True)
