"""The rules of who may read what, compared with an independent oracle.

The oracle is the sandbox's own rule, written from Discord's documentation and apart from the
bot. It is asked about every member that could exist: each set of roles, with and without a
personal overwrite.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.access import permissions
from index import Group
from sandbox import permissions as rule
from sandbox import world as sandbox_world
from tests.bot.offline import (
    ADMINISTRATOR,
    BOT,
    CONNECT,
    GUILD,
    HISTORY,
    MANAGE_THREADS,
    OWNER,
    READ,
    VIEW,
    guild_of,
    member_of,
    person_says,
    role_says,
)


class ThreadMembers:
    """Replaces the one route that is requested: which threads a member has joined."""

    def __init__(self, joined: set[tuple[int, int]]) -> None:
        self.joined = joined
        self.asked: list[tuple[int, int]] = []
        self.http = self

    async def get_thread_member(self, thread: int, member: int) -> dict[str, Any]:
        self.asked.append((thread, member))
        if (thread, member) in self.joined:
            return {}
        response = SimpleNamespace(status=404, reason="Not Found")
        raise discord.NotFound(response, {"code": 10007, "message": "Unknown Member"})


async def readable(
    guild: discord.Guild,
    member: discord.Member,
    groups: list[Group],
    asked_in: int = 10,
    joined: set[tuple[int, int]] | None = None,
) -> set[int]:
    client: Any = ThreadMembers(joined or set())
    place = guild.get_channel_or_thread(asked_in)
    return await permissions.readable(client, member, guild, place, groups)


TEXT, VOICE, FORUM = 0, 2, 15
LATE = 4_102_444_800.0  # 2100, unix seconds


# ── What one member may read ─────────────────────────────────────────────────────────────

MODS, MUTED, PEOPLE = 2, 3, 4
CHANNELS: dict[int, dict[str, Any]] = {
    10: {},
    11: {"permission_overwrites": [role_says(GUILD, deny=VIEW), role_says(MODS, allow=VIEW)]},
    12: {"permission_overwrites": [role_says(GUILD, deny=HISTORY)]},
    13: {"nsfw": True},
    14: {"type": VOICE, "permission_overwrites": [role_says(MUTED, deny=CONNECT)]},
    15: {"type": FORUM},
}
THREADS: dict[int, dict[str, Any]] = {
    20: {"parent_id": "11"},
    21: {"parent_id": "10", "type": 12},
    22: {"parent_id": "13"},
}
GROUPS = [
    *(Group(id) for id in CHANNELS),
    Group(20, parent=11),
    Group(21, parent=10, private=True),
    Group(22, parent=13),
]


@pytest.fixture
def guild() -> discord.Guild:
    everyone = READ | CONNECT
    roles = {GUILD: everyone, MODS: MANAGE_THREADS, MUTED: 0, PEOPLE: 0}
    return guild_of(roles, CHANNELS, THREADS)


async def test_a_channel_needs_both_view_and_history(guild: discord.Guild) -> None:
    assert await readable(guild, member_of(guild, 50, []), GROUPS) == {10, 14, 15}


async def test_a_role_opens_its_channel_and_the_threads_in_it(guild: discord.Guild) -> None:
    seen = await readable(guild, member_of(guild, 50, [MODS]), GROUPS)
    assert {11, 20} <= seen


async def test_text_in_a_voice_channel_needs_connect(guild: discord.Guild) -> None:
    assert 14 not in await readable(guild, member_of(guild, 50, [MUTED]), GROUPS)


async def test_a_voice_channel_is_read_beside_a_text_channel_with_the_same_overwrites() -> None:
    guild = guild_of({GUILD: READ | CONNECT}, {10: {}, 14: {"type": VOICE}}, {})
    assert await readable(guild, member_of(guild, 50, []), [Group(10), Group(14)]) == {10, 14}


async def test_age_restricted_groups_are_readable_only_from_age_restricted_places(
    guild: discord.Guild,
) -> None:
    member = member_of(guild, 50, [])
    assert {13, 22} <= await readable(guild, member, GROUPS, asked_in=13)
    assert {13, 22} <= await readable(guild, member, GROUPS, asked_in=22)
    assert not {13, 22} & await readable(guild, member, GROUPS, asked_in=10)
    assert not {13, 22} & await readable(guild, member, GROUPS, asked_in=404)


async def test_a_private_thread_is_readable_by_its_members_and_thread_managers(
    guild: discord.Guild,
) -> None:
    assert 21 not in await readable(guild, member_of(guild, 50, []), GROUPS)
    assert 21 in await readable(guild, member_of(guild, 50, []), GROUPS, joined={(21, 50)})
    assert 21 in await readable(guild, member_of(guild, 50, [MODS]), GROUPS)


async def test_a_private_thread_known_only_to_the_cache_is_still_private(
    guild: discord.Guild,
) -> None:
    member = member_of(guild, 50, [])
    assert await readable(guild, member, [Group(21, parent=10, private=False)]) == set()


async def test_an_archived_thread_follows_the_parent_in_the_gallery(guild: discord.Guild) -> None:
    archived = [Group(30, parent=10), Group(31, parent=11), Group(32, parent=10, private=True)]
    member = member_of(guild, 50, [])
    assert await readable(guild, member, archived) == {30}
    assert await readable(guild, member, archived, joined={(32, 50)}) == {30, 32}


async def test_a_private_thread_in_a_closed_channel_is_not_even_asked_for(
    guild: discord.Guild,
) -> None:
    client = ThreadMembers({(33, 50)})
    closed: Any = [Group(33, parent=11, private=True)]
    member = member_of(guild, 50, [])
    asked_in = guild.get_channel(10)
    assert await permissions.readable(client, member, guild, asked_in, closed) == set()  # type: ignore[arg-type]
    assert client.asked == []


async def test_unknown_channels_are_not_readable_even_by_the_owner(guild: discord.Guild) -> None:
    unknown = [Group(40), Group(41, parent=42)]
    assert await readable(guild, member_of(guild, OWNER, []), unknown) == set()


async def test_a_timed_out_member_still_reads_but_manages_no_threads(
    guild: discord.Guild,
) -> None:
    late = "2100-01-01T00:00:00+00:00"
    member = member_of(guild, 50, [MODS], communication_disabled_until=late)
    seen = await readable(guild, member, GROUPS)
    assert {10, 11} <= seen
    assert 21 not in seen


async def test_a_guest_of_a_voice_channel_reads_nothing_else(guild: discord.Guild) -> None:
    guest = member_of(guild, 50, [], flags=discord.MemberFlags(guest=True).value)
    assert await readable(guild, guest, GROUPS, asked_in=14) == {14}
    assert await readable(guild, guest, GROUPS, asked_in=404) == set()


async def test_only_the_newest_private_threads_are_asked_for(guild: discord.Guild) -> None:
    many = [Group(1000 + n, parent=10, private=True) for n in range(80)]
    client = ThreadMembers({(thread.id, 50) for thread in many})
    member = member_of(guild, 50, [])
    seen = await permissions.readable(client, member, guild, None, many)  # type: ignore[arg-type]
    assert seen == {1000 + n for n in range(30, 80)}


# ── What everyone in a channel may read ──────────────────────────────────────────────────


def shared(guild: discord.Guild, here: int, groups: list[Group] | None = None) -> set[int]:
    place = guild.get_channel_or_thread(here)
    everything = [Group(channel.id) for channel in guild.channels]
    return permissions.shared_with_everyone_here(guild, place, groups or everything)


def test_a_public_answer_shows_nothing_of_a_moderators_channel(guild: discord.Guild) -> None:
    assert 11 not in shared(guild, 10)
    assert 11 in shared(guild, 11)
    assert {10, 15} <= shared(guild, 11)


def test_a_channel_whose_history_is_hidden_does_not_share_its_own_pictures(
    guild: discord.Guild,
) -> None:
    assert 12 not in shared(guild, 12)


def test_a_private_thread_is_shared_only_within_itself(guild: discord.Guild) -> None:
    thread = [Group(21, parent=10, private=True)]
    assert shared(guild, 10, thread) == set()
    assert shared(guild, 21, thread) == {21}


def test_age_restricted_pictures_are_shared_only_where_all_are_adults(
    guild: discord.Guild,
) -> None:
    assert 13 not in shared(guild, 10)
    assert 13 in shared(guild, 13)


def test_a_voice_channel_where_guests_may_listen_shares_only_its_own(
    guild: discord.Guild,
) -> None:
    assert shared(guild, 14) <= {14}
    assert 14 in shared(guild_of({GUILD: READ | CONNECT}, {14: {"type": VOICE}}), 14)


def test_text_of_a_voice_channel_is_not_shared_where_a_member_in_a_timeout_can_read() -> None:
    guild = guild_of({GUILD: READ | CONNECT}, {10: {}, 14: {"type": VOICE}})
    assert shared(guild, 10) == {10}  # a timeout takes Connect away, and leaves View Channel


def test_a_voice_channel_shares_its_own_with_those_who_are_let_in() -> None:
    overwrites = [role_says(MUTED, deny=CONNECT)]
    voice = {"type": VOICE, "permission_overwrites": overwrites}
    assert shared(guild_of({GUILD: READ | CONNECT, MUTED: 0}, {14: voice}), 14) == {14}


def test_nothing_is_shared_in_an_unknown_channel(guild: discord.Guild) -> None:
    assert shared(guild, 404) == set()


def test_a_guest_invited_by_name_narrows_what_is_shared() -> None:
    guild = guild_of(
        {GUILD: 0, PEOPLE: READ},
        {
            10: {"permission_overwrites": [person_says(77, allow=READ)]},  # a guest without roles
            11: {},
            12: {"permission_overwrites": [person_says(77, allow=READ)]},
        },
    )
    assert shared(guild, 10) == {10, 12}
    assert shared(guild, 11) == {10, 11, 12}


def test_the_bots_own_overwrite_narrows_nothing() -> None:
    guild = guild_of(
        {GUILD: READ},
        {10: {"permission_overwrites": [person_says(BOT, allow=VIEW)]}, 11: {}},
    )
    assert shared(guild, 10) == {10, 11}


# ── Beside an oracle ─────────────────────────────────────────────────────────────────────

World = tuple[dict[int, int], dict[int, dict[str, Any]]]  # roles and channels


@pytest.mark.parametrize("seed", range(30))
async def test_readable_agrees_with_discords_documented_rule(seed: int) -> None:
    world = random_world(random.Random(seed))
    guild, server = guild_of(*world), server_of(*world)
    groups = [Group(id) for id in world[1]]
    for person, roles in possible_members(world):
        seen = await readable(guild, member_of(guild, person, roles), groups)
        assert seen == {id for id in world[1] if reads(server, person, roles, id)}


@pytest.mark.parametrize("seed", range(60))
def test_the_shared_groups_are_exactly_those_that_no_possible_member_lacks(seed: int) -> None:
    world = random_world(random.Random(seed))
    guild, server = guild_of(*world), server_of(*world)
    for here, channel in world[1].items():
        # closed to a guest who may be there
        everybodys = {here} if channel["type"] == VOICE else set(world[1])
        for person, roles in possible_members(world):
            for until in (0.0, LATE):
                member = sandbox_world.Member(GUILD, person, roles, timed_out_until=until)
                if rule.in_channel(server, member, server.channels[here]) & VIEW:
                    everybodys &= {
                        id for id in everybodys if reads_with(server, member, id, here=here)
                    }
        assert shared(guild, here) == everybodys


def random_world(chance: random.Random) -> World:
    def bits(*chances: tuple[int, float]) -> int:
        return sum(bit for bit, likely in chances if chance.random() < likely)

    def overwrite() -> tuple[int, int]:
        allow = bits((VIEW, 0.35), (HISTORY, 0.2), (CONNECT, 0.2))
        deny = bits((VIEW, 0.35), (HISTORY, 0.2), (CONNECT, 0.2)) & ~allow
        return allow, deny

    roles = {GUILD: bits((VIEW, 0.7), (HISTORY, 0.7), (CONNECT, 0.7))}
    for id in range(2, 2 + chance.randint(0, 4)):
        roles[id] = bits((VIEW, 0.4), (HISTORY, 0.4), (CONNECT, 0.4), (ADMINISTRATOR, 0.1))
    channels: dict[int, dict[str, Any]] = {}
    for id in range(10, 10 + chance.randint(2, 4)):
        says = [role_says(role, *overwrite()) for role in roles if chance.random() < 0.5]
        says += [
            person_says(person, *overwrite())
            for person in (77, 78, OWNER, BOT)
            if chance.random() < 0.25
        ]
        chance.shuffle(says)
        channels[id] = {
            "type": chance.choice((TEXT, TEXT, VOICE)),
            "permission_overwrites": says,
        }
    return roles, channels


def possible_members(world: World) -> Iterator[tuple[int, list[int]]]:
    """Everyone who could be there, the bot apart: any roles, named in an overwrite or not."""
    roles = [role for role in world[0] if role != GUILD]
    for size in range(len(roles) + 1):
        for held in itertools.combinations(roles, size):
            for person in (50, 77, 78):  # a stranger, and those whom overwrites name
                yield person, list(held)
    yield OWNER, []


def server_of(roles: dict[int, int], channels: dict[int, dict[str, Any]]) -> sandbox_world.Guild:
    """The same guild for the sandbox, whose rules were written independently of the bot's."""
    guild = sandbox_world.Guild(id=GUILD, name="small", owner_id=OWNER)
    guild.roles = {id: sandbox_world.Role(id, str(id), bits) for id, bits in roles.items()}
    for id, channel in channels.items():
        overwrites = [
            sandbox_world.Overwrite(int(o["id"]), o["type"], int(o["allow"]), int(o["deny"]))
            for o in channel["permission_overwrites"]
        ]
        guild.channels[id] = sandbox_world.Channel(
            id=id, guild_id=GUILD, type=channel["type"], name=str(id), overwrites=overwrites
        )
    return guild


def reads(server: sandbox_world.Guild, person: int, roles: list[int], channel: int) -> bool:
    return reads_with(server, sandbox_world.Member(GUILD, person, roles), channel, here=0)


def reads_with(
    server: sandbox_world.Guild, member: sandbox_world.Member, channel: int, *, here: int
) -> bool:
    """Whether the member may read the channel; members who can read `here` may connect there."""
    place = server.channels[channel]
    history = rule.in_channel(server, member, place) & HISTORY
    return bool(history) and (channel == here or rule.may_read(server, member, place))
