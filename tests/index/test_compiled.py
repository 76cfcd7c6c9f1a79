"""Compiled loops can be loaded by several threads at once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The first of them that is imported imports numba, too.
LOOPS = ("index.embed.integer_products", "index.search.kernels.top", "index.copies.loops")
AT_ONCE = """
import importlib, sys, threading
names = sys.argv[1:]
ready = threading.Barrier(len(names))
def load(name):
    ready.wait()
    importlib.import_module(name)
threads = [threading.Thread(target=load, args=(name,)) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_load_loops_at_once() -> None:
    """The bot does so at its start: a half imported numba made the model unusable."""
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, *LOOPS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_one_module_imports_numba() -> None:
    """A second one could import it at the same time."""
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("index", "bot")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^\s*(import|from) (numba|llvmlite)\b", path.read_text(), re.MULTILINE)
    }
    assert found == {"index/compiled.py"}
