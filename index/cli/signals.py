"""What Ctrl-C and SIGTERM do while a command runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from console.exits import INTERRUPTED
from console.output import say_error

_SHOW_CURSOR = "\x1b[?25h"  # a progress bar hides it


@contextlib.contextmanager
def ending_at_once() -> Iterator[None]:
    """A signal ends the process at once. Nothing is being written yet, and an orderly exit would
    wait for the threads of a download, or for a pipe that nobody writes to."""
    before = [(number, signal.signal(number, _end)) for number in _NUMBERS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextlib.contextmanager
def stopping(stop: threading.Event) -> Iterator[None]:
    """The first signal sets `stop`; a second one ends the process at once.

    At once means without waiting for threads: one may read from a drive that never answers. What
    was committed is complete, whenever a process ends.
    """
    loop = asyncio.get_running_loop()

    def begin_to_stop() -> None:
        stop.set()
        for number in _NUMBERS:
            loop.remove_signal_handler(number)
            signal.signal(number, _end)
        say_error("")
        say_error("stopping: finishing the pictures that were begun; once more ends at once")

    before = [signal.getsignal(number) for number in _NUMBERS]
    try:
        for number in _NUMBERS:
            loop.add_signal_handler(number, begin_to_stop)
    except NotImplementedError:  # Windows: Ctrl-C ends at once; commits are complete all the same
        yield
        return
    try:
        yield
    finally:
        for number, handler in zip(_NUMBERS, before, strict=True):
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def _end(*_: object) -> None:
    with contextlib.suppress(OSError):
        if os.isatty(1):
            os.write(1, _SHOW_CURSOR.encode())
    say_error("")
    say_error("Interrupted.")
    os._exit(INTERRUPTED)
