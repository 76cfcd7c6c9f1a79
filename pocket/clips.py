"""Clips for the demo world: pictures of it, one after the other, each slowly drawn nearer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

# What each clip shows: a subject and a place for each scene. The pictures are those of the world
# that are labelled so.
CLIPS: Mapping[str, Sequence[tuple[str, str]]] = {
    "a-day-out.webm": (
        *(("bicycle", "city"), ("bicycle", "forest"), ("sailboat", "sea"), ("whale", "sea")),
        *(("fox", "snow"), ("owl", "night")),
    ),
    "good-morning.webm": (("cat", "indoors"), ("cake", "indoors"), ("penguin", "beach")),
}
SIZE = (480, 320)
RATE, SCENE_S = 10, 3
ZOOM = 0.12  # of a picture, by which it is drawn nearer


def make_clips(folder: Path, labels: Mapping[str, Any]) -> list[str]:
    """Write the clips into the world's folder; returns their files."""
    (folder / "clips").mkdir(exist_ok=True)
    for name, scenes in CLIPS.items():
        pictures = [folder / labelled(labels, *scene) for scene in scenes]
        _write(folder / "clips" / name, pictures)
    return [f"clips/{name}" for name in CLIPS]


def labelled(labels: Mapping[str, Any], subject: str, place: str) -> str:
    """The first picture of one such subject in such a place."""
    for name, told in labels.items():
        if (told["subjects"], told["places"], told["count"]) == ([subject], [place], 1):
            return name
    raise LookupError(f"no picture of a {subject} in {place}")


def _write(path: Path, pictures: Sequence[Path]) -> None:
    options = {"crf": "38", "b:v": "0", "g": "300", "deadline": "good", "cpu-used": "4"}
    with av.open(str(path), "w", format="webm") as clip:
        track: Any = clip.add_stream("libvpx-vp9", rate=RATE, options=options)
        track.width, track.height, track.pix_fmt = *SIZE, "yuv420p"
        for pixels in _frames(pictures):
            clip.mux(track.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        clip.mux(track.encode(None))


def _frames(pictures: Sequence[Path]) -> Iterator[NDArray[np.uint8]]:
    for path in pictures:
        with Image.open(path) as image:
            picture = ImageOps.fit(image.convert("RGB"), SIZE)
        for step in range(RATE * SCENE_S):
            part = ZOOM * step / (RATE * SCENE_S) / 2
            box = (part * SIZE[0], part * SIZE[1], (1 - part) * SIZE[0], (1 - part) * SIZE[1])
            yield np.asarray(picture.resize(SIZE, Image.Resampling.BILINEAR, box))
