"""The decoder process: `python -m index.images.decoder`, which `decoders` starts and talks to.

Whatever hostile bytes can do to a decoder happens here: stall it, make it take memory, crash it or
take it over. The process has no secrets, and can open no file and no connection, see `confinement`.
The system kills it when it computes for too long, and kills it first when memory runs out.

It says once that it is ready. A request is a line of JSON and the picture's bytes. An answer is a
line of JSON and the bytes of the frames.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageCms

from index.images import decode as images
from index.images.confinement import confine
from index.images.decode import Decoded, Limits
from index.images.decoders import MEMORY_BYTES, READY
from index.types.errors import PictureError, PictureTooHeavy
from index.types.sentences import packed

Header = dict[str, Any]

# Pillow imports these when it needs them, and then this process can no longer open their files.
Image.preinit()
LOADED_EARLY = (ImageCms,)


def main() -> int:
    """Answer requests until standard input ends."""
    _settle()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while (line := requests.readline()) and line.endswith(b"\n"):
        request = json.loads(line)
        header, frames = _answer(request, requests.read(request["bytes"]))
        answers.write(json.dumps(header).encode() + b"\n")
        for frame in frames:
            answers.write(frame.tobytes())
        answers.flush()
    return 0


def _settle() -> None:
    """Become a process that harms nothing, whatever its pictures make of it."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    # libtiff writes each flaw that it finds to standard error.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    confine(MEMORY_BYTES)


def _answer(request: Mapping[str, Any], data: bytes) -> tuple[Header, list[Image.Image]]:
    limits = Limits(**request["limits"])
    # Code in C doesn't look at a clock, so the system ends the process. It counts processor time,
    # so that a busy machine makes no difference.
    signal.setitimer(signal.ITIMER_PROF, limits.time_s)
    try:
        decoded = images.decode(data, request["side"], request["shape"], limits, request["filter"])
    except PictureError as error:
        return _error(error), []
    except MemoryError:
        return _error(PictureTooHeavy(MEMORY_BYTES)), []
    except Exception:
        return {"unexpected": traceback.format_exc()}, []
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return _header(decoded), decoded.frames


def _header(decoded: Decoded) -> Header:
    return {
        "width": decoded.width,
        "height": decoded.height,
        "format": decoded.format,
        "orientation": decoded.orientation,
        "n_frames": decoded.n_frames,
        "partial": decoded.partial,
        "frames": [frame.size for frame in decoded.frames],
        "seconds": decoded.seconds,
    }


def _error(error: PictureError) -> Header:
    fields = {name: packed(value) for name, value in vars(error).items()}
    return {"error": type(error).__name__, "fields": fields}


if __name__ == "__main__":
    sys.exit(main())
