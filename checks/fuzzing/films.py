"""Videos that are made for tests: scenes of one colour each, with a moving square."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]

COLOURS = (
    *((200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30), (30, 200, 200)),
    *((200, 30, 200), (240, 240, 240), (15, 15, 15), (230, 130, 40), (120, 60, 160)),
)
SCENE_S = 1.0
RATE = 10


def film(
    codec: str = "mpeg4",
    container: str = "mp4",
    scenes: Sequence[tuple[int, int, int]] = COLOURS,
    size: tuple[int, int] = (160, 96),
    options: dict[str, str] | None = None,
    moov: str = "end",
    **stream: Any,
) -> bytes:
    """A video of these scenes, each SCENE_S long.

    moov     where the index of an MP4 is: "end" or "begin"
    options  of the codec
    """
    width, height = size

    def frames() -> Iterator[Pixels]:
        for colour in scenes:
            for step in range(round(SCENE_S * RATE)):
                pixels = np.full((height, width, 3), colour, np.uint8)
                pixels[10:30, 5 * step : 5 * step + 20] = 255 - np.array(colour, np.uint8)
                yield pixels

    return encoded(frames(), codec, container, RATE, options=options, moov=moov, **stream)


def encoded(
    frames: Iterable[Pixels],
    codec: str,
    container: str,
    rate: int,
    *,
    options: dict[str, str] | None = None,
    moov: str = "end",
    **stream: Any,
) -> bytes:
    """A video of these frames, (h, w, 3) each."""
    flags = {"movflags": "+faststart"} if moov == "begin" else {}
    track: Any = None
    with tempfile.NamedTemporaryFile(suffix=f".{container}") as file:
        with av.open(file.name, "w", format=container, options=flags) as video:
            for pixels in frames:
                if track is None:
                    track = video.add_stream(codec, rate=rate, options=options or {"g": "1000"})
                    track.height, track.width = pixels.shape[:2]
                    track.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                    for name, value in stream.items():
                        setattr(track, name, value)
                video.mux(track.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
            video.mux(track.encode(None))
        return file.read()
