"""Pictures of every shape, full of text or of what may be taken for it, and damaged ones: through
the decoder and the OCR process."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from checks.fuzzing import files, texts
from checks.fuzzing.target import Unsound
from index import PictureError, Transcriber
from index.images import decoders
from index.ocr.limits import CPU_S

# Pixels of an edge; and of a picture, so that making it takes no time.
USUAL = (200, 479, 481, 800, 1201, 2000)
EDGES = (1, 2, 7, 31, 32, 33, *USUAL, 9000, 30_000)
MOST_PIXELS = 4_000_000
MAX_LETTERS = 50_000


class Words:
    """Each picture gets lines of words or a refusal, and none ends the process that reads them."""

    limit_s = CPU_S
    memory_bytes = None

    def __init__(self, folder: Path) -> None:
        self._whole = files.sound()
        self._loop = asyncio.new_event_loop()
        self._transcriber = Transcriber()

    def make(self, rng: random.Random) -> bytes:
        if rng.random() < 0.2:
            return files.damaged(rng.choice(self._whole[rng.choice(list(self._whole))]), rng)
        edges = USUAL if rng.random() < 0.6 else EDGES
        width = rng.choice(edges)
        height = rng.choice([edge for edge in edges if edge * width <= MOST_PIXELS])
        image = _noise(width, height, rng) if rng.random() < 0.5 else _ground(width, height, rng)
        if rng.random() < 0.8:
            _write_all_over(image, rng)
        return files.encoded(image, "PNG")

    def run(self, subject: bytes) -> str:
        return self._loop.run_until_complete(self._read(subject))

    async def _read(self, data: bytes) -> str:
        try:
            lines = await self._transcriber.read(data)
        except PictureError as refusal:
            if "the words in it" in str(refusal):
                raise Unsound("the process that reads words has ended") from refusal
            return type(refusal).__name__
        for line in lines:
            if not line.strip() or len(line.splitlines()) != 1:
                raise Unsound(f"{line!r} is no line")
        if sum(map(len, lines)) > MAX_LETTERS:
            raise Unsound("too many letters")
        return "words" if lines else "no words"

    def kept(self, subject: bytes) -> bytes:
        return subject

    def close(self) -> None:
        self._loop.run_until_complete(self._transcriber.close())
        self._loop.close()
        decoders.close()


def _ground(width: int, height: int, rng: random.Random) -> Image.Image:
    return Image.new("RGB", (width, height), tuple(rng.randbytes(3)))


def _noise(width: int, height: int, rng: random.Random) -> Image.Image:
    """Spots of some size, or stripes."""
    chance = np.random.default_rng(rng.randrange(2**32))
    size = rng.choice((1, 3, 12, 40))
    shape = (max(1, height // size), 1 if rng.random() < 0.3 else max(1, width // size), 3)
    spots = chance.integers(0, 256, shape, np.uint8)
    return Image.fromarray(spots).resize((width, height), Image.Resampling.NEAREST)


def _write_all_over(image: Image.Image, rng: random.Random) -> None:
    draw, size = ImageDraw.Draw(image), rng.choice((6, 12, 30, 120))
    font = ImageFont.load_default(size)
    ink = tuple(rng.randbytes(3))
    step = rng.choice((size, 2 * size))
    for y in range(0, min(image.height, 300 * step), step):
        text = texts.text(rng) if rng.random() < 0.3 else "Nobody told me there would be birds " * 4
        draw.text((rng.randrange(50), y), text.replace("\n", " ")[:400], ink, font)
