"""Thumbnails that are kept beside a gallery, within a bound: those used least recently go first.

They lie in an SQLite file of their own, which may be lost at any time: only one process may write
the gallery, and whoever shows pictures shall not be that one. A thumbnail belongs to the bytes of a
picture, by its item's key. `sweep` erases those of pictures that the gallery has no more; each
command that changes a gallery does that at its end.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from index.store.sqlite import connections, files

log = logging.getLogger(__name__)
T = TypeVar("T")

ENDING = ".thumbnails"
MOST_BYTES = 1_000_000_000
LEFT = 0.9  # of the bound, when room was made
BUSY_TIMEOUT_S = 5.0
USES_KEPT = 500  # uses that are written down together
SHAPE = 1  # of the tables
_TABLES = (
    """CREATE TABLE thumbnails (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        height INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        used INTEGER NOT NULL,
        UNIQUE (key, height)
    )""",
    "CREATE INDEX thumbnails_by_use ON thumbnails (used)",
    # Apart, so that a use doesn't write the picture again.
    "CREATE TABLE pictures (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    f"PRAGMA user_version = {SHAPE}",
)


class Thumbnails:
    """The thumbnails beside the gallery in `path`. Its calls block; any thread may make them.

    Where the file can't be read or written, nothing is kept.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._gallery = path
        self._most_bytes = most_bytes
        self._calls = threading.Lock()
        self._uses: dict[int, int] = {}  # by id, not written down yet
        self._bytes, self._clock = 0, 0
        self._db = _opened(place(path))
        self._run(self._begin)

    def get(self, key: bytes, height: int) -> bytes | None:
        """The thumbnail of this height of the item with this key, if it is kept."""
        return self._run(lambda db: self._get(db, key, height))

    def put(self, key: bytes, height: int, data: bytes) -> None:
        """Keep a thumbnail, and erase others where there is no room for it."""
        self._run(lambda db: self._put(db, key, height, data))

    def sweep(self) -> None:
        """Erase the thumbnails of pictures that the gallery has no more."""
        self._run(self._sweep)

    def close(self) -> None:
        """Write down what was used, and close the file."""
        self._run(self._write_uses)
        with self._calls:
            if self._db is not None:
                self._db.close()
            self._db = None

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` gives back; None where the file can't be used now."""
        with self._calls:
            if self._db is None:
                return None
            try:
                return work(self._db)
            except sqlite3.Error:
                log.warning("the thumbnails beside %s can't be used", self._gallery, exc_info=True)
                return None

    # ---- on the file; called one at a time

    def _begin(self, db: sqlite3.Connection) -> None:
        ((size, clock),) = db.execute("SELECT total(bytes), max(used) FROM thumbnails")
        self._bytes, self._clock = int(size), clock or 0

    def _get(self, db: sqlite3.Connection, key: bytes, height: int) -> bytes | None:
        found = db.execute(
            """SELECT id, data FROM thumbnails JOIN pictures USING (id)
            WHERE key = ? AND height = ?""",
            (key, height),
        ).fetchone()
        if found is None:
            return None
        id, data = found
        self._clock += 1
        self._uses[id] = self._clock
        if len(self._uses) >= USES_KEPT:
            self._write_uses(db)
        return bytes(data)

    def _put(self, db: sqlite3.Connection, key: bytes, height: int, data: bytes) -> None:
        with _transaction(db):
            self._clock += 1
            row = (key, height, len(data), self._clock)
            added = db.execute("INSERT OR IGNORE INTO thumbnails VALUES (NULL, ?, ?, ?, ?)", row)
            if not added.rowcount:
                return
            db.execute("INSERT INTO pictures VALUES (?, ?)", (added.lastrowid, data))
            self._bytes += len(data)
        if self._bytes > self._most_bytes:
            self._make_room(db)

    def _make_room(self, db: sqlite3.Connection) -> None:
        self._write_uses(db)
        oldest, left = [], self._bytes
        for id, size in db.execute("SELECT id, bytes FROM thumbnails ORDER BY used"):
            if left <= LEFT * self._most_bytes:
                break
            oldest.append(id)
            left -= size
        self._erase(db, oldest)

    def _sweep(self, db: sqlite3.Connection) -> None:
        with contextlib.closing(connections.read_only(self._gallery)) as gallery:
            kept = {key for (key,) in gallery.execute("SELECT key FROM items")}
        rows = db.execute("SELECT id, key FROM thumbnails").fetchall()
        self._erase(db, [id for id, key in rows if key not in kept])

    def _erase(self, db: sqlite3.Connection, ids: Sequence[int]) -> None:
        if not ids:
            return
        with _transaction(db):
            for table in ("pictures", "thumbnails"):
                db.executemany(f"DELETE FROM {table} WHERE id = ?", [(id,) for id in ids])
        ((size,),) = db.execute("SELECT total(bytes) FROM thumbnails")
        self._bytes = int(size)

    def _write_uses(self, db: sqlite3.Connection) -> None:
        uses, self._uses = self._uses, {}
        with _transaction(db):
            db.executemany(
                "UPDATE thumbnails SET used = ? WHERE id = ?",
                [(use, id) for id, use in uses.items()],
            )


def place(gallery: Path) -> Path:
    """The file of a gallery's thumbnails."""
    return gallery.with_name(gallery.name + ENDING)


def sweep(gallery: Path) -> None:
    """Erase the thumbnails of pictures that the gallery in this file has no more; blocks."""
    if place(gallery).exists():
        with contextlib.closing(Thumbnails(gallery)) as kept:
            kept.sweep()


def _opened(path: Path) -> sqlite3.Connection | None:
    """The file, made anew where it is damaged or of another shape; None where it can't be made."""
    for _ in range(2):
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            db = sqlite3.connect(
                path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
            )
            try:
                if _is_ready(db):
                    return db
            except BaseException:
                db.close()
                raise
            db.close()
        except sqlite3.DatabaseError as exc:
            if isinstance(exc, sqlite3.OperationalError):
                return None
        except OSError:
            return None
        files.erase(path)
    return None


def _is_ready(db: sqlite3.Connection) -> bool:
    """Whether the file has our tables, which are made in an empty one."""
    # What is lost with the power is made again; a kill loses nothing.
    for pragma in ("synchronous = OFF", "secure_delete = ON", "temp_store = MEMORY"):
        db.execute(f"PRAGMA {pragma}")
    with _transaction(db):
        ((tables,),) = db.execute("SELECT count(*) FROM sqlite_schema")
        for statement in () if tables else _TABLES:
            db.execute(statement)
    ((shape,),) = db.execute("PRAGMA user_version")
    return bool(shape == SHAPE)


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
