"""Bytes of a JPEG → the pixels a model takes: ours beside the model's processor, on one core."""

from __future__ import annotations

import io
import os
import statistics
import time

import numpy as np
from PIL import Image

from bench import photographs
from bench.checkpoint import vit_b32
from bench.options import Options
from bench.report import Report, Target, spread
from index.embed import checkpoint, embedder, preprocessing
from index.images import decode as images

ROUNDS = 15


def run(options: Options) -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    found = checkpoint.find(str(vit_b32()))
    model = embedder.load(found, "cpu")
    processor = preprocessing.processor(found)
    theirs: list[float] = []
    ours: list[float] = []
    cosines = []
    for round_ in range(ROUNDS):
        data = photographs.jpeg(round_, photographs.PHONE)
        began = time.perf_counter()
        image = Image.open(io.BytesIO(data)).convert("RGB")
        processor(images=image, return_tensors="pt")
        middle = time.perf_counter()
        frames = images.decode(data, model.side, model.shape, resample=model.resample).frames
        processor(images=frames, return_tensors="pt")
        ours.append(time.perf_counter() - middle)
        theirs.append(middle - began)
        a, b = model.images([image])[0], model.images(frames)[0]
        cosines.append(float(np.dot(a, b)))
    speedup = statistics.median(t / o for t, o in zip(theirs, ours, strict=True))
    return Report(
        figures={
            "prepare_ms": spread([s * 1000 for s in ours]),
            "prepare_speedup": speedup,
            "cosine": min(cosines),
        },
        peers={"the model's processor, ms": spread([s * 1000 for s in theirs])},
        targets={"prepare_speedup": Target(speedup, 2.5), "cosine": Target(min(cosines), 0.999)},
    )
