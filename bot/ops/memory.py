"""Returns freed memory to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any


def _trimming() -> Callable[[int], Any] | None:
    """glibc's malloc_trim; None where there is no glibc."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back() -> bool:
    """Have the C library return freed memory to the system; False where it has no such call.

    The buffers of pictures leave holes between longer-lived memory, which glibc keeps for ever: 80
    of 130 MB after 7,000 pictures. The call takes some ms, in which threads that allocate memory
    wait, so it must not run in the event loop's thread.
    """
    trim = _trimming()
    if trim is None:
        return False
    trim(0)
    return True
