"""Pictures that can be told apart: each is different noise under a different name.

A name is also a marker: it finds whatever is left of a deleted picture anywhere in the files.
"""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path

from PIL import Image

TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
}
SIDE = (24, 96)  # px
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


class Pictures:
    """Draws pictures, and remembers their names and which of them cannot be decoded."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0
        self._drawn: list[tuple[str, bytes]] = []
        self.broken: set[bytes] = set()  # keys
        self.names: set[str] = set()

    def draw(self, suffix: str | None = None) -> tuple[str, bytes]:
        """A new picture. -> its file name and its bytes"""
        suffix = suffix or self._rng.choice([*TYPES, "png", "jpg"])
        data = _encoded(suffix, self._rng)
        self._drawn.append((suffix, data))
        return self._named(suffix), data

    def again(self) -> tuple[str, bytes]:
        """A picture that was drawn before, under a new name."""
        if not self._drawn:
            return self.draw()
        suffix, data = self._rng.choice(self._drawn)
        return self._named(suffix), data

    def draw_broken(self) -> tuple[str, bytes]:
        """A file with a picture's name that isn't one."""
        noise = self._rng.randbytes(200)
        data = self._rng.choice([PNG_HEAD + noise, b"<html>" + noise.hex().encode(), noise])
        self.broken.add(key(data))
        return self._named("png"), data

    def keep_in(self, folder: Path, suffix: str | None = None) -> str:
        """Write a new picture as a file of the world, for links to other sites. -> its name"""
        name, data = self.draw(suffix)
        (folder / name).write_bytes(data)
        return name

    def type_of(self, name: str) -> str:
        return TYPES[name.rpartition(".")[2]]

    def _named(self, suffix: str) -> str:
        self._count += 1
        name = f"mark{self._count}x{self._rng.getrandbits(48):012x}.{suffix}"
        self.names.add(name)
        return name


def key(data: bytes) -> bytes:
    """The key under which the gallery knows a picture's bytes."""
    return hashlib.sha256(b"image\0" + data).digest()


def _encoded(suffix: str, rng: random.Random) -> bytes:
    frames = [_noise(rng) for _ in range(3 if suffix == "gif" else 1)]
    file = io.BytesIO()
    kind = {"jpg": "JPEG"}.get(suffix, suffix.upper())
    if suffix == "gif":
        frames[0].save(file, kind, save_all=True, append_images=frames[1:], duration=200)
    else:
        frames[0].save(file, kind)
    return file.getvalue()


def _noise(rng: random.Random) -> Image.Image:
    """A handful of patches of colour."""
    patches = Image.frombytes("RGB", (4, 3), rng.randbytes(36))
    size = (rng.randint(*SIDE), rng.randint(*SIDE))
    return patches.resize(size, Image.Resampling.BICUBIC)
