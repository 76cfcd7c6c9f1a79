"""The compiled loops for rows in memory, which are searched without them until they are loaded."""

from __future__ import annotations

from index.search.kernels.memtable import allowed_rows, best_in_memory

__all__ = ["allowed_rows", "best_in_memory"]
