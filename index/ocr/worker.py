"""The OCR process: `python -m index.ocr.worker NICENESS`, which `transcriber` starts and talks to.

It gets pixels, never a stranger's file: those are decoded in processes of their own. All the same,
it can open no file and no connection once its models are loaded, see `index.images.confinement`,
and the system ends it when it computes for too long.

It says once that it is ready. A request is a line of JSON and the pixels of a picture. An answer is
a line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from PIL import Image

from index.images.confinement import confine
from index.images.worker import stand_back
from index.ocr.installed import models
from index.ocr.limits import CPU_S, MEMORY_BYTES, READY


def main(niceness: int) -> int:
    """Answer requests until standard input ends."""
    os.nice(niceness)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what libraries print must not get into an answer
    stand_back()
    from index.ocr.engine import Engine  # takes a second

    engine = Engine(models())
    confine(MEMORY_BYTES)
    answers.write(READY)
    answers.flush()
    while (line := requests.readline()) and line.endswith(b"\n"):
        request = json.loads(line)
        pixels = requests.read(request["width"] * request["height"] * 3)
        answers.write(json.dumps(_answer(engine, request, pixels)).encode() + b"\n")
        answers.flush()
    return 0


def _answer(engine: Any, request: Mapping[str, int], pixels: bytes) -> dict[str, Any]:
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        size = request["width"], request["height"]
        return {"lines": engine.lines(Image.frombytes("RGB", size, pixels))}
    except Exception:  # a library's own bug, or no more memory; it costs one picture
        return {"unexpected": traceback.format_exc()}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
