"""Lets one process use a data folder: an advisory lock on a file in it.

Two that wrote into one journal would each miss what the other posted. The system releases the lock
when the process ends, however it ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from .errors import FolderInUse

NAME = "lock"

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


def hold(folder: Path) -> IO[str]:
    """The open lock file of a folder, which is locked until it is closed.

    raises   FolderInUse with the process that holds it; OSError when the file can't be made
    """
    file = (folder / NAME).open("a+", encoding="ascii")
    try:
        _lock(file)
    except OSError as exc:
        holder = _holder(file)
        file.close()
        raise FolderInUse(folder, holder) from exc
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file


def _holder(file: IO[str]) -> int | None:
    file.seek(0)
    text = file.read(20)
    return int(text) if text.isdecimal() else None
