"""`add`: make the pictures of folders searchable."""

from __future__ import annotations

import asyncio
import os
import shlex
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.commands import Name, flag, option
from console.exits import DONE, INTERRUPTED, REFUSED, WrongUse
from console.output import counted, harmless, say
from index.cli import gallery as galleries
from index.cli.command import FolderCommand, Given
from index.cli.paths import absolute, is_under, short
from index.cli.place import SPACE
from index.cli.signals import stopping

if TYPE_CHECKING:
    from index.cli.folder import Tally
    from index.cli.walk import Listing
    from index.gallery import Gallery
    from index.ocr.transcriber import Transcriber
    from index.types.records import Counts

# Broken pictures that a summary names. More of them would hide the rest.
BROKEN_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Add(Given):
    """What `add` is given, as typed; see its help."""

    paths: tuple[str, ...]
    text: tuple[str, ...]
    exclude: tuple[str, ...]
    again: bool
    ocr: bool


async def run(given: Add) -> int:
    """Update the gallery to the pictures of folders and the lines of text files."""
    from index.cli.walk import walk

    paths, texts = _existing(given.paths), _texts(given.text)
    transcriber = _transcriber(given)
    if not paths and not texts and not given.ocr:
        raise WrongUse("Nothing to add: name a folder or some pictures, or a --text FILE.")
    stop = threading.Event()
    with stopping(stop):
        listing = await asyncio.to_thread(walk, paths, given.exclude, stop.is_set)
    if stop.is_set():
        say("Stopped before anything was read; run the same command again.")
        return INTERRUPTED
    if not listing.files and not texts and not galleries.exists(given):
        return _nothing_there(given, paths, listing)
    if given.ocr:
        galleries.require_gallery(given)
    async with galleries.writing(given) as gallery:
        code = await _add(gallery, given, paths, texts, listing, stop)
        if code != INTERRUPTED and transcriber is not None:
            code = await _read_words(gallery, given, transcriber, stop) or code
        return code


def _transcriber(given: Add) -> Transcriber | None:
    """What reads the words in pictures, if they are to be read and can be.

    raises   WrongUse, OCRUnusable
    """
    from index.cli.transcribing import transcriber

    def lacking(reason: str) -> None:
        if not galleries.exists(given):  # said once
            say(reason)

    return transcriber(lacking, asked=given.ocr)


async def _read_words(
    gallery: Gallery, given: Add, transcriber: Transcriber, stop: threading.Event
) -> int:
    """Read the words in pictures in which they were not read yet, or in all; INTERRUPTED when it
    was stopped, else 0."""
    from rich.console import Console

    from index.cli import progress
    from index.cli.transcribing import transcribe
    from index.types.errors import OCRUnusable

    try:
        await gallery.transcripts.begin(transcriber.revision)
        if given.ocr:
            await gallery.transcripts.redo(SPACE)
        if not await gallery.transcripts.count_pending(SPACE):
            return 0
        started = time.monotonic()
        with progress.reporting(Console(soft_wrap=True), "words") as report, stopping(stop):
            tally = await transcribe(gallery, transcriber, stop, report)
    except OCRUnusable as exc:
        if given.ocr:
            raise
        say(str(exc))  # all else that was asked for is done
        return 0
    finally:
        await transcriber.close()
    took = progress.duration(time.monotonic() - started)
    say(f"Words were found in {tally.with_words:,} of {counted(tally.worked, 'picture')}; {took}.")
    if tally.stopped:
        say(
            f"Stopped; {counted(tally.total - tally.done, 'picture')} are still to be read. "
            "`add` goes on with them."
        )
        return INTERRUPTED
    return 0


async def _add(
    gallery: Gallery,
    given: Add,
    paths: Sequence[str],
    texts: Sequence[str],
    listing: Listing,
    stop: threading.Event,
) -> int:
    from rich.console import Console

    from index.cli import progress
    from index.cli.folder import Adding

    adding = Adding(gallery, listing, stop)
    await adding.plan(paths, texts, again=given.again)
    if adding.needs_model:
        await galleries.load_model(gallery)
    started = time.monotonic()
    with progress.reporting(Console(soft_wrap=True)) as report, stopping(stop):
        tally = await adding.run(report)
    took = progress.duration(time.monotonic() - started)
    _say_what_failed(tally)
    _say_what_is_kept(given, tally, listing)
    _say_totals(given, tally, took, await gallery.links.count())
    return INTERRUPTED if tally.stopped else _code((*paths, *texts), tally, listing)


def _existing(names: Sequence[str]) -> list[str]:
    """The absolute paths, none of which is known to be gone. raises WrongUse"""
    for name in names:
        try:
            os.lstat(name)
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise WrongUse(f"{harmless(name)} isn't there; nothing was added.") from exc
        except (OSError, ValueError):
            continue  # the walk says what is wrong with it
    return [absolute(name) for name in names]


def _texts(names: Sequence[str]) -> list[str]:
    """The absolute paths of text files. raises WrongUse"""
    paths = _existing(names)
    if folders := [path for path in paths if os.path.isdir(path)]:
        raise WrongUse(
            f"{short(folders[0])} is a folder; --text takes a file with one entry a line."
        )
    return paths


def _nothing_there(given: Add, paths: Sequence[str], listing: Listing) -> int:
    """Say that there is nothing to make a gallery from."""
    from index.cli.folder import Tally

    tally = Tally(broken=dict(listing.unseen))
    _say_what_failed(tally)
    _say_what_is_kept(given, tally, listing)
    nothing_seen = not listing.unseen and not listing.unlisted
    say("No pictures were found there." if nothing_seen else "Nothing was added.")
    return _code(paths, tally, listing)


def _code(named: Sequence[str], tally: Tally, listing: Listing) -> int:
    """The exit code of an `add` that was not stopped."""
    failed = {*tally.broken, *tally.broken_before, *listing.unlisted}
    lost = any(_is_lost(path, failed, listing) for path in named)
    return REFUSED if lost else DONE


def _is_lost(named: str, failed: Collection[str], listing: Listing) -> bool:
    """Whether nothing could be read of what a person named, though something is there."""
    if named in failed or named in listing.files or named not in listing.listed:
        return named in failed
    readable = any(is_under(path, named) for path in listing.files if path not in failed)
    return not readable and any(is_under(path, named) for path in failed)


def _say_what_failed(tally: Tally) -> None:
    for path, reason in sorted(tally.broken.items())[:BROKEN_SHOWN]:
        say(f"  {short(path)}: {reason}")
    if len(tally.broken) > BROKEN_SHOWN:
        say(f"  and {len(tally.broken) - BROKEN_SHOWN:,} more")
    for path in sorted(tally.partial)[:BROKEN_SHOWN]:
        say(f"  {short(path)}: It is damaged. What can be seen of it is searched.")
    if len(tally.partial) > BROKEN_SHOWN:
        say(f"  and {len(tally.partial) - BROKEN_SHOWN:,} more")


def _say_what_is_kept(given: Add, tally: Tally, listing: Listing) -> None:
    """Name what could not be seen, and what the gallery keeps of it."""
    unlisted = dict.fromkeys(listing.unlisted, 0)
    empty: dict[str, int] = {}
    mounts: dict[str, int] = {}
    for report in tally.vanished:
        unlisted |= report.unlisted
        empty |= report.empty
        mounts |= report.mounts
    for folder, count in sorted(unlisted.items()):
        kept = f"; the gallery keeps its {counted(count, 'picture')}" if count else ""
        say(f"{short(folder)} can't be listed: {listing.unlisted[folder]}{kept}.")
    if listing.links:
        first, more = listing.links[0], len(listing.links) - 1
        others = f" (and {counted(more, 'more link')})" if more else ""
        say(f"{short(first)} is a link to a folder, which is not followed{others}. To add it, too:")
        say(galleries.hint(given, f"add {shlex.quote(short(first))}").strip("\n"))
    for folder, count in sorted(empty.items()):
        say(
            f"{short(folder)} is empty now; the gallery keeps its {counted(count, 'picture')}, "
            "in case a drive isn't connected."
        )
    for folder, count in sorted(mounts.items()):
        say(
            f"The drive at {short(folder)} isn't connected now; "
            f"the gallery keeps its {counted(count, 'picture')}."
        )
    for folder in sorted({*empty, *mounts})[:1]:
        forget = galleries.hint(given, f"remove {shlex.quote(short(folder))}")
        say("If it is gone for good, this forgets it:")
        say(forget.strip("\n"))


def _say_totals(given: Add, tally: Tally, took: str, holds: Counts) -> None:
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (tally.added, "added"),
            (tally.changed, "changed"),
            (tally.unchanged, "unchanged"),
            (tally.gone, "vanished"),
            (tally.gone_meanwhile, "gone before they were read"),
            (len(tally.partial), "of them in part"),
            (len(tally.broken), "couldn't be read"),
            (len(tally.broken_before), "couldn't be read before (--again tries once more)"),
        )
        if count
    ]
    if not tally.total and not holds.links:
        say("No pictures were found there.")
    say(f"{', '.join(parts) or 'nothing to do'}; {took}.")
    texts = f" and {counted(holds.texts, 'text')}" if holds.texts else ""
    place = galleries.database(given)
    file = short(os.path.realpath(place)) if isinstance(place, Path) else galleries.named(given)
    say(f"{file} holds {counted(holds.images, 'picture')}{texts}.")
    if tally.stopped:
        left = tally.total - tally.done
        say(
            f"Stopped with {tally.done:,} of {tally.total:,} done; "
            f"run the same command again for the other {left:,}."
        )


COMMAND = FolderCommand(
    "add",
    run,
    Add,
    summary="make the pictures of a folder searchable",
    help="Make pictures searchable. Run it again whenever you like: what is unchanged is skipped, "
    "what changed is read again, what is surely gone is taken out. Ctrl-C is safe.",
    epilog="Exit codes: 0 done; 2 wrong use, a refusal, or nothing could be read of a path that "
    "was named; 130 interrupted.",
    params=[
        click.Argument(["paths"], nargs=-1, metavar="PATH...", type=Name()),
        option(
            "--text",
            multiple=True,
            metavar="FILE",
            type=Name(),
            help="a text file, each line an entry to be found",
        ),
        option(
            "--exclude",
            multiple=True,
            metavar="PATTERN",
            help="pass over files and folders of this name, written as in a .gitignore file: "
            "'*.gif', 'thumbs/', '2019/raw', '**/raw/*.tif' (may be given several times; "
            "what the gallery has of them stays, see the command remove)",
        ),
        flag(
            "--again",
            help="try files again that could not be read before and have not changed since",
        ),
        flag(
            "--ocr",
            help="read the words in all pictures of the gallery again. New pictures have theirs "
            "read anyway, unless MAGPIE_OCR=off, if the packages for it are installed",
        ),
    ],
)
