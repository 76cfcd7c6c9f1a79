"""A folder of pictures, and `magpie serve` on it in its own process, as a person starts it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from demo import WORLD
from pocket import MODEL
from tests.page.processes import ROOT, DidNotStart, ended

A_MONTH = 15  # pictures
STARTS_WITHIN_S = 120


def photos(folder: Path, sources: list[Path]) -> None:
    """Pictures in two folders, fifteen a month; the second one is there twice."""
    for number, source in enumerate(sources):
        album = folder / ("Trips/Norway" if number % 3 else "Home")
        album.mkdir(parents=True, exist_ok=True)
        stamp(shutil.copyfile(source, album / source.name), number)
    twice = shutil.copyfile(sources[1], folder / f"the same again{sources[1].suffix}")
    stamp(twice, len(sources) - 1)


def stamp(path: Path, number: int) -> None:
    """The greater the number, the newer the picture."""
    month = number // A_MONTH
    when = datetime(2024 + month // 12, month % 12 + 1, 1 + number % A_MONTH, 12).timestamp()
    os.utime(path, (when, when))


def of_the_demo() -> list[Path]:
    """The demo's pictures, in the order of their names."""
    return sorted((WORLD.parent / "pictures").iterdir())


@contextmanager
def served(folder: Path, count: int) -> Iterator[str]:
    """The address of the page, when the gallery has so many pictures."""
    command = [sys.executable, "magpie.py", "serve", str(folder), "--no-open", "--add"]
    log = folder.parent / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--db", str(folder.parent / "gallery.db"), "--model", str(MODEL)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with ended(process):
        yield _when_added(process, log, count)


def _when_added(process: subprocess.Popen[bytes], log: Path, count: int) -> str:
    for _ in range(STARTS_WITHIN_S * 4):
        time.sleep(0.25)
        if process.poll() is not None:
            break
        if url := re.search(r"http://\S+", log.read_text()):
            with urllib.request.urlopen(f"{url[0]}api/gallery") as answer:
                gallery = json.load(answer)
            if gallery["count"] == count and not gallery["adding"]:
                return url[0]
    raise DidNotStart(f"magpie serve: {log.read_text()}")
