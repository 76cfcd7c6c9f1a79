"""`info`: what is in the gallery."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.commands import flag
from console.exits import DONE
from console.output import counted, say, say_json
from index.cli import gallery as galleries
from index.cli import notes
from index.cli.command import FolderCommand, Given
from index.cli.paths import short
from index.cli.place import SPACE
from index.types.errors import format_bytes

# Folders that are listed, those with the most entries first.
FOLDERS_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Info(Given):
    """What `info` is given; see its help."""

    json: bool


async def run(given: Info) -> int:
    """Print what is in the gallery."""
    async with galleries.reading(given) as gallery:
        counts, model = await gallery.links.count(), await gallery.links.model()
        folders = _folders(await gallery.links.known(0, 0))
        unread = await gallery.transcripts.count_pending(SPACE)
        unreadable = len((await notes.load(gallery)).unreadable)
        taken = await gallery.links.disk_bytes()
        facts = {
            "file": galleries.named(given),
            "bytes": taken,
            "model": model.name if model else None,
            "revision": model.revision if model else None,
            "dimension": model.dimension if model else None,
            "images": counts.images,
            "texts": counts.texts,
            "links": counts.links,
            "partial": counts.partial,
            "unread": unread,
            "unreadable": unreadable,
            "folders": folders,
        }
    if given.json:
        say_json(facts)
        return DONE
    images = f"{counts.images:,}"
    if counts.links > counts.images + counts.texts:
        images += f" different ones in {counts.links - counts.texts:,} places"
    path, size = galleries.database(given), taken
    if isinstance(path, Path):
        size = await asyncio.to_thread(lambda: path.stat().st_size)
    say(f"file      {facts['file']} ({format_bytes(size)})")
    say(f"model     {facts['model'] or 'none yet'}, {facts['dimension'] or 0} numbers a vector")
    say(f"pictures  {images}")
    if counts.images:
        many = f"{counts.images - unread:,} of them" if unread else "all of them"
        say(f"words     read in {many}")
    say(f"texts     {counts.texts:,}")
    if counts.partial:
        say(f"partial   {counted(counts.partial, 'picture')} whose file is damaged")
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


COMMAND = FolderCommand(
    "info",
    run,
    Info,
    summary="say what is in the gallery",
    params=[flag("--json", help="for programs")],
)
