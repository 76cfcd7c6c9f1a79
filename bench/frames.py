"""Clips of ten scenes: whether the right scene is found, what reading a clip costs, hostile clips.

A scene is a picture of the demo, slowly drawn nearer, for one and a half to three seconds. Clips
are encoded with the encoders that come with PyAV, and with Pillow. The gallery has the pocket
model. It is asked for each scene with the picture of the scene, and with the words for what is on
it. The peers: the same questions where the gallery has a still of each scene; and the time to
decode all frames of a clip, without a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.options import Options
from bench.report import Figure, Report, Target
from checks.fuzzing import clips as hostile
from checks.fuzzing.__main__ import children
from checks.fuzzing.films import encoded
from demo import WORLD
from index import Filter, Gallery, Group, Link, Query
from index.clips.clip import BytesSource, ClipSource
from index.images import decoders
from index.images.animation import ANIMATED
from pocket import MODEL

SCENES = 10
RATE = 10  # frames a second
SIZE = (480, 270)
SHORTEST_S, LONGEST_S = 1.5, 3.0
ZOOM = 0.15  # of the picture, by which a scene is drawn nearer
FAST = {"deadline": "realtime", "cpu-used": "8"}
# Name: codec, container, options. With and without a look for scenes, by which an encoder sets key
# frames; with few key frames and many.
VIDEOS: dict[str, tuple[str, str, dict[str, str]]] = {
    "h264 mp4": ("libx264", "mp4", {"preset": "veryfast"}),
    "h264 mp4, no scene cuts": ("libx264", "mp4", {"preset": "veryfast", "sc_threshold": "0"}),
    "h264 mov, a key frame a second": ("libx264", "mov", {"preset": "veryfast", "g": "10"}),
    "h265 mp4": ("libx265", "mp4", {"preset": "ultrafast", "x265-params": "log-level=none"}),
    "vp8 webm": ("libvpx", "webm", FAST),
    "vp9 webm": ("libvpx-vp9", "webm", FAST),
    "av1 mp4": ("libsvtav1", "mp4", {"preset": "12"}),
    "mpeg4 avi": ("mpeg4", "avi", {"g": "300"}),
}
LONG = "two minutes of mpeg4"
ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")
ANIMATION_RATE, ANIMATION_SIZE = 5, (240, 136)
CRASHED = "crash: "
HOSTILE = 20
ROUNDS = 2
MEMORY_MB = 1_100.0  # the address space that a process may have
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, the words for it, and when it is shown."""

    picture: Image.Image
    words: str
    begin: float
    end: float


def run(options: Options) -> Report:
    """The figures of a run."""
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_found(Path(folder) / "g.db", rng))
    decoders.close()  # now only processes that read videos are left to be looked at
    clips = _hostile(rng)
    with Peak() as peak:
        outcomes = {name: _outcome(clip) for name, clip in clips.items()}
    crashes = sum(outcome.startswith(CRASHED) for outcome in outcomes.values())
    figures = found.figures() | {
        "hostile clips": len(outcomes),
        "hostile clips, what came of them": ", ".join(
            f"{name}: {outcome}" for name, outcome in outcomes.items()
        ),
        "crashes": crashes,
        "peak_memory_mb": peak.mb,
    }
    return Report(
        figures,
        found.peers(),
        {
            "second_found": Target(found.share("picture"), 0.95),
            "hostile clips": Target(len(outcomes), HOSTILE),
            "crashes": Target(crashes, 0, at_least=False),
            "peak_memory_mb": Target(peak.mb, MEMORY_MB, at_least=False),
        },
    )


class Peak:
    """The most memory that a process had which this one has started, in MB."""

    def __init__(self) -> None:
        self.mb = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            for id in children():
                with contextlib.suppress(OSError, StopIteration):  # it has ended
                    lines = Path(f"/proc/{id}/status").read_text().splitlines()
                    line = next(line for line in lines if line.startswith("VmHWM"))
                    self.mb = max(self.mb, int(line.split()[1]) / 1000)


class Found:
    """What was found in clips, and what it took."""

    def __init__(self) -> None:
        self.right: dict[str, list[bool]] = {"picture": [], "words": [], "words, stills": []}
        self.by_clip: dict[str, list[bool]] = {}
        self.times: dict[str, tuple[float, float]] = {}  # ms of reading, and of decoding all
        self.stills: list[int] = []  # bytes of each
        self.animations: list[int] = []

    def share(self, kind: str) -> float:
        return statistics.mean(self.right[kind])

    def figures(self) -> dict[str, Figure]:
        told: dict[str, Figure] = {"second_found": self.share("picture")}
        told["second_found, by words"] = self.share("words")
        told |= {f"{name}: scenes found": sum(right) for name, right in self.by_clip.items()}
        told |= {f"{name}: read, ms": round(ours) for name, (ours, _) in self.times.items()}
        told["bytes of a still"] = f"{statistics.median(self.stills):.0f}"
        told["bytes of a clip's frames, on their way"] = f"{statistics.median(self.animations):.0f}"
        return told

    def peers(self) -> dict[str, Figure]:
        told: dict[str, Figure] = {"a still of each scene, by words": self.share("words, stills")}
        return told | {
            f"{name}: all frames decoded, ms": round(peer) for name, (_, peer) in self.times.items()
        }


async def _found(path: Path, rng: random.Random) -> Found:
    found = Found()
    gallery = await Gallery.open(path, str(MODEL))
    try:
        for name, (codec, container, options) in VIDEOS.items():
            scenes = _scenes(rng)
            frames = _frames(scenes, RATE, SIZE)
            data = encoded(frames, codec, container, RATE, options=options)
            animation = await gallery.scenes(BytesSource(data))
            found.animations.append(len(animation))
            await _ask(gallery, name, scenes, animation, found)
            found.times[name] = await _times(gallery, data)
        found.times[LONG] = await _times(gallery, _long(rng))
        for name in ANIMATIONS:
            scenes = _scenes(rng)
            await _ask(gallery, name, scenes, _animated(scenes, name), found)
    finally:
        await gallery.close()
    return found


async def _ask(
    gallery: Gallery, name: str, scenes: Sequence[Scene], data: bytes, found: Found
) -> None:
    """Ask for each scene of a clip, and for stills of the scenes."""
    await gallery.add(data, Link(0, Group(0), name, ""))
    [clip] = (await gallery.links.ids_of_source(0, name)).values()
    for number, scene in enumerate(scenes):
        await gallery.add(_png(scene.picture), Link(0, Group(1), name, str(number)))
    stills = await gallery.links.ids_of_source(0, name)
    numbers = {id: int(slot) for slot, id in stills.items() if slot}
    right: list[bool] = []
    for number, scene in enumerate(scenes):
        for kind, query in (
            ("picture", Query(image=_png(scene.picture))),
            ("words", Query(text=scene.words)),
        ):
            second = await _second(gallery, query, frozenset({clip}))
            is_right = second is not None and scene.begin - 0.1 <= second < scene.end
            found.right[kind].append(is_right)
            if kind == "picture":
                right.append(is_right)
        only = Filter(0, only=frozenset(numbers))
        [best] = (await gallery.find(Query(text=scene.words), only, k=1, guesses=True)).hits
        found.right["words, stills"].append(numbers[best.id] == number)
    found.by_clip[name] = right
    kept = await gallery.links.stills({clip: 0})
    found.stills += map(len, kept.values())


async def _second(gallery: Gallery, query: Query, only: frozenset[int]) -> float | None:
    answer = await gallery.find(query, Filter(0, only=only), k=1, guesses=True)
    return answer.hits[0].second


async def _times(gallery: Gallery, data: bytes) -> tuple[float, float]:
    """Milliseconds to read a clip, and to decode all of it; medians."""
    ours, peer = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await gallery.scenes(BytesSource(data), asked=True)
        ours.append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        await asyncio.to_thread(_decode_all, data)
        peer.append(1000 * (time.perf_counter() - began))
    return statistics.median(ours), statistics.median(peer)


def _decode_all(data: bytes) -> None:
    with av.open(io.BytesIO(data), "r") as video:
        video.streams.video[0].thread_type = "NONE"
        for frame in video.decode(video=0):
            frame.to_ndarray(format="rgb24")


# ---- clips


def _scenes(rng: random.Random) -> list[Scene]:
    """Ten pictures of the demo of different subjects, and when each is shown."""
    labels: dict[str, Any] = json.loads((WORLD.parent / "labels.json").read_text())
    names = [name for name, told in labels.items() if len(told["subjects"]) == 1]
    rng.shuffle(names)
    scenes: list[Scene] = []
    seen: set[str] = set()
    begin = 0.0
    for name in names:
        [subject], places = labels[name]["subjects"], labels[name]["places"]
        with Image.open(WORLD.parent / name) as image:
            if subject in seen or getattr(image, "n_frames", 1) > 1:
                continue
            picture = image.convert("RGB")
        seen.add(subject)
        end = begin + rng.uniform(SHORTEST_S, LONGEST_S)
        words = f"{subject} in {places[0]}" if places else subject
        scenes.append(Scene(_fitted(picture, SIZE), words, begin, end))
        begin = end
        if len(scenes) == SCENES:
            break
    return scenes


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The middle of the picture, in the shape of the clip."""
    scale = max(size[0] / picture.width, size[1] / picture.height)
    width, height = round(picture.width * scale), round(picture.height * scale)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    return picture.resize((width, height)).crop((left, top, left + size[0], top + size[1]))


def _frames(scenes: Sequence[Scene], rate: int, size: tuple[int, int]) -> Iterator[Pixels]:
    for number in range(int(scenes[-1].end * rate)):
        second = number / rate
        scene = next(one for one in scenes if one.begin <= second < one.end)
        part = ZOOM * (second - scene.begin) / (scene.end - scene.begin) / 2
        width, height = scene.picture.size
        box = (part * width, part * height, (1 - part) * width, (1 - part) * height)
        yield np.asarray(scene.picture.resize(size, Image.Resampling.BILINEAR, box))


def _long(rng: random.Random) -> bytes:
    """Two minutes at 25 frames a second."""
    slow = 120 / (SCENES * LONGEST_S)
    scenes = [
        Scene(one.picture, one.words, slow * LONGEST_S * number, slow * LONGEST_S * (number + 1))
        for number, one in enumerate(_scenes(rng))
    ]
    frames = _frames(scenes, 25, SIZE)
    return encoded(frames, "mpeg4", "mp4", 25, options={"g": "250"})


def _animated(scenes: Sequence[Scene], format: str) -> bytes:
    assert format in ANIMATED
    frames = _frames(scenes, ANIMATION_RATE, ANIMATION_SIZE)
    first, *others = (Image.fromarray(frame) for frame in frames)
    out = io.BytesIO()
    options: dict[str, Any] = {"speed": 10} if format == "AVIF" else {}
    first.save(
        out, format, save_all=True, append_images=others, duration=1000 // ANIMATION_RATE, **options
    )
    return out.getvalue()


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _outcome(clip: ClipSource) -> str:
    """What came of reading a clip, in a word. An error that isn't foreseen is a crash."""
    try:
        return hostile.read(clip)
    except Exception as error:
        return f"{CRASHED}{type(error).__name__}"


def _hostile(rng: random.Random) -> dict[str, Any]:
    """Broken and hostile clips, by what they are."""
    clips: dict[str, Any] = {
        way.__name__.replace("_", " "): BytesSource(way(rng)) for way in hostile.WAYS
    }
    mp4 = hostile.whole()["mp4 of mpeg4"]
    clips |= {f"{share:.0%} of a clip": BytesSource(mp4[: int(share * len(mp4))])
              for share in (0.02, 0.3, 0.9)}  # fmt: skip
    clips |= {"endless": hostile.Endless(), "a server that lies": hostile.Liar(mp4)}
    return clips
