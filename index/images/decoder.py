"""The process that decodes: `python -m index.images.decoder`, started and spoken to by `decoders`.

Whatever hostile bytes can do to a decoder, they do it here: stall it, make it swell, bring it
down, or take it over. It has no secrets in its environment, may write no file, is killed by the
system when it works too long, and is the first to go when memory runs out.

A request is a line of JSON and the picture's bytes; an answer a line of JSON and the frames'.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from PIL import Image

from index.images import decode as images
from index.images.decode import Decoded, Limits
from index.images.decoders import MEMORY_BYTES
from index.types.errors import PictureError, PictureTooHeavy

Header = dict[str, Any]


def main() -> int:
    """Answer requests until there are no more."""
    _give_up_power()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while (line := requests.readline()) and line.endswith(b"\n"):
        request = json.loads(line)
        header, frames = _answer(request, requests.read(request["bytes"]))
        answers.write(json.dumps(header).encode() + b"\n")
        for frame in frames:
            answers.write(frame.tobytes())
        answers.flush()
    return 0


def _give_up_power() -> None:
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system has each
            resource.setrlimit(limit, (most, most))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # libtiff tells all it finds
    # Ctrl-C and a service's stop are for the parent; this ends with it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _answer(request: Mapping[str, Any], data: bytes) -> tuple[Header, list[Image.Image]]:
    limits = Limits(**request["limits"])
    # Nothing in C looks at a clock, so the system ends it: its time is that of the processor,
    # so that a busy machine does not count.
    signal.setitimer(signal.ITIMER_PROF, limits.time_s)
    try:
        decoded = images.decode(data, request["side"], request["shape"], limits, request["filter"])
    except PictureError as error:
        return _told(error), []
    except MemoryError:
        return _told(PictureTooHeavy(MEMORY_BYTES)), []
    except Exception:
        return {"unforeseen": traceback.format_exc()}, []
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return _described(decoded), decoded.frames


def _described(decoded: Decoded) -> Header:
    return {
        "width": decoded.width,
        "height": decoded.height,
        "format": decoded.format,
        "orientation": decoded.orientation,
        "n_frames": decoded.n_frames,
        "frames": [frame.size for frame in decoded.frames],
    }


def _told(error: PictureError) -> Header:
    return {"error": type(error).__name__, "fields": vars(error), "text": str(error)}


if __name__ == "__main__":
    sys.exit(main())
