"""A sandbox with random servers and pictures in every channel, the bot, and everybody's client."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias, cast

import aiohttp
from PIL import Image, ImageDraw

import sandbox
from bot.app import Magpie
from bot.ops.metrics import Metrics
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks, Limits
from checks.permissions.oracle import ADMINISTRATOR, Place, Server
from checks.permissions.random_servers import CATEGORY, FORUM, Layout
from index import Gallery
from index.embed import checkpoint, embedder
from index.embed.embedder import Embedder
from sandbox.person import Person
from sandbox.snowflakes import at_time
from sandbox.world import (
    Application,
    Attachment,
    Channel,
    ChannelKind,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    Thread,
    User,
    World,
)

BEGAN = 1_767_225_600  # 2026-01-01
TOKEN = "the-bots-token"
SIDE = 64  # pixels
LATE = "2100-01-01T00:00:00+00:00"
COLOURS = ("red", "green", "blue", "yellow", "white", "black", "orange", "purple", "pink")
MANY = 1_000_000  # notices, so that none waits for another day
PATIENCE_S = 60.0
# Discord gives three seconds. Here it is more, so that a busy machine doesn't look like a refusal.
# An answer waits as long until its question is saved, so that it always has its buttons.
ACKNOWLEDGE_S = 30.0

Model: TypeAlias = str | Embedder


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted picture: the message that shows it, the channel or thread, the file, and who
    posted it."""

    message: int
    place: int
    file: Path
    author: int

    def data(self) -> bytes:
        return self.file.read_bytes()


def ids() -> Iterator[int]:
    """Ids of things that are older than all messages, one after the other."""
    return (at_time(BEGAN - 86_400 + number) for number in itertools.count())


def draw(folder: Path, count: int) -> list[Path]:
    """Draw pictures of which no two are alike. -> their files"""
    rng, paths = random.Random(count), []
    for number in range(count):
        picture = Image.new("RGB", (SIDE, SIDE), rng.choice(COLOURS))
        pen = ImageDraw.Draw(picture)
        for _ in range(4):
            x, y = rng.randrange(SIDE), rng.randrange(SIDE)
            corner = (x + rng.randrange(8, 40), y + rng.randrange(8, 40))
            shape = rng.choice((pen.rectangle, pen.ellipse))
            shape(((x, y), corner), fill=rng.choice(COLOURS))
        paths.append(folder / f"{number}.png")
        picture.save(paths[-1])
    return paths


class Scene:
    """The sandbox's world while it is being made, and the pictures posted in it."""

    def __init__(self, folder: Path, bot: int) -> None:
        self.folder = folder
        self.world = World(Application(bot, "Magpie", "Finds pictures.", TOKEN, bot), folder)
        self.world.users[bot] = User(bot, "magpie", bot=True)
        self.pictures: dict[int, list[Posted]] = {}  # by server
        self._moments = itertools.count(BEGAN)

    def build(
        self,
        of: Layout,
        files: Mapping[int, Iterable[Path]],
        authors: Mapping[int, Sequence[int]] = MappingProxyType({}),
    ) -> None:
        """Add a server in which everyone may do everything, with these files in its channels.

        authors  by channel, who posts there in turn; in others everybody does
        Its channels are in one category, which can be watched as a whole.
        """
        owner = of.people[0]
        guild = Guild(of.server, f"server {of.server}", owner_id=owner)
        self.world.guilds[of.server] = guild
        guild.roles[of.server] = Role(of.server, "@everyone", ADMINISTRATOR)
        for number, role in enumerate(of.roles, start=1):
            guild.roles[role] = Role(role, f"role {number}", 0, position=number)
        own = Role(of.bots_role, "Magpie", ADMINISTRATOR, managed=True)
        guild.roles[own.id] = own
        for id in of.people:
            self.world.users[id] = User(id, f"person{id}", token=token(id))
            guild.members[id] = Member(guild.id, id)
        guild.members[of.bot] = Member(guild.id, of.bot, [own.id])
        category = of.category
        guild.channels[category] = _channel(guild.id, Place(category, CATEGORY), owner, None)
        for place in of.places:
            guild.channels[place.id] = _channel(guild.id, place, owner, category)
            guild.channels[place.id].name = of.name(place.id)
        self.pictures[guild.id] = []
        for place in of.places:
            posting = itertools.cycle(authors.get(place.id, of.people))
            for file, author in zip(files.get(place.id, ()), posting, strict=False):
                self._post(guild.id, place, file, author)

    def _post(self, server: int, place: Place, file: Path, author: int) -> None:
        if place.kind == FORUM:
            return
        id = at_time(next(self._moments))
        kind, size = "image/png", file.stat().st_size
        shown = Attachment(id + 1, place.id, file.name, str(file), size, kind, SIDE, SIDE)
        self.world.put_message(Message(id, place.id, author, attachments=[shown]))
        self.pictures[server].append(Posted(id, place.id, file, author))


def token(person: int) -> str:
    return f"token-of-{person}"


def _channel(guild: int, place: Place, owner: int, category: int | None) -> Channel:
    kind = cast("ChannelKind", place.kind)
    thread = None if place.parent is None else Thread(owner)
    parent = place.parent or category
    return Channel(place.id, guild, kind, f"place-{place.id}", parent_id=parent, thread=thread)


# ---- running


@dataclass(slots=True)
class Testbed:
    """A sandbox, Magpie connected to it, and everybody's client.

    judges   whether words that no picture fits are answered so; else everything fits
    """

    discord: sandbox.Server
    magpie: Magpie
    people: dict[int, Person]
    pictures: dict[int, list[Posted]]
    judges: bool

    async def watch(self, of: Layout) -> None:
        """Let the bot watch a server, by its owner's command; returns once all is indexed."""
        owner, where = self.people[of.people[0]], str(of.places[0].id)
        guild = self.magpie.get_guild(of.server)
        assert guild is not None
        await self.magpie.welcomes.on_join(guild)
        await owner.command("channels", "add", where=where, channel=str(of.category))
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing is left to be read or indexed."""
        quiet, deadline = 0, time.monotonic() + PATIENCE_S
        while quiet < 5:
            busy = self.magpie.live.busy or self.magpie.backlog.busy
            quiet = 0 if busy else quiet + 1
            if time.monotonic() > deadline:
                raise TimeoutError("Magpie does not come to rest")
            await asyncio.sleep(0.01)

    async def indexed(self, server: int, message: str) -> None:
        """Wait until a message's picture is in the gallery. Magpie may come to rest before it hears
        of the message."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self.magpie.gallery.links.slots(server, message):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def told(self) -> None:
        """Wait until all new pictures are judged by watches, and all notices are sent."""
        magpie = self.magpie
        async with asyncio.timeout(PATIENCE_S):
            while (  # noqa: ASYNC110
                magpie.judge.busy or magpie.deliveries.busy or await self._is_to_be_told()
            ):
                await asyncio.sleep(0.01)

    async def _is_to_be_told(self) -> bool:
        watches = self.magpie.gallery.watches
        return bool(await watches.unjudged(limit=1)) or bool(await watches.next_due())

    async def become(self, server: Server) -> None:
        """Give a server these permissions and members; by the owner's requests where possible."""
        owner, guild = self.people[server.owner], self.discord.world.guilds[server.id]
        await self._come_and_go(server, guild)
        for id, permissions in server.roles.items():
            if guild.roles[id].permissions != permissions:
                path = f"/guilds/{guild.id}/roles/{id}"
                await owner.request("PATCH", path, json={"permissions": str(permissions)})
        for one in server.members.values():
            member, path = guild.members[one.id], f"/guilds/{guild.id}/members/{one.id}"
            if set(member.roles) != one.roles:
                await owner.request("PATCH", path, json={"roles": list(map(str, one.roles))})
            if bool(member.timed_out_until) != one.timed_out:
                until = {"communication_disabled_until": LATE if one.timed_out else None}
                await owner.request("PATCH", path, json=until)
        for place in server.places.values():
            if place.parent is None:
                await self._overwrite(owner, guild.id, place)
            else:
                await self._set_thread(owner, place, set(server.members))

    async def _come_and_go(self, server: Server, guild: Guild) -> None:
        core = self.discord.core
        there = set(guild.members) - {server.bot}
        for id in sorted(there - set(server.members)):
            core.member_gone(guild, id)
        for id in sorted(set(server.members) - there):
            core.member_came(Member(guild.id, id, joined_at=time.time()))

    async def _overwrite(self, owner: Person, guild: int, place: Place) -> None:
        channel = self.discord.world.guilds[guild].channels[place.id]
        wanted = [Overwrite(id, 0, s.allow, s.deny) for id, s in place.to_roles.items()]
        wanted += [Overwrite(id, 1, s.allow, s.deny) for id, s in place.to_members.items()]
        if (channel.overwrites, channel.nsfw) != (wanted, place.age_restricted):
            overwrites = [_wire(one) for one in wanted]
            body = {"permission_overwrites": overwrites, "nsfw": place.age_restricted}
            await owner.request("PATCH", f"/channels/{place.id}", json=body)

    async def _set_thread(self, owner: Person, place: Place, there: set[int]) -> None:
        core = self.discord.core
        channel = core.world.channel(place.id)
        assert channel is not None
        assert channel.thread is not None
        bot = core.world.bot.id
        now = set(channel.thread.members) - {bot}
        for id in sorted(now - place.joined):
            core.leave_thread(channel, id)
        for id in sorted((place.joined & there) - now):
            core.join_thread(channel, id)
        if channel.thread.archived != place.archived:
            body = {"archived": place.archived}
            await owner.request("PATCH", f"/channels/{place.id}", json=body)


def _wire(one: Overwrite) -> dict[str, object]:
    return {"id": str(one.id), "type": one.type, "allow": str(one.allow), "deny": str(one.deny)}


@contextlib.asynccontextmanager
async def open_testbed(
    scene: Scene,
    people: Iterable[int],
    place: str | Path,
    model: Model,
    *,
    judges: bool = False,
) -> AsyncIterator[Testbed]:
    """The world of a scene, served, with Magpie connected and these people logged in.

    place    of a new gallery: a file, or the address of a database
    judges   as of `Testbed`. If not, each answer has pictures to be judged here
    """
    async with contextlib.AsyncExitStack() as stack:
        clocks = sandbox.Clocks(acknowledge_s=ACKNOWLEDGE_S)
        discord = await stack.enter_async_context(
            sandbox.serve(scene.world, record=False, clocks=clocks)
        )
        if isinstance(model, str):
            model = await asyncio.to_thread(embedder.load, checkpoint.find(model), "cpu")
        if not judges:
            model.scale = None  # without it everything fits
        gallery = await Gallery.open(place, model)
        stack.push_async_callback(gallery.close)
        await gallery.ready_to_judge()
        settings = Settings(
            token=TOKEN, api=discord.url, db=place, folder=scene.folder, http=None, questions=0
        )
        # What is offered while somebody types is looked up at each key.
        patient = Clocks(
            guild_ready_s=0.2, save_search_s=ACKNOWLEDGE_S, typing_s=0.0, notices_s=0.05
        )
        limits = Limits(keys_a_minute=0, notices_a_day=MANY)
        magpie = Magpie(settings, gallery, Metrics(), patient, limits)
        await stack.enter_async_context(_serving(magpie))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        logged_in = {
            id: await stack.enter_async_context(Person.log_in(session, discord.url, token(id)))
            for id in people
        }
        yield Testbed(discord, magpie, logged_in, scene.pictures, judges)


@contextlib.asynccontextmanager
async def _serving(magpie: Magpie) -> AsyncIterator[None]:
    async with magpie:
        serving = asyncio.create_task(magpie.serve())
        ready = asyncio.create_task(magpie.wait_until_ready())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            await serving
        try:
            yield
        finally:
            await magpie.close()
            await serving
