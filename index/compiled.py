"""Python loops over arrays as machine code, by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where the package or a home can be written."""
    njit: Any = numba.njit  # its types say that it gives something else back
    try:
        return njit(nogil=True, fastmath=True, cache=True)(function)
    except RuntimeError:  # no place to keep it: compiled again in each process
        return njit(nogil=True, fastmath=True)(function)
