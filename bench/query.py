"""Questions of several parts: less of something, a picture with words, more and less like a hit.

They are asked through the product's own `Gallery`, in galleries of pictures whose contents are
known. The peers mix the parts into one vector and ask with it, in the same gallery. What passes the
cut-off is not looked at here, only the order: that is what `bench honesty` measures.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bench.options import Options
from bench.report import Report, Target
from bench.scenes import BLOCK, Scenes, scenes
from index import EmbeddedPicture, Filter, Gallery, Group, Link, Query, QueryEmbedding
from index.embed import checkpoint, embedder
from index.types.query import middle
from index.types.records import Floats
from pocket import MODEL
from pocket.artwork import (
    TRAINED_STYLES,
    UNSEEN_STYLE,
    Artwork,
    comma_list,
    install,
    read_subject_lines,
)
from pocket.evaluate import Loaded
from pocket.places import PLACES
from pocket.wording import PLACE_PHRASES, PLACE_WORDS

SIZES = (2_000, 100_000)
SEED = 77  # of the scenes
POOL = 20_000  # scenes that are rendered
# How long the noise is that makes a further picture of a rendered one; their cosine is 0.9.
NOISE = 0.48
PAGE = 10
PLAIN = PLACES[-1]  # no place at all
ASKED = 240  # questions of each kind, at most
COMMIT_ROWS = 2_000
SPACE = 0
# A subject is told apart by the model where at least this share of the page that its name finds
# is right.
TOLD_APART = 0.8
# A question is hard up to the first share of right hits before a click, and easy from the second.
HARD, EASY = 0.6, 0.9
SUBTRACTED = (0.5, 0.8)  # shares of what is unwanted that the peers take out of the vector
CLICKS = 3

Right = NDArray[np.bool_]  # (n,) which pictures are right
Part: TypeAlias = Callable[["Asking", np.random.Generator, int, Report, str], Awaitable[None]]


def run(options: Options) -> Report:
    """Needs the artwork packages, which npm fetches. raises ArtworkError without them."""
    report = Report({}, {})
    for size in options.rows or SIZES:
        pictures = gallery_of(size, options.seed)
        asyncio.run(measure(report, pictures, options.seed, at=f" at {size:,}"))
    unseen = gallery_of(SIZES[0], options.seed, (UNSEEN_STYLE,))
    at, only = " in a style never seen", {"feedback": _feedback}
    asyncio.run(measure(report, unseen, options.seed, at=at, parts=only))
    return report


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """n pictures: vectors (n, d), and the names of what they show, (n,)."""

    vectors: Floats
    subjects: NDArray[np.str_]
    places: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.vectors)


def named(pictures: Scenes) -> Pictures:
    """The pictures with names in place of numbers."""
    subjects = np.array([name for name, *_ in read_subject_lines()])
    return Pictures(
        pictures.vectors, subjects[pictures.subjects], np.array(PLACES)[pictures.places]
    )


def gallery_of(size: int, seed: int, styles: tuple[str, ...] = TRAINED_STYLES) -> Pictures:
    """Scenes of which the same ones are in `bench honesty`. Of those of a small gallery, subjects
    are very unequally frequent."""
    install()
    of_styles = (SEED, POOL) if styles == TRAINED_STYLES else (SEED + 1, BLOCK)
    pool = scenes(Artwork(), Loaded(), styles, *of_styles)
    random = np.random.default_rng([seed, size])
    if size > len(pool):
        return named(_grown(pool, size, random))
    shares = (random.pareto(1.2, int(pool.subjects.max()) + 1) + 0.1)[pool.subjects]
    rows = random.choice(len(pool), size, replace=False, p=shares / shares.sum())
    return named(pool.chosen(rows))


def _grown(pool: Scenes, size: int, random: np.random.Generator) -> Scenes:
    """All scenes of the pool, and further ones that are these with noise.

    Rendering as many would take an hour. The noise is the same in all directions, so it is kinder
    to a search than other drawings would be.
    """
    more = pool.chosen(random.integers(0, len(pool), size - len(pool)))
    dimension = more.vectors.shape[1]
    noise = random.standard_normal(more.vectors.shape, np.float32) / np.sqrt(dimension)
    vectors = more.vectors + np.float32(NOISE) * noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Scenes(
        np.concatenate([pool.vectors, vectors.astype(np.float32)]),
        np.concatenate([pool.subjects, more.subjects]),
        np.concatenate([pool.places, more.places]),
    )


@dataclass
class Tally:
    """Shares of right answers, by what they are of."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def mean(self, name: str) -> float:
        return statistics.fmean(self.values.get(name) or [float("nan")])

    def median(self, name: str) -> float:
        return statistics.median(self.values.get(name) or [float("nan")])

    def count(self, name: str) -> int:
        return len(self.values.get(name, ()))


class Asking:
    """Questions to a gallery of known pictures."""

    def __init__(self, gallery: Gallery, pictures: Pictures) -> None:
        self.gallery, self.pictures = gallery, pictures
        self.shown = {place: np.asarray(pictures.places == place) for place in PLACES}
        self.ids: dict[int, int] = {}  # of links, by row
        self.took_ms = Tally()

    def of_subject(self, name: str) -> Right:
        return np.asarray(self.pictures.subjects == name)

    async def first(
        self, embedding: QueryEmbedding, kind: str, *, but: Sequence[int] = (), k: int = PAGE
    ) -> list[int]:
        """Rows of the first `k` hits; `but` are rows that are left out."""
        without = frozenset([self.ids[row] for row in but])
        filter = Filter(SPACE, without=without)
        answer = await self.gallery.search(embedding, filter, k=k, guesses=True)
        self.took_ms.add(kind, answer.took_ms)
        return [int(hit.link.source) for hit in answer.hits]

    async def words(self, text: str) -> QueryEmbedding:
        return await self.gallery.embed_query(Query(text=text))


async def measure(
    report: Report,
    pictures: Pictures,
    seed: int,
    *,
    at: str,
    asked: int = ASKED,
    parts: Mapping[str, Part] | None = None,
) -> None:
    """Add to the report what a gallery of these pictures answers.

    at      what the names of figures end with
    asked   questions of each part, at most
    """
    parts = parts or {"minus": _minus, "composed": _composed, "feedback": _feedback}
    async with _opened(pictures) as asking:
        for name, part in parts.items():
            random = np.random.default_rng([seed, len(name)])
            await part(asking, random, asked, report, at)
        for kind in asking.took_ms.values:
            side = report.peers if kind == "one vector" else report.figures
            side[f"{kind}, median ms{at}"] = asking.took_ms.median(kind)


@contextlib.asynccontextmanager
async def _opened(pictures: Pictures) -> AsyncIterator[Asking]:
    """A gallery that has these pictures."""
    with tempfile.TemporaryDirectory() as folder:
        gallery = await Gallery.open(
            Path(folder) / "gallery.db", embedder.load(checkpoint.find(str(MODEL)), "cpu")
        )
        try:
            asking = Asking(gallery, pictures)
            for start in range(0, len(pictures), COMMIT_ROWS):
                rows = range(start, min(start + COMMIT_ROWS, len(pictures)))
                ids = await gallery.commit([_item(pictures, row) for row in rows])
                asking.ids.update(zip(rows, ids, strict=True))
            yield asking
        finally:
            await gallery.close()


def _item(pictures: Pictures, row: int) -> tuple[EmbeddedPicture, Link]:
    vectors = pictures.vectors[row : row + 1]
    picture = EmbeddedPicture(row.to_bytes(32, "big"), "image", vectors, 96, 96)
    return picture, Link(SPACE, Group(0), str(row), "")


# ---- less of something


async def _minus(
    asking: Asking, random: np.random.Generator, asked: int, report: Report, at: str
) -> None:
    """Names of subjects and of places; then the same, less something that the first page shows."""
    tally = Tally()
    for name, wanted in _names(asking, random, asked):
        plain = await asking.words(name)
        page = await asking.first(plain, "words")
        told = float(wanted[page].mean()) >= TOLD_APART
        unwanted, shown = _seen_in(asking, page, name, random)
        right = wanted & ~shown
        if not unwanted or right.sum() < PAGE:
            continue
        embedding = await asking.gallery.embed_query(Query(text=name, minus=(unwanted,)))
        ways = {"": (embedding, "words, and less of something")}
        for share in SUBTRACTED:
            mixed = middle(np.stack([plain.vector, -share * embedding.minus[0]]))
            ways[f"vector minus {share} of it"] = (QueryEmbedding(words=mixed), "one vector")
        for way, (asks, kind) in ways.items():
            found = await asking.first(asks, kind)
            tally.add(f"ranked {way}", float(not shown[found].any()))
            tally.add(f"kept {way} all", float(right[found].mean()))
            if told:
                tally.add(f"kept {way} told", float(right[found].mean()))
        deep = await asking.first(plain, "words, a hundred", k=10 * PAGE)
        best = [row for row in deep if not shown[row]][:PAGE]
        if told and len(best) == PAGE:
            tally.add("kept by an oracle", float(right[best].mean()))
    ranked, kept = tally.mean("ranked "), tally.mean("kept  told")
    report.figures.update({f"minus_ranked{at}": ranked, f"minus_kept{at}": kept})
    report.targets[f"minus_ranked{at}"] = Target(ranked, 0.95)
    report.targets[f"minus_kept{at}"] = Target(kept, 0.90)
    report.figures[f"minus_kept, also what the model can't tell apart{at}"] = tally.mean(
        "kept  all"
    )
    report.figures[f"minus, asked{at}"] = tally.count("ranked ")
    for share in SUBTRACTED:
        way = f"vector minus {share} of it"
        report.peers[f"minus_ranked, {way}{at}"] = tally.mean(f"ranked {way}")
        report.peers[f"minus_kept, {way}{at}"] = tally.mean(f"kept {way} told")
    report.peers[f"minus_kept, words alone without what is unwanted{at}"] = tally.mean(
        "kept by an oracle"
    )


def _names(asking: Asking, random: np.random.Generator, asked: int) -> list[tuple[str, Right]]:
    """Names of subjects and places, each with the pictures that show it, where they are many."""
    subjects, counts = np.unique(asking.pictures.subjects, return_counts=True)
    frequent = subjects[counts > PAGE].tolist()
    random.shuffle(frequent)
    of_subjects = [(name, asking.of_subject(name)) for name in frequent[: asked // 2]]
    words = [(word, place) for place, said in PLACE_WORDS["en"].items() for word in said]
    random.shuffle(words)
    of_places = [
        (word, asking.shown[place])
        for word, place in words * (asked // len(words) + 1)
        if asking.shown[place].sum() > PAGE
    ]
    return of_subjects + of_places[: asked - len(of_subjects)]


def _seen_in(
    asking: Asking, page: Sequence[int], name: str, random: np.random.Generator
) -> tuple[str, Right]:
    """Something beside what was asked that a picture of this page shows, and what shows it."""
    pictures = asking.pictures
    seen: list[tuple[str, str | None]] = [(str(pictures.subjects[row]), None) for row in page]
    places = [str(pictures.places[row]) for row in page]
    seen += [(PLACE_WORDS["en"][place][0], place) for place in places if place != PLAIN]
    of_name = [place for place, said in PLACE_WORDS["en"].items() if name in said]
    others = [one for one in seen if one[0] != name and one[1] not in of_name]
    if not of_name:  # a subject was asked: what else is there is a place
        others = [one for one in others if one[1] is not None]
    if not others:
        return "", np.zeros(len(pictures), np.bool_)
    word, place = others[random.integers(len(others))]
    return word, asking.of_subject(word) if place is None else asking.shown[place]


# ---- a picture and words


async def _composed(
    asking: Asking, random: np.random.Generator, asked: int, report: Report, at: str
) -> None:
    """A picture of a subject in one place, with words for another place that it is in, too."""
    tally, pictures = Tally(), asking.pictures
    for row in random.permutation(len(pictures))[: 4 * asked].tolist():
        same = asking.of_subject(str(pictures.subjects[row]))
        others = [
            place
            for place, shown in asking.shown.items()
            if place not in (PLAIN, pictures.places[row]) and (same & shown).any()
        ]
        if not others or tally.count("1") >= asked:
            continue
        place = others[random.integers(len(others))]
        phrases = PLACE_PHRASES["en"][place]
        words = phrases[random.integers(len(phrases))]
        right = same & asking.shown[place]
        query = Query(text=words, like=asking.ids[row])
        embedding = await asking.gallery.embed_query(query)
        average = QueryEmbedding(words=embedding.vector)
        for way, asks, kind in (
            ("", embedding, "words and a picture"),
            (" average", average, "one vector"),
        ):
            found = await asking.first(asks, kind, but=[row])
            tally.add(f"1{way}", float(right[found[:1]].any()))
            tally.add(f"5{way}", float(right[found[:5]].any()))
    for k in (1, 5):
        ours, peer = tally.mean(f"{k}"), tally.mean(f"{k} average")
        report.figures[f"composed_recall@{k}{at}"] = ours
        report.targets[f"composed_recall@{k}{at}"] = Target(ours, peer)
        report.peers[f"composed_recall@{k}, average of two vectors{at}"] = peer
    report.figures[f"composed, asked{at}"] = tally.count("1")


# ---- more and less like a hit


async def _feedback(
    asking: Asking, random: np.random.Generator, asked: int, report: Report, at: str
) -> None:
    """Clicks on hits. What was clicked is left out of both pages that are compared."""
    tally = Tally()
    for text, right in _questions(asking, random, 4 * asked):
        plain = await asking.words(text)
        page = await asking.first(plain, "words")
        precision = float(right[page].mean())
        sort = "hard" if 0 < precision <= HARD else "easy" if precision >= EASY else ""
        if not sort or tally.count(f"{sort} more") >= asked:
            continue
        rows = {"more": [row for row in page if right[row]]}
        rows["less"] = [row for row in page if not right[row]]
        for way, clicked in rows.items():
            if clicked:
                gain = await _gained(asking, plain, right, {way: clicked[:1]})
                tally.add(f"{sort} {way}", gain)
                tally.add(sort, gain)
        all_clicks = {way: clicked[:CLICKS] for way, clicked in rows.items()}
        tally.add(f"{sort} clicks", await _gained(asking, plain, right, all_clicks))
    hard, easy = tally.mean("hard"), tally.median("easy")
    report.figures.update({f"feedback_gain{at}": hard, f"feedback_easy_median{at}": easy})
    report.targets[f"feedback_gain{at}"] = Target(hard, 0.001)
    report.targets[f"feedback_easy_median{at}"] = Target(easy, 0.0)
    for sort in ("hard", "easy"):
        for way in ("more", "less", "clicks"):
            name = f"{sort} {way}"
            said = f"up to {CLICKS} clicks of each" if way == "clicks" else f"a click of {way}"
            figure = f"{tally.mean(name):+.3f}, {tally.count(name)} asked"
            report.figures[f"precision@10 gained, {sort}, {said}{at}"] = figure


async def _gained(
    asking: Asking, plain: QueryEmbedding, right: Right, clicked: dict[str, list[int]]
) -> float:
    """What the precision of the first ten gains by these clicks."""
    more, less = ([asking.ids[row] for row in clicked.get(way, ())] for way in ("more", "less"))
    but = [row for rows in clicked.values() for row in rows]
    steered = await asking.gallery.steered(plain, more, less)
    before = await asking.first(plain, "words, without some", but=but)
    after = await asking.first(steered, "words, and more or less like a hit", but=but)
    return float(right[after].mean() - right[before].mean())


def _questions(asking: Asking, random: np.random.Generator, asked: int) -> list[tuple[str, Right]]:
    """Names of subjects, also some that the model was not trained with, with and without a place;
    and names that say less than what is meant: only those pictures are right that also show a
    place which the question doesn't name."""
    words = {name: (name, *comma_list(unseen)) for name, _, _, unseen in read_subject_lines()}
    questions = []
    subjects, counts = np.unique(asking.pictures.subjects, return_counts=True)
    for name in subjects[counts > PAGE].tolist():
        of_subject = asking.of_subject(name)
        questions += [(word, of_subject) for word in words[name]]
        for place, phrases in PLACE_PHRASES["en"].items():
            right = of_subject & asking.shown[place]
            if right.sum() > PAGE // 2:
                questions += [(f"{words[name][-1]} {phrases[0]}", right), (name, right)]
    random.shuffle(questions)
    return questions[:asked]


# ---- the language
