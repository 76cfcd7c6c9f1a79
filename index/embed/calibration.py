"""Which number format a side of a model computes in: the first that passes a check at load.

Each candidate answers the same samples as torch's own float32 ("plain"). It is taken when its
answers are close enough and, on a CPU, when it takes less time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np

from index.embed import packed
from index.embed.packed import NumberFormat
from index.types.records import Floats, Precision

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

log = logging.getLogger(__name__)

T = TypeVar("T")
Side: TypeAlias = Literal["images", "texts"]

# Candidates for each side, the best first. "exact" has none, so it stays "plain".
CANDIDATES: dict[Side, dict[Precision, tuple[NumberFormat, ...]]] = {
    "images": {
        "exact": (),
        "auto": ("float16", "bfloat16", "float32"),
        "default": ("float16", "bfloat16", "float32"),
        "fast": ("float16", "int8", "bfloat16", "float32"),
    },
    "texts": {
        "exact": (),
        "auto": ("bfloat16", "float32"),
        "default": ("bfloat16", "float32"),
        "fast": ("bfloat16", "float32"),
    },
}
# The least cosine between an answer to a sample and its plain answer. A question is compared with
# every picture, so its errors matter more than a picture's.
LEAST_COSINE: dict[Side, dict[Precision, float]] = {
    "images": {"auto": 0.999, "default": 0.999, "fast": 0.99},
    "texts": {"auto": 0.9999, "default": 0.9999, "fast": 0.9999},
}
SAMPLE_IMAGES = 4
SAMPLE_TEXTS = (
    "a dog in the snow",
    "screenshot of a red error message",
    "cat",
    "two people on a beach at sunset, seen from behind",
    "the receipt with the total of 42.50",
    "birthday cake",
    "map of the old town",
    "a very small bird on a very large rock, far away and out of focus",
)


def calibrated(
    side: Side,
    precision: Precision,
    device: torch.device,
    build: Callable[[NumberFormat], Any],
    sample: Callable[[Any], Floats],
    model: str,
) -> Any:
    """The side in the first number format that passes the check; else in "plain".

    build    makes the side in a number format
    sample   features of the samples, computed by a side; see `sample_images` and `sample_texts`
    model    its name, for the log, which says why a candidate was refused
    """
    plain = build("plain")
    candidates = [c for c in CANDIDATES[side][precision] if packed.supported(c, device.type)]
    if not candidates:
        return plain
    before = _timed(sample, plain)
    least = LEAST_COSINE[side][precision]
    for candidate in candidates:
        try:
            made = build(candidate)
            after = _timed(sample, made)
        except Exception as exc:  # an operator that this build of torch or this model lacks
            reason: str | None = str(exc).strip().partition("\n")[0] or type(exc).__name__
        else:
            reason = reason_against(before, after, least, timed=device.type == "cpu")
        if reason is None:
            log.info("%s of %s in %s", side, model, candidate)
            return made
        log.info("%s of %s not in %s: %s", side, model, candidate, reason)
    return plain


def sample_images(side: int) -> Callable[[Callable[[list[Image]], Floats]], Floats]:
    """A function that embeds soft patches of colour, always the same, `side` pixels wide."""
    from PIL import Image as images

    random = np.random.default_rng(0)
    patches = random.integers(0, 256, (SAMPLE_IMAGES, 6, 6, 3), dtype=np.uint8)
    frames = [
        images.fromarray(patch).resize((side, side), images.Resampling.BICUBIC) for patch in patches
    ]
    return lambda embed: embed(frames)


def sample_texts(embed: Callable[[list[str]], tuple[Floats, Any]]) -> Floats:
    """Features of SAMPLE_TEXTS, computed one by one, as questions come."""
    return np.concatenate([embed([text])[0] for text in SAMPLE_TEXTS])


def _timed(sample: Callable[[T], Floats], side: T) -> tuple[Floats, float]:
    """Unit answers to the samples, and the seconds that the fastest of three runs took."""
    times = []
    for _ in range(3):
        started = time.thread_time()  # of this thread only, so a busy machine makes no difference
        features = sample(side)
        times.append(time.thread_time() - started)
    return unit(features), min(times)


def reason_against(
    before: tuple[Floats, float], after: tuple[Floats, float], least_cosine: float, *, timed: bool
) -> str | None:
    """Why a candidate is refused, or None when it passes.

    before, after   unit answers and seconds, of "plain" and of the candidate
    timed           it must also be faster
    """
    cosine = float((after[0] * before[0]).sum(axis=1).min())
    if not cosine >= least_cosine:  # written so that NaN is refused too
        return f"its answers differ (cosine {cosine:.5f})"
    if timed and after[1] >= before[1]:
        return f"it takes {after[1] / before[1]:.2f} times as long"
    return None


def unit(features: Floats) -> Floats:
    """The rows of `features` (n, d), scaled to length 1."""
    rows: Floats = features / np.linalg.norm(features, axis=-1, keepdims=True).clip(1e-12)
    return rows
