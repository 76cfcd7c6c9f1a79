"""Freed memory is returned to the system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from bot.ops import memory


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.skipif(not memory.give_back(), reason="not glibc")
def test_freed_memory_between_longer_lived_blocks_is_returned() -> None:
    blocks = [np.ones(2_000) for _ in range(8_000)]  # of 16 kB: glibc keeps blocks of this size
    kept = blocks[::100]
    full = resident_mb()
    del blocks
    memory.give_back()
    assert resident_mb() < full - 64
    assert all(block.sum() == 2_000 for block in kept)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
