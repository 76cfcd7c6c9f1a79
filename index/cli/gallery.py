"""The gallery of a command: where it is, and how it is opened."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.exits import WrongUse
from console.output import OutputLost, flush, harmless, say, say_error
from console.reasons import reason_of
from index.cli.command import DEFAULT_MODEL, Given
from index.cli.paths import odd_kind
from index.cli.place import SPACE
from index.cli.signals import ending_at_once
from index.types.address import Place, fault_of, is_address, shown

if TYPE_CHECKING:
    from index.gallery import Gallery
    from index.types.records import Counts


def database(given: Given) -> Place:
    """The gallery's file, or the address of its database.

    It is --db; else magpie.db in this folder, if it is there; else a file in the user's data
    folder.
    raises   WrongUse
    """
    if given.db is not None:
        if not given.db:
            raise WrongUse(
                "--db needs the name of a file, or the address of a database; it was empty."
            )
        if is_address(given.db):
            if fault := fault_of(given.db):
                raise WrongUse(f"--db {fault}")
            return given.db
        return Path(given.db)
    here = Path("magpie.db")
    if os.path.isfile(here):
        return here
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else _home() / ".local" / "share") / "magpie" / "photos.db"


def file(given: Given, instead: str) -> Path:
    """The gallery's file, for what only a file can do.

    instead  what to do with a database
    raises   WrongUse
    """
    place = database(given)
    if isinstance(place, str):
        raise WrongUse(f"{named(given)} is a database, and this is for a gallery's file. {instead}")
    return place


def named(given: Given) -> str:
    """The gallery's place as a person is told it, without a password."""
    return harmless(shown(database(given)))


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as exc:
        raise WrongUse(
            "This account has no home folder to keep a gallery in; name a file with --db FILE."
        ) from exc


def hint(given: Given, command: str) -> str:
    """How to type another command for the same gallery, on a line of its own."""
    db = f" --db {shlex.quote(shown(given.db))}" if given.db else ""
    return f"\n  {given.program} {command}{harmless(db)}"


def exists(given: Given) -> bool:
    """Whether the gallery's file is there; a database says itself what it lacks.

    raises   WrongUse when that can't be told, or something else is there
    """
    path = database(given)
    if is_address(path):
        return True
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise WrongUse(f"{harmless(str(path))} can't be opened: {reason_of(exc)}.") from exc
    except ValueError as exc:
        raise WrongUse(f"No file can be named {harmless(str(path))}.") from exc
    kind = "a folder" if stat.S_ISDIR(mode) else odd_kind(mode)
    if kind:
        raise WrongUse(f"{harmless(str(path))} can't be a gallery: it is {kind}, not a file.")
    return True


def require_gallery(given: Given) -> None:
    """raises   WrongUse when the gallery's file isn't there"""
    if not exists(given):
        raise WrongUse(
            f"There is no gallery at {named(given)} yet. "
            f"Make one from your pictures:{hint(given, 'add ~/Pictures')}"
        )


@contextlib.asynccontextmanager
async def reading(given: Given) -> AsyncIterator[Gallery]:
    """The gallery, read-only; its model is loaded when it is needed.

    raises   WrongUse, GalleryError
    """
    from index.gallery import Gallery

    require_gallery(given)
    with ending_at_once():
        gallery = await Gallery.open(
            database(given), given.model, device=given.device, read_only=True
        )
    try:
        yield gallery
    finally:
        await gallery.close()


@contextlib.asynccontextmanager
async def writing(given: Given) -> AsyncIterator[Gallery]:
    """The gallery for writing; made when it isn't there.

    A new gallery has its model loaded, before anything is made. That of another one is loaded when
    it is needed, which is said with `say_loading`.
    raises   GalleryError, WrongUse
    """
    from index.cli.thumbnails import sweep
    from index.gallery import Gallery

    path = database(given)
    kept = await _kept_model(path) if exists(given) else None
    model = None if kept and given.model in (None, kept) else given.model or DEFAULT_MODEL
    if model:
        say_loading(model)
    with ending_at_once():
        # The check that "auto" makes takes time, which only many pictures win back.
        gallery = await Gallery.open(path, model, device=given.device, precision="auto")
    try:
        yield gallery
    finally:
        if isinstance(path, Path):
            await asyncio.to_thread(sweep, path)
        await gallery.close()


@contextlib.asynccontextmanager
async def changing(given: Given) -> AsyncIterator[Gallery]:
    """A gallery that is there, for writing without its model.

    raises   GalleryError, WrongUse
    """
    from index.cli.thumbnails import sweep
    from index.gallery import Gallery

    require_gallery(given)
    path = database(given)
    with ending_at_once():
        gallery = await Gallery.open(path, device=given.device)
    try:
        yield gallery
    finally:
        if isinstance(path, Path):
            await asyncio.to_thread(sweep, path)
        await gallery.close()


async def require_links(gallery: Gallery, given: Given) -> Counts:
    """What is in the gallery. raises WrongUse when nothing of a folder is"""
    counts = await gallery.links.count(SPACE)
    file = named(given)
    if not counts.links and await gallery.links.count_links():
        raise WrongUse(
            f"{file} is the gallery of a bot: what it has was posted in chats, and nothing of it "
            "is a file here. Ask the bot with /find, or name another gallery with --db."
        )
    if not counts.links:
        raise WrongUse(
            f"The gallery {file} is empty. Add some pictures:{hint(given, 'add ~/Pictures')}"
        )
    return counts


async def spare_pictures(gallery: Gallery, name: str, image: str | None = None) -> None:
    """Refuse to write a file in the place of a picture of the gallery.

    image    another picture in whose place nothing is written: the one that is asked with
    raises   WrongUse
    """
    places = _places(name)
    if image and places & _places(image):
        raise WrongUse(f"{harmless(name)} is the picture that you ask with. Name another.")
    for place in places:
        if await gallery.links.ids_of_source(SPACE, place):
            raise WrongUse(f"{harmless(name)} is a picture of the gallery. Name another.")


def _places(name: str) -> set[str]:
    """Where a name leads: as written, and behind links."""
    return {os.path.abspath(name), os.path.realpath(name)}


async def load_model(gallery: Gallery) -> None:
    """Load the gallery's model now, rather than below a progress bar: a download has its own.

    raises   ModelError
    """
    if not gallery.model_is_loaded:
        say_loading(gallery.model)
        with ending_at_once():
            await gallery.load_model()


async def ready_to_judge(gallery: Gallery) -> None:
    """Wait until answers can be sure. The first time with a model that takes a while, which is
    said."""
    if not gallery.judges:
        with contextlib.suppress(OutputLost):
            say_error("The model reads common words, once, to know later what fits a question …")
            flush()
    with ending_at_once():
        await gallery.ready_to_judge()


def say_loading(model: str) -> None:
    """Say that a model is loaded, since that takes time; the work goes on where nobody listens."""
    with contextlib.suppress(OutputLost):
        say(f"loading the model {model}")
        flush()


async def _kept_model(path: Place) -> str | None:
    """The name of the model that a gallery was made with; a gallery of an earlier Magpie is brought
    to the shape of today. raises StoreError"""
    from index.store.opening import open_store
    from index.types.derivations import NAMES

    store = await open_store(path, derivations=NAMES)
    try:
        model = await store.model_record.get()
        return model.name if model else None
    finally:
        await store.close()
