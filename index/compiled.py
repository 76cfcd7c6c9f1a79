"""Python loops over arrays, compiled to machine code by numba.

No other module imports numba or llvmlite. Threads that import two modules of numba at the same time
find it half imported, since its modules import each other. Those that import this one wait.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils as _cgutils
from numba.core import types
from numba.extending import intrinsic as _intrinsic

__all__ = ["cgutils", "compiled", "intrinsic", "ir", "types"]

cgutils: Any = _cgutils  # has no types


def intrinsic(function: Callable[..., Any]) -> Any:
    """A function for compiled loops, of which `function` generates the instructions, see numba."""
    made: Any = _intrinsic
    return made(function)


# What a compiler may assume and change without adding up sums in another order.
IN_ORDER = {"nnan", "ninf", "nsz", "arcp", "contract", "afn"}


def compiled(function: Callable[..., Any], *, in_order: bool = False) -> Any:
    """The function as machine code, cached on disk if the package or a home folder is writable.

    The machine code includes the loops that the function calls and the values of global constants.
    numba compiles it again when its own file changes, but doesn't check other files. So the name of
    the function, which is its key in the cache, gets a checksum of all files in its folder, and of
    this one.

    in_order  add up sums as they are written, so that each is the same to the last bit however its
              loop is arranged
    """
    fastmath: Any = IN_ORDER if in_order else True
    folder = Path(function.__code__.co_filename).parent
    function.__qualname__ = f"{function.__qualname__}_{_fingerprint(folder):08x}"
    # Divided by zero, a float is infinite, as in numpy. If that raised an error, a loop would
    # compute one number after the other.
    njit: Any = functools.partial(numba.njit, nogil=True, fastmath=fastmath, error_model="numpy")
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # nowhere to write the cache: each process compiles it again
        return njit()(function)


@functools.cache
def _fingerprint(folder: Path) -> int:
    """A checksum of all modules in a folder, and of this one."""
    sum_ = 0
    for path in [Path(__file__), *sorted(folder.glob("*.py"))]:
        sum_ = zlib.crc32(path.read_bytes(), sum_)
    return sum_
