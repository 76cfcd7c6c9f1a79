"""The process that reads a video: `python -m index.clips.reader`, which `readers` starts.

As a decoder of pictures, it holds no secrets, and can open no file and no connection (see
`images.confinement`): what it needs of the video, it asks for. It reads one video and ends.

It says once that it is ready. The request is a line of JSON. An answer is a line of JSON, too: a
block of the video that is wanted, or, at the end, how many bytes the animation has, which follow.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import traceback
from collections import OrderedDict
from typing import Any, BinaryIO

import av
import av.logging
from PIL import Image, WebPImagePlugin

from index.clips.clip import ClipLimits
from index.clips.readers import BLOCK, MEMORY_BYTES, READY
from index.clips.scenes import scenes
from index.images.confinement import confine
from index.types.errors import PictureError, PictureTooHeavy
from index.types.sentences import packed

BLOCKS = 32  # that are remembered
# PyAV and Pillow import parts of theirs when they need them, and then this process can no longer
# open their files.
Image.preinit()
LOADED_EARLY = (WebPImagePlugin,)


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
    with contextlib.suppress(OSError):
        os.nice(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    _settle()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    line = requests.readline()
    if not line.endswith(b"\n"):
        return 0
    request = json.loads(line)
    header, data = _answer(request, requests, answers)
    answers.write(json.dumps(header).encode() + b"\n" + data)
    answers.flush()
    return 0


def _settle() -> None:
    """Become a process that harms nothing, whatever its video makes of it."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    av.logging.set_level(None)
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith(("__main__", ".datasets", ".device")):
            importlib.import_module(module.name)
    confine(MEMORY_BYTES)


def _answer(
    request: dict[str, Any], requests: BinaryIO, answers: BinaryIO
) -> tuple[dict[str, Any], bytes]:
    limits = ClipLimits(**request["limits"])
    # Code in C doesn't look at a clock. Half of the time is for what Python looks at.
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)
    asked = Asked(request["size"], requests, answers)
    try:
        data = scenes(asked, request["container"], limits)
    except PictureError as error:
        return _error(error), b""
    except MemoryError:
        return _error(PictureTooHeavy(MEMORY_BYTES)), b""
    except Exception:
        return {"unexpected": traceback.format_exc()}, b""
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {"bytes": len(data)}, data


def _error(error: PictureError) -> dict[str, Any]:
    fields = {name: packed(value) for name, value in vars(error).items()}
    return {"error": type(error).__name__, "fields": fields}


if __name__ == "__main__":
    sys.exit(main())
