"""float32 to bytes in one pass, for the int8 products of `packed`.

They go through the array once; torch needs two or three passes. Arrays are (n, w) and contiguous.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from index.compiled import compiled

# sigmoid(x) = 1/2 + x · P(x²) within ±REACH. The coefficients of P, from the highest power down,
# are fitted to minimise the greatest error of swish(x) = x · sigmoid(x). Beyond ±REACH, the
# sigmoid's value at the end of the range is used.
REACH = np.float32(8)
P8, P7, P6 = np.float32(1.5015592e-14), np.float32(-4.7047414e-12), np.float32(6.2918126e-10)
P5, P4, P3 = np.float32(-4.7035595e-08), np.float32(2.168949e-06), np.float32(-6.466358e-05)
P2, P1, P0 = np.float32(1.290954e-03), np.float32(-1.8406767e-02), np.float32(2.472403e-01)
SWISH_ERROR = 0.003  # the greatest error of swish(x); above REACH it is x / 5000
HALF, LAST = np.float32(0.5), np.float32(255)


@compiled
def to_bytes(x: Any, per_step: Any, zero: Any, out: Any) -> None:
    """Write round(x · per_step + zero) to `out`, (n, w) uint8; no value may be outside 0 to 255."""
    numbers, bytes_ = x.reshape(-1), out.reshape(-1)
    for i in range(numbers.shape[0]):
        bytes_[i] = np.uint8(np.int32(numbers[i] * per_step + zero + HALF))


@compiled
def swish_to_bytes(x: Any, per_step: Any, zero: Any, out: Any) -> None:
    """The same as `to_bytes` for swish(x); values are cut off at 0 and 255."""
    numbers, bytes_ = x.reshape(-1), out.reshape(-1)
    for i in range(numbers.shape[0]):
        value = max(numbers[i], -REACH)
        t = min(value, REACH)
        s = t * t
        p = ((((P8 * s + P7) * s + P6) * s + P5) * s + P4) * s
        p = (((p + P3) * s + P2) * s + P1) * s + P0
        swish = value * (HALF + t * p)
        step = min(max(swish * per_step + zero + HALF, np.float32(0)), LAST)
        bytes_[i] = np.uint8(np.int32(step))
