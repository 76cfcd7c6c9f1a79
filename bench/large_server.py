"""A Discord server with as many pictures as one likes, and the gallery that holds them all.

`python -m bench.large_server COUNT` serves it through the sandbox, and prints the sandbox's line;
`python -m bench.large_server COUNT NEWEST` serves only so many of the messages.
Each row of the gallery is a picture of a message of its own, so each hit can be read again from
the server. All messages show one and the same file, except those of #camera, whose photographs
differ: reading that channel again is as much work as on a real server.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import sandbox
from bench import BUILD, photographs
from bench.vectors import Floats, pictures
from index import EmbeddedPicture, Gallery, Group, Link
from index.types.derivations import FINGERPRINT
from index.types.records import Derived
from sandbox.snowflakes import at_time
from sandbox.world import (
    Application,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    User,
    World,
)

FOLDER = BUILD / "large-server"
BEGAN = 1_767_225_600  # 2026-01-01; a message a second from then on
CHANNELS = 50
PHOTOGRAPHS = 800  # in #camera
TOKEN, OWNER, MEMBER = "the-bots-token", "ada-token", "mei-token"
CHUNK_ROWS = 20_000
# View, send, embed, attach, read history, commands; the owner may do everything.
PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 31


def _id(number: int) -> int:
    """The id of something that is older than all messages."""
    return at_time(BEGAN - 86_400 + number)


GUILD, BOT, ADA, MEI, SQUARE, CAMERA = map(_id, range(6))
PLACES = [_id(100 + number) for number in range(CHANNELS)]


@dataclass(frozen=True, slots=True)
class Row:
    """A picture of the server, and the channel where it was posted."""

    number: int
    channel: int

    @property
    def message(self) -> int:
        return at_time(BEGAN + self.number)

    @property
    def attachment(self) -> int:
        return self.message + 1


def rows(count: int) -> Iterable[Row]:
    """All pictures, oldest first; the photographs of #camera come last."""
    elsewhere = count - PHOTOGRAPHS
    for number in range(elsewhere):
        yield Row(number, PLACES[number % CHANNELS])
    for number in range(elsewhere, count):
        yield Row(number, CAMERA)


def main() -> int:
    asyncio.run(_serve(*map(int, sys.argv[1:])))
    return 0


async def _serve(count: int, newest: int | None = None) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    gc.disable()  # collections while the objects are made would take half of the time
    made = world(count, newest)
    gc.freeze()
    gc.enable()
    async with sandbox.serve(made, record=False) as server:
        print(server.url, flush=True)
        await stop.wait()


# ---- the server


def world(count: int, newest: int | None = None) -> World:
    """The server with `count` pictures, or only the newest of their messages."""
    made = World(Application(BOT, "Magpie", "Finds pictures.", TOKEN, BOT), FOLDER)
    for id, name, token in ((BOT, "magpie", ""), (ADA, "ada", OWNER), (MEI, "mei", MEMBER)):
        made.users[id] = User(id, name, bot=id == BOT, token=token)
    guild = made.guilds[GUILD] = Guild(GUILD, "Town", owner_id=ADA)
    guild.roles[GUILD] = Role(GUILD, "@everyone", PERMISSIONS)
    guild.members = {id: Member(GUILD, id) for id in made.users}
    names = {SQUARE: "square", CAMERA: "camera"}
    for position, id in enumerate((SQUARE, CAMERA, *PLACES)):
        name = names.get(id, f"place-{position}")
        guild.channels[id] = Channel(id, GUILD, 0, name, position)
    shown = [_file(FOLDER / f"{number}.jpg") for number in range(PHOTOGRAPHS)]
    first = count - newest if newest else 0
    for row in rows(count):
        if row.number < first:
            continue
        file = shown[row.number % PHOTOGRAPHS if row.channel == CAMERA else 0]
        attachment = replace(file, id=row.attachment, channel_id=row.channel)
        made.put_message(Message(row.message, row.channel, ADA, attachments=[attachment]))
    return made


def _file(path: Path) -> Attachment:
    width, height = photographs.SCREENSHOT
    size = path.stat().st_size
    return Attachment(0, 0, path.name, str(path), size, "image/jpeg", width, height)


def draw() -> None:
    """Make the photographs, once."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for number in range(PHOTOGRAPHS):
        path = FOLDER / f"{number}.jpg"
        if not path.exists():
            path.write_bytes(photographs.jpeg(number, photographs.SCREENSHOT))


# ---- its gallery


async def gallery(count: int, model: Path) -> Path:
    """The file of a gallery that holds all pictures and has nothing left to merge; made once.

    It knows the photographs in #camera by other bytes than the server has, so that reading them
    again means embedding each of them.
    """
    folder = FOLDER / f"{count}-{model.name}"
    path = folder / "magpie.db"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        await (await Gallery.open(path, str(model), device="cpu")).close()
        fill(path, count, pictures(count))
        (folder / "ready").touch()
    await _put_back(path, count)
    return path


async def _put_back(path: Path, count: int) -> None:
    """Put back what the last run changed: #camera's pictures have other bytes, no job is left,
    and all rows are merged."""
    vectors = pictures(count)
    settled = await Gallery.open(path)
    begun = await settled.derivations.begun(FINGERPRINT)
    assert begun is not None
    # An empty one, as `fill` has it; else the bot would make it while it is measured.
    derived = {FINGERPRINT: Derived(begun.revision, b"")}
    for job in await settled.bookkeeping.jobs():
        await settled.commit([], jobs=[replace(job, status="cancelled")])
    await settled.commit(
        [
            (
                EmbeddedPicture(
                    _key(row), "image", vectors[row.number][None], 1080, 1350, derived=derived
                ),
                Link(
                    space=GUILD,
                    group=Group(CAMERA),
                    source=str(row.message),
                    slot=f"a:{row.attachment}",
                    owner=ADA,
                    posted_at=BEGAN + row.number,
                ),
            )
            for row in rows(count)
            if row.channel == CAMERA
        ]
    )
    while not settled._engine.idle:  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.1)
    await settled.close()


def _key(row: Row) -> bytes:
    return row.number.to_bytes(32, "little")


def fill(
    path: Path, count: int, vectors: Floats, fingerprint: Callable[[int], bytes] = lambda _: b""
) -> None:
    """Write the rows as a gallery keeps them, without the hours that embedding them would take.

    fingerprint   that of a row. An empty one isn't made anew: else the bot would read recent
                  messages again for it, and all of them show the same few photographs
    """
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    places = [SQUARE, CAMERA, *PLACES]
    db.executemany(f"INSERT INTO watched VALUES ({GUILD}, ?)", [(id,) for id in places])
    group = f"INSERT INTO groups (space, id, private) VALUES ({GUILD}, ?, 0)"
    db.executemany(group, [(id,) for id in places])
    newest = at_time(BEGAN + count)
    db.executemany(
        f"INSERT INTO cursors VALUES ({GUILD}, ?, {newest}, 0, 1)", [(id,) for id in places]
    )
    waiting: list[Row] = []
    for row in rows(count):
        waiting.append(row)
        if len(waiting) == CHUNK_ROWS:
            _insert(db, waiting, vectors, fingerprint)
            waiting.clear()
    _insert(db, waiting, vectors, fingerprint)
    db.close()


def _insert(
    db: sqlite3.Connection, some: list[Row], vectors: Floats, fingerprint: Callable[[int], bytes]
) -> None:
    db.executemany(
        "INSERT INTO items (id, key, kind, width, height) VALUES (?, ?, 'image', 1080, 1350)",
        [(row.number + 1, _key(row)) for row in some],
    )
    db.executemany(
        "INSERT INTO embeddings VALUES (?, ?)",
        [(row.number + 1, vectors[row.number].tobytes()) for row in some],
    )
    db.executemany(
        "INSERT INTO derived_fingerprint VALUES (?, ?)",
        [(row.number + 1, fingerprint(row.number)) for row in some],
    )
    db.executemany(
        f"""INSERT INTO links (id, space, group_id, source, slot, item, owner, posted_at, name,
        spoiler, details) VALUES (?, {GUILD}, ?, ?, ?, ?, {ADA}, ?, '0.jpg', 0,
        '{{"kind": "attachment"}}')""",
        [
            (
                row.number + 1,
                row.channel,
                str(row.message),
                f"a:{row.attachment}",
                row.number + 1,
                BEGAN + row.number,
            )
            for row in some
        ],
    )
    db.commit()


if __name__ == "__main__":
    sys.exit(main())
