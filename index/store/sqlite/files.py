"""Files beside a gallery: for their owner only from the first byte, overwritten before removal."""

from __future__ import annotations

import contextlib
import glob
import os
from pathlib import Path

# A file in the making is named after the one that it will be, with this at the end.
PART = ".magpie-part"
# The file under which a gallery is written anew has this at the end.
ANEW = ".anew"
# What SQLite may keep beside a file.
LOGS = ("-wal", "-shm", "-journal")
CHUNK_BYTES = 1 << 20


def beside(path: Path, ending: str) -> Path:
    """The file that is named after `path`, with an ending of its own."""
    return path.with_name(path.name + ending)


def make_file(path: Path) -> None:
    """Make an empty file that only its owner can read. raises FileExistsError, OSError"""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def make_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter, unless it is there. raises OSError"""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def erase(path: Path) -> None:
    """Overwrite a file with zeros and remove it; nothing happens where there is none.

    A file that has a second name is not overwritten: under that name it is still needed.
    """
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            state = os.fstat(file.fileno())
            if state.st_nlink == 1:
                for start in range(0, state.st_size, CHUNK_BYTES):
                    file.write(bytes(min(CHUNK_BYTES, state.st_size - start)))
                file.flush()
                os.fsync(file.fileno())
        path.unlink()


def on_disk(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows can't open a folder, and keeps its names by itself
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove_leftovers(gallery: Path) -> None:
    """Remove what was left by a restore or a rewriting that was ended. raises OSError

    The caller holds the gallery's lock.
    """
    for made in (PART, ANEW):
        for ending in ("", *LOGS):
            erase(beside(gallery, made + ending))
    # The restore may have been ended right before it replaced the gallery. Two names of one file in
    # use have two logs, which damages it.
    if gallery.exists() and gallery.stat().st_nlink > 1:
        for other in gallery.parent.glob(f"{glob.escape(gallery.name)}.before*"):
            if other.samefile(gallery):
                other.unlink()
