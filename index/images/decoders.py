"""Pictures decoded in processes apart, so that hostile bytes can't reach the one that asks.

A decoder is C code that reads what strangers wrote. A JPEG of 300 kB can keep it busy for hours
(many scans over many pixels), a WebP of 40 bytes can take a gigabyte and hold Python's lock for
a second, and a flaw in it could end or take over the process. Here that costs one picture.

The processes hold nothing of any gallery, so all galleries of this process share them. They are
begun when they are needed, and end with it.
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
from index.images.decode import LIMITS, Decoded, Limits, Shape
from index.types import errors
from index.types.errors import PictureBroken, PictureError, PictureTooHeavy, PictureTooSlow

log = logging.getLogger(__name__)

# What the largest picture within the limits takes to decode is 1.5 GB: one of 64 megapixels
# that is transparent. Beside it there is room for the interpreter and the libraries.
MEMORY_BYTES = 2 * 2**30
# By the clock on the wall, for a process that neither works nor answers; its time on the
# processor is limited by the system, see `decoder`.
PATIENCE = 12
# How a process ends that was ended from outside, so perhaps not by this picture; and one that
# worked too long.
KILLED, TOO_LONG = -9, -27
PACKAGES = Path(__file__).resolve().parents[2]


class _Ended(Exception):
    """The process ended, or was ended, before it had answered."""


class Unforeseen(RuntimeError):
    """A mistake of ours in the process apart; its text is the traceback there."""


class _Decoder:
    """One process. One picture at a time."""

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
        """raises   PictureError, _Ended"""
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
            self._wait(PATIENCE * limits.time_s)
            return _read(self._answers)
        except (OSError, EOFError) as exc:
            raise _Ended from exc

    def _wait(self, patience_s: float) -> None:
        """Wait for the beginning of an answer, and end a process that gives none."""
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        if not waiting.poll(patience_s * 1000):
            self._process.send_signal(-TOO_LONG)

    def end(self) -> int:
        """Let go of it; how it ended, as `subprocess` numbers that."""
        with contextlib.suppress(OSError):  # what it was to be told no longer matters
            self._requests.close()
        self._answers.close()
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _read(answers: BinaryIO) -> Decoded:
    """raises   the PictureError that the answer tells of; Unforeseen; EOFError"""
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    told = json.loads(line)
    if "error" in told:
        raise _error(told)
    if "unforeseen" in told:
        raise Unforeseen(told["unforeseen"])
    sizes = told.pop("frames")
    return Decoded(frames=[_frame(answers, *size) for size in sizes], **told)


def _frame(answers: BinaryIO, width: int, height: int) -> Image.Image:
    data = answers.read(width * height * 3)
    if len(data) < width * height * 3:
        raise EOFError
    return Image.frombytes("RGB", (width, height), data)


def _error(told: Mapping[str, Any]) -> PictureError:
    """The error as it was there, its sentence included."""
    kind = getattr(errors, told["error"])
    error: PictureError = kind.__new__(kind)
    Exception.__init__(error, told["text"])
    vars(error).update(told["fields"])
    return error


def _environment() -> dict[str, str]:
    """What a process needs to find this package, and nothing else: no token."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return kept | {"PYTHONPATH": str(PACKAGES), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


# By niceness: a process has that of the thread that began it, and a question's picture must not
# get one that waits behind everything else.
_idle: dict[int, list[_Decoder]] = {}
_taking = threading.Lock()


def decode(
    data: bytes,
    side: int,
    shape: Shape = "crop",
    limits: Limits = LIMITS,
    resample: int | None = None,
) -> Decoded:
    """As `images.decode`, in a process apart; for a thread that may wait.

    raises   PictureTooLarge, PictureTooHeavy, NotAPicture, PictureBroken, PictureTooSlow
    """
    if sys.platform == "win32":  # it knows none of these limits
        return images.decode(data, side, shape, limits, resample)
    ended = 0
    for _ in range(2):
        decoder = _taken()
        try:
            decoded = decoder.decode(data, side, shape, limits, resample)
        except PictureError:
            _give_back(decoder)
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
            _give_back(decoder)
            return decoded
    raise _why(ended, limits)


def _why(ended: int, limits: Limits) -> PictureError:
    """What it says of a picture that a process has ended over it."""
    if ended == TOO_LONG:
        return PictureTooSlow(limits.time_s)
    if ended == KILLED:  # twice: the system has no memory for it
        return PictureTooHeavy(MEMORY_BYTES)
    return PictureBroken("the decoder can't cope with it")


def _taken() -> _Decoder:
    with _taking:
        idle = _idle.setdefault(os.nice(0), [])
        while idle:
            decoder = idle.pop()
            if decoder.alive:
                return decoder
            decoder.end()
    return _Decoder()


def _give_back(decoder: _Decoder) -> None:
    with _taking:
        _idle.setdefault(os.nice(0), []).append(decoder)


def close() -> None:
    """End the processes that are idle; a later picture begins one anew."""
    with _taking:
        idle = [decoder for some in _idle.values() for decoder in some]
        _idle.clear()
    for decoder in idle:
        decoder.end()


atexit.register(close)
