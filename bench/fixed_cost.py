"""A model of a fixed cost stands in for many cores or a GPU: a call waits, and computes nothing.

What remains of the time is Python's: decoding, queues, the event loop and the database are real.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from index.embed import checkpoint, embedder
from index.types.records import Floats
from pocket import MODEL


class FixedCost:
    """The pocket model for texts. A picture takes a fixed time, and its vector is made of its first
    pixels.

    call_s, picture_s   seconds of a call, and of each picture in it
    device              "cpu": one call at a time on each core; else one call at a time
    """

    def __init__(self, call_s: float, picture_s: float, *, device: str = "cpu") -> None:
        self.device = device
        self._model: Any = embedder.load(checkpoint.find(str(MODEL)), "cpu")
        self._call_s, self._picture_s = call_s, picture_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def images(self, frames: Sequence[Image.Image], between: Any = None) -> Floats:
        time.sleep(self._call_s + self._picture_s * len(frames))
        rows = np.ones((len(frames), self._model.dimension), np.float32)
        for row, frame in zip(rows, frames, strict=True):
            row[:3] = np.asarray(frame, np.float32)[0, 0] + 1
        made: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return made
