"""`backup`: copy the gallery, also while it is in use."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from index.cli.exits import DONE
from index.cli.gallery import database, require_gallery
from index.cli.output import say
from index.cli.paths import check_place
from index.types.errors import format_bytes


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("backup", help="copy the gallery, also in use", parents=[common])
    parser.description = "A consistent copy of the gallery; a bot may go on writing it."
    parser.add_argument("copy", metavar="COPY", help="the file to write; none is overwritten")
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> int:
    """Copy the gallery to a new file."""
    from index.store.sqlite.backup import back_up

    require_gallery(given)
    check_place(given.copy)
    path, copy = database(given), Path(given.copy)
    size = await asyncio.to_thread(back_up, path, copy)
    say(f"{copy} is a copy of {path} ({format_bytes(size)})")
    return DONE
