"""Which number format a side of a model computes in.

What the processor has decides which formats are tried, and in which order. Each one answers the
same samples as float32, as torch computes it ("plain"); the first whose answers are close enough is
taken. Where the first is one of our own, numpy computes float32, since that needs no torch either.
A format is also timed, but a busy machine would choose another one at each start. So it is refused
only where the machine was quiet and each of its runs took longer. The choice is remembered.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np

from index.embed import checkpoint as checkpoints
from index.embed import choices, packed
from index.embed.checkpoint import Checkpoint
from index.embed.device import kind_of
from index.embed.packed import NumberFormat
from index.types.records import Floats, Precision

if TYPE_CHECKING:
    from PIL.Image import Image

log = logging.getLogger(__name__)

T = TypeVar("T")
Side: TypeAlias = Literal["images", "texts"]

# Candidates for each side, the best first. "exact" has none, so it stays "plain".
CANDIDATES: dict[Side, dict[Precision, tuple[NumberFormat, ...]]] = {
    "images": {
        "exact": (),
        "auto": ("float16", "bfloat16", "int16", "float32"),
        "default": ("float16", "bfloat16", "int16", "float32"),
        "fast": ("float16", "int8", "bfloat16", "int16", "float32"),
    },
    "texts": {
        "exact": (),
        "auto": ("bfloat16", "int16", "float32"),
        "default": ("bfloat16", "int16", "float32"),
        "fast": ("bfloat16", "int16", "float32"),
    },
}
# The least cosine between an answer to a sample and its plain answer. A question is compared with
# every picture, so its errors matter more than a picture's. Of a picture the promise is 0.999, and
# 0.99 for "fast". The samples must keep half of that error, since real pictures differ more than
# they do: of 100 pictures, the worst one erred 1.5 times as much as the worst sample.
LEAST_COSINE: dict[Side, dict[Precision, float]] = {
    "images": {"auto": 0.9995, "default": 0.9995, "fast": 0.995},
    "texts": {"auto": 0.9999, "default": 0.9999, "fast": 0.9999},
}
# Pictures that an answer is checked with: like photographs, and plain; and how many go into a call.
SCENES, PATCHES = 12, 4
SAMPLE_BATCH = 4
SCENE_SIDE = 224  # pixels in which a sample is drawn, before it is resized
SCENE_THINGS = (30, 200)  # how many things are in a sample
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


# To be raised when the candidates, the samples or the judgement change: then earlier choices no
# longer hold.
CHECK = 4
# A smaller model stays in the processor's caches. There, int16 gains less than numba takes to be
# loaded.
INT16_FROM = 270_000_000  # bytes of memory: 70 MB of weights, and room to work
# A machine is quiet while a run takes hardly longer than the processor worked on it.
QUIET_RATIO, QUIET_S = 1.1, 0.0005


@dataclass(frozen=True, slots=True)
class Measured:
    """Unit answers to the samples, (n, d), and the seconds of each run after the first.

    worked   of which the thread had a processor
    """

    answers: Floats
    seconds: tuple[float, ...] = ()
    worked: tuple[float, ...] = ()

    @property
    def quiet(self) -> bool:
        """Whether nothing else kept the processor from these runs."""
        return all(
            seconds <= worked * QUIET_RATIO + QUIET_S
            for seconds, worked in zip(self.seconds, self.worked, strict=True)
        )


def calibrated(
    side: Side,
    precision: Precision,
    device: str,
    build: Callable[[NumberFormat | None], Any],
    sample: Callable[[Any], Iterable[Floats]],
    checkpoint: Checkpoint,
) -> Any:
    """The side in the number format for this machine; "plain" when no other one passes.

    build    makes the side in a number format; None: in float32, without torch if possible
    sample   features of the samples, run by run; see `sample_images` and `sample_texts`
    """
    candidates = CANDIDATES[side][precision]
    if not candidates:
        return build("plain")
    key = choices.key_of(CHECK, checkpoint.revision, side, precision, *packed.machine(device))
    known = choices.remembered(key)
    if known in (*candidates, "plain"):
        try:
            made = build(known)
        except Exception as exc:
            log.warning("%s of %s can't be made in %s again: %s", side, checkpoint.name, known, exc)
        else:
            log.info("%s of %s in %s, as before", side, checkpoint.name, known)
            return made
    small = checkpoints.needed_bytes(checkpoint) < INT16_FROM
    possible = (  # one is looked at after the other, since most of them need torch
        candidate
        for candidate in candidates
        if packed.supported(candidate, kind_of(device)) and not (small and candidate == "int16")
    )
    choice = _first_that_passes(
        possible, build, sample, LEAST_COSINE[side][precision], f"{side} of {checkpoint.name}"
    )
    if choice.certain:
        choices.remember(key, choice.number_format)
    return choice.side


@dataclass(frozen=True, slots=True)
class _Choice:
    """certain   another start on this machine would choose the same"""

    number_format: NumberFormat
    side: Any
    certain: bool


def _first_that_passes(
    candidates: Iterable[NumberFormat],
    build: Callable[[NumberFormat | None], Any],
    sample: Callable[[Any], Iterable[Floats]],
    least_cosine: float,
    what: str,
) -> _Choice:
    """The first candidate that passes, else "plain"; `what` is the side's name in the log."""
    certain, before = True, None
    for candidate in candidates:
        if before is None:
            before = measured(sample, build(None if packed.own_bits(candidate) else "plain"))
        try:
            made = build(candidate)
            reason = reason_against(before, measured(sample, made), least_cosine)
        except Exception as exc:  # an operator that this build of torch or this model lacks
            reason = str(exc).strip().partition("\n")[0] or type(exc).__name__
            certain = False  # it may have been for lack of memory
        if reason is None:
            log.info("%s in %s", what, candidate)
            return _Choice(candidate, made, certain)
        log.info("%s not in %s: %s", what, candidate, reason)
    return _Choice("plain", build("plain"), certain)


def measured(sample: Callable[[T], Iterable[Floats]], side: T) -> Measured:
    """The answers of a side to the samples, with their times. The first run only warms it up."""
    answers, seconds, worked = [], [], []
    runs = iter(sample(side))
    while True:
        started, begun = time.perf_counter(), time.thread_time()
        if (features := next(runs, None)) is None:
            break
        answers.append(features)
        seconds.append(time.perf_counter() - started)
        worked.append(time.thread_time() - begun)
    return Measured(unit(np.concatenate(answers)), tuple(seconds[1:]), tuple(worked[1:]))


def reason_against(before: Measured, after: Measured, least_cosine: float) -> str | None:
    """Why a format is refused, or None when it passes; `before` is of "plain"."""
    cosine = float((after.answers * before.answers).sum(axis=1).min())
    if not cosine >= least_cosine:  # written so that NaN is refused too
        return f"its answers differ (cosine {cosine:.5f})"
    if not (before.quiet and after.quiet):
        return None
    fastest, slowest = min(after.seconds, default=0), max(before.seconds, default=0)
    if fastest > slowest:
        return f"it takes {fastest / slowest:.2f} times as long or longer"
    return None


def sample_images(side: int) -> Callable[[Callable[[list[Image]], Floats]], Iterator[Floats]]:
    """A function that embeds generated pictures, always the same, `side` pixels wide."""
    from PIL import Image as images

    @functools.cache
    def batches() -> list[list[Image]]:
        drawn = [*map(_scene, range(SCENES)), *map(_patches, range(PATCHES))]
        frames = [one.resize((side, side), images.Resampling.BICUBIC) for one in drawn]
        return [frames[n : n + SAMPLE_BATCH] for n in range(0, len(frames), SAMPLE_BATCH)]

    return lambda embed: (embed(batch) for batch in batches())


def _scene(number: int) -> Image:
    """A picture with the statistics of a photograph: things of all sizes that cover each other,
    each with its shading, and fine structure that is weaker the finer it is.

    source   the "dead leaves" model of natural images
    """
    from PIL import Image as images

    random = np.random.default_rng(number)
    y, x = np.mgrid[:SCENE_SIDE, :SCENE_SIDE] / SCENE_SIDE
    top, bottom = random.uniform(0, 255, (2, 3))
    colours = top + (bottom - top) * y[..., None]
    for _ in range(int(random.integers(*SCENE_THINGS))):
        radius = min(0.03 * random.uniform(0.02, 1) ** -0.7, 0.5)
        across, down = (x - random.uniform()) / radius, (y - random.uniform()) / radius
        inside = across**2 + (down / random.uniform(0.4, 1)) ** 2 < 1
        shading = across * random.normal(0, 40) + down * random.normal(0, 40)
        colours[inside] = (random.uniform(0, 255, 3) + shading[..., None])[inside]
    waves = np.hypot(*np.meshgrid(*[np.fft.fftfreq(SCENE_SIDE)] * 2))
    waves[0, 0] = 1
    noise = np.fft.fft2(random.standard_normal(waves.shape)) / waves
    structure = np.fft.ifft2(noise).real
    structure *= random.uniform(3, 20) / structure.std()
    pixels = (colours * random.uniform(0.4, 1) + structure[..., None]).clip(0, 255)
    return images.fromarray(pixels.astype(np.uint8))


def _patches(number: int) -> Image:
    """A few pixels, which become soft patches of colour when they are resized."""
    from PIL import Image as images

    random = np.random.default_rng(number)
    return images.fromarray(random.integers(0, 256, (6, 6, 3), dtype=np.uint8))


def sample_texts(embed: Callable[[list[str]], tuple[Floats, Any]]) -> Iterator[Floats]:
    """Features of SAMPLE_TEXTS, computed one by one, as questions come."""
    return (embed([text])[0] for text in SAMPLE_TEXTS)


def unit(features: Floats) -> Floats:
    """The rows of `features` (n, d), scaled to length 1."""
    rows: Floats = features / np.linalg.norm(features, axis=-1, keepdims=True).clip(1e-12)
    return rows
