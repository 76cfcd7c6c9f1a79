"""Everything that a member can send to the bot: commands and what is typed before they are sent,
mentions, pictures, forged buttons and forms.

The whole bot runs, against the sandbox. Discord lets nobody click a button that a message does not
have, nor send a form that wasn't opened. Here the message is given the button, and the form its id,
as if somebody had found a way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
from PIL import Image

import sandbox
from bot.app import Magpie
from bot.ask import buttons, posted_cards
from bot.ops.metrics import Metrics
from bot.ops.settings import Settings
from bot.ops.tuning import Clocks
from checks.fuzzing import files, lines, texts
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

Way = Literal["words", "options", "typing", "picture", "mention", "click", "form"]
WAYS: tuple[Way, ...] = (
    *("words", "options", "options", "typing", "picture", "mention", "form", "form"),
    *("click", "click", "click"),
)  # fmt: skip
# Options of `/find`. Discord sends those with choices only as one of them, but for a forged one.
TYPED = ("query", "from", "in", "after", "before", "without")
CHOSEN = {
    "has": ("gif", "video", "image"),
    "sort": ("best", "newest", "oldest"),
    "show": ("only me",),
}
COMPLETED = ("query", "from", "in", "after", "before")
# Ids that a control of the bot could have. The bot doesn't answer a click on any other.
MENUS = (buttons.MENU, posted_cards.MENU)
KNOWN = (
    *MENUS,
    buttons.PAGE,
    buttons.BEFORE,
    buttons.PLACES,
    buttons.STEER,
    buttons.UNDO,
    buttons.NARROW,
    buttons.SIMILAR,
    buttons.INSTEAD,
    posted_cards.PAGE,
    r"[pc]:\d+",
)
FORM = (buttons.NARROW,)
SILENCE_S = 0.3
THEIRS = "a control of somebody else's:"
# In a forged id: the member's own search, which is saved under another id in each run.
OWN = "own-search"
FORGED = (
    "m:x:{}", "b:x:{}", "l:x:{}", "s:{}", "i:x:{}", "p:{}", "c:{}", "{}", "n:x", "u:x:more",
    f"m:{OWN}:{{}}:g", f"b:{OWN}:{{}}", f"l:{OWN}:", f"w:{OWN}::{{}}", f"f:{OWN}:more:{{}}",
    f"f:{OWN}:less:{{}}", f"u:{OWN}:less", f"i:{OWN}:{{}}", f"q:{HIDDEN}:{{}}:0:0",
    f"q:{SQUARE}:{{}}:0:0", f"k:{HIDDEN}:{{}}:0:0",
)  # fmt: skip
FORMS = (f"n:{OWN}", f"n:{OWN}", f"n:{OWN}", "n:x", "n:{}", f"n:{OWN}:{{}}")
# A question that all pictures fit, so that the answer has more than one page.
ALL = "has:image"
# The bot's sentences for an unexpected error.
MISTAKES = ("Something went wrong",)


@dataclass(frozen=True, slots=True)
class Deed:
    """text: the question, or the id of a control; data: a picture, or what is chosen in a menu

    further   options of `/find` beside the question; "custom_id": of a form
    """

    way: Way
    text: str
    data: bytes
    further: dict[str, str] = field(default_factory=dict)


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
        answers = [await ask(owner, query) for query in (ALL, *COLOURS)]
        parts = [part for answer in answers for part in answer.parts()]
        self._theirs = [str(part["custom_id"]) for part in parts if "custom_id" in part]
        self._own = await ask(self._person, ALL)
        self._own_search = str(self._own.button("Narrow")["custom_id"]).partition(":")[2]

    def make(self, rng: random.Random) -> Deed:
        way = rng.choice(WAYS)
        if way == "click":
            chosen = str(rng.choice((rng.randrange(2 * len(COLOURS) + 2), "newest", "x", "٣")))
            return Deed(way, self._forged(rng), chosen.encode())
        if way == "form":
            custom_id = rng.choice(FORMS).format(rng.choice(texts.NUMBERS))
            return Deed(way, _line(rng), b"", {"custom_id": custom_id})
        if way == "options":
            return Deed(way, "", b"", _options(rng))
        if way == "typing":
            return Deed(way, _line(rng)[:100], b"", {"option": rng.choice(COMPLETED)})
        text = texts.whole_text(rng, rng.choice((60, 1900)))
        return Deed(way, text, files.damaged(rng.choice(self._whole), rng))

    def _meant(self, forged: str) -> str:
        if not forged.startswith(THEIRS):
            return forged.replace(OWN, self._own_search)
        return self._theirs[int(forged[len(THEIRS) :]) % len(self._theirs)]

    def _forged(self, rng: random.Random) -> str:
        """The id of a control: somebody else's, one with any number in it, or no id at all."""
        link, message = rng.randrange(2 * len(COLOURS)), at_time(BEGAN + 100 + rng.randrange(16))
        number = rng.choice((*texts.NUMBERS, link, message, "٣", "", "1:2", "1 OR 1=1"))
        theirs = f"{THEIRS} {rng.randrange(99)}"
        forged = rng.choice(FORGED).format(number)
        made = rng.choice((theirs, forged, forged, texts.whole_text(rng, 100)))
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
            case "options":
                return await self._person.command("find", where=where, **deed.further)
            case "typing":
                return await self._typing(deed.further["option"], deed.text)
            case "form":
                return await self._form(self._meant(deed.further["custom_id"]), deed.text)
            case "mention":
                return await self._mention(deed.text)
            case "click":
                return await self._click(self._meant(deed.text), deed.data.decode())

    async def _mention(self, text: str) -> Answer:
        posted = await self._person.post(str(SQUARE), f"<@{BOT}> {text}")

        def replies(message: dict[str, Any]) -> bool:
            to = (message.get("message_reference") or {}).get("message_id")
            return bool(message["author"]["id"] == str(BOT) and to == posted["id"])

        return Answer(await self._person.event("MESSAGE_CREATE", where=replies))

    async def _click(self, custom_id: str, chosen: str) -> Answer | None:
        """Use a control with this id, which the member's own answer is given for the click."""
        message = self._server.core.find_message(SQUARE, int(self._own.message["id"]))
        assert message is not None
        control = _menu(custom_id, chosen) if _fits(custom_id, MENUS) else _button(custom_id)
        row = {"type": 1, "id": 1, "components": [control]}
        before, message.components = message.components, [row]
        try:
            if control["type"] == 3:
                clicked = self._person.choose(self._own, control, chosen)
            else:
                clicked = self._person.click(self._own, control)
            async with asyncio.timeout(None if _fits(custom_id, KNOWN) else SILENCE_S):
                return await clicked
        except TimeoutError:  # the bot has no such button
            return None
        finally:
            message.components = before

    async def _typing(self, option: str, typed: str) -> Answer:
        """What is offered while somebody types, as a message."""
        offered = await self._person.suggestions("find", option, typed, where=str(SQUARE))
        said = "\n".join(f"{one['name']} {one['value']}" for one in offered)
        if str(HIDDEN) in said or "hidden" in said.replace(typed, ""):
            raise Unsound("a channel is offered that the asker can't see")
        return Answer({"content": said, "mentions": [], "mention_everyone": False})

    async def _form(self, custom_id: str, line: str) -> Answer | None:
        """Send the form of the member's own answer, which is given this id."""
        message = self._server.core.find_message(SQUARE, int(self._own.message["id"]))
        assert message is not None
        before = message.components  # the answer to the form takes their place
        form = await self._person.open_form(self._own, self._own.button("Narrow"))
        shown = self._server.interactions.by_id[int(form["id"])].modal
        assert shown is not None
        shown["custom_id"] = form["custom_id"] = custom_id
        try:
            async with asyncio.timeout(None if _fits(custom_id, FORM) else SILENCE_S):
                return await self._person.submit(self._own, form, line=line)
        except TimeoutError:  # the bot has no such form
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


def _line(rng: random.Random) -> str:
    """Any text, or a line with fields of the language."""
    made = lines.soup(rng) if rng.random() < 0.5 else texts.text(rng, rng.choice((60, 4000)))
    return made.encode(errors="replace").decode()[: buttons.MAX_LINE]


def _options(rng: random.Random) -> dict[str, str]:
    """Some options of `/find`, with any values."""
    typed = {name: _line(rng) or " " for name in TYPED if rng.random() < 0.4}
    chosen = {
        name: rng.choice((*values, texts.whole_text(rng, 40)))
        for name, values in CHOSEN.items()
        if rng.random() < 0.3
    }
    return {"query": "red", **typed, **chosen}


def _fits(custom_id: str, templates: Sequence[str]) -> bool:
    return any(re.fullmatch(template, custom_id) for template in templates)


def _button(custom_id: str) -> dict[str, Any]:
    return {"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": custom_id}


def _menu(custom_id: str, value: str) -> dict[str, Any]:
    options = [{"label": "x", "value": value}]
    menu = {"type": 3, "id": 2, "custom_id": custom_id, "options": options}
    return menu | {"min_values": 1, "max_values": 1}


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
    """Have both channels watched; returns when all their pictures are found."""
    for channel in (SQUARE, HIDDEN):
        await owner.command("channels", "add", where=str(SQUARE), channel=str(channel))
    async with asyncio.timeout(START_S):
        for channel in (SQUARE, HIDDEN):
            while await _found(owner, channel) < len(COLOURS):  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def _found(owner: Person, channel: int) -> int:
    """How many pictures of a channel are found, as far as two pages show."""
    answer = await ask(owner, f"in:<#{channel}>")
    found = len(answer.pictures())
    further = [button for button in answer.buttons() if button.get("label") == "▶"]
    if further:
        found += len((await owner.click(answer, further[0])).pictures())
    return found


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
