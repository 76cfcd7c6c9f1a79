"""An embedder with known vectors: the average colour of a picture, and of colour names."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from index.images.resize import Shape
from index.types.records import Floats, Languages

NAMES = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "white": (255, 255, 255),
}
WORDS_READ = 8


class ColourEmbedder:
    """An `Embedder` for tests.

    delay_s   makes each call as slow as a real model
    go        while it is cleared, calls do not end
    """

    name = "colours"
    revision = "1"
    dimension = 3
    side = 16
    shape: Shape = "squeeze"
    resample: int | None = None
    scale: float | None = None
    bias: float | None = None
    languages: Languages = "english"
    batch = 4
    device = "cpu"

    def __init__(self, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.calls: list[tuple[str, int]] = []
        self.threads: set[str] = set()
        self.called = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def images(
        self, frames: Sequence[Image.Image], between: Callable[[], None] | None = None
    ) -> Floats:
        self._called("images", len(frames))
        if between is not None:
            between()
        return _unit([np.asarray(frame, np.float64).mean(axis=(0, 1)) for frame in frames])

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        self._called("texts", len(texts))
        cut = [" ".join(t.split()[:WORDS_READ]) for t in texts]
        read = [short if short != t else None for short, t in zip(cut, texts, strict=True)]
        return _unit([_colour(text) for text in texts]), read

    def pieces(self, text: str) -> int:
        return len(text.split())

    def seen(self, frame: Image.Image) -> Image.Image:
        return frame.resize((self.side, self.side))

    def complete(self) -> None:
        self._called("complete", 0)

    def _called(self, what: str, count: int) -> None:
        self.calls.append((what, count))
        self.threads.add(threading.current_thread().name)
        self.called.set()
        assert self.go.wait(60.0)
        time.sleep(self.delay_s)


def _colour(text: str) -> Sequence[float]:
    known = [NAMES[word] for word in text.split() if word in NAMES]
    return np.mean(known or [(128, 128, 128)], axis=0).tolist()


def _unit(rows: Sequence[Sequence[float] | np.ndarray]) -> Floats:
    vectors = np.asarray(rows, np.float64) + 1e-3
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def png(colour: str | tuple[int, int, int], size: tuple[int, int] = (24, 24)) -> bytes:
    """A picture of one colour."""
    return encoded(Image.new("RGB", size, NAMES.get(colour, colour)))  # type: ignore[arg-type]


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()
