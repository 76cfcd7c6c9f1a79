"""`add`: make the pictures of folders searchable."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.cli import gallery as galleries
from index.cli.exits import DONE, INTERRUPTED, WrongUse
from index.cli.paths import short

if TYPE_CHECKING:
    from index.cli.folder import Adding, Tally

# Broken pictures that a summary names. More of them would hide the rest.
BROKEN_SHOWN = 20


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("add", help="make pictures searchable", parents=[common])
    parser.description = (
        "Make pictures searchable. Run it again whenever you like: what is unchanged is "
        "skipped, what changed is read again, what vanished is taken out. Ctrl-C is safe."
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="folders or pictures")
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="FILE",
        help="a text file, each line an entry to be found",
    )
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> int:
    """Update the gallery to the pictures of folders and the lines of text files."""
    from rich.console import Console

    from index.cli import progress
    from index.cli.folder import Adding

    paths, texts = _existing(given.paths), _existing(given.text)
    if not paths and not texts:
        raise WrongUse("Nothing to add: name a folder or some pictures, or a --text FILE.")
    if folders := [path for path in texts if path.is_dir()]:
        raise WrongUse(f"{folders[0]} is a folder; --text takes a file with one entry a line.")
    console = Console(soft_wrap=True)
    async with galleries.writing(given, console) as gallery:
        started = time.monotonic()
        with progress.reporting(console) as report:
            adding = Adding(gallery, report)
            with _stop_on_signal(adding):
                tally = await adding.run(paths, texts)
        took = progress.duration(time.monotonic() - started)
        counts = await gallery.links.count()
    _print_summary(tally, took, counts.images, counts.texts, galleries.database(given))
    return INTERRUPTED if tally.stopped else DONE


def _existing(names: Sequence[str]) -> list[Path]:
    paths = [Path(name) for name in names]
    if missing := [path for path in paths if not path.exists()]:
        raise WrongUse(f"{missing[0]} isn't there; nothing was added.")
    return paths


@contextlib.contextmanager
def _stop_on_signal(adding: Adding) -> Iterator[None]:
    """Ctrl-C and SIGTERM finish the current batch; a second one ends at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()

    def stop() -> None:
        print("\nstopping: finishing the pictures that were begun", file=sys.stderr)
        adding.stop()
        if task is not None:
            for number in numbers:
                loop.add_signal_handler(number, task.cancel)

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows: Ctrl-C ends at once; commits are complete all the same
        yield
        return
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _print_summary(tally: Tally, took: str, images: int, texts: int, file: Path) -> None:
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (tally.added, "added"),
            (tally.changed, "changed"),
            (tally.unchanged, "unchanged"),
            (tally.vanished, "vanished"),
            (len(tally.broken), "couldn't be read"),
        )
        if count
    ]
    for path, reason in sorted(tally.broken)[:BROKEN_SHOWN]:
        print(f"  {short(path)}: {reason}")
    if len(tally.broken) > BROKEN_SHOWN:
        print(f"  and {len(tally.broken) - BROKEN_SHOWN:,} more")
    for folder, count in tally.missing_folders:
        print(
            f"{short(str(folder))} is empty now, and {count:,} pictures were in it. "
            "They are kept, in case a drive isn't connected."
        )
    if not tally.total:
        print("No pictures were found there.")
    print(f"{', '.join(parts) or 'nothing to do'}; {took}.")
    holds = f"{images:,} pictures" + (f" and {texts:,} texts" if texts else "")
    print(f"{short(str(file.resolve()))} holds {holds}.")
    if tally.stopped:
        left = tally.total - tally.done
        print(
            f"Stopped with {tally.done:,} of {tally.total:,} done; "
            f"run the same command again for the other {left:,}."
        )
