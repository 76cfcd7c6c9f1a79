"""What it costs to judge a new picture by ten thousand watches, beside what its embedding costs.

All watches are of one server, which is the worst case: those of other servers are not looked at.
Each asks for a word of the vocabulary or for such a word in a place; one in ten asks with a
picture.

`pass_over_embedding` is the time of a pass over all of them, divided by that of embedding the
picture that is judged. Both are medians of the same run, measured in turn on the same cores, with
the pocket model (256 numbers an embedding, and the least time for a picture that a model can take)
and with a model of ViT-B/32's size (512 numbers).

`missed` counts watches of which the rule of an answer says that they fit a picture, and which the
pass leaves out; `looked at` is the share of watches that a pass leaves to be judged by that rule.

The peer is that rule itself, asked for each watch by itself.

BENCH_ROWS chooses how many watches there are.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench.checkpoint import vit_b32
from bench.options import Options
from bench.report import Report, Target
from index.answering import cutoff
from index.answering.background import Background, is_whole, vocabulary
from index.embed import checkpoint, embedder
from index.embed.embedder import ClipEmbedder
from index.types.query import QueryEmbedding, middle
from index.types.records import Floats
from index.types.searches import Asked
from index.types.watches import Watch
from index.watches.judging import judged
from index.watches.screening import Screen, compiled
from pocket import MODEL

WATCHES = 10_000
PICTURES = 16
PASSES = 40
# Watches that the answer's rule judges one by one, with each picture: each takes some ms.
BY_THE_RULE = 100
PLACES = ("in the snow", "on the beach", "at night", "in a forest", "in the city", "in a kitchen")
SEARCHED = 5_000  # pictures that each owner may read
RANDOM_WORDS = 8  # texts that a model with random weights reads


@dataclass(frozen=True, slots=True)
class Bench:
    """A model with its background, the pictures, and a screen of all watches."""

    name: str
    model: ClipEmbedder
    background: Background
    files: Sequence[Image.Image]
    pictures: Floats
    watches: Sequence[Watch]
    screen: Screen


def run(options: Options) -> Report:
    report = Report({}, {})
    for count in options.rows or (WATCHES,):
        for name, folder in (("pocket", MODEL), ("ViT-B/32", vit_b32())):
            measure(report, _bench(name, folder, count, options.seed))
    return report


def measure(report: Report, bench: Bench) -> None:
    embeds, passes, looked_at = [], [], []
    for number in range(PASSES):
        at = number % PICTURES
        embeds.append(_ms(partial(bench.model.images, [bench.files[at]])))
        frames = bench.pictures[at : at + 1]
        passes.append(_ms(partial(bench.screen.passing, frames)))
        looked_at.append(len(bench.screen.passing(frames)) / len(bench.watches))
    embed_ms, pass_ms = statistics.median(embeds), statistics.median(passes)
    of = f"{bench.name}, {len(bench.watches):,} watches"
    ratio = f"pass_over_embedding, {of}"
    report.figures[f"pass_ms, {of}"] = round(pass_ms, 2)
    report.figures[f"embedding_ms, {of}"] = round(embed_ms, 2)
    report.figures[ratio] = round(pass_ms / embed_ms, 3)
    report.targets[ratio] = Target(pass_ms / embed_ms, 1.0, at_least=False)
    report.figures[f"looked at, {of}"] = round(statistics.mean(looked_at), 4)
    missed, fitting, rule_ms = _by_the_rule(bench)
    report.figures[f"missed, {of}"] = missed
    report.figures[f"fitting, {of}"] = fitting
    report.targets[f"missed, {of}"] = Target(missed, 0, at_least=False)
    report.peers[f"each by the answer's rule, ms, {of}"] = round(rule_ms * len(bench.watches))


def _by_the_rule(bench: Bench) -> tuple[int, int, float]:
    """How many watches that fit are left out, of how many; and the ms that the rule takes for
    one."""
    judge = partial(cutoff.by_background, background=bench.background)
    step = max(len(bench.watches) // BY_THE_RULE, 1)
    missed = fitting = 0
    took = []
    for picture in bench.pictures[:: PICTURES // 4]:
        passing = {watch.id for watch in bench.screen.passing(picture[None])}
        for watch in bench.watches[::step]:
            assert watch.embedding is not None
            began = time.perf_counter()
            said = judged(watch.embedding, picture[None], bench.pictures, SEARCHED, judge)
            took.append((time.perf_counter() - began) * 1000)
            fitting += said.fits
            missed += said.fits and watch.id not in passing
    return missed, fitting, statistics.median(took)


def _bench(name: str, folder: Path, count: int, seed: int) -> Bench:
    model = embedder.load(checkpoint.find(str(folder)), "cpu", "default")
    random = np.random.default_rng([seed, count])
    is_trained = folder == MODEL
    words = vocabulary().words
    vectors = _texts(model, words, random, trained=is_trained)
    whole = np.array([is_whole(word, model.pieces) for word in words])
    kinds = np.array(vocabulary().kinds)
    assert model.scale is not None
    background = Background(words, kinds, vectors, whole, model.scale, model.bias)
    files = [_drawn(random, model.side) for _ in range(PICTURES)]
    pictures = np.concatenate([model.images([file]) for file in files])
    places = _texts(model, PLACES, random, trained=is_trained)
    watches = _watches(background, places, pictures, count, random)
    made = compiled(watches, background)
    screen = Screen(watches, dict(zip((one.id for one in watches), made, strict=True)), background)
    return Bench(name, model, background, files, pictures, watches, screen)


def _drawn(random: np.random.Generator, side: int) -> Image.Image:
    """A picture of a few coloured shapes."""
    picture = Image.new("RGB", (side, side), tuple(random.integers(0, 256, 3).tolist()))
    pen = ImageDraw.Draw(picture)
    for _ in range(5):
        x, y, width, height = random.integers(side // 8, side // 2, 4).tolist()
        colour = tuple(random.integers(0, 256, 3).tolist())
        pen.ellipse(((x, y), (x + width, y + height)), fill=colour)
    return picture


def _watches(
    background: Background,
    places: Floats,
    pictures: Floats,
    count: int,
    random: np.random.Generator,
) -> list[Watch]:
    """A word alone, the same in each place, and so on; then pictures a little beside those that
    are judged."""
    words = background.columns.T + background.middle
    asked: list[QueryEmbedding] = []
    for number in range(count * 9 // 10):
        place, word = divmod(number, len(words))
        alone = words[word]
        if not place:
            asked.append(QueryEmbedding(words=alone))
            continue
        parts = np.stack([alone, places[(place - 1) % len(places)]])
        asked.append(QueryEmbedding(words=middle(parts), parts=parts))
    while len(asked) < count:
        picture = pictures[len(asked) % len(pictures)]
        beside = random.standard_normal(len(picture)) / np.sqrt(len(picture))
        asked.append(QueryEmbedding(picture=middle(np.stack([picture, beside]))))
    return [
        Watch(id, 1, id, Asked(), embedding=one, searched=SEARCHED, bar=_bar(one, pictures))
        for id, one in enumerate(asked, start=1)
    ]


def _bar(asked: QueryEmbedding, pictures: Floats) -> float:
    """The bar of a watch that has judged a picture among these."""
    anchor = asked.picture if asked.picture is not None else asked.vector
    return max(float(cutoff.least_to_stand_out(pictures @ anchor)), -1.0)


def _texts(
    model: ClipEmbedder, texts: Sequence[str], random: np.random.Generator, *, trained: bool
) -> Floats:
    """The vectors of texts. Random weights read every text as nearly the same, so theirs are drawn
    around the middle of a few."""
    if trained:
        return model.texts(texts)[0]
    around = model.texts(texts[:RANDOM_WORDS])[0].mean(axis=0)
    drawn = around + random.standard_normal((len(texts), len(around))) / np.sqrt(len(around))
    unit: Floats = (drawn / np.linalg.norm(drawn, axis=1)[:, None]).astype(np.float32)
    return unit


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
