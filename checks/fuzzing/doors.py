"""Everything that a member can send to the bot: commands, mentions, pictures, forged buttons.

The whole bot runs, against the sandbox. Discord lets nobody click a button that a message does not
have. Here the message is given the button, as if somebody had found a way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import aiohttp
from PIL import Image

import sandbox
from bot.app import Magpie
from bot.ops.metrics import Metrics
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks
from checks.fuzzing import files, texts
from checks.fuzzing.questions import COLOURS
from checks.fuzzing.target import Unsound
from index import Gallery
from pocket import MODEL
from sandbox.person import Answer, Person, Refused
from sandbox.snowflakes import at_time
from sandbox.world import (
    Application,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Overwrite,
    Role,
    User,
    World,
)

BEGAN = 1_767_225_600  # 2026-01-01
BOT, OWNER, MEMBER, GUILD, SQUARE, HIDDEN = (at_time(BEGAN + number) for number in range(6))
EVERYBODYS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 31
SEEN = 1 << 10
START_S = 120.0
LIMIT_S = 10.0

Way = Literal["words", "picture", "mention", "click"]
WAYS: tuple[Way, ...] = ("words", "words", "picture", "mention", "click", "click", "click")
# Ids that a button of the bot could have. The bot doesn't answer a click on any other.
KNOWN = re.compile(r"[psc]:\d+|n:[\w-]+|i:[\w-]+:\d+|[mbl]:[\w-]+:[\w-]*")
SILENCE_S = 0.3
THEIRS = "a button of somebody else's:"
# The bot's sentences for an unexpected error.
MISTAKES = ("Something went wrong",)


@dataclass(frozen=True, slots=True)
class Deed:
    way: Way
    text: str
    data: bytes


class Doors:
    """Each input gets an answer that pings nobody and shows nothing hidden; no error is logged."""

    limit_s = LIMIT_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._stack = contextlib.AsyncExitStack()
        self._mistakes = Mistakes()
        logging.getLogger().addHandler(self._mistakes)
        self._whole = [data for some in files.sound().values() for data in some]
        self._runner.run(self._open(folder))

    async def _open(self, folder: Path) -> None:
        enter = self._stack.enter_async_context
        self._server = await enter(sandbox.serve(world(folder), record=False))
        await enter(bot(self._server, folder / "magpie.db"))
        session = await enter(aiohttp.ClientSession())
        owner = await enter(Person.log_in(session, self._server.url, "owner"))
        self._person = await enter(Person.log_in(session, self._server.url, "member"))
        await index_all(owner)
        self._theirs = await ask(owner, "blue")
        self._own = await ask(self._person, "blue")

    def make(self, rng: random.Random) -> Deed:
        way = rng.choice(WAYS)
        if way == "click":
            return Deed(way, self._forged(rng), b"")
        text = texts.whole_text(rng, rng.choice((60, 1900)))
        return Deed(way, text, files.damaged(rng.choice(self._whole), rng))

    def _meant(self, forged: str) -> str:
        if not forged.startswith(THEIRS):
            return forged
        buttons = self._theirs.buttons()
        return str(buttons[int(forged[len(THEIRS) :]) % len(buttons)]["custom_id"])

    def _forged(self, rng: random.Random) -> str:
        """The id of a button: somebody else's, one with any number in it, or no id at all."""
        number = rng.choice((*texts.NUMBERS, "٣", "", "1:2", "1 OR 1=1"))
        kind = rng.choice(("m:x:{}", "b:x:{}", "l:x:{}", "s:{}", "i:x:{}", "p:{}", "c:{}", "{}"))
        theirs = f"{THEIRS} {rng.randrange(9)}"
        made = rng.choice((theirs, kind.format(number), texts.whole_text(rng, 100)))
        return made[:100] or "x"

    def run(self, subject: Deed) -> str:
        self._mistakes.found.clear()
        said = self._runner.run(self._do(subject))
        if self._mistakes.found:
            raise Unsound(f"the log has {self._mistakes.found[0]}")
        return said

    async def _do(self, deed: Deed) -> str:
        try:
            answer = await self._answer(deed)
        except Refused:
            return "refused by the server"
        if answer is None:
            return "no such button"
        if answer.message["mentions"] or answer.message["mention_everyone"]:
            raise Unsound("an answer that pings")
        if any(mistake in answer.text() for mistake in MISTAKES):
            raise Unsound(answer.text())
        if f"/{HIDDEN}/" in answer.text():
            raise Unsound("an answer with a picture that the asker can't see")
        return "pictures" if answer.pictures() else "a sentence"

    async def _answer(self, deed: Deed) -> Answer | None:
        where = str(SQUARE)
        match deed.way:
            case "words":
                return await self._person.command("find", where=where, query=deed.text or " ")
            case "picture":
                # aiohttp refuses to send a line break in a file's name
                name = "".join(letter for letter in deed.text[:60] if letter.isprintable())
                image = (f"{name}.png", deed.data)
                return await self._person.command("find", where=where, image=image)
            case "mention":
                return await self._mention(deed.text)
            case "click":
                return await self._click(self._meant(deed.text))

    async def _mention(self, text: str) -> Answer:
        posted = await self._person.post(str(SQUARE), f"<@{BOT}> {text}")

        def replies(message: dict[str, Any]) -> bool:
            to = (message.get("message_reference") or {}).get("message_id")
            return bool(message["author"]["id"] == str(BOT) and to == posted["id"])

        return Answer(await self._person.event("MESSAGE_CREATE", where=replies))

    async def _click(self, custom_id: str) -> Answer | None:
        """Click a button with this id, which the member's own answer is given for the click."""
        button = self._own.button("▶")
        message = self._server.core.find_message(SQUARE, int(self._own.message["id"]))
        assert message is not None
        before, message.components = message.components, [_row(custom_id)]
        try:
            clicked = self._person.click(self._own, button | {"custom_id": custom_id})
            async with asyncio.timeout(None if KNOWN.fullmatch(custom_id) else SILENCE_S):
                return await clicked
        except TimeoutError:  # the bot has no such button
            return None
        finally:
            message.components = before

    def kept(self, subject: Deed) -> bytes:
        return repr(subject).encode(errors="backslashreplace")

    def close(self) -> None:
        self._runner.run(self._stack.aclose())
        self._runner.close()
        logging.getLogger().removeHandler(self._mistakes)


class Mistakes(logging.Handler):
    """Keeps what is logged as an error: what the bot did not expect."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


def _row(custom_id: str) -> Any:
    button = {"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": custom_id}
    return {"type": 1, "id": 1, "components": [button]}


@contextlib.asynccontextmanager
async def bot(server: sandbox.Server, db: Path) -> AsyncIterator[None]:
    """Magpie, connected and ready. Members may ask as often as they like."""
    gallery = await Gallery.open(db, str(MODEL), device="cpu")
    token = server.world.application.token
    settings = Settings(token=token, api=server.url, db=db, http=None, questions=0)
    try:
        async with Magpie(settings, gallery, Metrics(), Clocks(guild_ready_s=0.2)) as client:
            serving = asyncio.create_task(client.serve())
            await client.wait_until_ready()
            yield
            await client.close()
            await serving
    finally:
        await gallery.close()


async def index_all(owner: Person) -> None:
    """Have both channels watched; returns when their pictures are found."""
    for channel in (SQUARE, HIDDEN):
        await owner.command("channels", "add", where=str(SQUARE), channel=str(channel))
    async with asyncio.timeout(START_S):
        while len((await ask(owner, "red")).pictures()) < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def ask(person: Person, query: str) -> Answer:
    return await person.command("find", where=str(SQUARE), query=query)


def world(folder: Path) -> World:
    """A channel that everybody may read and one that only the owner may, with pictures in both."""
    made = World(Application(BOT, "Magpie", "Finds pictures.", "the-bots-token", BOT), folder)
    for id, name in ((BOT, "magpie"), (OWNER, "owner"), (MEMBER, "member")):
        made.users[id] = User(id, name, bot=id == BOT, token="" if id == BOT else name)
    guild = made.guilds[GUILD] = Guild(GUILD, "Square", owner_id=OWNER)
    guild.roles[GUILD] = Role(GUILD, "@everyone", EVERYBODYS)
    guild.members = {id: Member(GUILD, id) for id in made.users}
    for position, (id, name) in enumerate(((SQUARE, "square"), (HIDDEN, "hidden"))):
        guild.channels[id] = Channel(id, GUILD, 0, name, position)
    guild.channels[HIDDEN].overwrites = [
        Overwrite(GUILD, 0, allow=0, deny=SEEN),
        Overwrite(BOT, 1, allow=SEEN, deny=0),
    ]
    for number, colour in enumerate(COLOURS):
        path = folder / f"{colour}.png"
        path.write_bytes(files.encoded(Image.new("RGB", (64, 64), colour), "PNG"))
        for channel in (SQUARE, HIDDEN):
            id = at_time(BEGAN + 100 + 2 * number + (channel == HIDDEN))
            size = path.stat().st_size
            shown = Attachment(id + 1, channel, path.name, str(path), size, "image/png", 64, 64)
            made.put_message(Message(id, channel, OWNER, attachments=[shown]))
    return made
