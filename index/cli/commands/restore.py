"""`restore`: put a copy in the gallery's place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.commands import Name
from console.exits import DONE
from console.output import counted, say
from index.cli.command import FolderCommand, Given
from index.cli.gallery import file

if TYPE_CHECKING:
    from index.store.sqlite.carry_over import CarriedOver


FROM_DUMP = "Put a dump of pg_dump back with pg_restore (docs/postgres.md)."


@dataclass(frozen=True, kw_only=True)
class Restore(Given):
    """What `restore` is given: the copy, as typed."""

    copy: str


async def run(given: Restore) -> int:
    """Put a copy in the gallery's place, and keep the old file beside it."""
    from index.store.sqlite.backup import restore

    path, copy = file(given, FROM_DUMP), Path(given.copy)
    restored = await asyncio.to_thread(restore, copy, path)
    kept = f"; what it was is in {restored.before}" if restored.before else ""
    say(f"{path} is as in {copy}{kept}")
    for sentence in _sentences(restored.carried):
        say(sentence)
    return DONE


def _sentences(carried: CarriedOver) -> list[str]:
    """What a person must know of what the restored gallery has and lacks."""
    told = []
    if carried.dropped:
        pictures = counted(carried.dropped, "picture")
        told.append(f"Erased or forbidden after the copy was made, so not taken back: {pictures}.")
    if carried.another:
        told.append(
            "The copy is of another gallery. Opt-outs and retention of both hold; channels that "
            "were removed since are not known."
        )
    if carried.unread:
        told.append(
            f"In the replaced gallery these could not be read: {', '.join(carried.unread)}. What "
            "changed there after the copy is forgotten; if you know of it, set it again."
        )
    return told


COMMAND = FolderCommand(
    "restore",
    run,
    Restore,
    summary="put a copy back",
    help="Put a copy in the gallery's place. What is there is kept beside it. What was erased or "
    "decided since the copy was made still holds; to take the copy as it is, move the present "
    "gallery away first.",
    params=[click.Argument(["copy"], metavar="COPY", type=Name())],
)
