"""`move`: copy a bot's gallery from a file to PostgreSQL, or back, while the bot runs."""

from __future__ import annotations

from dataclasses import dataclass

import click

from console.commands import Called, Command, Name
from console.exits import DONE, WrongUse
from console.output import counted, flush, harmless, say
from index.types.errors import GalleryError


@dataclass(frozen=True, kw_only=True)
class Move(Called):
    """What `move` is given: two places, as typed."""

    source: str
    target: str


async def run(given: Move) -> int:
    """Copy the gallery, or go on with it; say what is to be done next."""
    from index.store.moving import move
    from index.types.address import shown

    try:
        moved = await move(given.source, given.target, _tell)
    except GalleryError as error:
        raise WrongUse(str(error)) from error
    for one in moved.checks:
        if one.same:
            say(f"same    {one.name}: {counted(one.source.rows, 'row')}, {one.source.checksum}")
        else:
            say(f"differs {one.name}: {one.source.rows:,} and {one.target.rows:,} rows")
    target = harmless(shown(given.target))
    if moved.complete:
        say(f"All is copied, and the same. Start the bot with MAGPIE_DB={target}")
        return DONE
    say(
        f"{harmless(shown(given.source))} is in use, and may change at any time. Now stop the bot, "
        "and run the same command once more: it copies only what is new. Then start the bot with "
        f"MAGPIE_DB={target}"
    )
    return DONE


def _tell(table: str, copied: int, removed: int) -> None:
    parts = [f"{copied:,} copied"] if copied else []
    parts += [f"{removed:,} removed"] if removed else []
    say(f"{table}: {', '.join(parts)}")
    flush()


COMMAND = Command(
    "move",
    run,
    Move,
    summary="move a bot's gallery to PostgreSQL, or back",
    help="Copies the gallery FROM, a file or the address of a PostgreSQL database, to the other "
    "kind of place, TO, also while a bot uses FROM. An interrupted move goes on where it was. In "
    "the end, run it once more without the bot: all rows are compared by counts and checksums, and "
    "the copy can be used. FROM is never changed.",
    params=[
        click.Argument(["source"], metavar="FROM", type=Name()),
        click.Argument(["target"], metavar="TO", type=Name()),
    ],
)
