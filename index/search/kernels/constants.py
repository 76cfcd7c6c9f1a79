"""Numbers on which the compiled loops and their callers must agree. It doesn't import numba.

The loops have them built in. They are compiled again when this file changes, see `index.compiled`.
"""

from __future__ import annotations

import numpy as np

LANES = 32  # rows of a block; one vector instruction works on many of them, each in its lane
CHUNK = 1024  # rows of which one column after the other is compared, while a cache holds them
EIGHT = 8  # of these rows are passed over at once where none of them may answer
PLANES = 4  # bits of each number of a query, when it is compared with codes
LEVELS = 2**PLANES - 1  # steps from the least to the greatest of these numbers
# Two float32 products of the same two vectors may differ by this much: the order of the sums
# depends on where the row lies.
PRODUCT_ERROR = np.float32(1e-5)
# Scores are whole multiples of this step. The last bits of a product depend on where its row lies,
# in memory or in a segment. Without them a row keeps its place in the order when it moves, and
# rows with the same vectors are in the order of their links.
SCORE_STEP = 1e-9
SCORE_STEPS = 1e9  # in a score of 1
SPREAD = 64  # numbers over which one great number of a vector is spread before it is quantized
STEPS = 127  # from zero to the greatest number of a vector that is quantized to bytes
ZERO = 128  # the byte that stands for zero
QUERY_STEPS = 4095  # from zero to the greatest number of a query that is quantized to 16 bits
# A score below all others. It isn't an infinity, since `fastmath` assumes that there are none.
LOWEST = np.float32(-9)
# Seconds: later than every time, and earlier when it is negative. No infinity for the same reason.
FOREVER = 1e18
TOMBSTONE = -1  # the link of a row that was removed, and of the rows that fill up a list
