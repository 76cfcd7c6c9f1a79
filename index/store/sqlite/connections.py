"""Opens the gallery's file: takes its lock, migrates it, and translates SQLite's errors."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import aiosqlite

from console.reasons import reason_of
from index.store.sqlite import files, lock, migrations
from index.types.errors import (
    GalleryClosed,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreTooNew,
    StoreUnreachable,
)

log = logging.getLogger(__name__)

# SQLite would write what doesn't fit into its cache, as when it sorts, into files in /var/tmp.
IN_MEMORY = "PRAGMA temp_store = MEMORY"
# How long a statement waits for another connection's lock, such as a checkpoint's.
BUSY_TIMEOUT_S = 5.0


def prepare(path: Path) -> IO[str]:
    """The open lock of the file, whose folder is made when it is missing."""
    try:
        files.make_folder(path.parent)
    except OSError as exc:
        raise StoreUnreachable(path, f"its folder can't be made ({reason_of(exc)})") from exc
    if path.is_dir():
        raise StoreUnreachable(path, "it is a folder, and a file is needed")
    held = lock.hold(path)
    try:
        files.remove_leftovers(path)
        # Only its owner may read it. SQLite gives its log the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as exc:
        held.close()
        raise StoreUnreachable(path, reason_of(exc)) from exc
    return held


async def open_writer(path: Path) -> aiosqlite.Connection:
    """The connection that writes, to a migrated file. raises StoreCorrupt, StoreTooNew"""
    db = await connect(path)
    try:
        # The version is read before anything is changed, since it may be another program's file.
        version = await _version(db, path)
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "foreign_keys = ON",
        ):
            await db.execute_fetchall(f"PRAGMA {pragma}")
        await migrations.migrate(db, version)
        if 0 < version < migrations.LATEST:
            log.info(
                "%s had format %d and has %d now. An earlier Magpie can't open it: to go back to "
                "one, keep the backup from before the upgrade",
                path, version, migrations.LATEST,
            )  # fmt: skip
    except BaseException:
        await db.close()
        raise
    return db


async def open_reader(path: Path) -> aiosqlite.Connection:
    """A connection that only reads a file that must be there.

    raises   StoreUnreachable, StoreCorrupt, StoreTooNew
    """
    if not await asyncio.to_thread(path.is_file):
        raise StoreUnreachable(path, "there is no such file")
    try:
        db = await connect(path, read_only=True)
        try:
            version = await _version(db, path)
        except BaseException:
            await db.close()
            raise
    except sqlite3.OperationalError:
        # A folder that can't be written lacks the shared memory that WAL needs. When there is no
        # write-ahead log, no process is writing, and the file can be read as it is.
        if await asyncio.to_thread(path.with_name(path.name + "-wal").exists):
            raise
        db = await connect(path, read_only=True, immutable=True)
        version = await _version(db, path)
    if version < migrations.LATEST:
        await db.close()
        what = "nothing was ever added to it" if version == 0 else "an older Magpie wrote it"
        raise StoreUnreachable(path, f"{what}; add something first")
    return db


async def connect(
    path: Path, *, read_only: bool = False, immutable: bool = False
) -> aiosqlite.Connection:
    """A connection; `immutable` when no process writes and no lock can be taken."""
    mode = ("mode=ro" if read_only else "mode=rwc") + ("&immutable=1" if immutable else "")
    db = await aiosqlite.connect(
        f"{path.as_uri()}?{mode}", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S
    )
    await db.execute_fetchall(IN_MEMORY)
    return db


def read_only(path: Path) -> sqlite3.Connection:
    """A connection for a thread, which only reads. raises sqlite3.Error"""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    db.execute(IN_MEMORY)
    return db


def write_anew(path: Path, copy: Path) -> None:
    """Write what is committed in a file into another one, without gaps, and wait for the disk.

    copy     only its owner can read it; it must not be there yet
    raises   OSError, sqlite3.Error
    """
    files.make_file(copy)
    with contextlib.closing(read_only(path)) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    files.on_disk(copy)


def close_gaps(path: Path) -> None:
    """Write a file anew in its place, through a copy beside it.

    SQLite's VACUUM does the same, but with a copy in /var/tmp, which may be on another disk than an
    operator encrypted, and which is not overwritten when it is removed.

    raises   OSError, sqlite3.Error
    """
    copy = files.beside(path, files.ANEW)
    try:
        write_anew(path, copy)
        target = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)
        with contextlib.closing(read_only(copy)) as source, contextlib.closing(target):
            target.execute("PRAGMA synchronous = FULL")
            source.backup(target)
    finally:
        files.erase(copy)


async def _version(db: aiosqlite.Connection, path: Path) -> int:
    """The number of the last migration that the file went through; 0 for an empty file."""
    ((application,),) = await db.execute_fetchall("PRAGMA application_id")
    ((version,),) = await db.execute_fetchall("PRAGMA user_version")
    ((tables,),) = await db.execute_fetchall("SELECT COUNT(*) FROM sqlite_master")
    if application != migrations.APPLICATION_ID and (application or version or tables):
        raise StoreCorrupt(path, "it is the SQLite file of another program")
    if version > migrations.LATEST:
        raise StoreTooNew(path, version, migrations.LATEST)
    return int(version)


_UNREACHABLE = {"SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_IOERR"}


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raises SQLite's errors as StoreError or GalleryClosed."""
    try:
        yield
    except sqlite3.Error as exc:
        raise _translation(path, exc) from exc
    except OSError as exc:
        if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreFull(path) from exc
        raise StoreUnreachable(path, reason_of(exc)) from exc
    except ValueError as exc:
        # aiosqlite says with this that the connection was closed.
        if "onnection" not in str(exc):
            raise
        raise GalleryClosed from exc


def _translation(path: Path, exc: sqlite3.Error) -> StoreError:
    name = getattr(exc, "sqlite_errorname", "")
    primary = "_".join(name.split("_")[:2])
    if primary == "SQLITE_NOTADB":
        return StoreCorrupt(path, "it is not an SQLite file")
    # A quota, or a limit on a file's size, makes a write fail.
    if primary == "SQLITE_FULL" or name == "SQLITE_IOERR_WRITE":
        return StoreFull(path)
    if primary in ("SQLITE_BUSY", "SQLITE_LOCKED"):
        return StoreLocked(path)
    if primary in _UNREACHABLE:
        return StoreUnreachable(path, str(exc))
    return StoreCorrupt(path, f"{exc} ({name})" if name else str(exc))
