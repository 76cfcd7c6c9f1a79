"""The two towers: ours beside transformers called as its documentation shows it, on one core.

ViT-B/32's true geometry with seeded weights. A question has about five words; transformers pads
it to the full context.
"""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from bench import photographs
from bench.checkpoint import vit_b32
from bench.plain import Transformers
from bench.report import Report, Target, spread
from index import checkpoint, embedder

ROUNDS = 7
IMAGES = 8
QUESTIONS = (
    "dog in snow",
    "a red car at night",
    "two people on a beach",
    "screenshot of an error message",
    "cat asleep on the keyboard",
    "birthday cake with candles",
)


def run() -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    folder = vit_b32()
    ours = embedder.load(checkpoint.find(str(folder)), "cpu", "default")
    fast = embedder.load(checkpoint.find(str(folder)), "cpu", "fast")
    peer = Transformers(folder)
    frames = [Image.open(io.BytesIO(photographs.jpeg(n, (448, 448)))) for n in range(IMAGES)]
    image_peer, image_ours = _in_turn(lambda: peer.images(frames), lambda: ours.images(frames))
    fast_peer, image_fast = _in_turn(lambda: peer.images(frames), lambda: fast.images(frames))
    text_peer, text_ours = _in_turn(
        lambda: [peer.text(question) for question in QUESTIONS],
        lambda: [ours.texts([question])[0] for question in QUESTIONS],
    )
    image_cosine = _least_cosine(peer.images(frames), ours.images(frames))
    text_cosine = _least_cosine(
        np.concatenate([peer.text(question) for question in QUESTIONS]),
        np.concatenate([ours.texts([question])[0] for question in QUESTIONS]),
    )
    image_speedup = _ratio(image_peer, image_ours)
    fast_speedup = _ratio(fast_peer, image_fast)
    fast_cosine = _least_cosine(peer.images(frames), fast.images(frames))
    text_speedup = _ratio(text_peer, text_ours)
    return Report(
        figures={
            "images_per_s": spread([IMAGES / s for s in image_ours]),
            "image_default_speedup": image_speedup,
            "image_cosine": image_cosine,
            "fast_images_per_s": spread([IMAGES / s for s in image_fast]),
            "image_fast_speedup": fast_speedup,
            "image_fast_cosine": fast_cosine,
            "text_ms": spread([s * 1000 / len(QUESTIONS) for s in text_ours]),
            "text_speedup": text_speedup,
            "text_cosine": text_cosine,
        },
        peers={
            "transformers, images_per_s": spread([IMAGES / s for s in image_peer]),
            "transformers padded, text_ms": spread([s * 1000 / len(QUESTIONS) for s in text_peer]),
        },
        targets={
            "image_default_speedup": Target(image_speedup, 2),
            "image_cosine": Target(image_cosine, 0.999),
            "image_fast_speedup": Target(fast_speedup, 4),
            "text_speedup": Target(text_speedup, 6),
            "text_cosine": Target(text_cosine, 0.9999),
        },
    )


def _in_turn(
    first: Callable[[], Any], second: Callable[[], Any]
) -> tuple[list[float], list[float]]:
    """Seconds of each, run alternately so that a slow moment of the machine hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for work, taken in zip((first, second), times, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return times[0][1:], times[1][1:]


def _ratio(peer: list[float], ours: list[float]) -> float:
    return statistics.median(p / o for p, o in zip(peer, ours, strict=True))


def _least_cosine(a: Any, b: Any) -> float:
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    return float((a * b).sum(axis=1).min())
