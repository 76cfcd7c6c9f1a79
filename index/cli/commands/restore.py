"""`restore`: put a copy in the gallery's place."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import Any

from index.cli.exits import DONE
from index.cli.gallery import database
from index.cli.output import say


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("restore", help="take a copy back", parents=[common])
    parser.description = "Put a copy in the gallery's place; what is there is kept beside it."
    parser.add_argument("copy", metavar="COPY")
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> int:
    """Put a copy in the gallery's place, and keep the old file beside it."""
    from index.store.sqlite.backup import restore

    path, copy = database(given), Path(given.copy)
    existed = await asyncio.to_thread(path.exists)
    await asyncio.to_thread(restore, copy, path)
    say(f"{path} is as in {copy}" + (f"; what it was is in {path}.before" if existed else ""))
    return DONE
