"""Damaged videos, and files that pass for videos and mean harm, read as a gallery does it."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from checks.fuzzing import files
from checks.fuzzing.films import COLOURS, film
from checks.fuzzing.pictures import check
from index import PictureError
from index.clips.clip import BytesSource, ClipLimits, ClipSource
from index.clips.readers import scenes_of
from index.images import decode as images
from index.images import decoders

LIMITS = ClipLimits(time_s=20.0, cpu_s=6.0)
SIDE = 96


@cache
def whole() -> Mapping[str, bytes]:
    """A video of each kind, of three scenes."""
    few = COLOURS[:3]
    return {
        "mp4": film("libx264", "mp4", few),
        "mp4 of mpeg4": film("mpeg4", "mp4", few, moov="begin"),
        "mov": film("mjpeg", "mov", few),
        "webm": film("libvpx", "webm", few, options={"deadline": "realtime", "cpu-used": "8"}),
        "webm of vp9": film(
            "libvpx-vp9", "webm", few, options={"deadline": "realtime", "cpu-used": "8"}
        ),
        "mkv": film("libx265", "matroska", few, options={"x265-params": "log-level=none"}),
        "avi": film("mpeg4", "avi", few),
        "flv": film("flv", "flv", few),
        "ts": film("mpeg2video", "mpegts", few),
    }


# ---- what means harm, each as bytes


def box(name: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    """A box of an MP4; `size`: another one than it has."""
    return struct.pack(">I", 8 + len(content) if size is None else size) + name + content


FTYP = box(b"ftyp", b"isom\0\0\2\0isommp42")


def playlist(rng: random.Random) -> bytes:
    return b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n"


def list_of_files(rng: random.Random) -> bytes:
    return b"ffconcat version 1.0\nfile /etc/passwd\nfile http://127.0.0.1/x.mp4\n"


def page(rng: random.Random) -> bytes:
    return b"<!DOCTYPE html><html><body><video src='x.mp4'></video></body></html>"


def noise(rng: random.Random) -> bytes:
    return rng.randbytes(rng.choice((10, 5000, 200_000)))


def noise_behind_a_header(rng: random.Random) -> bytes:
    head = rng.choice(
        (FTYP, b"\x1aE\xdf\xa3", b"FLV\1", b"\0\0\1\xba", b"OggS", b"RIFF\0\0\0\0AVI ")
    )
    return head + rng.randbytes(20_000)


def large(rng: random.Random) -> bytes:
    """Claims very many pixels."""
    data = bytearray(whole()["mp4"])
    for name, at in ((b"avc1", 28), (b"tkhd", 80)):
        place = data.index(name, data.index(b"moov")) + at
        data[place : place + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


def large_frames(rng: random.Random) -> bytes:
    """Has very many pixels, which pack well."""
    return _large()


@cache
def _large() -> bytes:
    return film("mpeg4", "mp4", COLOURS[:1], size=(8000, 4400))


def no_frames(rng: random.Random) -> bytes:
    data = bytearray(whole()["mp4"])
    for name in (b"stsz", b"stts", b"stsc", b"stco"):
        place = data.index(name) + 8
        data[place : place + 8] = bytes(8)
    return bytes(data)


def no_tracks(rng: random.Random) -> bytes:
    return FTYP + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", bytes(999))


def deep(rng: random.Random) -> bytes:
    """Boxes within boxes within boxes."""
    content = b""
    for _ in range(rng.choice((100, 3000))):
        content = box(rng.choice((b"moov", b"trak", b"mdia", b"udta")), content)
    return FTYP + content


def many_boxes(rng: random.Random) -> bytes:
    return FTYP + box(b"free") * rng.choice((1000, 500_000))


def long_ago(rng: random.Random) -> bytes:
    """Claims to last for thousands of years."""
    data = bytearray(whole()["mp4"])
    for name in (b"mvhd", b"mdhd"):
        place = data.index(name) + 20
        data[place : place + 4] = b"\xff\xff\xff\xf0"
    place = data.index(b"stts") + 16
    data[place : place + 4] = b"\x7f\xff\xff\xff"
    return bytes(data)


def many_samples(rng: random.Random) -> bytes:
    """Claims very many frames."""
    data = bytearray(whole()["mp4"])
    place = data.index(b"stsz") + 12
    data[place : place + 4] = struct.pack(">I", rng.choice((10**6, 2**31 - 1, 2**32 - 1)))
    return bytes(data)


def endless_cluster(rng: random.Random) -> bytes:
    """A Matroska file of emptiness, whose length isn't told."""
    data = whole()["webm"]
    place = data.index(b"\x1fC\xb6u")
    return data[:place] + b"\x1fC\xb6u\x01\xff\xff\xff\xff\xff\xff\xff" + b"\xec\x84" * 200_000


def empty_packets(rng: random.Random) -> bytes:
    """A transport stream of nothing."""
    return (b"\x47\x1f\xff\x10" + bytes(184)) * rng.choice((10, 20_000))


def only_sound(rng: random.Random) -> bytes:
    return b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead\1\1" + bytes(400)


def half(rng: random.Random) -> bytes:
    data = whole()[rng.choice(list(whole()))]
    return data[: int(len(data) * rng.random())]


def one_in_another(rng: random.Random) -> bytes:
    """The beginning of one video and the end of another."""
    one, other = (whole()[rng.choice(list(whole()))] for _ in range(2))
    return one[: rng.randrange(len(one))] + other[rng.randrange(len(other)) :]


WAYS: tuple[Callable[[random.Random], bytes], ...] = (
    *(playlist, list_of_files, page, noise, noise_behind_a_header, large, large_frames, no_frames),
    *(no_tracks, deep, many_boxes, long_ago, many_samples, endless_cluster, empty_packets),
    *(only_sound, half, one_in_another),
)


class Endless:
    """A video that claims to be as large as a disk, and sends boxes without end."""

    size = 2**45

    async def read(self, offset: int, length: int) -> bytes:
        if not offset:
            return FTYP + box(b"free") * ((length - len(FTYP)) // 8)
        return box(b"free") * (length // 8)


class Liar(BytesSource):
    """A server that sends fewer bytes than it promised, or nothing."""

    async def read(self, offset: int, length: int) -> bytes:
        return (await super().read(offset, length))[: 0 if offset else 5000]


def read(clip: ClipSource) -> str:
    """What comes of a video, in a word.

    raises   Unsound, and any error that isn't foreseen
    """
    try:
        animation = asyncio.run(scenes_of(clip, LIMITS))
    except PictureError as refusal:
        return type(refusal).__name__
    check(images.decode(animation, SIDE), None)
    return "read"


class Clips:
    """A damaged video, or one that means harm."""

    # What a process may compute, and what it takes to start and end one.
    limit_s = LIMITS.cpu_s + 6.0
    memory_bytes = None

    def __init__(self, folder: Path) -> None: ...

    def make(self, rng: random.Random) -> bytes:
        if rng.random() < 0.5:
            return rng.choice(WAYS)(rng)
        return files.damaged(whole()[rng.choice(list(whole()))], rng)

    def run(self, subject: bytes) -> str:
        return read(BytesSource(subject))

    def kept(self, subject: bytes) -> bytes:
        return subject

    def close(self) -> None:
        decoders.close()
