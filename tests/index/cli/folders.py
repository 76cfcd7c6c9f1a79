"""Folders that the tests of the command line search, and what a gallery has of them."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.index.colours import encoded

ROOT = Path(__file__).parents[3]


def patches(folder: Path, count: int, seed: int = 0) -> list[Path]:
    """Small pictures that are all different."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    for n in range(count):
        noise = Image.frombytes("RGB", (6, 6), chance.randbytes(108))
        (folder / f"{n:04}.png").write_bytes(encoded(noise.resize((90, 60))))
    return sorted(folder.iterdir())


def stored(sql: str = "SELECT source FROM links ORDER BY source") -> list[str]:
    with contextlib.closing(sqlite3.connect("g.db")) as db:
        return [row[0] for row in db.execute(sql)]


def child(
    *arguments: str,
    code: str | None = None,
    before: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdout: int | None = subprocess.PIPE,
) -> subprocess.CompletedProcess[bytes]:
    """`python -m index` in a process of its own, or some code; `before` stands before it."""
    command = ["-c", code] if code else ["-m", "index", *arguments]
    return subprocess.run(
        [*before, sys.executable, *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=120,
        # Output is kept back until a process ends, as in most shells.
        env=(os.environ if env is None else env)
        | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
    )


def as_user() -> list[str]:
    """What starts a command that the permissions of files hold for: root may read everything."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("root may read everything, and there is no setpriv to give that up")
    powers = "-dac_override,-dac_read_search"
    return ["setpriv", f"--inh-caps={powers}", f"--bounding-set={powers}"]
