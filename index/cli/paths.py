"""Paths as a person types and reads them."""

from __future__ import annotations

import os
from pathlib import Path

from index.cli.exits import WrongUse


def short(path: str) -> str:
    """The path as short as it can be typed from the current folder."""
    relative = os.path.relpath(path)
    shortest = path if relative.startswith("..") else relative
    return shortest.encode(errors="replace").decode()  # a name may have any bytes, see `folder`


def read(path: str) -> bytes:
    """The bytes of a file that a command names.

    raises   WrongUse
    """
    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise WrongUse(f"{path} can't be read: {exc.strerror}.") from exc
