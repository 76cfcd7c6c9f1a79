"""A video gives a frame of each of its scenes, with the second, and little of it is read."""

from __future__ import annotations

import asyncio
import os
import random
import struct
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

from checks.fuzzing.__main__ import children
from checks.fuzzing.films import COLOURS, SCENE_S, encoded, film
from index.clips import forks, readers
from index.clips.clip import BytesSource, ClipLimits
from index.clips.containers import container_of
from index.clips.readers import BLOCK, scenes_of
from index.images.decode import Decoded, decode
from index.images.refusals import HEADER
from index.types.errors import (
    DecoderUnusable,
    GalleryError,
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooLarge,
    PictureTooSlow,
)
from index.types.sentences import Sentence


class Counted(BytesSource):
    """A source that knows how much was read of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[tuple[int, int]] = []

    async def read(self, offset: int, length: int) -> bytes:
        self.reads.append((offset, length))
        return await super().read(offset, length)

    @property
    def total(self) -> int:
        return sum(length for _, length in self.reads)


async def seen(data: bytes, **limits: float) -> Decoded:
    return decode(await scenes_of(BytesSource(data), ClipLimits(**limits)), 64)


def scenes_in(decoded: Decoded) -> list[tuple[int, int]]:
    """For each frame, the scene at its second, and the scene whose colour it has."""
    found = []
    for second, frame in zip(decoded.seconds, decoded.frames, strict=True):
        colour = np.asarray(frame)[-10:].mean((0, 1))
        nearest = np.abs(np.array(COLOURS) - colour).sum(1).argmin()
        found.append((int((second + 0.01) / SCENE_S), int(nearest)))
    return found


@pytest.mark.parametrize(
    ("codec", "container", "options"),
    [
        ("mpeg4", "mp4", {"g": "1000"}),
        ("libx264", "mp4", {}),
        ("libx264", "mov", {"g": "1000", "sc_threshold": "0"}),
        ("libx264", "matroska", {}),
        ("libx264", "mpegts", {}),
        ("libvpx-vp9", "webm", {"deadline": "realtime", "cpu-used": "8"}),
        ("mpeg4", "avi", {"g": "10"}),
    ],
)
async def test_each_scene_gives_a_frame_with_its_second(
    codec: str, container: str, options: dict[str, str]
) -> None:
    decoded = await seen(film(codec, container, options=options))
    found = scenes_in(decoded)
    assert all(second == colour for second, colour in found)
    assert {scene for scene, _ in found} == set(range(len(COLOURS)))
    assert (decoded.width, decoded.height) == (160, 96)


async def test_the_same_video_gives_the_same_bytes() -> None:
    data = film("libx264")
    assert await scenes_of(BytesSource(data)) == await scenes_of(BytesSource(data))


@pytest.mark.parametrize("moov", ["begin", "end"])
async def test_of_a_large_video_only_some_parts_are_read(moov: str) -> None:
    """Noise, of which each second takes megabytes; the index is at the beginning or at the end."""
    data = noisy(moov=moov)
    assert len(data) > 80 * BLOCK
    source = Counted(data)
    decoded = decode(await scenes_of(source), 64)
    assert len(decoded.frames) >= 8
    assert source.total < len(data) / 2
    assert decoded.seconds[-1] > 15


async def test_where_no_more_may_be_read_the_frames_until_then_count() -> None:
    data = noisy(moov="begin")
    source = Counted(data)
    decoded = decode(await scenes_of(source, ClipLimits(bytes=16 * BLOCK)), 64)
    assert source.total <= 17 * BLOCK
    assert 1 <= len(decoded.frames) < 8


async def test_what_comes_too_late_is_not_waited_for() -> None:
    class Slow(BytesSource):
        async def read(self, offset: int, length: int) -> bytes:
            if offset:
                await asyncio.sleep(1000)
            return await super().read(offset, length)

    with pytest.raises(PictureError):  # its index is at the end
        await scenes_of(Slow(noisy(moov="end")), ClipLimits(time_s=0.5))


async def test_a_video_of_a_phone_held_upright_is_turned() -> None:
    data = bytearray(film("libx264", scenes=COLOURS[:3]))
    at = data.index(
        struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30), data.index(b"tkhd")
    )
    turned = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 96 << 16, 0, 1 << 30)
    data[at : at + len(turned)] = turned
    decoded = await seen(bytes(data))
    assert (decoded.width, decoded.height) == (96, 160)
    red, square = np.array(COLOURS[0]), 255 - np.array(COLOURS[0])
    # The square is at the upper left of the stored picture: at the upper right of this one.
    pixels = np.asarray(decoded.frames[0].resize((96, 160)), np.int16)
    assert np.abs(pixels[8, 96 - 20] - square).max() < 60
    assert np.abs(pixels[8, 20] - red).max() < 60


async def test_pixels_that_are_not_square_are_stretched() -> None:
    decoded = await seen(film("libx264", scenes=COLOURS[:2], sample_aspect_ratio=2))
    assert (decoded.width, decoded.height) == (320, 96)


async def test_a_video_of_one_scene_is_still_one_that_moves() -> None:
    decoded = await seen(film("libx264", scenes=COLOURS[:1]))
    assert decoded.n_frames > 1


async def test_a_clip_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(PictureTooLarge, match=r"^This video has 15,360 pixels"):
        await seen(film(scenes=COLOURS[:1]), pixels=10_000)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\nhttps://example.com/a.ts\n", NotAPicture),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", NotAPicture),
        (b"<!DOCTYPE html><html><video src='x.mp4'></html>", NotAPicture),
        (bytes(5000), NotAPicture),
        (b"", PictureError),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(3000), PictureError),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", PictureError),
    ],
)
async def test_what_is_no_video_is_refused(data: bytes, kind: type[PictureError]) -> None:
    with pytest.raises(kind):
        await seen(data)


async def test_why_a_video_is_damaged_can_be_said_in_other_languages() -> None:
    with pytest.raises(PictureBroken) as broken:
        await seen(b"\x00\x00\x00\x18ftypmp42" + bytes(999))
    assert isinstance(broken.value.reason, Sentence)
    assert broken.value.reason.template == HEADER


async def test_of_a_damaged_video_the_whole_frames_count() -> None:
    data = bytearray(noisy(moov="begin"))
    rng = random.Random(7)
    for _ in range(200):
        at = rng.randrange(len(data) // 2, len(data))
        data[at : at + 64] = os.urandom(64)
    assert (await seen(bytes(data))).frames


async def test_half_of_a_video_gives_the_frames_of_that_half() -> None:
    data = noisy(moov="begin")
    decoded = await seen(data[: len(data) // 2])
    assert decoded.frames
    assert decoded.seconds[-1] < 11


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (b"\0\0\0\x18ftypmp42", "mov"),
        (b"\0\0\0\x08wide\0\0", "mov"),
        (b"\0\0\0\x18ftypavif", None),
        (b"\0\0\0\x18ftypheic", None),
        (b"\x1aE\xdf\xa3", "matroska"),
        (b"RIFF\0\0\0\0WEBP", None),
        (b"GIF89a", None),
        ((b"\x47" + bytes(187)) * 4, "mpegts"),
    ],
)
def test_kinds_of_videos_are_told_by_their_first_bytes(head: bytes, container: str | None) -> None:
    assert container_of(head) == container


@cache
def noisy(moov: str) -> bytes:
    """20 seconds of noise in scenes of two seconds, with a key frame each second: some 13 MB."""
    rng = np.random.default_rng(5)
    noise = [rng.integers(0, 60, (240, 320, 3), np.uint8) for _ in range(5)]
    frames = (noise[number % 5] + np.uint8(19 * (number // 50)) for number in range(500))
    return encoded(frames, "mjpeg", "mp4", 25, bit_rate=20_000_000, moov=moov)


# ---- the process

SERVER = """
import socket
from index.clips import fork_server
fork_server.serve(socket.socket(fileno=0), lambda: exec({!r}), 60.0)
"""


@pytest.fixture
def own_server() -> Iterator[None]:
    """A server of this test alone."""
    forks.close()
    yield
    forks.close()


@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("raise SystemExit(1)", DecoderUnusable),
        ("print('ready', flush=True); import os; os.abort()", PictureBroken),
        ("print('ready', flush=True); raise MemoryError", PictureBroken),
        ("print('ready', flush=True); print('{}', flush=True)", PictureBroken),
        ("print('ready', flush=True); print('{\"bytes\": 9999999999}', flush=True)", PictureBroken),
        ("print('ready', flush=True); print('x' * 2**20, flush=True)", PictureBroken),
        ("print('ready', flush=True); import time; time.sleep(999)", PictureTooSlow),
    ],
)
async def test_a_process_that_fails_costs_one_video(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: type[GalleryError]
) -> None:
    monkeypatch.setattr(forks, "COMMAND", [sys.executable, "-c", SERVER.format(code)])
    monkeypatch.setattr(readers, "GRACE_S", 2.0)
    with pytest.raises(kind) as raised:
        await scenes_of(BytesSource(film(scenes=COLOURS[:1])), ClipLimits(time_s=2.0, cpu_s=2.0))
    assert "picture" not in str(raised.value)


def test_the_process_can_open_nothing() -> None:
    code = """
import os, socket
from index.clips import reader
reader.settle()
for what in (lambda: open('/etc/passwd'), socket.socket, os.fork):
    try:
        what()
    except (OSError, RuntimeError, ImportError):
        print("refused", flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=False, timeout=100
    )
    assert done.stdout.split() == [b"refused"] * 3


async def test_a_cancelled_reading_ends_its_process() -> None:
    class Never(BytesSource):
        async def read(self, offset: int, length: int) -> bytes:
            if offset:
                asked.set()
                await asyncio.sleep(1000)
            return await super().read(offset, length)

    asked = asyncio.Event()
    reading = asyncio.create_task(scenes_of(Never(noisy(moov="end"))))
    await asked.wait()
    before = set(children())
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert before - set(children())
