"""Copies a gallery's file consistently while it is being written, and restores a copy.

The copy is one SQLite file without a log. It has what was committed when the copying began, and no
half transaction. Segment files are not copied, since they are made again from it.

While a copy is restored, there is at each moment a whole gallery under the gallery's name, the old
one or the new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from console.reasons import reason_of
from index.store.sqlite import SEGMENTS, connections, files, lock, migrations
from index.store.sqlite.carry_over import CarriedOver, carry_over
from index.types.errors import StoreCorrupt, StoreLocked, StoreTooNew, StoreUnreachable


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    before    where the replaced gallery is now; None: there was none
    carried   what of the replaced gallery still holds
    """

    before: Path | None
    carried: CarriedOver


def back_up(gallery: Path, copy: Path) -> int:
    """The size of the copy that this writes, in bytes; another process may write the gallery.

    raises   StoreUnreachable, StoreCorrupt
    """
    there = StoreUnreachable(copy, "it is there already, and a backup never overwrites one")
    if copy.exists():
        raise there
    _check(gallery)
    part = files.beside(copy, files.PART)
    if part.exists():
        why = "another backup is being written, or one was ended; if none is running, remove it"
        raise StoreUnreachable(copy, f"{part.name} is there: {why}")
    try:
        try:
            connections.write_anew(gallery, part)
            _publish(part, copy)
        except BaseException:
            files.erase(part)
            raise
        files.on_disk(copy.parent)
    except FileExistsError:
        raise there from None
    except (OSError, sqlite3.Error) as exc:
        raise StoreUnreachable(copy, reason_of(exc)) from exc
    return copy.stat().st_size


def restore(copy: Path, gallery: Path) -> Restored:
    """Put the copy in the gallery's place; what was there is kept beside it as `….before`.

    raises   StoreLocked while a process uses the gallery; StoreUnreachable, StoreCorrupt,
             StoreTooNew, StoreFull; nothing is changed then
    """
    _check(copy)
    gallery = gallery.resolve()
    part = files.beside(gallery, files.PART)
    for ours in (gallery, part):
        if ours.exists() and ours.samefile(copy):
            raise StoreUnreachable(copy, "it is the gallery itself, and a copy of it is needed")
    with connections.translated(gallery):
        try:
            files.make_folder(gallery.parent)
            with contextlib.closing(lock.hold(gallery)):
                return _replaced(copy, gallery, part)
        except OSError as exc:
            raise StoreUnreachable(gallery, reason_of(exc)) from exc


def _replaced(copy: Path, gallery: Path, part: Path) -> Restored:
    files.remove_leftovers(gallery)
    try:
        connections.write_anew(copy, part)
        existed = gallery.exists()
        if existed:
            _move_log_into(gallery)
        # A loop may be running in this thread.
        with ThreadPoolExecutor(1) as thread:
            work = carry_over(gallery if existed else None, part)
            carried = thread.submit(asyncio.run, work).result()
        files.on_disk(part)
        before = _keep(gallery) if existed else None
        part.replace(gallery)
    except BaseException:
        files.remove_leftovers(gallery)
        raise
    files.on_disk(gallery.parent)
    shutil.rmtree(files.beside(gallery, SEGMENTS), ignore_errors=True)
    return Restored(before, carried)


def _move_log_into(gallery: Path) -> None:
    """Move what the log still has into the file, so that the file alone is complete.

    A damaged file keeps its log. raises StoreLocked while somebody reads it
    """
    with contextlib.closing(sqlite3.connect(gallery)) as db:
        try:
            ((busy, _, _),) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError:
            return
    if busy:
        raise StoreLocked(gallery)


def _keep(gallery: Path) -> Path:
    """A new file beside the gallery, under which it and its log are kept; none is overwritten."""
    before = next(name for name in _names(gallery) if not _is_taken(name))
    log = files.beside(gallery, "-wal")
    if log.exists() and log.stat().st_size:  # a damaged file has one
        _copy(gallery, before)
        _copy(log, files.beside(before, "-wal"))
    else:
        try:
            os.link(gallery, before)
        except FileExistsError:
            raise
        except OSError:  # a file system without second names
            _copy(gallery, before)
    files.on_disk(gallery.parent)
    for ending in files.LOGS:  # SQLite would apply them to the new gallery
        files.beside(gallery, ending).unlink(missing_ok=True)
    return before


def _names(gallery: Path) -> Iterator[Path]:
    yield files.beside(gallery, ".before")
    for number in itertools.count(2):
        yield files.beside(gallery, f".before.{number}")


def _is_taken(name: Path) -> bool:
    return any(files.beside(name, ending).exists() for ending in ("", *files.LOGS))


def _copy(file: Path, copy: Path) -> None:
    """Copy a file, for its owner only. raises FileExistsError, OSError"""
    files.make_file(copy)
    shutil.copyfile(file, copy)
    files.on_disk(copy)


def _check(path: Path) -> None:
    """Refuse what isn't a whole gallery of a version that we know.

    raises   StoreUnreachable, StoreCorrupt, StoreTooNew
    """
    if not path.is_file():
        raise StoreUnreachable(path, "there is no such file")
    try:
        with contextlib.closing(connections.read_only(path)) as db:
            ((application,),) = db.execute("PRAGMA application_id")
            ((version,),) = db.execute("PRAGMA user_version")
            ((verdict,),) = db.execute("PRAGMA quick_check(1)")
    except sqlite3.Error as exc:
        raise StoreCorrupt(path, str(exc)) from exc
    if application != migrations.APPLICATION_ID:
        raise StoreCorrupt(path, "it is not a gallery")
    if version > migrations.LATEST:
        raise StoreTooNew(path, version, migrations.LATEST)
    if verdict != "ok":
        raise StoreCorrupt(path, str(verdict))


def _publish(part: Path, copy: Path) -> None:
    """Give a finished file its name. raises FileExistsError where the name was taken meanwhile"""
    try:
        os.link(part, copy)
    except FileExistsError:
        raise
    except OSError:  # a file system without second names
        files.make_file(copy)
        part.replace(copy)
    else:
        part.unlink()
