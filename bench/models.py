"""Each model of `docs/models.md`: memory, pictures a second and a question's time.

A checkpoint has the sizes of the published one and random weights, since nothing is downloaded
here; it is deleted afterwards. Each model runs in a process of its own, in one thread. What counts
is the time of the processor, not of the clock, since other programs may keep the machine busy. The
peer is the default model, which is measured beside each of the others, in turn.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import BUILD
from bench.checkpoint import vit_b32
from bench.options import Options
from bench.report import Report
from bench.sizes import SIZES, seeded

ROUNDS = 5
PICTURES = 8  # a batch
QUESTIONS = (
    "dog in snow",
    "a red car at night",
    "two people on a beach",
    "screenshot of an error message",
    "cat asleep on the keyboard",
    "birthday cake with candles",
)
MEGABYTE = 1_000_000


def run(options: Options) -> Report:
    """Measure each; `--only WORD` those with the word in their name."""
    figures: dict[str, Any] = {}
    peers: dict[str, Any] = {}
    for name in SIZES:
        if options.only not in name:
            continue
        folder = BUILD / "models" / name.replace("/", "--")
        try:
            measured = _in_a_process(seeded(name, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        figures |= {f"{name}, {what}": value for what, value in measured["ours"].items()}
        peers |= {f"default beside {name}, {what}": v for what, v in measured["peer"].items()}
    return Report(figures=figures, peers=peers)


def _in_a_process(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.models", str(folder), str(vit_b32())],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _measured(folder: Path, peer: Path) -> dict[str, Any]:
    """The figures of the model in a folder, and of the peer in the same minutes."""
    import numpy as np
    import torch
    from PIL import Image

    from index.embed import checkpoint, embedder

    torch.set_num_threads(1)
    before = _resident_mb()
    model = embedder.load(checkpoint.find(str(folder)), "cpu", "auto")
    noise = np.random.default_rng(1).integers(0, 256, (PICTURES, model.side, model.side, 3))
    frames = [Image.fromarray(one.astype(np.uint8)) for one in noise]
    model.images(frames)
    model.texts(QUESTIONS[:1])
    memory = _resident_mb() - before
    other = embedder.load(checkpoint.find(str(peer)), "cpu", "auto")
    small = [frame.resize((other.side, other.side)) for frame in frames]
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for who, one, pictures in (("ours", model, frames), ("peer", other, small)):
            began = time.process_time()
            one.images(pictures)
            times.setdefault(f"{who} images", []).append(time.process_time() - began)
            for question in QUESTIONS:
                began = time.process_time()
                one.texts([question])
                times.setdefault(f"{who} text", []).append(time.process_time() - began)
    return {
        who: {
            "images_per_s": round(PICTURES / statistics.median(times[f"{who} images"]), 2),
            "text_ms": round(1000 * statistics.median(times[f"{who} text"]), 1),
            **({"memory_mb": round(memory)} if who == "ours" else {}),
        }
        for who in ("ours", "peer")
    }


def _resident_mb() -> float:
    """The memory of this process that is its own: files that are mapped don't count."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
    return kilobytes * 1024 / MEGABYTE


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]), Path(sys.argv[2]))))
