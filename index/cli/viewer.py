"""Opens files with the viewer that the system has for them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from console.exits import WrongUse
from index.cli.paths import short

# How long a viewer may take to say that it can't. One that still runs then shows the file.
FAILS_WITHIN_S = 2.0


def open_files(paths: Sequence[str]) -> None:
    """Show these files, each in the system's viewer. raises WrongUse"""
    for path in paths:
        _open(os.path.abspath(path))


def _open(path: str) -> None:
    if sys.platform == "win32":
        os.startfile(path)
        return
    program = "open" if sys.platform == "darwin" else "xdg-open"
    quiet = subprocess.DEVNULL
    try:
        viewer = subprocess.Popen(
            [program, path], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError as exc:
        raise WrongUse(
            f"There is no {program} on this machine to open {short(path)} with; "
            "--paths prints the paths for another viewer."
        ) from exc
    try:
        code = viewer.wait(FAILS_WITHIN_S)
    except subprocess.TimeoutExpired:
        viewer.returncode = 0  # it goes on without us
        return
    if code:
        raise WrongUse(f"{program} could not open {short(path)} (it ended with {code}).")
