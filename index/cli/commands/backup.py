"""`backup`: copy the gallery, also while it is in use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import click

from console.commands import Name
from console.exits import DONE
from console.output import say
from index.cli.command import FolderCommand, Given
from index.cli.gallery import file, require_gallery
from index.cli.paths import check_place
from index.types.errors import format_bytes

DUMP = "Copy it with PostgreSQL's pg_dump (docs/postgres.md)."


@dataclass(frozen=True, kw_only=True)
class Backup(Given):
    """What `backup` is given: the file to write, as typed."""

    copy: str


async def run(given: Backup) -> int:
    """Copy the gallery to a new file."""
    from index.store.sqlite.backup import back_up

    path = file(given, DUMP)
    require_gallery(given)
    check_place(given.copy)
    copy = Path(given.copy)
    size = await asyncio.to_thread(back_up, path, copy)
    say(f"{copy} is a copy of {path} ({format_bytes(size)})")
    return DONE


COMMAND = FolderCommand(
    "backup",
    run,
    Backup,
    summary="copy the gallery, also while it is in use",
    help="A consistent copy of the gallery; a bot may go on writing it. COPY is the file to write; "
    "none is overwritten.",
    params=[click.Argument(["copy"], metavar="COPY", type=Name())],
)
