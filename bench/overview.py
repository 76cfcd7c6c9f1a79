"""An overview: whether its names are true, how much it delays other answers, and its map: whether
like lies by like, whether it stays where it was, and what it costs; beside the libraries that lay
out vectors, those of them that are installed.

true words        of all words in names, the share of those that are true of a quarter of their
                  cluster's pictures, as the labels of the demo's pictures say. The words for whole
                  kinds, such as "vehicle", are in no label and count as wrong. The clusters are
                  those of all pictures, and of random parts of them
loop late         how late the event loop is while an overview is made and drawn, beside a process
                  that does nothing else

trustworthiness   how seldom pictures lie together that aren't alike, to 1 (Venna and Kaski, 2001)
kept              the share of the 15 most similar pictures that are among the 15 nearest on the map
moved             how far pictures lie from where they lay when a twentieth of all wasn't there yet,
                  as a share of their mean distance from the middle; nothing is turned to fit

Magpie lays out at most 2,048 pictures. Of more, all others are placed here by their most similar
ones, so that the same is measured of all. BENCH_ROWS (100,000) is how many an overview is
made of for its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import json
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

# Set before numpy is imported, as the bot does.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image

from bench import vectors
from bench.lag import watched
from bench.options import Options
from bench.report import Figure, Report, Target
from bot.overview.pictures import drawn, wanted
from demo import FOLDER
from index import EmbeddedPicture, Filter, Gallery, Group, Link
from index.embed import checkpoint, embedder
from index.overview.clusters import directions
from index.overview.layout import laid_out
from index.overview.survey import SAMPLED, sampled, survey
from index.types.records import Floats
from pocket import MODEL, artwork
from pocket.wording import PLACE_WORDS

Layout: TypeAlias = Callable[[Floats], Floats]
ROWS = 100_000
DIMENSION = 512
NEIGHBOURS = 15
JUDGED = 1000  # pictures whose neighbours are looked at
NEW_SHARE = 20  # one of so many pictures is new
PLACED_BY, SHARPNESS = 10, 20.0
SEEN_AT_ONCE = 64
# Sizes of the galleries whose overview is made while a loop goes on, and their links a commit.
LAG_ROWS, LAG_DIMENSION, COMMITTED_AT_ONCE = (3_000, 30_000), 256, 2_000
STILL, DRAWN = (240, 190), 60  # pixels of what is drawn, and how many differ
BEGAN = 1_700_000_000
# Random parts of the demo's pictures that are named, and the pictures in each.
PARTS, IN_A_PART = 5, (120, 200, 300)
TRUE_SHARE = 0.25
# By the name of the module; the distribution has the name behind it.
PEERS = {"umap": "umap-learn", "pacmap": "pacmap", "openTSNE": "openTSNE"}


def run(options: Options) -> Report:
    """The figures of a run."""
    rows = options.rows[0] if options.rows else ROWS
    galleries = {
        "demo": _demo(),
        f"{SAMPLED:,} like CLIP's": next(vectors.made(SAMPLED, DIMENSION)),
    }
    many = np.concatenate(list(vectors.made(rows, DIMENSION)))
    figures: dict[str, Figure] = {}
    targets: dict[str, Target] = {}
    peers: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory() as scratch:
        told = asyncio.run(_named(Path(scratch), galleries["demo"]))
        figures |= told
        targets["true words"] = Target(told["true words"], 0.8)
        for size in LAG_ROWS:
            mine, idle = asyncio.run(_late(Path(scratch) / f"{size}.db", size))
            about = f"an overview of {size:,}: loop late, ms"
            figures |= {f"{about}, {name}": value for name, value in mine.items()}
            peers |= {f"{about}, {name}: an idle process": value for name, value in idle.items()}
            beyond = f"{about}, p99 beyond an idle process"
            figures[beyond] = round(max(mine["p99"] - idle["p99"], 0.0), 1)
            targets[beyond] = Target(mine["p99"] - idle["p99"], 20, at_least=False)
    for gallery, rows_of in galleries.items():
        measured = _measured(_magpie, rows_of)
        figures |= {f"{gallery}: {name}": value for name, value in measured.items()}
        targets[f"{gallery}: trustworthiness"] = Target(measured["trustworthiness"], 0.88)
        targets[f"{gallery}: moved"] = Target(measured["moved"], 0.35, at_least=False)
        for peer, layout in _peers().items():
            told = _measured(layout, rows_of) if layout else {}
            peers |= {f"{peer}, {gallery}: {name}": value for name, value in told.items()}
    name = f"an overview of {rows:,}, s"
    figures[name] = _seconds(lambda: survey(_Everything(many), None, _go_on))
    targets[name] = Target(float(figures[name] or 0), 30, at_least=False)
    for peer, layout in _peers().items():
        if layout is None:
            peers[peer] = "not installed"
            continue
        if peer in PEERS:
            peers[f"{peer}: MB on disk, beside what Magpie has"] = _megabytes(PEERS[peer])
    return Report(figures, peers, targets)


def _demo() -> Floats:
    """The demo's pictures, as the pocket model sees them."""
    model = embedder.load(checkpoint.find(str(MODEL)), "cpu")
    frames = []
    for name in json.loads((FOLDER / "labels.json").read_text("utf-8")):
        with Image.open(FOLDER / name) as file:
            frames.append(file.convert("RGB"))
    parts = range(0, len(frames), SEEN_AT_ONCE)
    return np.concatenate([model.images(frames[at : at + SEEN_AT_ONCE]) for at in parts])


# ---- names


async def _named(scratch: Path, pictures: Floats) -> dict[str, float]:
    """How many clusters have a name, and how many words of names are true."""
    true, clusters, named = list[bool](), 0, 0
    said = _said()
    for number, part in enumerate(_parts(len(pictures))):
        async with _opened(scratch / f"part {number}.db", pictures[part]) as gallery:
            overview = await gallery.overview(Filter(1))
        # A new file counts its links from 1.
        of = {link: said[part[link - 1]] for link in overview.links.tolist()}
        for cluster, one in enumerate(overview.clusters):
            members = [of[link] for link in overview.links[overview.of == cluster].tolist()]
            true += [_is_true(word, members) for word in one.words]
            clusters, named = clusters + 1, named + bool(one.words)
    return {
        "true words": round(float(np.mean(true)), 3),
        "clusters with a name": round(named / clusters, 3),
        "words in a name": round(len(true) / named, 2),
    }


def _is_true(word: str, members: Sequence[set[str]]) -> bool:
    return sum(word in one for one in members) >= TRUE_SHARE * len(members)


def _parts(count: int) -> Iterator[np.ndarray]:
    """All pictures, and random parts of them."""
    yield np.arange(count)
    random = np.random.default_rng(5)
    for number in range(PARTS):
        yield np.sort(random.permutation(count)[: IN_A_PART[number % len(IN_A_PART)]])


def _said() -> list[set[str]]:
    """Of each picture of the demo all words that are true of it, by its labels."""
    words: dict[str, set[str]] = {}
    for name, _, trained, unseen in artwork.read_subject_lines():
        words[name] = {name, *artwork.comma_list(trained), *artwork.comma_list(unseen)}
    for name, said in PLACE_WORDS["en"].items():
        words.setdefault(name, {name}).update(said)
    labels = json.loads((FOLDER / "labels.json").read_text("utf-8")).values()
    return [
        {word for one in (*label["subjects"], *label["places"]) for word in words.get(one, {one})}
        for label in labels
    ]


# ---- how late other answers are


async def _late(path: Path, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """How late the event loop is while an overview is made and drawn, and an idle process."""
    pictures = np.concatenate(list(vectors.made(count, LAG_DIMENSION)))
    async with _opened(path, pictures) as gallery:
        await gallery.ready_to_lay_out()
        stills = await asyncio.to_thread(_stills)
        async with watched() as lags:
            overview = await gallery.overview(Filter(1))
            shown = {link: stills[link % len(stills)] for link in wanted(overview)}
            await asyncio.to_thread(drawn, overview, shown)
    return lags.figures()


@contextlib.asynccontextmanager
async def _opened(path: Path, pictures: Floats) -> AsyncIterator[Gallery]:
    """A gallery of these vectors, all posted an hour after another, that can judge words."""
    gallery = await Gallery.open(path, str(MODEL), device="cpu")
    try:
        for start in range(0, len(pictures), COMMITTED_AT_ONCE):
            places = range(start, min(start + COMMITTED_AT_ONCE, len(pictures)))
            await gallery.commit([_item(number, pictures[number]) for number in places])
        await gallery.ready_to_judge()
        yield gallery
    finally:
        await gallery.close()


def _item(number: int, vector: Floats) -> tuple[EmbeddedPicture, Link]:
    picture = EmbeddedPicture(number.to_bytes(32, "little"), "image", vector[None])
    return picture, Link(1, Group(1), str(number), "", posted_at=BEGAN + 3600 * number)


def _stills() -> list[bytes]:
    """Small pictures, to be drawn."""
    random, stills = np.random.default_rng(1), []
    for _ in range(DRAWN):
        out = io.BytesIO()
        noise = random.integers(0, 255, (STILL[1], STILL[0], 3), np.uint8)
        Image.fromarray(noise).save(out, "WEBP")
        stills.append(out.getvalue())
    return stills


class _Everything:
    """Links whose vectors are in memory."""

    def __init__(self, rows: Floats) -> None:
        self._rows = rows
        self.links = np.arange(1, len(rows) + 1)
        self.posted = np.zeros(len(rows))

    def vectors(self, places: np.ndarray) -> tuple[Floats, np.ndarray]:
        return self._rows[places], np.ones(len(places), np.bool_)


def _go_on() -> None:
    pass


# ---- layouts


def _magpie(pictures: Floats) -> Floats:
    """Magpie's map, and the pictures that aren't on it beside those that they are most like."""
    seen = directions(pictures, pictures.mean(axis=0))
    known = sampled(np.arange(len(pictures)))
    laid = laid_out(seen[known], _go_on)
    places = np.empty((len(pictures), 2), np.float32)
    for start in range(0, len(pictures), SAMPLED):
        similar = seen[start : start + SAMPLED] @ seen[known].T
        near = np.argpartition(-similar, PLACED_BY, axis=1)[:, :PLACED_BY]
        weight = np.take_along_axis(similar, near, axis=1)
        weight = np.exp(SHARPNESS * (weight - weight.max(axis=1, keepdims=True)))
        weight /= weight.sum(axis=1, keepdims=True)
        places[start : start + SAMPLED] = np.einsum("nk,nkd->nd", weight, laid[near])
    places[known] = laid
    return places


def _principal(pictures: Floats) -> Floats:
    rest = pictures - pictures.mean(axis=0)
    _, axes = np.linalg.eigh(rest.T @ rest)
    components = rest @ axes[:, :-3:-1]
    found: Floats = components * np.sign((components**3).sum(axis=0))
    return found


def _umap(pictures: Floats) -> Floats:
    import umap

    begin = _principal(pictures)
    begin = 10 * begin / np.abs(begin).max()  # its own beginning turns the map over more often
    laid: Floats = umap.UMAP(metric="cosine", init=begin, random_state=1).fit_transform(pictures)
    return laid


def _pacmap(pictures: Floats) -> Floats:
    import pacmap

    layout = pacmap.PaCMAP(distance="angular", random_state=1)
    laid: Floats = layout.fit_transform(pictures, init="pca")
    return laid


def _open_tsne(pictures: Floats) -> Floats:
    from openTSNE import TSNE

    laid: Floats = np.asarray(TSNE(metric="cosine", random_state=1, n_jobs=2).fit(pictures))
    return laid


def _peers() -> Mapping[str, Layout | None]:
    """The libraries, None for one that isn't installed; and the least that can be done."""
    ways = {"umap": _umap, "pacmap": _pacmap, "openTSNE": _open_tsne}
    there = {name: way if importlib.util.find_spec(name) else None for name, way in ways.items()}
    return {"principal components": _principal, **there}


# ---- what is measured


def _measured(layout: Layout, pictures: Floats) -> dict[str, float]:
    layout(pictures[:200])  # compiles what has to be
    began = time.perf_counter()
    places = layout(pictures)
    took_s = time.perf_counter() - began
    seen = directions(pictures, pictures.mean(axis=0))
    trustworthy, kept = _judged(seen, places)
    earlier = np.flatnonzero(np.arange(len(pictures)) % NEW_SHARE != 0)
    before, now = layout(pictures[earlier]), places[earlier]
    size = np.linalg.norm(now - now.mean(axis=0), axis=1).mean()
    moved = float(np.linalg.norm(before - now, axis=1).mean() / size)
    told = {"trustworthiness": trustworthy, "kept": kept, "moved": moved}
    return {name: round(value, 3) for name, value in told.items()} | {"s": round(took_s, 1)}


def _judged(seen: Floats, places: Floats) -> tuple[float, float]:
    """Trustworthiness, and the share of neighbours that are kept.

    source   Venna and Kaski, 2001, as in scikit-learn's `trustworthiness`
    """
    n, k = len(seen), NEIGHBOURS
    some = np.random.default_rng(1).permutation(n)[:JUDGED]
    excess, kept = 0, 0.0
    for one in some:
        likeness = seen @ seen[one]
        likeness[one] = -np.inf
        rank = np.empty(n, np.int64)
        rank[np.argsort(-likeness, kind="stable")] = np.arange(1, n + 1)
        away = np.linalg.norm(places - places[one], axis=1)
        away[one] = np.inf
        ranks = rank[np.argpartition(away, k)[:k]]
        excess += int(np.maximum(ranks - k, 0).sum())
        kept += float((ranks <= k).mean())
    most = len(some) * k * (2 * n - 3 * k - 1) / 2
    return 1 - excess / most, kept / len(some)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 1)


def _megabytes(name: str) -> float:
    """What a distribution takes on disk, with what it needs that Magpie doesn't."""
    files = _needed(name) - _needed("magpie")
    paths = [path for one in files for path in metadata.files(one) or ()]
    there = [Path(str(path.locate())) for path in paths]
    return round(sum(file.stat().st_size for file in there if file.is_file()) / 1e6, 1)


def _needed(name: str) -> set[str]:
    """A distribution and all that it needs, without extras."""
    found, left = set[str](), [name]
    while left:
        one = left.pop().lower().replace("_", "-")
        try:
            wanted = metadata.requires(one) or []
        except metadata.PackageNotFoundError:
            continue
        if one not in found:
            found.add(one)
            left += [_name(line) for line in wanted if "extra ==" not in line]
    return found


def _name(requirement: str) -> str:
    """The name at the beginning of a requirement."""
    found = re.match(r"[\w.-]+", requirement)
    return found[0] if found else ""
