"""The gallery of a command: where its file is, and how it is opened."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from index.cli.exits import INTERRUPTED, WrongUse

if TYPE_CHECKING:
    from rich.console import Console

    from index.gallery import Gallery

DEFAULT_MODEL = "openai/clip-vit-base-patch32"


def database(given: argparse.Namespace) -> Path:
    """The gallery's file.

    It is --db; else magpie.db in this folder, if it is there; else a file in the user's data
    folder.
    """
    if given.db:
        return Path(given.db)
    here = Path("magpie.db")
    if here.is_file():
        return here
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "magpie" / "photos.db"


def require_gallery(given: argparse.Namespace) -> None:
    """raises   WrongUse when the gallery's file isn't there"""
    path = database(given)
    if not path.exists():
        raise WrongUse(
            f"There is no gallery at {path} yet. Make one from your pictures:\n"
            f"  {given.prog} add ~/Pictures"
        )


@contextlib.asynccontextmanager
async def reading(given: argparse.Namespace) -> AsyncIterator[Gallery]:
    """The gallery, read-only; its model is loaded when it is needed.

    raises   WrongUse, GalleryError
    """
    from index.gallery import Gallery

    require_gallery(given)
    with _exit_on_interrupt():
        gallery = await Gallery.open(
            database(given), given.model, device=given.device, read_only=True
        )
    try:
        yield gallery
    finally:
        await gallery.close()


@contextlib.asynccontextmanager
async def writing(given: argparse.Namespace, console: Console) -> AsyncIterator[Gallery]:
    """The gallery for writing, with its model loaded; made when it isn't there.

    raises   GalleryError
    """
    from index.gallery import Gallery

    path = database(given)
    model = given.model or await _remembered_model(path) or DEFAULT_MODEL
    # No spinner: a first download draws its own bars.
    console.print(f"loading the model {model}", markup=False, highlight=False, style="dim")
    with _exit_on_interrupt():
        # The check that "auto" makes takes time, which only many pictures win back.
        gallery = await Gallery.open(path, model, device=given.device, precision="auto")
    try:
        yield gallery
    finally:
        await gallery.close()


async def _remembered_model(path: Path) -> str | None:
    """The name of the model that an existing gallery was made with."""
    from index.store.sqlite import SQLiteStore
    from index.types.errors import StoreUnreachable

    try:
        store = await SQLiteStore.open(path, read_only=True)
    except StoreUnreachable:
        return None  # missing or empty; if it is neither, opening it for writing raises the error
    try:
        model = await store.model_record.get()
        return model.name if model else None
    finally:
        await store.close()


@contextlib.contextmanager
def _exit_on_interrupt() -> Iterator[None]:
    """Ctrl-C ends the process at once. Nothing is being written yet, and an orderly exit would wait
    for the threads of a download."""

    def leave(*_: object) -> None:
        print("\nInterrupted.", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
