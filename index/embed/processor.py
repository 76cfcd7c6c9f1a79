"""What the processor can compute."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def flags() -> frozenset[str]:
    """The processor's features, as Linux names them; empty on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    line = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())
