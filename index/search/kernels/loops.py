"""The compiled loops for rows in memory, which are searched without them until they are loaded."""

from __future__ import annotations

from index.search.kernels.filters import memtable_rows
from index.search.kernels.products import exact_scores, quantized_products
from index.search.kernels.top import best_rows

__all__ = ["best_rows", "exact_scores", "memtable_rows", "quantized_products"]
