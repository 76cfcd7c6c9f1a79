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
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, cast

from PIL import Image

from console.reasons import reason_of
from index.images import decode as images
from index.images.decode import LIMITS, Decoded, Limits
from index.images.resize import Shape
from index.types import errors
from index.types.errors import (
    DecoderUnusable,
    PictureBroken,
    PictureError,
    PictureTooHeavy,
    PictureTooSlow,
)
from index.types.sentences import Sentence, unpacked

log = logging.getLogger(__name__)

# Address space of a decoder process. The largest picture within the limits, a transparent one of 64
# megapixels, takes 1.5 GB to decode; the rest is for the interpreter and the libraries.
MEMORY_BYTES = 2 * 2**30
# A process that hasn't answered within this many times the time limit is ended. This counts
# wall-clock time, for a process that neither computes nor answers, and for one that was taken over
# and answers for ever. The system limits its processor time, see `decoder`.
WALL_CLOCK_FACTOR = 12
# Of the line before an answer's frames. The longest holds a traceback.
MAX_LINE_BYTES = 2**18
# Exit codes, as `subprocess` numbers them: killed from outside (SIGKILL), so perhaps not because of
# this picture; and stopped because it computed for too long (SIGPROF).
KILLED, TOO_LONG = -9, -27
NOT_COPED = Sentence("the decoder can't cope with it")
READY = b"ready\n"  # what a process says first
COMMAND = [sys.executable, "-P", "-m", "index.images.decoder"]
PACKAGES = Path(__file__).resolve().parents[2]


class _Ended(Exception):
    """The process ended, or was ended, before it answered, or its answer makes no sense."""


class _NotStarted(_Ended):
    """The process ended before it was ready for a picture."""


class UnexpectedError(RuntimeError):
    """A bug of ours in the decoder process; the text is its traceback."""


class _Decoder:
    """One decoder process, which decodes one picture at a time."""

    def __init__(self) -> None:
        """raises   DecoderUnusable"""
        try:
            with signals_blocked():
                self._process = subprocess.Popen(
                    COMMAND,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=environment(),
                )
        except OSError as exc:
            raise DecoderUnusable(f"a process can't be started ({reason_of(exc)})") from exc
        self._ready = False
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers = cast(BinaryIO, self._process.stdout)
        self._late = False  # it was ended because it didn't answer in time

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def decode(
        self, data: bytes, side: int, shape: Shape, limits: Limits, resample: int | None
    ) -> Decoded:
        """The picture, decoded in the process.

        raises   PictureError, _Ended, _NotStarted
        """
        request = {
            "bytes": len(data),
            "side": side,
            "shape": shape,
            "limits": asdict(limits),
            "filter": resample,
        }
        try:
            with _watchdog.watching(self, WALL_CLOCK_FACTOR * limits.time_s):
                self._ready = self._ready or self._answers.readline(len(READY)) == READY
                if not self._ready:
                    raise _NotStarted
                self._requests.write(json.dumps(request).encode() + b"\n")
                self._requests.write(data)
                self._requests.flush()
                decoded = _read(self._answers, limits)
            if self._late:
                raise EOFError
            return decoded
        except (OSError, EOFError, LookupError, TypeError, ValueError) as exc:
            raise _Ended from exc

    def end_late(self) -> None:
        """End the process while it has a picture."""
        self._late = True
        self._process.kill()  # no other signal ends one that has stopped, or that ignores signals

    def end(self) -> int:
        """End the process.

        returns   its exit code, as `subprocess` numbers them; TOO_LONG when it didn't answer in
                  time
        """
        with contextlib.suppress(OSError):  # bytes that were not sent yet no longer matter
            self._requests.close()
        self._answers.close()
        try:
            ended = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            ended = self._process.wait()
        return TOO_LONG if self._late else ended


class _Watchdog:
    """Ends processes that take too long, whether they read, compute, write or sleep.

    It is one thread for all, since starting one for each picture would take a good part of the time
    that Python has for it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[_Decoder, float] = {}  # when, by the monotonic clock
        self._next = math.inf  # when the thread looks
        self._started = False

    @contextlib.contextmanager
    def watching(self, decoder: _Decoder, timeout_s: float) -> Iterator[None]:
        """Surrounds a picture, during which the process is ended if it takes longer."""
        due = time.monotonic() + timeout_s
        with self._changed:
            self._due[decoder] = due
            if not self._started:
                self._started = True
                threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
            elif due < self._next:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:  # so that it can't be ended during the next picture
                self._due.pop(decoder, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for decoder in [one for one, due in self._due.items() if due <= now]:
                    del self._due[decoder]
                    decoder.end_late()
                self._next = min(self._due.values(), default=math.inf)
                self._changed.wait(None if self._next == math.inf else self._next - now)


_watchdog = _Watchdog()


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """A process that is started in here gets no Ctrl-C and no service's stop, from its first moment
    on. They are meant for this process, and the other one ends with it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read(answers: BinaryIO, limits: Limits) -> Decoded:
    """The picture in an answer. It may come from a process that was taken over.

    raises   the PictureError in the answer, UnexpectedError; EOFError, LookupError, TypeError or
             ValueError when it is none
    """
    line = answers.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise EOFError
    answer = json.loads(line)
    if "error" in answer:
        raise error_of(answer)
    if "unexpected" in answer:
        raise UnexpectedError(answer["unexpected"])
    sizes = answer.pop("frames")
    if not 1 <= len(sizes) <= limits.frames:
        raise ValueError("too many frames")
    answer["seconds"] = [float(second) for second in answer["seconds"]]
    if len(answer["seconds"]) != len(sizes):
        raise ValueError("not a second for each frame")
    frames = [_frame(answers, width, height, limits.pixels) for width, height in sizes]
    return Decoded(frames=frames, **answer)


def _frame(answers: BinaryIO, width: int, height: int, most_pixels: int) -> Image.Image:
    if min(width, height) < 1 or width * height > most_pixels:
        raise ValueError("too large a frame")
    data = answers.read(width * height * 3)
    if len(data) < width * height * 3:
        raise EOFError
    return Image.frombytes("RGB", (width, height), data)


def error_of(answer: Mapping[str, Any]) -> PictureError:
    """The error that the process raised, made anew.

    raises   LookupError, TypeError or ValueError when it is none
    """
    kind = vars(errors)[answer["error"]]
    if not issubclass(kind, PictureError):
        raise TypeError("another kind of error")
    fields = {name: unpacked(value) for name, value in answer["fields"].items()}
    error: PictureError = kind(**fields)
    return error


def environment() -> dict[str, str]:
    """The variables that a process needs to find this package, and no others: no token.

    Nothing may be left for later that opens a file or starts a thread, see `confinement`.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    return kept | {
        "PYTHONPATH": str(PACKAGES),
        "PYTHON_LAZY_IMPORTS": "none",  # from Python 3.15 on
        "MALLOC_ARENA_MAX": "1",  # else each thread reserves 64 MB of the address space
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


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

    raises   PictureError, DecoderUnusable
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
        except _Ended as exc:
            ended = decoder.end()
            log.warning("a process that decodes pictures has ended (%d)", ended)
            if isinstance(exc, _NotStarted) and ended != KILLED:
                reason = f"a process for it ended before it was ready ({ended})"
                raise DecoderUnusable(reason) from exc
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
    return PictureBroken(NOT_COPED)


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
