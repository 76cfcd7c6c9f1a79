"""Pictures decoded in separate processes, so that hostile bytes can't reach the main process.

A decoder is C code that reads what strangers wrote. A JPEG of 300 kB can keep it busy for hours
(many scans over many pixels). A WebP of 40 bytes can take a gigabyte and hold Python's lock for a
second. A flaw in the decoder could crash the process or give it to an attacker. In a separate
process, all this costs one picture.

The decoder processes hold no data of any gallery, so all galleries of this process share them. They
start when they are needed, and end with this process.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import Image

from index.images import decode as images
from index.images.decode import LIMITS, Decoded, Limits
from index.images.resize import Shape
from index.types import errors
from index.types.errors import PictureBroken, PictureError, PictureTooHeavy, PictureTooSlow

log = logging.getLogger(__name__)

# Address space of a decoder process. The largest picture within the limits, a transparent one of 64
# megapixels, takes 1.5 GB to decode; the rest is for the interpreter and the libraries.
MEMORY_BYTES = 2 * 2**30
# A process that doesn't answer within this many times the time limit is ended. This counts
# wall-clock time, for a process that neither computes nor answers. The system limits its processor
# time, see `decoder`.
WALL_CLOCK_FACTOR = 12
# Exit codes, as `subprocess` numbers them: killed from outside (SIGKILL), so perhaps not because of
# this picture; and stopped because it computed for too long (SIGPROF).
KILLED, TOO_LONG = -9, -27
PACKAGES = Path(__file__).resolve().parents[2]


class _Ended(Exception):
    """The process ended, or was ended, before it answered."""


class UnexpectedError(RuntimeError):
    """A bug of ours in the decoder process; the text is its traceback."""


class _Decoder:
    """One decoder process, which decodes one picture at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "index.images.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def decode(
        self, data: bytes, side: int, shape: Shape, limits: Limits, resample: int | None
    ) -> Decoded:
        """The picture, decoded in the process.

        raises   PictureError, _Ended
        """
        request = {
            "bytes": len(data),
            "side": side,
            "shape": shape,
            "limits": asdict(limits),
            "filter": resample,
        }
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.write(data)
            self._requests.flush()
            self._wait(WALL_CLOCK_FACTOR * limits.time_s)
            return _read(self._answers)
        except (OSError, EOFError) as exc:
            raise _Ended from exc

    def _wait(self, timeout_s: float) -> None:
        """Wait until an answer begins, and end a process that doesn't answer in time."""
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        if not poll.poll(timeout_s * 1000):
            self._process.send_signal(-TOO_LONG)

    def end(self) -> int:
        """End the process; returns its exit code, as `subprocess` numbers them."""
        with contextlib.suppress(OSError):  # bytes that were not sent yet no longer matter
            self._requests.close()
        self._answers.close()
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _read(answers: BinaryIO) -> Decoded:
    """The picture in an answer.

    raises   the PictureError in the answer, UnexpectedError, EOFError
    """
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    answer = json.loads(line)
    if "error" in answer:
        raise _error(answer)
    if "unexpected" in answer:
        raise UnexpectedError(answer["unexpected"])
    sizes = answer.pop("frames")
    return Decoded(frames=[_frame(answers, *size) for size in sizes], **answer)


def _frame(answers: BinaryIO, width: int, height: int) -> Image.Image:
    data = answers.read(width * height * 3)
    if len(data) < width * height * 3:
        raise EOFError
    return Image.frombytes("RGB", (width, height), data)


def _error(answer: Mapping[str, Any]) -> PictureError:
    """The error that the process raised, with its text and its fields."""
    kind = getattr(errors, answer["error"])
    error: PictureError = kind.__new__(kind)
    Exception.__init__(error, answer["text"])
    vars(error).update(answer["fields"])
    return error


def _environment() -> dict[str, str]:
    """The variables that a process needs to find this package, and no others: no token."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return kept | {"PYTHONPATH": str(PACKAGES), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


# Idle processes, by niceness. A process has the niceness of the thread that started it, and a
# question's picture must not get a process that waits behind everything else.
_idle: dict[int, list[_Decoder]] = {}
_idle_lock = threading.Lock()


def decode(
    data: bytes,
    side: int,
    shape: Shape = "crop",
    limits: Limits = LIMITS,
    resample: int | None = None,
) -> Decoded:
    """The picture in `data`, as `images.decode` returns it, decoded in a separate process.

    It blocks, so call it in a thread.

    raises   PictureTooLarge, PictureTooHeavy, NotAPicture, PictureBroken, PictureTooSlow
    """
    if sys.platform == "win32":  # Windows has none of these limits
        return images.decode(data, side, shape, limits, resample)
    ended = 0
    for _ in range(2):
        decoder = _acquire()
        try:
            decoded = decoder.decode(data, side, shape, limits, resample)
        except PictureError:
            _release(decoder)
            raise
        except _Ended:
            ended = decoder.end()
            log.warning("a process that decodes pictures has ended (%d)", ended)
            if ended != KILLED:
                break
        except BaseException:
            decoder.end()
            raise
        else:
            _release(decoder)
            return decoded
    raise _error_for(ended, limits)


def _error_for(ended: int, limits: Limits) -> PictureError:
    """The error of a picture whose decoder process ended with this exit code."""
    if ended == TOO_LONG:
        return PictureTooSlow(limits.time_s)
    if ended == KILLED:  # twice: the system has no memory for the picture
        return PictureTooHeavy(MEMORY_BYTES)
    return PictureBroken("the decoder can't cope with it")


def _acquire() -> _Decoder:
    with _idle_lock:
        idle = _idle.setdefault(os.nice(0), [])
        while idle:
            decoder = idle.pop()
            if decoder.alive:
                return decoder
            decoder.end()
    return _Decoder()


def _release(decoder: _Decoder) -> None:
    with _idle_lock:
        _idle.setdefault(os.nice(0), []).append(decoder)


def close() -> None:
    """End the idle processes; a later picture starts a new one."""
    with _idle_lock:
        idle = [decoder for some in _idle.values() for decoder in some]
        _idle.clear()
    for decoder in idle:
        decoder.end()


atexit.register(close)
