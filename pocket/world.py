"""The demo world: a server of people who post pictures, written in world.txt and drawn here.

`python -m pocket world` writes `demo/world/`: world.json for the sandbox, labels.json (what each
picture shows, for the tests), pictures, avatars and stickers. The same seed, artwork and libraries
give the same files.
"""

import base64
import datetime as dt
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from pocket.artwork import TRAINED_STYLES, Artwork, Pixels
from pocket.clips import make_clips
from pocket.places import Random, hexed, mixed
from pocket.scenes import (
    Scene,
    Spot,
    backdrop,
    compose,
    dimmed,
    layout,
    meme,
    recoloured,
)
from pocket.screenshots import make_screenshots

SCRIPT = Path(__file__).with_name("world.txt")
# Where `python -m pocket world` writes: demo/world of the checkout that it is called in.
DEMO = Path("demo", "world")
SEED = 2026
EITHER_WAY = ("animal", "bird", "insect", "vehicle", "aircraft")  # kinds that may be mirrored
SIZES = ((480, 360), (480, 360), (448, 448), (512, 342), (384, 480))  # width, height
DISCORD_EPOCH_MS = 1_420_070_400_000

# permission bits of Discord
MANAGE_GUILD, MANAGE_CHANNELS, REACT, VIEW, SEND = 1 << 5, 1 << 4, 1 << 6, 1 << 10, 1 << 11
MANAGE_MESSAGES, EMBED, ATTACH, HISTORY = 1 << 13, 1 << 14, 1 << 15, 1 << 16
EXTERNAL_EMOJI, COMMANDS, MANAGE_THREADS, THREADS = 1 << 18, 1 << 31, 1 << 34, 1 << 35
PRIVATE_THREADS, SEND_IN_THREADS = 1 << 36, 1 << 38
MEMBER = (
    VIEW | SEND | REACT | EMBED | ATTACH | HISTORY | EXTERNAL_EMOJI | COMMANDS | THREADS
    | PRIVATE_THREADS | SEND_IN_THREADS
)  # fmt: skip
BOT = VIEW | SEND | SEND_IN_THREADS | EMBED | ATTACH | HISTORY
MODERATOR = MANAGE_MESSAGES | MANAGE_THREADS

ROLES = {  # name: (permissions, colour, shown separately)
    "Newcomers": (0, 0x95A5A6, False),
    "Bakers": (0, 0xE8A33D, False),
    "Night Owls": (0, 0x7E6BD9, False),
    "Explorers": (0, 0x3FA36B, True),
    "Rookery": (BOT, 0x5D7A8C, False),
    "Magpie": (BOT, 0x2F6F8F, False),
    "Moderators": (MODERATOR, 0x3E7BD6, True),
    "Keeper": (MODERATOR | MANAGE_GUILD | MANAGE_CHANNELS, 0xD65A4A, True),
}
PEOPLE = {  # username: (name, drawing, background, roles, line for the log-in page)
    "wren": ("Wren", "owl", "f2d9a8", ("Keeper", "Explorers"),
             "founded The Nest; may manage the server"),
    "otis": ("Otis", "hedgehog", "c9e4c5", ("Moderators", "Explorers"),
             "moderator: sees #mods-only, may not manage the server"),
    "mei": ("Mei", "rabbit", "f7cfd8", ("Explorers", "Bakers"), "explorer, keeps a rabbit"),
    "tomas": ("Tomás", "turtle", "cfe7ef", ("Explorers",), "explorer, waits for whales"),
    "ada": ("Ada", "bread", "f5e3c3", ("Bakers",), "bakes; no explorer"),
    "kofi": ("Kofi", "parrot", "d5f0d0", ("Explorers",), "explorer, asks cactuses for directions"),
    "lucie": ("Lucie", "cat", "e6d8f2", ("Bakers",), "écrit en français"),
    "yuki": ("Yuki", "cherry blossom", "fbe1ea", ("Explorers",), "日本語で書きます"),
    "sam": ("Sam", "bat", "c9c4ee", ("Night Owls",), "awake at three in the morning"),
    "pim": ("Pim", "chick", "fff0b8", ("Newcomers",), "new here, sees the least"),
}  # fmt: skip
LANGUAGES = {"lucie": "fr", "yuki": "ja"}  # of their clients; the others' is English
CHANNELS = (  # (category, (name, type, topic, gate)); the gate says who may see it
    ("The Nest", (
        ("welcome", 0, "Read me first", "announce"),
        ("general", 0, "Weather, kettles, everything else", ""),
        ("Perch", 2, None, ""),
    )),
    ("Pictures", (
        ("pets", 0, "Cats, dogs, professors", ""),
        ("wildlife", 0, "Say where, unless it is a nest", ""),
        ("travel", 0, "From far away and from the bus stop", ""),
        ("kitchen", 0, "Before it is eaten", ""),
        ("garden", 0, "What grows", ""),
        ("rides-and-machines", 0, "Anything with wheels, wings or a motor", ""),
        ("music-and-games", 0, None, ""),
        ("memes", 0, "Capital letters welcome", ""),
        ("show-and-tell", 15, "One post a project", ""),
    )),
    ("Back rooms", (
        ("explorers-room", 0, "For the people with the boots", "Explorers"),
        ("mods-only", 0, "Moderators only", "Moderators"),
        ("after-hours", 0, "Grown-ups; wine and bad puns", "nsfw"),
    )),
)  # fmt: skip


class ScriptError(ValueError):
    """A line of world.txt that cannot be read."""


@dataclass(slots=True)
class Line:
    """One message of the script."""

    who: str
    pictures: tuple[str, ...]
    text: str
    reactions: tuple[tuple[str, int], ...] = ()
    answers: bool = False


@dataclass(slots=True)
class Part:
    """The part of the script for one channel or thread."""

    kind: str  # "channel", "thread" or "post"
    name: str
    start: dt.datetime
    end: dt.datetime
    parent: str = ""
    openness: str = ""
    starter: str = ""
    lines: list[Line] = field(default_factory=list)


def read_script(path: Path = SCRIPT) -> list[Part]:
    """The parts of world.txt in order. raises ScriptError that names the line"""
    parts: list[Part] = []
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            if line.startswith("=="):
                parts.append(_header(line))
            else:
                parts[-1].lines.append(_line(line))
        except (ValueError, IndexError) as exc:
            raise ScriptError(f"{path.name}, line {number}: {exc}") from exc
    return parts


def _day(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(hour=8, tzinfo=dt.UTC)


def _header(line: str) -> Part:
    words = [word.strip() for word in line.strip("= ").split("|")]
    if line.startswith("==="):
        name, start, end = words
        return Part("channel", name, _day(start), _day(end))
    kind, name, parent, openness, starter, start, end = words
    return Part(kind, name, _day(start), _day(end), parent, openness, starter)


def _line(line: str) -> Line:
    answers = line.startswith(">")
    who, pictures, *rest = [word.strip() for word in line.lstrip("> ").split("|")]
    text = rest[0] if rest else ""
    pairs = re.findall(r"([^\d\s]+?)(\d+)", rest[1]) if len(rest) > 1 else []
    if who not in PEOPLE:
        raise ValueError(f"nobody is called {who}")
    reactions = tuple((emoji, int(count)) for emoji, count in pairs)
    return Line(who, tuple(pictures.split()), text, reactions, answers)


PICTURE = re.compile(
    r"(?P<spoiler>!?)(?P<subjects>[^*~^@]+)(\*(?P<count>\d))?(~(?P<colour>\w+))?(?P<air>\^?)"
    r"@(?P<place>\w+)(/(?P<overlay>\w+))?(?P<meme>(;[^;]*){0,2})"
)


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture in the script: its scene, and its style."""

    scene: Scene
    names: tuple[str, ...]
    spoiler: bool
    floating: bool
    meme: tuple[str, ...]


def read_shot(text: str, numbers: dict[str, int]) -> Shot:
    """'cat*3@indoors' -> three cats indoors; see the head of world.txt."""
    match = PICTURE.fullmatch(text)
    if match is None:
        raise ScriptError(f"not a picture: {text}")
    names = tuple(name.replace("_", " ") for name in match["subjects"].split("+"))
    unknown = [name for name in names if name not in numbers]
    if unknown:
        raise ScriptError(f"no subject is called {unknown[0]} ({text})")
    place, overlay = match["place"], match["overlay"]
    if overlay and place in ("night", "rain", "sunset"):
        place, overlay = overlay, place
    scene = Scene(
        tuple(numbers[name] for name in names),
        place,
        int(match["count"] or 1),
        match["colour"],
        overlay,
    )
    words = tuple(word.replace("_", " ") for word in match["meme"].split(";")[1:])
    return Shot(scene, names, bool(match["spoiler"]), bool(match["air"]), words)


class Painter:
    """Draws the pictures of the world from vector drawings, sharp at their size."""

    def __init__(self, artwork: Artwork, folder: Path) -> None:
        self.artwork, self.folder = artwork, folder
        self.numbers = {subject.name: n for n, subject in enumerate(artwork.subjects)}
        self.drawings: dict[tuple[str, str, int], Pixels | None] = {}
        self.labels: dict[str, dict[str, Any]] = {}

    def drawing(self, name: str, side: int, rng: Random) -> tuple[Pixels, str]:
        """A drawing of the subject in one of the trained styles, and the style's name."""
        subject = self.artwork.subjects[self.numbers[name]]
        style = TRAINED_STYLES[int(rng.integers(len(TRAINED_STYLES)))]
        # The first drawing shows the whole figure, the others only a face.
        other = rng.random() < 0.3
        emoji = subject.emoji[int(rng.integers(len(subject.emoji))) if other else 0]
        key = (style, emoji, side)
        if key not in self.drawings:
            self.drawings[key] = self.artwork.draw(style, emoji, side)
        pixels = self.drawings[key]
        if pixels is None:
            raise ScriptError(f"{style} has no drawing of {name}")
        return pixels, style

    def shoot(self, text: str, serial: int) -> tuple[str, Shot]:
        """Paint a picture of the script; returns its file, relative to the folder, and the shot."""
        shot = read_shot(text, self.numbers)
        digest = hashlib.sha256(f"{SEED} {serial} {text}".encode()).digest()
        rng = np.random.default_rng(list(digest[:8]))
        size = SIZES[int(rng.integers(len(SIZES)))]
        picture, style = self.paint(shot, size, rng)
        file = f"pictures/{serial:03d}.{save(picture, self.folder, serial, shot, rng)}"
        self.labels[file] = {
            "subjects": list(shot.names),
            "places": list(shot.scene.places),
            "count": shot.scene.count,
            "colour": shot.scene.colour,
            "style": style,
        }
        return file, shot

    def paint(self, shot: Shot, size: tuple[int, int], rng: Random) -> tuple[Image.Image, str]:
        scene = shot.scene
        ground = backdrop(scene.place, scene.overlay, size, rng)
        drawings: list[Pixels] = []
        styles = []
        for n, name in enumerate(shot.names):
            pixels, style = self.drawing(name, 320, rng)
            if n == 0 and scene.colour:
                pixels = recoloured(pixels, scene.colour)
            styles.append(style)
            pixels = dimmed(pixels, scene.overlay, scene.place)
            drawings += [pixels] * (scene.count if n == 0 else 1)
        spots = [central(spot, size) for spot in self._spots(shot, rng)]
        kind = self.artwork.subjects[self.numbers[shot.names[0]]].kind
        picture = compose(ground, drawings, spots, rng, turn_degrees=3, mirrored=kind in EITHER_WAY)
        if shot.meme:
            meme(picture, shot.meme[0], shot.meme[1] if len(shot.meme) > 1 else "")
        return picture, styles[0]

    def _spots(self, shot: Shot, rng: Random) -> list[Spot]:
        spots = layout(shot.scene, rng)
        if len(spots) == 1:
            side = min(0.7, max(0.5, spots[0].side))
            spots = [Spot(spots[0].x, min(0.94, max(spots[0].foot, side + 0.1)), side)]
        if shot.floating:
            return [Spot(s.x, s.foot - 0.22, s.side * 0.9, True) for s in spots]
        return spots


def central(spot: Spot, size: tuple[int, int]) -> Spot:
    """The spot moved into the middle square, which is the part that a CLIP sees."""
    width, height = size
    square = min(size)
    x = (width - square) / 2 + spot.x * square
    foot = (height - square) / 2 + spot.foot * square
    return Spot(x / width, foot / height, spot.side * square / height, spot.floating)


def save(picture: Image.Image, folder: Path, serial: int, shot: Shot, rng: Random) -> str:
    """Write the picture in a usual format: JPEG or WebP, a flat one as PNG; returns the suffix."""
    base = folder / "pictures" / f"{serial:03d}"
    base.parent.mkdir(parents=True, exist_ok=True)
    if shot.scene.place == "plain" and rng.random() < 0.5:
        flat = picture.quantize(96, dither=Image.Dither.NONE)
        flat.save(base.with_suffix(".png"), optimize=True)
        return "png"
    if rng.random() < 0.5:
        picture.save(base.with_suffix(".webp"), quality=76, method=6)
        return "webp"
    picture.save(base.with_suffix(".jpg"), quality=78, optimize=True, progressive=True)
    return "jpg"


# Channel, author, words and day of the message with each clip of `CLIPS`.
CLIP_POSTS = (
    ("travel", "mei", "all of last Sunday in eighteen seconds", 143),
    ("pets", "kofi", "he supervises breakfast", 171),
)
# The same of each picture of `screenshots`, in their order.
SCREENSHOT_POSTS = (
    ("memes", "wren", "every week", 131),
    ("memes", "tomas", "", 211),
    ("memes", "kofi", "case closed", 246),
    ("mods-only", "otis", "for the log", 226),
    ("memes", "sam", "", 291),
)


class Ids:
    """Makes snowflakes: the time in milliseconds, then a counter that makes each unique."""

    def __init__(self) -> None:
        self.given = 0

    def at(self, moment: dt.datetime) -> str:
        self.given += 1
        since = int(moment.timestamp() * 1000) - DISCORD_EPOCH_MS
        return str((since << 22) | (self.given & 0x3FFFFF))


def token_of(user_id: str) -> str:
    """A token that is only valid in the sandbox, and says so."""
    head = base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")
    return f"{head}.sandbox.only-for-the-demo-world"


FOUNDED = dt.datetime(2026, 1, 4, 9, 30, tzinfo=dt.UTC)


class Builder:
    """Builds the world: people, channels, then the messages of the script with their pictures."""

    def __init__(self, artwork: Artwork, folder: Path) -> None:
        self.painter = Painter(artwork, folder)
        self.folder, self.ids = folder, Ids()
        self.rng = np.random.default_rng(SEED)
        self.serial = 0
        self.guild = self.ids.at(FOUNDED)
        self.users: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.threads: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.stickers: list[dict[str, Any]] = []

    def build(self) -> dict[str, Any]:
        self._people()
        self._roles()
        self._channels()
        self._stickers()
        for part in read_script():
            self._tell(part)
        self._extras()
        self.messages.sort(key=lambda message: int(message["id"]))
        return self._world()

    # people and channels

    def _people(self) -> None:
        for username, (name, drawing, ground, _, about) in PEOPLE.items():
            file = self._avatar(username, drawing, ground)
            self._user(username, name, file, about, bot=False)
        magpie = self._avatar("magpie", "crow", "bfe3f0")
        self._user("Magpie", None, magpie, "the bot that finds pictures again", bot=True)
        rookery = self._avatar("rookery", "nest", "e3e8ee")
        self._user("Rookery", None, rookery, "another bot: sightings of the week", bot=True)
        self._avatar("nest", "nest", "f2d9a8")

    def _user(self, username: str, name: str | None, file: str, about: str, *, bot: bool) -> None:
        user_id = self.ids.at(FOUNDED - dt.timedelta(days=300))
        self.users[username] = {
            "id": user_id,
            "username": username,
            "global_name": name,
            "avatar": file,
            "bot": bot,
            "token": token_of(user_id),
            "about": about,
            **({"locale": LANGUAGES[username]} if username in LANGUAGES else {}),
        }

    def _avatar(self, name: str, subject: str, ground: str) -> str:
        side = 128
        image = Image.new("RGB", (side, side), hexed(ground))
        draw = ImageDraw.Draw(image)
        low = mixed(hexed(ground), (255, 255, 255), 0.45)
        draw.ellipse((10, 10, side - 10, side - 10), fill=low)
        pixels, _ = self.painter.drawing(subject, 92, np.random.default_rng(3))
        cut = Image.fromarray(pixels, "RGBA")
        image.paste(cut, ((side - cut.width) // 2, (side - cut.height) // 2), cut)
        return self._save_small(image, f"avatars/{name}.png")

    def _save_small(self, image: Image.Image, file: str) -> str:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, optimize=True)
        return file

    def _roles(self) -> None:
        everyone = (MEMBER, 0, False)
        for position, (name, (bits, colour, apart)) in enumerate(
            {"@everyone": everyone, **ROLES}.items()
        ):
            self.roles[name] = {
                "id": self.guild if name == "@everyone" else self.ids.at(FOUNDED),
                "name": name,
                "permissions": str(bits),
                "color": colour,
                "position": position,
                "hoist": apart,
            }

    def _channels(self) -> None:
        for group, (category, rooms) in enumerate(CHANNELS):
            parent = self._channel(category, 4, None, group, None, "")
            for position, (name, kind, topic, gate) in enumerate(rooms):
                self._channel(name, kind, topic, position, parent, gate)

    def _channel(
        self, name: str, kind: int, topic: str | None, position: int, parent: str | None, gate: str
    ) -> str:
        overwrites = []
        if gate == "announce":
            overwrites = [
                self._overwrite("@everyone", 0, SEND),
                self._overwrite("Keeper", SEND, 0),
                self._overwrite("Magpie", SEND, 0),
            ]
        elif gate in ROLES:
            overwrites = [self._overwrite("@everyone", 0, VIEW)]
            for role in dict.fromkeys((gate, "Moderators", "Keeper")):
                overwrites.append(self._overwrite(role, VIEW, 0))
            overwrites.append(self._overwrite("Magpie", BOT, 0))
        channel_id = self.ids.at(FOUNDED)
        self.channels[name] = {
            "id": channel_id,
            "type": kind,
            "name": name,
            "topic": topic,
            "position": position,
            "parent_id": parent,
            "nsfw": gate == "nsfw",
            "permission_overwrites": overwrites,
        }
        return channel_id

    def _overwrite(self, role: str, allow: int, deny: int) -> dict[str, Any]:
        return {
            "id": self.roles[role]["id"],
            "type": 0,
            "allow": str(allow),
            "deny": str(deny),
        }

    def _stickers(self) -> None:
        for name, subject in (("caw", "crow"), ("cosy", "teapot"), ("yum", "cupcake")):
            pixels, _ = self.painter.drawing(subject, 300, np.random.default_rng(3))
            image = Image.new("RGBA", (320, 320))
            cut = Image.fromarray(pixels, "RGBA")
            image.paste(cut, ((320 - cut.width) // 2, (320 - cut.height) // 2), cut)
            file = self._save_small(image.quantize(128), f"stickers/{name}.png")
            self.stickers.append(
                {"id": self.ids.at(FOUNDED), "name": name, "file": file, "format_type": 1}
            )

    # messages

    def _tell(self, part: Part) -> None:
        moments = list(self._moments(part))
        where = self._channel_id(part, moments[0])
        before: dict[str, Any] | None = None
        for line, moment in zip(part.lines, moments, strict=True):
            message = self._say(where, line, moment)
            if part.kind == "post" and before is None:
                message["id"] = where  # the first message of a forum post has the thread's id
            if line.answers and before is not None:
                message["reply_to"] = before["id"]
            before = message

    def _channel_id(self, part: Part, first: dt.datetime) -> str:
        """The id of the part's channel; a thread is created first."""
        if part.kind == "channel":
            return str(self.channels[part.name]["id"])
        thread_id = self.ids.at(first)
        speakers = dict.fromkeys([part.starter, *(line.who for line in part.lines)])
        members = [self.users[who]["id"] for who in speakers]
        if part.openness == "private":
            members.append(self.users["Magpie"]["id"])
        self.threads.append(
            {
                "id": thread_id,
                "parent_id": self.channels[part.parent]["id"],
                "name": part.name,
                "type": 12 if part.openness == "private" else 11,
                "owner_id": self.users[part.starter]["id"],
                "archived": part.openness == "archived",
                "members": members,
            }
        )
        return thread_id

    def _moments(self, part: Part) -> Iterator[dt.datetime]:
        """The time of each line: spread over the part's days, and answers come minutes later."""
        opening = sum(not line.answers for line in part.lines)
        step = (part.end - part.start) / max(1, opening)
        moment, number = part.start, 0
        for line in part.lines:
            if line.answers:
                moment += dt.timedelta(minutes=float(self.rng.uniform(1, 9)))
            else:
                day = part.start + step * (number + float(self.rng.uniform(0.1, 0.8)))
                hour = float(self.rng.uniform(7, 22))
                day = day.replace(hour=0, minute=0, second=0) + dt.timedelta(hours=hour)
                moment = max(day, moment + dt.timedelta(minutes=11))
                number += 1
            yield moment

    def _say(self, where: str, line: Line, moment: dt.datetime) -> dict[str, Any]:
        return self._message(
            where,
            line.who,
            line.text,
            moment,
            attachments=[self._attachment(text, moment) for text in line.pictures],
            reactions=[{"emoji": emoji, "count": count} for emoji, count in line.reactions],
        )

    def _picture(self, text: str) -> tuple[str, Shot]:
        self.serial += 1
        return self.painter.shoot(text, self.serial)

    def _attachment(self, text: str, moment: dt.datetime) -> dict[str, Any]:
        file, shot = self._picture(text)
        camera = f"IMG_{moment:%Y%m%d_%H%M}{self.serial % 60:02d}"
        return {
            "id": self.ids.at(moment),
            "file": file,
            "filename": camera + Path(file).suffix,
            "spoiler": shot.spoiler,
            "description": None,
        }

    def _message(
        self, where: str, who: str, content: str, moment: dt.datetime, **more: Any
    ) -> dict[str, Any]:
        message: dict[str, Any] = {
            "id": self.ids.at(moment),
            "channel_id": where,
            "author_id": self.users[who]["id"],
            "content": content,
            "attachments": [],
            "embeds": [],
            "components": [],
            "sticker_ids": [],
            "reply_to": None,
            "forward_of": None,
            "reactions": [],
            "pinned": False,
        }
        message.update(more)
        self.messages.append(message)
        return message

    # pictures that are not attachments: links, another bot's message, a forward, stickers, a GIF

    def _extras(self) -> None:
        self._links()
        self._sightings()
        self._forwards()
        self._gif()
        for channel, who, sticker, day in (
            ("pets", "kofi", 0, 140),
            ("general", "wren", 1, 31),
            ("kitchen", "ada", 2, 204),
        ):
            moment = FOUNDED + dt.timedelta(days=day, hours=7)
            stickers = [self.stickers[sticker]["id"]]
            self._message(self.channels[channel]["id"], who, "", moment, sticker_ids=stickers)
        first = min(
            (m for m in self.messages if m["channel_id"] == self.channels["welcome"]["id"]),
            key=lambda m: int(m["id"]),
        )
        first["pinned"] = True
        self._clips()
        self._screenshots()

    def _image(self, text: str) -> dict[str, Any]:
        file, _ = self._picture(text)
        with Image.open(self.folder / file) as image:
            width, height = image.size
        return {"url": f"media:{file}", "width": width, "height": height}

    def _links(self) -> None:
        for channel, who, day, said, title, url, picture in (
            ("travel", "tomas", 70, "the webcam at the pass is back",
             "Pass webcam", "https://passcam.example/today", "cyclist@mountains"),
            ("wildlife", "mei", 121, "good article about them",
             "Why otters hold hands", "https://rivernotes.example/otters", "otter@sea"),
            ("garden", "otis", 166, "ours next year?",
             "A hedge for birds", "https://hedgerow.example/birds", "bird*2@meadow"),
            ("kitchen", "yuki", 230, "このレシピ、おすすめです",
             "Stew for a cold day", "https://onepot.example/stew", "stew@indoors"),
        ):  # fmt: skip
            embed = {
                "type": "article",
                "url": url,
                "title": title,
                "provider": {"name": url.split("/")[2]},
                "thumbnail": self._image(picture),
            }
            moment = FOUNDED + dt.timedelta(days=day, hours=9)
            where = self.channels[channel]["id"]
            self._message(where, who, f"{said} {url}", moment, embeds=[embed])
        image = self._image("panda@snow")
        link = "https://zoo.example/press/panda-in-snow.jpg"
        embed = {"type": "image", "url": link, "thumbnail": image}
        moment = FOUNDED + dt.timedelta(days=33, hours=11)
        self._message(self.channels["wildlife"]["id"], "sam", link, moment, embeds=[embed])

    def _sightings(self) -> None:
        """Rookery's weekly message, made of components, with pictures in a media gallery."""
        for week, shots in (
            (12, ("bird@forest", "duck*2@sea", "dove^@city")),
            (26, ("eagle^@sea", "swan@sea/sunset", "peacock@forest")),
            (40, ("goose@sea", "turkey@meadow", "chicken@snow")),
        ):
            items = [{"media": {"url": self._image(shot)["url"]}} for shot in shots]
            container = {
                "type": 17,
                "accent_color": 0x5D7A8C,
                "components": [
                    {"type": 10, "content": f"## Sightings, week {week}"},
                    {"type": 12, "items": items},
                    {"type": 10, "content": "-# Send yours with /sighting"},
                ],
            }
            moment = FOUNDED + dt.timedelta(weeks=week, hours=10)
            where = self.channels["wildlife"]["id"]
            self._message(where, "Rookery", "", moment, components=[container])

    def _forwards(self) -> None:
        """Two good pictures, forwarded to #general."""
        for who, channel, words in (
            ("ada", "wildlife", "I have waited nine years"),
            ("pim", "rides-and-machines", "It WHISTLES"),
        ):
            found = [m for m in self.messages if words.lower() in m["content"].lower()]
            original = found[0]
            sent = dt.datetime.fromtimestamp(
                ((int(original["id"]) >> 22) + DISCORD_EPOCH_MS) / 1000 + 1500, dt.UTC
            )
            reference = {"channel_id": original["channel_id"], "message_id": original["id"]}
            where = self.channels["general"]["id"]
            self._message(where, who, "", sent, forward_of=reference)
            assert channel in self.channels

    def _gif(self) -> None:
        """A waddling penguin, in ten frames."""
        rng = np.random.default_rng([SEED, 5])
        size = (280, 210)
        ground = backdrop("snow", None, size, rng)
        pixels, style = self.painter.drawing("penguin", 160, rng)
        frames = []
        for step in range(10):
            image = Image.fromarray(pixels, "RGBA")
            tilt = 9 * float(np.sin(step / 10 * 2 * np.pi))
            spot = Spot(0.5 + tilt / 160, 0.93, 0.62)
            turned = np.asarray(image.rotate(tilt, Image.Resampling.BICUBIC))
            still = np.random.default_rng(4)
            frame = compose(ground, [turned], [spot], still, turn_degrees=0)
            frames.append(frame.quantize(64, dither=Image.Dither.NONE))
        file = "pictures/waddle.gif"
        frames[0].save(
            self.folder / file, save_all=True, append_images=frames[1:], duration=90, loop=0
        )
        self.painter.labels[file] = {
            "subjects": ["penguin"],
            "places": ["snow"],
            "count": 1,
            "colour": None,
            "style": style,
        }
        moment = FOUNDED + dt.timedelta(days=64, hours=8)
        attachment = {
            "id": self.ids.at(moment),
            "file": file,
            "filename": "waddle.gif",
            "spoiler": False,
            "description": "a penguin waddling on the spot",
        }
        self._message(
            self.channels["memes"]["id"],
            "tomas",
            "friday energy",
            moment,
            attachments=[attachment],
            reactions=[{"emoji": "🐧", "count": 9}],
        )

    def _clips(self) -> None:
        """Videos of several scenes."""
        self._post_files(make_clips(self.folder, self.painter.labels), CLIP_POSTS)

    def _screenshots(self) -> None:
        """Pictures that are found by their words."""
        self._post_files(make_screenshots(self.folder, self.painter.labels), SCREENSHOT_POSTS)

    def _post_files(self, files: Sequence[str], posts: Sequence[tuple[str, str, str, int]]) -> None:
        for (channel, who, said, day), file in zip(posts, files, strict=True):
            moment = FOUNDED + dt.timedelta(days=day, hours=9)
            attachment = {
                "id": self.ids.at(moment),
                "file": file,
                "filename": Path(file).name,
                "spoiler": False,
                "description": None,
            }
            where = self.channels[channel]["id"]
            self._message(where, who, said, moment, attachments=[attachment])

    def _world(self) -> dict[str, Any]:
        magpie = self.users["Magpie"]
        members = []
        for number, (username, user) in enumerate(self.users.items()):
            roles = PEOPLE[username][3] if username in PEOPLE else (username,)
            joined = FOUNDED + dt.timedelta(hours=number)
            members.append(
                {
                    "user_id": user["id"],
                    "nick": None,
                    "roles": [self.roles[role]["id"] for role in roles],
                    "joined_at": joined.isoformat(),
                }
            )
        guild = {
            "id": self.guild,
            "name": "The Nest",
            "icon": "avatars/nest.png",
            "owner_id": self.users["wren"]["id"],
            "roles": list(self.roles.values()),
            "channels": list(self.channels.values()),
            "threads": self.threads,
            "members": members,
            "stickers": self.stickers,
            "messages": self.messages,
        }
        return {
            "application": {
                "id": magpie["id"],
                "name": "Magpie",
                "description": "Finds pictures by what is in them.",
                "token": magpie["token"],
                "bot_user_id": magpie["id"],
            },
            "users": list(self.users.values()),
            "guilds": [guild],
        }


def make_world(artwork: Artwork, folder: Path = DEMO) -> tuple[int, int]:
    """Draw the demo world into `folder`; returns the number of pictures and of bytes.

    It is drawn in another folder and then moved, so an error leaves the old world as it was.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        builder = Builder(artwork, part)
        world = builder.build()
        write_json(part / "world.json", world)
        write_json(part / "labels.json", builder.painter.labels)
        (part / "LICENSES.md").write_text(licences(), "utf-8")
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    whole = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return len(builder.painter.labels), whole


def write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")


def licences() -> str:
    """The licences of the drawings that the pictures are made of."""
    return """# Artwork in the demo world

The pictures, avatars and stickers here were composed by `python -m pocket world`. Their
backdrops are drawn by this project (MIT, as the rest of it). The figures in them come from:

| artwork | by | licence | changed how |
|---|---|---|---|
| [Twemoji](https://github.com/jdecked/twemoji) | Twitter, Inc and other contributors; jdecked | \
[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/) | rasterised, turned, mirrored, dyed, \
shaded, set into scenes |
| [Noto Emoji](https://github.com/googlefonts/noto-emoji) | Google Inc | \
[Apache License 2.0](https://www.apache.org/licenses/LICENSE-2.0) | the same |

labels.json names the style ("twemoji" or "noto") of each picture's main figure. Names of the
subjects come from [emojibase-data](https://github.com/milesj/emojibase) (MIT).

The people, their talk and the places are invented.
"""
