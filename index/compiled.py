"""Python loops over arrays as machine code, by numba."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where the package or a home can be written.

    What is kept was compiled together with the loops that it calls and with global constants. numba
    compiles it again when its own file changes, but doesn't look at other files. So its name, under
    which it is kept, says what all files of its folder contained.
    """
    folder = Path(function.__code__.co_filename).parent
    function.__qualname__ = f"{function.__qualname__}_{_fingerprint(folder):08x}"
    njit: Any = numba.njit  # its types say that it gives something else back
    try:
        return njit(nogil=True, fastmath=True, cache=True)(function)
    except RuntimeError:  # no place to keep it: compiled again in each process
        return njit(nogil=True, fastmath=True)(function)


@functools.cache
def _fingerprint(folder: Path) -> int:
    """A checksum of all modules in a folder."""
    sum_ = 0
    for path in sorted(folder.glob("*.py")):
        sum_ = zlib.crc32(path.read_bytes(), sum_)
    return sum_
