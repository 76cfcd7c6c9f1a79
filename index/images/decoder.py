"""The decoder process: `python -m index.images.decoder`, which `decoders` starts and talks to.

Whatever hostile bytes can do to a decoder happens here: stall it, make it take memory, crash it or
take it over. The process has no secrets, and can open no file and no connection, see `confinement`.
The system kills it when it computes for too long, and kills it first when memory runs out.

It says once that it is ready. A request is a line of JSON and the picture's bytes. An answer is a
line of JSON and the bytes of the frames.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from PIL import Image, ImageCms

from index.images import decode as images
from index.images import worker
from index.images.decode import Decoded, Limits
from index.images.decoders import MEMORY_BYTES, READY

# Pillow imports these when it needs them, and then this process can no longer open their files.
Image.preinit()
LOADED_EARLY = (ImageCms,)


def main() -> int:
    """Answer requests until standard input ends."""
    worker.settle(MEMORY_BYTES)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while (line := requests.readline()) and line.endswith(b"\n"):
        request = json.loads(line)
        limits = Limits(**request["limits"])
        decoding = partial(_decoded, request, requests.read(request["bytes"]), limits)
        worker.send(worker.answer(decoding, limits.time_s, MEMORY_BYTES), answers)
    return 0


def _decoded(request: Mapping[str, Any], data: bytes, limits: Limits) -> worker.Answer:
    """raises   PictureError, MemoryError"""
    decoded = images.decode(data, request["side"], request["shape"], limits, request["filter"])
    return worker.Answer(_header(decoded), (frame.tobytes() for frame in decoded.frames))


def _header(decoded: Decoded) -> dict[str, Any]:
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


if __name__ == "__main__":
    sys.exit(main())
