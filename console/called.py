"""How a program was called, so that the commands that it prints can be pasted and run."""

from __future__ import annotations

import os
import shlex
import shutil
import sys


def as_typed() -> str:
    """The program as a person types it here: `magpie`, `.venv/bin/magpie`, `python -m index`."""
    interpreter, *rest = sys.orig_argv
    if "-m" in rest[:-1]:
        return f"{_short(interpreter)} -m {rest[rest.index('-m') + 1]}"
    script = sys.argv[0]
    if os.access(script, os.X_OK):
        return _short(script)
    return f"{_short(interpreter)} {shlex.quote(script)}"


def _short(path: str) -> str:
    """A program's name where the shell finds it by its name, else its path."""
    name = os.path.basename(path)
    found = shutil.which(name)
    is_found = found is not None and os.path.abspath(found) == os.path.abspath(path)
    return shlex.quote(name if is_found else path)
