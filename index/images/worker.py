"""What every process does that reads the bytes of strangers: `decoder`, `clips.reader`.

It settles before it reads any. An answer is a line of JSON, and the bytes that the line tells of.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, NamedTuple

from index.images.confinement import confine
from index.types.errors import PictureError, PictureTooHeavy
from index.types.sentences import packed


class Answer(NamedTuple):
    """What comes of a picture or video: what is told of it, and its bytes in some parts."""

    header: dict[str, Any]
    parts: Iterable[bytes] = ()


def settle(memory_bytes: int) -> None:
    """Become a process that harms nothing, whatever its pictures make of it."""
    stand_back()
    confine(memory_bytes)


def stand_back() -> None:
    """Be the first to end when memory runs out; and be silent, whatever libraries print."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    # libtiff, for one, writes each flaw that it finds to standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def answer(work: Callable[[], Answer], cpu_s: float, memory_bytes: int) -> Answer:
    """What `work` gives, or the error that it raises.

    cpu_s          after which the system ends the process: code in C doesn't look at a clock. It
                   counts processor time, so that a busy machine makes no difference
    memory_bytes   that the process has, for the error's text
    """
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        return work()
    except PictureError as error:
        return _refused(error)
    except MemoryError:
        return _refused(PictureTooHeavy(memory_bytes))
    except Exception:
        return Answer({"unexpected": traceback.format_exc()})
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _refused(error: PictureError) -> Answer:
    fields = {name: packed(value) for name, value in vars(error).items()}
    return Answer({"error": type(error).__name__, "fields": fields})


def send(answer: Answer, answers: BinaryIO) -> None:
    """raises   OSError when nobody listens any more"""
    answers.write(json.dumps(answer.header).encode() + b"\n")
    for part in answer.parts:
        answers.write(part)
    answers.flush()
