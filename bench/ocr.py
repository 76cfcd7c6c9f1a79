"""Words in pictures: how many letters are wrong, and what a picture costs with and without text.

Pictures are drawn with words that are known (`lettering`). The share of wrong letters is the edit
distance between what stands there and what was read, blanks between lines counted as one, by the
letters that stand there. Photographs and drawings without text tell what the glance lets through.

The peer is tesseract, with English, in the mode for sparse text. It is left out where the program
isn't there (Debian's package `tesseract-ocr`). Times are of the processor, on one core; tesseract's
start is not counted.

Captions are drawn on most of the demo's pictures, and read. Then they are asked for as somebody
remembers them, in a gallery of all these pictures, and so is what the pictures show: see `words`.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from bench import words
from bench.lettering import KINDS, Lettered, captioned
from bench.options import Options
from bench.query import Pictures
from bench.report import Report, Target
from demo import FOLDER
from index.ocr.engine import Engine
from index.ocr.installed import models
from pocket.evaluate import Loaded

T = TypeVar("T")

EACH = 12  # pictures of a kind that are read
GLANCED_AT = 50  # of a kind
# scikit-image's pictures in which nothing is written.
TEXTLESS = (
    *("brick.png", "camera.png", "chelsea.png", "coffee.png", "hubble_deep_field.jpg"),
    *("ihc.png", "moon.png", "retina.jpg"),
    *("grass.png", "gravel.png"),
)
CROPS = 3  # of each of them
WRITTEN_ON = 8 * CROPS  # all but grass and gravel, on which nobody can read small letters
SIZE = (1200, 900)
DRAWINGS = 60
TESSERACT = "tesseract"

MOST_WRONG = 0.05
LEAST_SEEN = 0.99


def run(options: Options) -> Report:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    engine = Engine(models())
    report = Report({}, {}, {})
    photographs = list(_photographs(options.seed))
    pictures = list(_lettered(photographs, EACH, options.seed))
    _measure_reading(report, engine, pictures)
    _measure_glance(report, engine, photographs, options.seed)
    if shutil.which(TESSERACT):
        _measure_tesseract(report, pictures, photographs)
    else:
        report.peers["tesseract"] = "not installed (apt-get install tesseract-ocr)"
    _measure_finding(report, engine, options.seed)
    return report


# ---- material


def _photographs(seed: int) -> Iterator[Image.Image]:
    """Crops of photographs without text."""
    import skimage

    random = np.random.default_rng(seed)
    for name in TEXTLESS:
        with Image.open(Path(skimage.__file__).parent / "data" / name) as file:
            whole = file.convert("RGB")
        for _ in range(CROPS):
            left, top = (random.uniform(0, 0.25) * edge for edge in whole.size)
            box = (left, top, left + whole.width * 0.75, top + whole.height * 0.75)
            yield whole.resize(SIZE, Image.Resampling.BICUBIC, box)


def _drawings() -> Iterator[Image.Image]:
    for path in sorted((FOLDER / "pictures").iterdir())[:DRAWINGS]:
        with Image.open(path) as file:
            yield file.convert("RGB")


def _lettered(photographs: Sequence[Image.Image], each: int, seed: int) -> Iterator[Lettered]:
    for place, kind in enumerate(KINDS):
        for number in range(each):
            random = np.random.default_rng((seed, place, number))
            yield kind(random, photographs[int(random.integers(WRITTEN_ON))])


# ---- ours


def _measure_reading(report: Report, engine: Engine, pictures: Sequence[Lettered]) -> None:
    """Wrong letters by kind, and what a picture with text costs."""
    wrong, took = _read(pictures, engine.lines)
    for kind, share in wrong.items():
        report.figures[f"wrong letters, {kind}"] = share
    everywhere = statistics.mean(wrong.values())
    report.figures["character_error_rate"] = everywhere
    report.targets["character_error_rate"] = Target(everywhere, MOST_WRONG, at_least=False)
    report.figures["ms a picture with text"] = 1000 * statistics.median(took)


def _measure_glance(
    report: Report, engine: Engine, photographs: Sequence[Image.Image], seed: int
) -> None:
    """Whether a glance sees that there is text, and what a picture without text costs."""
    pictures = _lettered(photographs, GLANCED_AT, seed + 1)
    seen = [engine.has_text(_pixels(one.image)) for one in pictures]
    report.figures["glance_recall"] = recall = statistics.mean(seen)
    report.targets["glance_recall"] = Target(recall, LEAST_SEEN)
    without = {"photographs": photographs, "drawings": list(_drawings())}
    for kind, images in without.items():
        through = [engine.has_text(_pixels(image)) for image in images]
        report.figures[f"{kind} without text that pass the glance"] = statistics.mean(through)
    glances, _ = _timed(photographs, lambda image: engine.has_text(_pixels(image)))
    report.figures["ms a glance"] = 1000 * statistics.median(glances)
    ours, lines = _timed(photographs, engine.lines)
    report.figures["ms a photograph without text, mean"] = 1000 * statistics.mean(ours)
    report.figures["photographs in which words were read"] = sum(map(bool, lines))
    whole, _ = _timed(photographs, lambda image: engine.read(_pixels(image)))
    report.peers["without a glance, ms a photograph, mean"] = 1000 * statistics.mean(whole)
    share = statistics.mean(ours) / statistics.mean(whole)
    report.figures["time_without_text"] = share


def _pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(image)[:, :, ::-1]


# ---- in a gallery


def _measure_finding(report: Report, engine: Engine, seed: int) -> None:
    """Whether captions are found, and whether they get in the way of what pictures show."""
    random = np.random.default_rng(seed)
    images, subjects, places = _demo()
    read = []
    for one in words.captions(words.with_words(len(images), random), random):
        said = one.said.split()
        half = len(said) // 2
        lettered = captioned(
            random, images[one.row], " ".join(said[:half]), " ".join(said[half:])
        ).image
        images[one.row] = lettered
        read.append(replace(one, lines=tuple(engine.lines(lettered))))
    pictures = Pictures(Loaded().pictures(images), np.array(subjects), np.array(places))
    asyncio.run(words.measure(report, pictures, read, random))


def _demo() -> tuple[list[Image.Image], list[str], list[str]]:
    """The demo's pictures of one subject; the subjects and the places."""
    images, subjects, places = [], [], []
    for name, told in json.loads((FOLDER / "labels.json").read_text()).items():
        if len(told["subjects"]) == 1:
            with Image.open(FOLDER / name) as file:
                images.append(file.convert("RGB"))
            subjects += told["subjects"]
            places += told["places"][:1]
    return images, subjects, places


# ---- tesseract


def _measure_tesseract(
    report: Report, pictures: Sequence[Lettered], photographs: Sequence[Image.Image]
) -> None:
    wrong, took = _read(pictures, _by_tesseract, _children_s)
    for kind, share in wrong.items():
        report.peers[f"tesseract, wrong letters, {kind}"] = share
    starts, _ = _timed([Image.new("RGB", (64, 64), "white")] * 5, _by_tesseract, _children_s)
    start = statistics.median(starts)
    report.peers["tesseract, ms a picture with text"] = 1000 * (statistics.median(took) - start)
    without, _ = _timed(photographs, _by_tesseract, _children_s)
    mean = statistics.mean(without) - start
    report.peers["tesseract, ms a photograph without text, mean"] = 1000 * mean


def _by_tesseract(image: Image.Image) -> list[str]:
    out = io.BytesIO()
    image.save(out, "PPM")
    done = subprocess.run(
        [TESSERACT, "stdin", "stdout", "--psm", "11"],
        input=out.getvalue(),
        capture_output=True,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        check=True,
    )
    return [line for line in done.stdout.decode().splitlines() if line.strip()]


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# ---- how it is measured


def _read(
    pictures: Sequence[Lettered],
    reader: Callable[[Image.Image], list[str]],
    clock: Callable[[], float] = time.process_time,
) -> tuple[dict[str, float], list[float]]:
    """The share of wrong letters by kind, and the seconds of each picture."""
    took, read = _timed([one.image for one in pictures], reader, clock)
    letters: dict[str, int] = {}
    wrong: dict[str, int] = {}
    for picture, lines in zip(pictures, read, strict=True):
        there = " ".join(picture.lines)
        letters[picture.kind] = letters.get(picture.kind, 0) + len(there)
        wrong[picture.kind] = wrong.get(picture.kind, 0) + distance(there, " ".join(lines))
    return {kind: wrong[kind] / letters[kind] for kind in letters}, took


def _timed(
    images: Sequence[Image.Image],
    work: Callable[[Image.Image], T],
    clock: Callable[[], float] = time.process_time,
) -> tuple[list[float], list[T]]:
    took: list[float] = []
    done: list[T] = []
    for image in images:
        started = clock()
        done.append(work(image))
        took.append(clock() - started)
    return took, done


def distance(one: str, other: str) -> int:
    """How many letters must be put in, taken out or changed to make one of the other.

    source   Wagner and Fischer, 1974, row by row
    """
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, row[0] = row[0], place
        for at, there in enumerate(other, start=1):
            changed = before + (letter != there)
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, changed)
    return row[-1]
