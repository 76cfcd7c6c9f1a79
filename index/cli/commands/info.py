"""`info`: what is in the gallery."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Collection, Mapping
from typing import Any

from index.cli import gallery as galleries
from index.cli import notes
from index.cli.exits import DONE
from index.cli.output import counted, say, say_json
from index.cli.paths import short
from index.types.errors import format_bytes

# Folders that are listed, those with the most entries first.
FOLDERS_SHOWN = 10


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("info", help="what is in the gallery", parents=[common])
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> int:
    """Print what is in the gallery."""
    path = galleries.database(given)
    async with galleries.reading(given) as gallery:
        counts, model = await gallery.links.count(), await gallery.links.model()
        folders = _folders(await gallery.links.known(0, 0))
        unreadable = len((await notes.load(gallery)).unreadable)
        facts = {
            "file": str(path),
            "bytes": await gallery.links.disk_bytes(),
            "model": model.name if model else None,
            "revision": model.revision if model else None,
            "dimension": model.dimension if model else None,
            "images": counts.images,
            "texts": counts.texts,
            "links": counts.links,
            "unreadable": unreadable,
            "folders": folders,
        }
    if given.json:
        say_json(facts)
        return DONE
    images = f"{counts.images:,}"
    if counts.links > counts.images + counts.texts:
        images += f" different ones in {counts.links - counts.texts:,} places"
    size = await asyncio.to_thread(lambda: path.stat().st_size)
    say(f"file      {facts['file']} ({format_bytes(size)})")
    say(f"model     {facts['model'] or 'none yet'}, {facts['dimension'] or 0} numbers a vector")
    say(f"pictures  {images}")
    say(f"texts     {counts.texts:,}")
    if unreadable:
        say(f"broken    {counted(unreadable, 'file')} couldn't be read as pictures")
    for i, (folder, count) in enumerate(list(folders.items())[:FOLDERS_SHOWN]):
        say(f"{'folders' if i == 0 else '':<9} {count:>6,}  {short(folder)}")
    if len(folders) > FOLDERS_SHOWN:
        more = counted(len(folders) - FOLDERS_SHOWN, "more folder")
        say(f"{'':<9} {'':>6}  and {more}")
    return DONE


def _folders(known: Mapping[str, Collection[str]]) -> dict[str, int]:
    """How many entries each folder has, the fullest first."""
    counts: dict[str, int] = {}
    for source, slots in known.items():
        folder = os.path.dirname(source)
        counts[folder] = counts.get(folder, 0) + len(slots)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
