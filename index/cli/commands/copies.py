"""`copies`: where else a picture is, as it is or edited."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from console.commands import Name, flag
from console.exits import DONE, NOTHING_FOUND
from console.output import counted, say, say_json
from index.cli import gallery as galleries
from index.cli import paths
from index.cli.command import FolderCommand, Given
from index.cli.place import SPACE
from index.cli.vanished import Standing, standing

if TYPE_CHECKING:
    from index.types.records import Copy


@dataclass(frozen=True, kw_only=True)
class Copies(Given):
    """What `copies` is given, as typed; see its help."""

    picture: str
    json: bool


async def run(given: Copies) -> int:
    """Print the copies of a picture, oldest first."""
    from index.cli import notes
    from index.cli.contents import named
    from index.types.filter import Filter

    data = await named(given.picture)
    itself = paths.absolute(given.picture)
    async with galleries.reading(given) as gallery:
        copies = await gallery.copies_of(data, Filter(SPACE, but_not_source=itself))
        mounts = (await notes.load(gallery)).mounts
    standings = await asyncio.to_thread(_standings, copies, mounts)
    here = [copy for copy in copies if standings[copy.id] != "gone"]
    if given.json:
        say_json({"picture": itself, "copies": [_json(copy, standings[copy.id]) for copy in here]})
    elif here:
        name = paths.short(given.picture)
        order = ", the oldest first" if len(here) > 1 else ""
        say(f"{counted(len(here), 'copy', 'copies')} of {name}{order}:")
        for copy in here:
            away = " (can't be read now; is its drive connected?)"
            say(_line(copy) + (away if standings[copy.id] == "away" else ""))
    else:
        _say_none(given)
    return DONE if here else NOTHING_FOUND


def _standings(copies: Sequence[Copy], mounts: Collection[str]) -> dict[int, Standing]:
    return {copy.id: standing(copy.link.source, mounts) for copy in copies}


def _line(copy: Copy) -> str:
    changed = datetime.fromtimestamp(copy.link.posted_at)
    return f"{changed:%Y-%m-%d}  {paths.short(copy.link.source)}  {_difference(copy)}"


def _difference(copy: Copy) -> str:
    """How a copy and the named picture differ; which of them was edited is not known."""
    if copy.kind == "exact":
        return "the same picture"
    how = f" ({', '.join(sorted(copy.edits))})" if copy.edits else ""
    return f"an edited version{how}"


def _json(copy: Copy, standing: Standing) -> dict[str, Any]:
    return {
        "path": copy.link.source,
        "changed": round(copy.link.posted_at, 3),
        "kind": copy.kind,
        "edits": sorted(copy.edits),
        "readable": standing == "here",
    }


def _say_none(given: Copies) -> None:
    say(f"No copy of {paths.short(given.picture)} is in the gallery. What looks like it:")
    say(galleries.hint(given, f"find --image {shlex.quote(given.picture)}").strip("\n"))


COMMAND = FolderCommand(
    "copies",
    run,
    Copies,
    summary="say where else a picture is, as it is or edited",
    help="Where else the gallery has a picture: the same, saved again, cropped, framed, mirrored, "
    "turned or grey. The picture itself need not be in the gallery. What only looks like it is "
    "no copy; find --image finds that.",
    params=[
        click.Argument(["picture"], metavar="PICTURE", type=Name()),
        flag("--json", help="for programs"),
    ],
)
