"""Having every loop ready before a picture or a query needs it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from index.copies.comparison import compare
from index.copies.fingerprint import Fingerprint, fingerprint
from index.copies.lookup import ROW, Rows, nearest
from index.types.filter import Filter

EDGE = 256  # of a picture made of CELLS × CELLS spots
CELLS = 16


def warm() -> None:
    """Load every loop from the disk, in half a second, or compile it, in ten.

    Two pictures are compared of which one is a part of the other, so that each loop is met.
    """
    spots = np.random.default_rng(0).integers(0, 256, (CELLS, CELLS, 3), np.uint8)
    whole = Image.fromarray(spots).resize((EDGE, EDGE))
    part = whole.crop((0, 0, EDGE * 5 // 8, EDGE * 5 // 8))
    one, other = (
        Fingerprint.from_bytes(fingerprint([image], image.size).to_bytes())
        for image in (whole, part)
    )
    compare(one, other)
    rows: Rows = np.zeros(1, ROW)
    nearest(rows, np.zeros((1, 2), np.uint64), one, Filter(0), 1)
