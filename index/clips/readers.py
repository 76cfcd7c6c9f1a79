"""Videos read in separate processes, so that hostile bytes can't reach the main process.

A video becomes a small animation: the frames that are searched, each shown at its second. From then
on it goes the way of every picture, and everything that is done with pictures can be done with it.
The same video gives the same animation, byte for byte, so it is stored once.

A process reads one video. It takes a fifth of a second to start, and holds nothing of the video
before.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from console.reasons import reason_of
from index.clips.clip import LIMITS, ClipLimits, ClipSource
from index.clips.containers import HEAD_BYTES, container_of
from index.images.decoders import (
    NOT_COPED,
    TOO_LONG,
    UnexpectedError,
    environment,
    error_of,
)
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
MAX_LINE_BYTES = 2**18
# A process has this long in addition to the limits, to start and to end.
GRACE_S = 20.0
READY = b"ready\n"
COMMAND = [sys.executable, "-P", "-m", "index.clips.reader"]
FAILED = 1  # exit code of Python where it can't begin, as when PyAV isn't installed


async def scenes_of(clip: ClipSource, limits: ClipLimits = LIMITS, *, niceness: int = 0) -> bytes:
    """The frames of a video that are searched, as an animated WebP with their seconds.

    niceness   of the process, above that of this one
    raises     PictureError, DecoderUnusable, and what reading the source raises
    """
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
    async with _process(niceness) as process:
        conversation = _Conversation(process, clip, head, limits)
        try:
            async with asyncio.timeout(limits.time_s + limits.cpu_s + GRACE_S):
                return await conversation.about(request)
        except TimeoutError as exc:
            raise PictureTooSlow(limits.time_s) from exc
        except (EOFError, ConnectionError, LookupError, TypeError, ValueError) as exc:
            raise await _error_of_end(process, limits, begun=conversation.begun) from exc


@contextlib.asynccontextmanager
async def _process(niceness: int) -> AsyncIterator[Process]:
    """A process that reads videos, which ends in any case.

    It has a session of its own, so that no Ctrl-C ends it that is meant for this process.
    raises   DecoderUnusable
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            str(niceness),
            stdin=PIPE,
            stdout=PIPE,
            env=environment(),
            limit=MAX_LINE_BYTES,
            start_new_session=True,
        )
    except OSError as exc:
        raise DecoderUnusable(f"a process can't be started ({reason_of(exc)})") from exc
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(_end(process))


async def _end(process: Process) -> None:
    with contextlib.suppress(ConnectionError):
        await process.communicate()  # what it said last is no longer of interest


class _Conversation:
    """What is said between this process and the one that reads.

    head   the first block of the video
    begun  whether the process was ready for it
    """

    def __init__(self, process: Process, clip: ClipSource, head: bytes, limits: ClipLimits) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests: StreamWriter = process.stdin
        self._answers: StreamReader = process.stdout
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


async def _error_of_end(
    process: Process, limits: ClipLimits, *, begun: bool
) -> PictureError | DecoderUnusable:
    """The error of a video whose process ended early, or said what makes no sense."""
    with contextlib.suppress(ProcessLookupError, TimeoutError):
        async with asyncio.timeout(1.0):
            await process.wait()
    if process.returncode == TOO_LONG:
        return PictureTooSlow(limits.cpu_s)
    if process.returncode == FAILED and not begun:  # else it says something of this video
        return DecoderUnusable(f"a process for it ended before it was ready ({FAILED})")
    return PictureBroken(NOT_COPED)
