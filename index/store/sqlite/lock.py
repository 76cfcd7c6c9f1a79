"""Lets one process write a file: an advisory lock on a side file, held while the gallery is open.

SQLite's own locks last for a transaction. Two processes that write in turn would each search rows
in memory which lack the other's changes. The system releases the lock when the process ends,
however it ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from console.reasons import reason_of
from index.types.errors import StoreLocked, StoreUnreachable

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        # A byte far behind the text is locked, so that the holder's process id stays readable.
        file.seek(1024)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def hold(path: Path) -> IO[str]:
    """The open side file of `path`, locked until it is closed.

    raises   StoreLocked with the holder's process id, StoreUnreachable
    """
    side = path.with_name(path.name + ".lock")
    try:
        number = os.open(side, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        file = open(number, "a+", encoding="ascii")  # noqa: SIM115 (held open on purpose)
    except OSError as exc:
        raise StoreUnreachable(
            path, f"{side.name} beside it can't be made ({reason_of(exc)})"
        ) from exc
    try:
        _lock(file)
    except OSError as exc:
        holder = _holder(file)
        file.close()
        raise StoreLocked(path, holder) from exc
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def _holder(file: IO[str]) -> int | None:
    file.seek(0)
    text = file.read(20)
    return int(text) if text.isdecimal() else None
