"""`remove`: forget pictures and texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import click

from console.commands import Name
from console.exits import DONE, NOTHING_FOUND
from console.output import counted, say
from index.cli import gallery as galleries
from index.cli import notes
from index.cli.command import FolderCommand, Given
from index.cli.paths import absolute, is_under, short
from index.cli.place import GROUP, SPACE


@dataclass(frozen=True, kw_only=True)
class Remove(Given):
    """What `remove` is given, as typed; see its help."""

    paths: tuple[str, ...]


async def run(given: Remove) -> int:
    """Remove what the gallery has of these paths."""
    forgotten = 0
    async with galleries.changing(given) as gallery:
        known = await gallery.links.known(SPACE, GROUP.id)
        remembered = await notes.load(gallery)
        for path in map(absolute, given.paths):
            entries = {source: slots for source, slots in known.items() if is_under(source, path)}
            if entries:
                await gallery.remove_sources(SPACE, entries)
            remembered.forget(path)
            _say(given, path, entries)
            forgotten += len(entries)
            known = {source: known[source] for source in known.keys() - entries.keys()}
        await notes.save(gallery, remembered)
    return DONE if forgotten else NOTHING_FOUND


def _say(given: Remove, path: str, entries: Mapping[str, Collection[str]]) -> None:
    if not entries:
        say(f"{galleries.named(given)} has nothing of {short(path)}.")
        return
    pictures = sum(slots == {""} for slots in entries.values())
    texts = sum(len(slots) for slots in entries.values()) - pictures
    counts = [(pictures, "picture"), (texts, "text")]
    parts = " and ".join(counted(count, noun) for count, noun in counts if count)
    say(f"{parts} of {short(path)} forgotten.")


COMMAND = FolderCommand(
    "remove",
    run,
    Remove,
    summary="forget pictures, without touching their files",
    help="Forget pictures and texts: what the gallery has of a file, or of all files below a "
    "folder, whether they are still there or not. The files themselves stay. An add of their "
    "folder brings back those that are still there; its --exclude keeps them out.",
    params=[click.Argument(["paths"], nargs=-1, required=True, metavar="PATH...", type=Name())],
)
