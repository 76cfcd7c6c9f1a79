"""Memory that was freed and is still held."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any


def _trimming() -> Callable[[int], Any] | None:
    """glibc's malloc_trim; nothing elsewhere."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back() -> bool:
    """Have the C library return the pages that it keeps of freed memory to the system.

    Batches of pictures, whose buffers come and go between what stays, leave holes that glibc
    keeps for ever: 80 of 130 MB after 7,000 pictures. Takes some ms, during which threads that
    want memory wait; not for the event loop. False where there is no such call.
    """
    trim = _trimming()
    if trim is None:
        return False
    trim(0)
    return True
