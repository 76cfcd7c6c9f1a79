"""Bytes of a picture to the lines of words in it, by one process at a low priority.

The process takes some 350 MB. It starts with the first picture, and ends with `rest` or `close`. If
it crashes, or takes too much time or memory, that costs one picture.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from functools import partial

from PIL import Image

from console.reasons import reason_of
from index.concurrency import Pool
from index.images import decoders
from index.images.decode import LIMITS
from index.ocr.installed import models
from index.ocr.limits import MAX_ANSWER_BYTES, READY, WALL_CLOCK_S
from index.types.errors import GalleryClosed, OCRUnusable, PictureBroken
from index.types.records import NOWHERE, Link

log = logging.getLogger(__name__)

# Above the niceness of this process: after searches, new pictures and their decoding.
NICENESS = 15
# A process that was asked to end is ended after this.
GRACE_S = 2.0
# Pictures are decoded with a short edge of at least three times this, if they have so many pixels:
# a phone's screenshot keeps its size, and a photograph of 12 megapixels is 1,600 pixels wide.
SIDE = 400
COMMAND = [sys.executable, "-P", "-m", "index.ocr.worker", str(NICENESS)]


class Transcriber:
    """Reads the words in pictures, one picture at a time.

    revision   what was read by another one is to be read again
    """

    def __init__(self) -> None:
        """raises   OCRUnusable where the packages for it are missing"""
        self.revision: str = models().revision
        self._closed = asyncio.Event()
        self._decoding = Pool(1, "ocr", self._closed, niceness=NICENESS)
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def read(self, data: bytes, link: Link = NOWHERE) -> tuple[str, ...]:
        """The lines of words in the picture, from top to bottom; none when it has no text. Of an
        animation, those in each frame that is searched.

        raises   PictureError when it can't be decoded, or its words can't be read; OCRUnusable,
                 which says nothing of the picture; GalleryClosed
        """
        decoded = await self._decoding.run(partial(decoders.decode, data, SIDE, "free", LIMITS))
        lines: dict[str, None] = {}  # in their order, each once
        async with self._turn:
            for frame in decoded.frames:
                lines |= dict.fromkeys(await self._lines(frame))
        return tuple(lines)

    async def rest(self) -> None:
        """End the process, which takes memory, until the next picture comes."""
        async with self._turn:
            await self._end()

    async def close(self) -> None:
        """End the process; a picture that is being read gets GalleryClosed, as do later ones."""
        self._closed.set()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        async with self._turn:
            await self._end()
        await self._decoding.close()

    # ---- the process

    async def _lines(self, frame: Image.Image) -> list[str]:
        """raises   PictureBroken, OCRUnusable, GalleryClosed"""
        for _ in range(2):
            if self._closed.is_set():
                raise GalleryClosed
            process = self._process = self._process or await self._start()
            try:
                async with asyncio.timeout(WALL_CLOCK_S):
                    return await _asked(process, frame)
            except (EOFError, OSError, LookupError, TypeError, ValueError) as exc:
                ended = await self._end()
                if self._closed.is_set():
                    continue
                log.warning("the process that reads words in pictures has ended (%d)", ended)
                if isinstance(exc, TimeoutError) or ended != decoders.KILLED:
                    break  # else somebody else killed it, perhaps not because of this picture
            except BaseException:  # the answer would be taken for the next picture's
                await self._end()
                raise
        raise PictureBroken("the words in it can't be read")

    async def _start(self) -> Process:
        """A process that is ready. raises OCRUnusable"""
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                stdout=PIPE,
                env=decoders.environment(),
                limit=MAX_ANSWER_BYTES,
                start_new_session=True,  # no Ctrl-C ends it that is meant for this process
            )
        except OSError as exc:
            raise OCRUnusable(f"a process for it can't be started ({reason_of(exc)})") from exc
        self._process = process
        try:
            async with asyncio.timeout(WALL_CLOCK_S):
                assert process.stdout is not None
                ready = await process.stdout.readline() == READY
        except BaseException as exc:
            await self._end()
            if isinstance(exc, TimeoutError):
                raise OCRUnusable("a process for it did not start in time") from exc
            raise
        if not ready:
            await self._end()
            if self._closed.is_set():
                raise GalleryClosed
            raise OCRUnusable("a process for it ended before it was ready")
        return process

    async def _end(self) -> int:
        """End the process.

        returns   its exit code, as `subprocess` numbers them; 0 when there was none
        """
        process, self._process = self._process, None
        return 0 if process is None else await asyncio.shield(_ended(process))


async def _ended(process: Process) -> int:
    assert process.stdin is not None
    process.stdin.close()  # which ends one that is idle
    try:
        async with asyncio.timeout(GRACE_S):
            return await process.wait()
    except TimeoutError:
        process.kill()
        return await process.wait()


async def _asked(process: Process, frame: Image.Image) -> list[str]:
    """raises   EOFError, OSError, LookupError, TypeError or ValueError when there is no answer, or
    when it makes no sense"""
    assert process.stdin is not None
    assert process.stdout is not None
    request = {"width": frame.width, "height": frame.height}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.write(frame.tobytes())
    await process.stdin.drain()
    line = await process.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    answer = json.loads(line)
    if "unexpected" in answer:
        log.warning("reading words in a picture failed\n%s", answer["unexpected"])
    return [str(one) for one in answer["lines"]]
