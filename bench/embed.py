"""The two towers of a CLIP: ours beside transformers as its documentation shows it, on one core.

The model has the shapes of ViT-B/32 and random weights. Pictures have the model's size, as the
decoder leaves them, so both sides only normalise them. A question has about five words, which
transformers pads to the full context. Whether lower precision keeps the rankings is measured with
the pocket model, on all pictures and subjects of the demo world.

ONNX Runtime and OpenVINO compute the same weights beside it, where their packages are installed:
eight pictures, a single one, and a question. It is told how many times ours they take, and how near
their answers come to plain torch's. Where the time of a question goes is told part by part.

`--device cuda` measures a GPU instead: pictures a second from bytes to rows, and the share of that
time for which the GPU is busy.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench import ingest, photographs, runtimes, text_time
from bench.checkpoint import vit_b32
from bench.options import Options
from bench.report import Figure, Report, Target, spread
from bench.transformers_peer import Transformers
from demo import FOLDER
from index import Precision
from index.embed import checkpoint, embedder, packed
from index.embed.embedder import ClipEmbedder
from index.images import decode as images
from index.types.records import Floats
from pocket import MODEL

ROUNDS = 7
IMAGES = 8
EDGE = 224
QUESTIONS = (
    "dog in snow",
    "a red car at night",
    "two people on a beach",
    "screenshot of an error message",
    "cat asleep on the keyboard",
    "birthday cake with candles",
)
NARROW = 64  # numbers of a row of a text tower that computes next to nothing
FIRST = 10  # the overlap of this many first answers counts
GPU_PICTURES = 2048


def run(options: Options) -> Report:
    if options.device != "cpu":
        return _on_a_gpu(options.device)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    folder = vit_b32()
    peer, ours, fast = Transformers(folder), _loaded(folder, "default"), _loaded(folder, "fast")
    frames = [Image.open(io.BytesIO(photographs.jpeg(n, (EDGE, EDGE)))) for n in range(IMAGES)]
    image_peer, image_ours, image_fast = _in_turn(
        lambda: peer.images(frames), lambda: ours.images(frames), lambda: fast.images(frames)
    )
    text_peer, text_ours = _in_turn(
        lambda: [peer.text(question) for question in QUESTIONS],
        lambda: [ours.texts([question])[0] for question in QUESTIONS],
    )
    exact_images = peer.images(frames)
    exact_texts = np.concatenate([peer.text(question) for question in QUESTIONS])
    values = {
        "image_default_speedup": _ratio(image_peer, image_ours),
        "image_cosine": _least_cosine(exact_images, ours.images(frames)),
        "image_fast_speedup": _ratio(image_peer, image_fast),
        "image_fast_cosine": _least_cosine(exact_images, fast.images(frames)),
        "text_speedup": _ratio(text_peer, text_ours),
        "text_cosine": _least_cosine(exact_texts, ours.texts(QUESTIONS)[0]),
        **_overlaps(),
    }
    beside_figures, beside_peers = _beside_runtimes(folder, peer, ours, fast, frames)
    return Report(
        figures={
            "images_per_s": spread([IMAGES / s for s in image_ours]),
            "fast_images_per_s": spread([IMAGES / s for s in image_fast]),
            "text_ms": spread([s * 1000 / len(QUESTIONS) for s in text_ours]),
            **values,
            **beside_figures,
            **text_time.figures(folder, vit_b32(text_width=NARROW), QUESTIONS),
        },
        peers={
            **beside_peers,
            "transformers, images_per_s": spread([IMAGES / s for s in image_peer]),
            "transformers padded, text_ms": spread([s * 1000 / len(QUESTIONS) for s in text_peer]),
        },
        targets={
            name: Target(values[name], target)
            for name, target in {
                "image_default_speedup": 2,
                "image_cosine": 0.999,
                "default_overlap@10": 0.99,
                "image_fast_speedup": 4,
                "fast_overlap@10": 0.95,
                "text_speedup": 6,
                "text_cosine": 0.9999,
            }.items()
        },
    )


def _beside_runtimes(
    folder: Path, peer: Transformers, ours: ClipEmbedder, fast: ClipEmbedder, frames: list[Any]
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Other runtimes beside ours: their milliseconds, how many times ours they take (the median
    over the rounds), and their least cosine to plain torch. int8 stands beside "fast"."""
    figures: dict[str, Figure] = {}
    peers: dict[str, Figure] = {}
    if missing := runtimes.missing():
        peers["not installed"] = ", ".join(missing)
    pixels, ids = peer.pixels(frames), [peer.ids(question) for question in QUESTIONS]
    exact_images = peer.images(frames)
    exact_texts = np.concatenate([peer.text(question) for question in QUESTIONS])
    for other in runtimes.runtimes(folder, bfloat16=packed.supported("bfloat16")):
        mine = fast if other.name.endswith("int8") else ours
        works: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
            "8 pictures": (partial(other.images, pixels), partial(mine.images, frames)),
            "a picture": (partial(other.images, pixels[:1]), partial(mine.images, frames[:1])),
            "a question": (
                partial(_each, other.text, ids),
                partial(_each, mine.texts, [[question] for question in QUESTIONS]),
            ),
        }
        for what, (theirs, own) in works.items():
            calls = len(QUESTIONS) if what == "a question" else 1
            theirs_s, own_s = _in_turn(theirs, own)
            peers[f"{other.name}, {what}, ms"] = spread([1000 * s / calls for s in theirs_s])
            figures[f"{what}, × of {other.name}"] = _ratio(theirs_s, own_s)
        texts = np.concatenate([other.text(one) for one in ids])
        peers[f"{other.name}, picture, cosine"] = _least_cosine(exact_images, other.images(pixels))
        peers[f"{other.name}, question, cosine"] = _least_cosine(exact_texts, texts)
    return figures, peers


def _each(embed: Callable[[Any], Any], texts: Sequence[Any]) -> list[Any]:
    return [embed(text) for text in texts]


def _loaded(folder: Path, precision: Precision) -> ClipEmbedder:
    return embedder.load(checkpoint.find(str(folder)), "cpu", precision)


def _in_turn(*works: Callable[[], Any]) -> list[list[float]]:
    """Seconds of each work. They run in turn, so that a slow moment of the machine hits all."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS + 1):
        for work, taken in zip(works, times, strict=True):
            began = time.perf_counter()
            work()
            taken.append(time.perf_counter() - began)
    return [taken[1:] for taken in times]


def _ratio(peer: list[float], ours: list[float]) -> float:
    return statistics.median(p / o for p, o in zip(peer, ours, strict=True))


def _least_cosine(a: Any, b: Any) -> float:
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    return float((a * b).sum(axis=1).min())


def _overlaps() -> dict[str, float]:
    """The share of exact first answers that each precision also has among its first."""
    labels = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    asked = sorted(
        {
            f"{subject} in {place}"
            for one in labels.values()
            for subject in one["subjects"]
            for place in one["places"]
        }
    )
    files = [FOLDER / name for name in labels]
    precisions: tuple[Precision, ...] = ("exact", "default", "fast")
    first = {precision: _first_answers(precision, files, asked) for precision in precisions}
    return {
        f"{precision}_overlap@{FIRST}": statistics.mean(
            len(set(exact) & set(other)) / FIRST
            for exact, other in zip(first["exact"], first[precision], strict=True)
        )
        for precision in precisions[1:]
    }


def _first_answers(
    precision: Precision, files: Sequence[Path], asked: Sequence[str]
) -> list[list[int]]:
    model = _loaded(MODEL, precision)
    vectors = []
    for file in files:
        decoded = images.decode(file.read_bytes(), model.side, model.shape, resample=model.resample)
        vectors.append(model.images(decoded.frames[:1]))
    texts: Floats = np.concatenate([model.texts([text])[0] for text in asked])
    scores = texts @ np.concatenate(vectors).T
    best: list[list[int]] = np.argsort(-scores, axis=1)[:, :FIRST].tolist()
    return best


def _on_a_gpu(device: str) -> Report:
    """From bytes of JPEGs to committed rows. The GPU is busy for the sum of its kernels' times."""
    import torch

    folder = vit_b32()
    pictures = [photographs.jpeg(n) for n in range(64)]
    many = [pictures[n % 64] + n.to_bytes(4, "big") for n in range(GPU_PICTURES)]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "gallery.db"
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            seconds, _ = asyncio.run(
                ingest.product(folder, many, file, "default", device, workers=4 * 64)
            )
    busy_s = sum(event.self_device_time_total for event in profile.key_averages()) / 1e6
    return Report(
        figures={
            "device": torch.cuda.get_device_name(device),
            "images_per_s": GPU_PICTURES / seconds,
            "gpu_busy": busy_s / seconds,
        },
        peers={},
    )
