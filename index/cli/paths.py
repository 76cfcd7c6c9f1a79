"""Paths as a person types and reads them, and files that are read without waiting for anybody."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from console.exits import WrongUse
from console.output import harmless
from console.reasons import reason_of
from index.cli.signals import ending_at_once
from index.images.decode import LIMITS
from index.types.errors import PictureTooLarge

# Without O_NONBLOCK, a pipe is opened only when somebody writes to it.
OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
OPEN |= getattr(os, "O_BINARY", 0)


class NotAFile(OSError):
    """A pipe, a socket or a device, which has no end that could be read to."""


def short(path: str, base: str = os.curdir) -> str:
    """The path as short as it can be typed from a folder, the current one, on one line."""
    relative = os.path.relpath(path, base)
    return harmless(path if relative.startswith("..") else relative)


def odd_kind(mode: int) -> str | None:
    """What this is, if it is neither a file nor a folder: "a named pipe"."""
    kinds = (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for is_kind, name in kinds if is_kind(mode)), None)


def read_file(path: str | Path) -> bytes:
    """The bytes of a file; of a pipe or a device nothing is read.

    raises   OSError; PictureTooLarge, also when a file grows without end while it is read
    """
    refuse_odd(os.stat(path))  # some devices do something when they are opened
    with open(os.open(path, OPEN), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        refuse_odd(status)  # it may be another one than a moment ago
        if status.st_size > LIMITS.bytes:
            raise PictureTooLarge(status.st_size, LIMITS.bytes, "bytes")
        parts, total = [], 0
        while part := file.read(max(status.st_size - total, 0) + 65_536):
            parts.append(part)
            total += len(part)
            if total > LIMITS.bytes:
                raise PictureTooLarge(total, LIMITS.bytes, "bytes")
        if part is None:  # a file of /proc that waits for what comes
            raise NotAFile(errno.EAGAIN, "it waits for what comes")
    return b"".join(parts)


def refuse_odd(status: os.stat_result) -> None:
    """raises   NotAFile when this is a pipe, a socket or a device"""
    kind = odd_kind(status.st_mode)
    if kind:
        raise NotAFile(errno.EINVAL, f"it is {kind}, not a file")


def read_head(path: str | Path, count: int) -> bytes:
    """The first bytes of a file; of a pipe or a device nothing is read. raises OSError"""
    refuse_odd(os.stat(path))
    with open(os.open(path, OPEN), "rb", buffering=0) as file:
        refuse_odd(os.fstat(file.fileno()))
        return file.read(count) or b""


def piped(path: str) -> bytes:
    """What comes through a pipe; a signal ends the wait for it.

    raises   OSError, PictureTooLarge
    """
    with ending_at_once(), open(path, "rb") as pipe:
        data = pipe.read(LIMITS.bytes + 1)
    if len(data) > LIMITS.bytes:
        raise PictureTooLarge(len(data), LIMITS.bytes, "bytes")
    return data


def why(exc: OSError | ValueError) -> str:
    """Why a file or folder can't be used, in words that follow a colon."""
    if isinstance(exc, NotAFile):
        return str(exc.strerror)
    if isinstance(exc, OSError):
        return reason_of(exc)
    return "no file can have this name"


def check_place(name: str) -> None:
    """Refuse a file to be written whose folder isn't there, before work is done for it.

    raises   WrongUse
    """
    folder = os.path.dirname(name) or "."
    if not os.path.isdir(folder):
        raise WrongUse(f"{harmless(name)} can't be written: there is no folder {harmless(folder)}.")
    if os.path.isdir(name):
        raise WrongUse(f"{harmless(name)} can't be written: it is a folder.")


def absolute(path: str | Path) -> str:
    """The path from the root, as the gallery keeps it; links in it stay."""
    return os.path.abspath(path)


def at_home(path: str, base: str = os.curdir) -> str:
    """The path from the root, of one that may begin with the home folder's sign, `~`, or else with
    the folder `base`."""
    return absolute(os.path.join(base, os.path.expanduser(path)))


def is_under(path: str, folder: str) -> bool:
    """Whether a path is this folder (or file), or lies below it; both absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
