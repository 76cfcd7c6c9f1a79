"""Real photographs of the sizes people post, cropped so that no two are the same."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

PHONE, SCREENSHOT = (2048, 1536), (1080, 1350)


def jpeg(seed: int, size: tuple[int, int] | None = None) -> bytes:
    """A JPEG of this size; without one, of a phone (odd seeds) or a screenshot (even)."""
    import skimage

    library: Any = skimage.data  # without types
    names = (library.astronaut, library.coffee, library.chelsea, library.rocket)
    source = Image.fromarray(names[seed % 4]())
    random = np.random.default_rng(seed)
    width, height = source.size
    left, top = int(random.integers(0, width // 4)), int(random.integers(0, height // 4))
    box = (left, top, left + width * 3 // 4, top + height * 3 // 4)
    size = size or (PHONE if seed % 2 else SCREENSHOT)
    out = io.BytesIO()
    source.resize(size, Image.Resampling.BICUBIC, box=box).save(out, "JPEG", quality=88)
    return out.getvalue()
