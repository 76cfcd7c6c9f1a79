"""The process that reads a video: a fork of `fork_server`, with which `readers` talks.

As a decoder of pictures, it holds no secrets, and can open no file and no connection (see
`images.confinement`): what it needs of the video, it asks for. It reads one video and ends.

It says once that it is ready. The request is a line of JSON. An answer is a line of JSON, too: a
block of the video that is wanted, or, at the end, how many bytes the animation has, which follow.
"""

from __future__ import annotations

import importlib
import io
import json
import pkgutil
import sys
from collections import OrderedDict
from functools import partial
from typing import BinaryIO

import av
import av.logging
from PIL import Image, WebPImagePlugin

from index.clips.clip import ClipLimits
from index.clips.readers import BLOCK, MEMORY_BYTES, READY
from index.clips.scenes import scenes
from index.images import worker

BLOCKS = 32  # that are remembered
# PyAV and Pillow import parts of theirs when they need them, and then this process can no longer
# open their files.
Image.preinit()
LOADED_EARLY = (
    WebPImagePlugin,
    *(
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(av.__path__, "av.")
        if not module.name.endswith(("__main__", ".datasets", ".device"))
    ),
)


class Asked(io.RawIOBase):
    """The video as a file, whose blocks are asked for when they are needed."""

    def __init__(self, size: int, requests: BinaryIO, answers: BinaryIO) -> None:
        self._size = size
        self._requests = requests
        self._answers = answers
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def read(self, count: int = -1) -> bytes:
        """Up to `count` bytes, of one block; none where there are no more, or no more are given."""
        number, within = divmod(self._at, BLOCK)
        block = self._block(number)[within:]
        data = block[:count] if count >= 0 else block
        self._at += len(data)
        return data

    def _block(self, number: int) -> bytes:
        if number * BLOCK >= self._size:
            return b""
        if number not in self._blocks:
            self._blocks[number] = self._fetched(number)
            if len(self._blocks) > BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(number)
        return self._blocks[number]

    def _fetched(self, number: int) -> bytes:
        self._answers.write(json.dumps({"block": number}).encode() + b"\n")
        self._answers.flush()
        told = self._requests.readline()
        return self._requests.read(int(told)) if told.endswith(b"\n") else b""


def main() -> int:
    """Read one video."""
    settle()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    line = requests.readline()
    if not line.endswith(b"\n"):
        return 0
    request = json.loads(line)
    limits = ClipLimits(**request["limits"])
    asked = Asked(request["size"], requests, answers)
    reading = partial(_read, asked, request["container"], limits)
    worker.send(worker.answer(reading, limits.cpu_s, MEMORY_BYTES), answers)
    return 0


def settle() -> None:
    """Become a process that harms nothing, whatever its video makes of it."""
    av.logging.set_level(None)
    worker.settle(MEMORY_BYTES)


def _read(asked: Asked, container: str, limits: ClipLimits) -> worker.Answer:
    """raises   PictureError, MemoryError"""
    data = scenes(asked, container, limits)
    return worker.Answer({"bytes": len(data)}, [data])
