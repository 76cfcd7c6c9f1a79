"""Videos read in separate processes, so that hostile bytes can't reach the main process.

A video becomes a small animation: the frames that are searched, each shown at its second. From then
on it goes the way of every picture, and everything that is done with pictures can be done with it.
The same video gives the same animation, byte for byte, so it is stored once.

A process reads one video, and holds nothing of the video before. It is forked, in some
milliseconds, see `forks`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import Any

from index.clips import forks
from index.clips.clip import LIMITS, ClipLimits, ClipSource
from index.clips.containers import HEAD_BYTES, container_of
from index.images.decoders import NOT_COPED, TOO_LONG, UnexpectedError, error_of
from index.images.refusals import EMPTY
from index.images.sniffing import described
from index.types.errors import (
    DecoderUnusable,
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooSlow,
    PictureUnsupported,
)
from index.types.sentences import Sentence

# Address space of a process: a video of 8K takes 700 MB, one of a phone 250 MB.
MEMORY_BYTES = 2**30
# What is read of a video at once. An index of two hours is 1 MB, a key frame some 100 kB.
BLOCK = 2**17
# An animation of twelve frames takes some 300 kB.
MAX_ANSWER_BYTES = 32 * 2**20
# A process has this long in addition to the limits, to start and to end.
GRACE_S = 20.0
READY = b"ready\n"


async def scenes_of(clip: ClipSource, limits: ClipLimits = LIMITS, *, niceness: int = 0) -> bytes:
    """The frames of a video that are searched, as an animated WebP with their seconds.

    niceness   of the process, above that of this one
    raises     PictureError, DecoderUnusable, and what reading the source raises
    """
    try:
        return await _read(clip, limits, niceness)
    except PictureError as error:
        raise error.about("video") from error


async def _read(clip: ClipSource, limits: ClipLimits, niceness: int) -> bytes:
    if not clip.size:
        raise PictureBroken(EMPTY)
    head = await clip.read(0, BLOCK)
    container = container_of(head[:HEAD_BYTES])
    if container is None:
        found, picture = described(head)
        raise PictureUnsupported(found) if picture else NotAPicture(found)
    if sys.platform == "win32":  # Windows has none of the limits of these processes
        raise PictureUnsupported(Sentence("a video on Windows"))
    request = {"size": clip.size, "container": container, "limits": asdict(limits)}
    for _ in range(2):  # the server of the processes may have ended, since it had nothing to do
        async with forks.fork(niceness) as process:
            conversation = _Conversation(process, clip, head, limits)
            try:
                async with asyncio.timeout(limits.time_s + limits.cpu_s + GRACE_S):
                    return await conversation.about(request)
            except TimeoutError as exc:
                raise PictureTooSlow(limits.time_s) from exc
            except (EOFError, ConnectionError, LookupError, TypeError, ValueError) as exc:
                code = await process.ended()
                if conversation.begun and code is not None:
                    raise _error_of_end(code, limits) from exc
    raise DecoderUnusable("a process for it ended before it was ready")


class _Conversation:
    """What is said between this process and the one that reads.

    head   the first block of the video
    begun  whether the process was ready for it; before, it knows nothing of it
    """

    def __init__(
        self, process: forks.Fork, clip: ClipSource, head: bytes, limits: ClipLimits
    ) -> None:
        self._requests = process.requests
        self._answers = process.answers
        self._clip = clip
        self._head = head
        self.begun = False
        self._left = limits.bytes - len(head)
        self._until = asyncio.get_running_loop().time() + limits.time_s

    async def about(self, request: dict[str, Any]) -> bytes:
        """The animation.

        raises   PictureError; EOFError, LookupError, TypeError or ValueError when the process ended
                 or its answer makes no sense; and what reading the source raises
        """
        if await self._answers.readline() != READY:
            raise EOFError
        self.begun = True
        await self._say(json.dumps(request).encode() + b"\n")
        while True:
            line = await self._answers.readline()
            if not line.endswith(b"\n"):
                raise EOFError
            answer = json.loads(line)
            if "block" in answer:
                data = await self._block(int(answer["block"]))
                await self._say(b"%d\n" % len(data) + data)
            elif "error" in answer:
                raise error_of(answer)
            elif "unexpected" in answer:
                raise UnexpectedError(answer["unexpected"])
            else:
                return await self._animation(int(answer["bytes"]))

    async def _say(self, data: bytes) -> None:
        self._requests.write(data)
        await self._requests.drain()

    async def _block(self, number: int) -> bytes:
        """A part of the video; nothing where no more of it may be read."""
        if number == 0:
            return self._head
        left_s = self._until - asyncio.get_running_loop().time()
        length = min(BLOCK, self._left)
        if number < 0 or length <= 0 or left_s <= 0:
            return b""
        try:
            async with asyncio.timeout(left_s):
                data = await self._clip.read(number * BLOCK, length)
        except TimeoutError:
            return b""
        self._left -= len(data)
        return data

    async def _animation(self, size: int) -> bytes:
        if not 0 < size <= MAX_ANSWER_BYTES:
            raise ValueError("an animation of no possible size")
        return await self._answers.readexactly(size)


def _error_of_end(code: int, limits: ClipLimits) -> PictureError:
    """The error of a video whose process ended early, or said what makes no sense."""
    return PictureTooSlow(limits.cpu_s) if code == TOO_LONG else PictureBroken(NOT_COPED)
