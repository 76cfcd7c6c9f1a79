"""The servers of a run, as they are before the bot comes, and their people.

One server has channels and threads of every kind. Two are smaller, and one of these is deleted now
and then. The first server has a history of a month, so a deletion in it can't be found by looking
at the last messages. Everything but the ids is the same in each run.
"""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path
from typing import cast

from checks.chaos.pictures import Pictures
from sandbox import permissions as may
from sandbox.snowflakes import at_time
from sandbox.world import (
    CATEGORY,
    FORUM,
    NEWS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    VOICE,
    Application,
    Attachment,
    Channel,
    ChannelKind,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    Sticker,
    Thread,
    User,
    World,
)

TOKEN = "the-bots-token"
DAY_S = 86_400
HISTORY_MESSAGES = 260  # in the longest channel: three pages
HISTORY_DAYS = 30
IDS_OF_A_MESSAGE = 4  # its own, and its pictures'

EVERYONE = (
    may.VIEW_CHANNEL | may.SEND_MESSAGES | may.EMBED_LINKS | may.ATTACH_FILES
    | may.READ_MESSAGE_HISTORY | may.USE_APPLICATION_COMMANDS | may.CREATE_PUBLIC_THREADS
    | may.CREATE_PRIVATE_THREADS | may.SEND_MESSAGES_IN_THREADS | may.CONNECT
)  # fmt: skip

BEGAN = int(time.time()) - 60 * DAY_S


def _id(number: int) -> int:
    """The id of something that was there before any message."""
    return at_time(BEGAN + number)


BOT, OTHER_BOT, ADA, BO, CY, DI, ELI = map(_id, range(7))
NEST, ROCK, SHORE = _id(10), _id(11), _id(12)
INSIDERS, CURATORS, OF_THE_BOT = _id(20), _id(21), _id(22)
OUTDOORS, INDOORS, GENERAL, HALL, INSIDE, NIGHT, VOICES, POSTS, NEWSROOM, ATTIC = (
    _id(30 + n) for n in range(10)
)
THREAD, SECRET, OLD_THREAD, FIRST_POST = (_id(50 + n) for n in range(4))
CLIFF, BEACH, PIER = _id(60), _id(61), _id(62)
STICKERS = (_id(70), _id(71))

PEOPLE = {ADA: "ada", BO: "bo", CY: "cy", DI: "di", ELI: "eli"}
# What `/channels add` is called with: categories, and channels outside one, but not the attic.
MARKED = (OUTDOORS, INDOORS, GENERAL, POSTS)
MARKED_ELSEWHERE = {ROCK: (CLIFF, BEACH), SHORE: (PIER,)}


def world(folder: Path, pictures: Pictures, rng: random.Random) -> World:
    """The sandbox's world, with what was posted before the bot came."""
    made = World(Application(BOT, "Magpie", "Finds pictures.", TOKEN, BOT), folder)
    made.users[BOT] = User(BOT, "magpie", bot=True)
    made.users[OTHER_BOT] = User(OTHER_BOT, "postbox", bot=True)
    for id, name in PEOPLE.items():
        made.users[id] = User(id, name, token=f"{name}-token")
    _nest(made, pictures)
    _elsewhere(made, ROCK, "Rock", {CLIFF: "cliff", BEACH: "beach"})
    _elsewhere(made, SHORE, "Shore", {PIER: "pier"})
    _history(made, pictures, rng)
    return made


def _nest(made: World, pictures: Pictures) -> None:
    guild = made.guilds[NEST] = Guild(NEST, "Nest", owner_id=ADA)
    guild.roles[NEST] = Role(NEST, "@everyone", EVERYONE)
    guild.roles[INSIDERS] = Role(INSIDERS, "insiders", 0, position=1)
    guild.roles[CURATORS] = Role(CURATORS, "curators", may.MANAGE_THREADS, position=2)
    guild.roles[OF_THE_BOT] = Role(OF_THE_BOT, "magpie", EVERYONE | may.MANAGE_THREADS, position=3)
    roles = {BOT: [OF_THE_BOT], CY: [INSIDERS], DI: [CURATORS]}
    for id in (BOT, OTHER_BOT, ADA, BO, CY, DI):  # eli comes and goes
        guild.members[id] = Member(NEST, id, roles.get(id, []))
    insiders_only = [
        Overwrite(NEST, 0, 0, may.VIEW_CHANNEL),
        Overwrite(INSIDERS, 0, may.VIEW_CHANNEL, 0),
        Overwrite(OF_THE_BOT, 0, may.VIEW_CHANNEL, 0),
    ]
    kinds: tuple[tuple[int, int, str, int | None], ...] = (
        (OUTDOORS, CATEGORY, "Outdoors", None),
        (INDOORS, CATEGORY, "Indoors", None),
        (GENERAL, TEXT, "general", None),
        (HALL, TEXT, "hall", INDOORS),
        (INSIDE, TEXT, "inside", INDOORS),
        (NIGHT, TEXT, "night", INDOORS),
        (VOICES, VOICE, "voices", INDOORS),
        (NEWSROOM, NEWS, "newsroom", OUTDOORS),
        (POSTS, FORUM, "posts", None),
        (ATTIC, TEXT, "attic", None),
    )
    for id, kind, name, parent in kinds:
        guild.channels[id] = _channel(id, NEST, kind, name, parent)
    guild.channels[INSIDE].overwrites = insiders_only
    guild.channels[NIGHT].nsfw = True
    threads: tuple[tuple[int, int, int, bool, list[int]], ...] = (
        (THREAD, GENERAL, PUBLIC_THREAD, False, [BO]),
        (SECRET, HALL, PRIVATE_THREAD, False, [CY]),
        (OLD_THREAD, GENERAL, PUBLIC_THREAD, True, [BO]),
        (FIRST_POST, POSTS, PUBLIC_THREAD, False, [DI]),
    )
    for id, parent, kind, archived, members in threads:
        channel = _channel(id, NEST, kind, f"thread-{id % 97}", parent)
        guild.channels[id] = channel
        joined = dict.fromkeys(members, float(BEGAN))
        channel.thread = Thread(members[0], archived, archived_at=float(BEGAN), members=joined)
    for n, id in enumerate(STICKERS):
        name = pictures.keep_in(made.folder, "png")
        guild.stickers[id] = Sticker(id, NEST, f"sticker-{n}", name)


def _elsewhere(made: World, server: int, name: str, channels: dict[int, str]) -> None:
    guild = made.guilds[server] = Guild(server, name, owner_id=ADA)
    guild.roles[server] = Role(server, "@everyone", EVERYONE)
    for id in (BOT, ADA, DI):
        guild.members[id] = Member(server, id)
    for id, called in channels.items():
        guild.channels[id] = _channel(id, server, TEXT, called)


def _channel(id: int, guild: int, kind: int, name: str, parent: int | None = None) -> Channel:
    return Channel(id, guild, cast("ChannelKind", kind), name, parent_id=parent)


def _history(made: World, pictures: Pictures, rng: random.Random) -> None:
    counts = {GENERAL: HISTORY_MESSAGES, HALL: 30, INSIDE: 12, NIGHT: 8, VOICES: 4, NEWSROOM: 8}
    counts |= {THREAD: 8, SECRET: 6, OLD_THREAD: 8, FIRST_POST: 4, ATTIC: 4}
    counts |= {CLIFF: 12, BEACH: 4, PIER: 8}
    serials = itertools.count(step=IDS_OF_A_MESSAGE)
    for channel, count in counts.items():
        for n in range(count):
            age_s = HISTORY_DAYS * DAY_S * (1 - n / count) + 1
            message = Message(
                at_time(time.time() - age_s, next(serials)),
                channel,
                rng.choice([ADA, BO, CY, DI]),
                "well",
            )
            if rng.random() < (0.12 if count > 100 else 0.6):
                message.attachments = [
                    _attachment(made, pictures, message, k) for k in range(rng.choice([1, 1, 1, 3]))
                ]
            made.put_message(message)


def _attachment(made: World, pictures: Pictures, message: Message, n: int) -> Attachment:
    name, data = pictures.draw()
    path = made.folder / f"old-{message.id}-{n}"
    path.write_bytes(data)
    kind = pictures.type_of(name)
    return Attachment(message.id + 1 + n, message.channel_id, name, str(path), len(data), kind)
