"""`magpie serve`: prints the page's address, and serves it until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shlex
import signal
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import commands, output
from console.called import as_typed
from console.commands import Name, Whole, flag, option
from console.exits import DONE, WrongUse
from console.output import harmless, say
from console.reasons import reason_of
from index.cli import gallery as galleries
from index.cli.command import DEFAULT_MODEL, FolderCommand, Given
from index.cli.paths import absolute, short
from index.cli.signals import ending_at_once

if TYPE_CHECKING:
    from index.embed.embedder import Embedder


NOT_SERVED = "Serve a folder whose gallery is a file; pg_dump copies a database (docs/postgres.md)."


@dataclass(frozen=True, kw_only=True)
class Serve(Given):
    """What `serve` is given, as typed; see its help."""

    folder: str
    port: int
    add: bool
    open: bool


async def run(given: Serve) -> int:
    """Serve a page on the pictures of a folder."""
    from index.cli.thumbnails import Thumbnails
    from serve.opened import Opened, Place
    from serve.server import serve

    root = _folder(given)
    file = Path(absolute(galleries.file(given, NOT_SERVED)))
    model = await _begun(given, file) if given.add and not galleries.exists(given) else None
    if not galleries.exists(given):
        raise WrongUse(_no_gallery(given))
    place = Place(file, given.device)
    async with contextlib.AsyncExitStack() as stack:
        with ending_at_once():
            opened = await stack.enter_async_context(Opened.open(place, root, model or given.model))
            kept = await asyncio.to_thread(Thumbnails, file)
        if not len(opened.inventory) and not given.add:
            raise WrongUse(_nothing_of(given))
        try:
            running = await stack.enter_async_context(
                serve(opened, port=given.port, thumbnails=kept)
            )
        except OSError as exc:
            raise WrongUse(_no_port(given, exc)) from exc
        if given.add:
            opened.add()
        say(f"{short(root)} is on this page, for this machine only, until you press Ctrl-C:")
        say(f"  {running.url}")
        output.flush()
        if given.open:
            # Some browsers are a command that ends when their window is closed.
            opening = threading.Thread(target=webbrowser.open, args=(running.once,), daemon=True)
            opening.start()
        await _stopped()
        with ending_at_once():  # a second Ctrl-C
            await stack.aclose()
    return DONE


def _folder(given: Serve) -> str:
    """The absolute path of the folder. raises WrongUse"""
    if not os.path.isdir(given.folder):
        raise WrongUse(f"{harmless(given.folder)} is no folder. Name one with pictures.")
    return absolute(given.folder)


async def _begun(given: Serve, file: Path) -> Embedder | None:
    """Make a gallery that has nothing yet; returns its model. raises GalleryError"""
    from index.gallery import Gallery

    model = given.model or DEFAULT_MODEL
    galleries.say_loading(model)
    with ending_at_once():
        gallery = await Gallery.open(file, model, device=given.device, precision="auto")
    try:
        return gallery.embedder
    finally:
        await gallery.close()


def _no_gallery(given: Serve) -> str:
    file = galleries.named(given)
    return (
        f"There is no gallery at {file} yet. Make one from your pictures, or let the page show how "
        f"they come:{_hints(given)}"
    )


def _nothing_of(given: Serve) -> str:
    return (
        f"The gallery has nothing of {harmless(given.folder)} yet. Add its pictures first, or let "
        f"the page show how they come:{_hints(given)}"
    )


def _hints(given: Serve) -> str:
    folder = shlex.quote(given.folder)
    return (
        f"{galleries.hint(given, f'add {folder}')}{galleries.hint(given, f'serve {folder} --add')}"
    )


def _no_port(given: Serve, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        return (
            f"Port {given.port} is taken by another program. "
            "Name another with --port, or leave it out."
        )
    return f"Port {given.port} can't be had: {reason_of(exc)}."


async def _stopped() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in numbers:
            loop.add_signal_handler(number, stop.set)
    except NotImplementedError:
        pass  # Windows: Ctrl-C ends at once
    await stop.wait()
    for number in numbers:
        loop.remove_signal_handler(number)


COMMAND = FolderCommand(
    "serve",
    run,
    Serve,
    summary="show the pictures of a folder in the browser",
    help="Show the pictures of a folder on a page of this machine: to search, to scroll through, "
    "to look at. Only the browser of this machine can read it, and only with the whole address, "
    "which is another one at each start. Ctrl-C ends it.",
    params=[
        click.Argument(["folder"], metavar="FOLDER", type=Name("dir")),
        option(
            "--port",
            metavar="N",
            type=Whole(0, 65_535),
            default=0,
            help="where it listens (default: a free port)",
        ),
        flag("--add", help="first add what is new in the folder; the page shows how far that is"),
        click.Option(
            ["--open/--no-open"], default=True, help="open the page in the browser (default: open)"
        ),
    ],
)


if __name__ == "__main__":
    sys.exit(commands.run(COMMAND, sys.argv[1:], program=as_typed()))
