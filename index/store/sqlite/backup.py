"""Copies a gallery's file consistently while it is being written, and restores a copy.

The copy is one SQLite file without a log. It has what was committed when the copying began, and no
half transaction. Segment files are not copied, since they are made again from it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from index.store.sqlite import SEGMENTS, lock, migrations
from index.types.errors import StoreCorrupt, StoreTooNew, StoreUnreachable, reason_of


def back_up(gallery: Path, copy: Path) -> int:
    """The size of the copy that this writes, in bytes; another process may write the gallery.

    raises   StoreUnreachable, StoreCorrupt
    """
    if copy.exists():
        raise StoreUnreachable(copy, "it is there already, and a backup never overwrites one")
    _check(gallery)
    part = copy.with_name(copy.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with contextlib.closing(_read_only(gallery)) as db:
            db.execute("VACUUM INTO ?", (str(part),))
        _on_disk(part)
        part.rename(copy)
    except (OSError, sqlite3.Error) as exc:
        part.unlink(missing_ok=True)
        raise StoreUnreachable(copy, reason_of(exc)) from exc
    return copy.stat().st_size


def restore(copy: Path, gallery: Path) -> None:
    """Put the copy in the gallery's place; what was there is kept beside it as `….before`.

    raises   StoreLocked while a process uses the gallery; StoreUnreachable, StoreCorrupt,
             StoreTooNew; nothing is changed then
    """
    _check(copy)
    gallery.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(lock.hold(gallery)):
        part = gallery.with_name(gallery.name + ".part")
        try:
            shutil.copyfile(copy, part)
            part.chmod(0o600)
            _on_disk(part)
            if gallery.exists():
                _emptied_log(gallery)
                gallery.rename(gallery.with_name(gallery.name + ".before"))
            for end in ("-wal", "-shm"):
                gallery.with_name(gallery.name + end).unlink(missing_ok=True)
            shutil.rmtree(gallery.with_name(gallery.name + SEGMENTS), ignore_errors=True)
            part.rename(gallery)
        except OSError as exc:
            raise StoreUnreachable(gallery, reason_of(exc)) from exc


def _check(path: Path) -> None:
    """Refuse what isn't a whole gallery of a version that we know."""
    if not path.is_file():
        raise StoreUnreachable(path, "there is no such file")
    try:
        with contextlib.closing(_read_only(path)) as db:
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


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _emptied_log(path: Path) -> None:
    """Move what the log still has into the file, so that the file alone is complete."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _on_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
