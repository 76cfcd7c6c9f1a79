"""Whether Magpie says "nothing" when nothing fits, and shows what does.

The pocket model answers questions about galleries that lack a quarter of its subjects, drawn at
random: single words, a subject with a place, and gibberish. The rule is the product's own
(`index.answering.cutoff`); its peers judge the same answers: the best flat threshold, which is
chosen afterwards so that it keeps as much as the target asks, and `stands_out`, which compares the
best picture with the spread of the gallery.

Every picture was rendered for this measurement. No constant of the rule was chosen on any of them;
that was done on other pictures of the same subjects. A tenth of the subjects, by a hash of their
names, and a tenth of the pictures are in none of the figures but those that begin with `held_out`,
which are of small galleries only, since a tenth fills no large one. Where a gallery is larger
than what was rendered, it shows pictures several times.

The figures count subjects that the model tells apart: by name it finds nine of ten of their
pictures, and nine of ten that it finds are theirs. Those of all subjects stand beside them. A
subject that a backdrop shows, such as a tree, is never asked for as an absent one.

BENCH_ROWS (such as 50,500,2000) chooses the sizes of the galleries. The first run renders pictures,
some 300 a second, and keeps them under build/. It needs the artwork, which npm fetches.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from bench.checkpoint import vit_b32
from bench.options import Options
from bench.report import Figure, Report, Target
from bench.scenes import BLOCK, Scenes, scenes
from index.answering import cutoff
from index.answering.background import Background, is_whole, vocabulary
from index.answering.parts import parts_of
from index.embed import checkpoint, embedder
from index.embed.embedder import ClipEmbedder
from index.embed.tokens import is_spelled
from index.search.rows import Rows
from index.types.filter import Filter
from index.types.query import QueryEmbedding
from index.types.records import Changes, Entries, Floats, Verdict
from pocket import MODEL
from pocket.artwork import TRAINED_STYLES, UNSEEN_STYLE, Artwork, install
from pocket.captions import place_terms
from pocket.evaluate import Loaded
from pocket.places import PLACES, Random

SIZES = (50, 500, 2_000, 10_000, 100_000)
UNSEEN_SIZE = 500
SEED = 77
# Different pictures. A gallery of more than are there shows some of them several times.
LEAST_RENDERED, MOST_RENDERED = 20_000, 40_000
ABSENT_SHARE = 0.25  # of the subjects
HELD_OUT = 10  # one in 10 subjects and one in 10 pictures are kept back
ASKED = 120  # questions of a kind and size
MOST_ASKED_OF_A_GALLERY = 60
CANDIDATES = 100
SAMPLED = 512
TELLS_APART = 0.9
TARGETS = {"absent_refused": 0.90, "present_kept": 0.97, "part_absent_refused": 0.80}
COST_SHARE = 0.10
# Subjects that backdrops show, too.
IN_BACKDROPS = {
    *("tree", "pine tree", "palm tree", "cactus", "moon", "sun", "star", "cloud", "storm cloud"),
    *("snowflake", "painting", "house"),
}
GIBBERISH = (
    "asdfghjkl", "xyzzy", "qwertyuiop", "lkjh", "hgfdsa jkl", "mnbvcxz", "zzzzzz", "aaaaaaaa",
    "blorfen snark", "foobar baz", "wysiwyg", "🦖🜨", "ﷺ", "quantum chromodynamics", "epistemology",
    "eigenvalue", "ontological argument", "inflation rate", "tax declaration", "monetary policy",
)  # fmt: skip
Which = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a gallery. kept: whether the right answer shows something."""

    kind: str
    text: str
    kept: bool


@dataclass(slots=True)
class Outcomes:
    """What each rule said: whether something was shown, by kind of question."""

    shown: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    spread: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    best: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    right: list[float] = field(default_factory=list)  # of what was shown
    found: list[float] = field(default_factory=list)  # of what should be shown

    def share(self, kind: str, *, shown: bool) -> float:
        """The share of questions of a kind whose answer shows something, or shows nothing."""
        return statistics.fmean(said is shown for said in self.shown[kind])

    def by_spread(self, kind: str, *, shown: bool) -> float:
        return statistics.fmean(said is shown for said in self.spread[kind])

    def refused_by_flat(self, kind: str, present: str) -> float:
        """The share that the best flat threshold refuses, which keeps enough present ones."""
        least = float(np.quantile(self.best[present], 1 - TARGETS["present_kept"]))
        return statistics.fmean(best < least for best in self.best[kind])


class Honesty:
    """All questions about galleries of the given pictures."""

    def __init__(self, artwork: Artwork, model: ClipEmbedder, pictures: Scenes) -> None:
        assert model.scale is not None
        self.artwork, self.model, self.pictures = artwork, model, pictures
        self.names = [subject.words["en"][0] for subject in artwork.subjects]
        words = vocabulary()
        self.background = Background(
            *(words.words, np.array(words.kinds), self.texts(words.words)),
            *(np.array([is_whole(word, model.pieces) for word in words.words]), model.scale),
        )
        self.apart = self._told_apart()

    def texts(self, texts: Sequence[str]) -> Floats:
        """Unit rows, a few texts at a time."""
        return np.concatenate(
            [self.model.texts(texts[n : n + 32])[0] for n in range(0, len(texts), 32)]
        )

    def _told_apart(self) -> NDArray[np.bool_]:
        """(subjects,) whether the model tells each from all others."""
        named = (self.pictures.vectors @ self.texts(self.names).T).argmax(axis=1)
        count = len(self.names)
        right = np.bincount(named[named == self.pictures.subjects], minlength=count)
        shown, called = (
            np.maximum(1, np.bincount(of, minlength=count))
            for of in (self.pictures.subjects, named)
        )
        apart: NDArray[np.bool_] = np.minimum(right / shown, right / called) >= TELLS_APART
        return apart

    def ask(self, size: int, *, which: Which, pictures: Scenes, seed: int) -> Outcomes:
        """Questions about subjects of `which`, on as many galleries of `size` as are needed."""
        outcomes = Outcomes()
        number = 0
        while min((len(outcomes.shown[kind]) for kind in ("absent", "present")), default=0) < ASKED:
            rng = np.random.default_rng([seed, size, number])
            self._ask_gallery(outcomes, self._gallery(pictures, size, rng), which, rng)
            number += 1
            if number >= 2 * ASKED:
                break
        return outcomes

    def _gallery(self, pictures: Scenes, size: int, rng: Random) -> Scenes:
        gone = rng.permutation(len(self.names))[: int(ABSENT_SHARE * len(self.names))]
        left = np.flatnonzero(~np.isin(pictures.subjects, gone))
        return pictures.chosen(rng.choice(left, size, replace=size > len(left)))

    def _ask_gallery(self, outcomes: Outcomes, here: Scenes, which: Which, rng: Random) -> None:
        rows = Rows(here.vectors.shape[1])
        rows.apply(Changes(added=_entries(here.vectors), removed=()))
        sample = here.vectors[:: max(1, len(here) // SAMPLED)][:SAMPLED]
        for asked, right in self._questions(here, which, rng):
            embedding = self._embedding(asked.text)
            assert embedding.words is not None
            found = rows.search(embedding.words[None], Filter(0), k=CANDIDATES).links
            candidates = here.vectors[found]
            judgement = cutoff.by_background(
                embedding, candidates, sample, len(here), background=self.background
            )
            similar = here.vectors @ embedding.words
            outcomes.shown[asked.kind].append(judgement.verdict is not Verdict.NOTHING)
            outcomes.spread[asked.kind].append(cutoff.stands_out(similar))
            outcomes.best[asked.kind].append(float(similar.max()))
            if asked.kept and judgement.passes.any():
                shown = right[found] & judgement.passes
                outcomes.right.append(float(shown.sum() / judgement.passes.sum()))
                outcomes.found.append(float(shown.sum() / max(1, right[found].sum())))

    def _embedding(self, text: str) -> QueryEmbedding:
        vectors, _ = self.model.texts([text, *parts_of(text)])
        return QueryEmbedding(
            words=vectors[0], parts=vectors[1:], spelled=is_spelled(text, self.model.pieces)
        )

    def _questions(
        self, here: Scenes, which: Which, rng: Random
    ) -> Iterator[tuple[Asked, NDArray[np.bool_]]]:
        """Questions, and which pictures show what they ask for, (n,)."""
        shown = set(here.subjects.tolist())
        present = [n for n in shown if which(n)]
        absent = [
            n
            for n in range(len(self.names))
            if n not in shown and which(n) and self.names[n] not in IN_BACKDROPS
        ]
        some = slice(MOST_ASKED_OF_A_GALLERY)
        present = [int(n) for n in rng.permutation(present)[some]]
        absent = [int(n) for n in rng.permutation(absent)[some]]
        nowhere = np.zeros(len(here), bool)
        for subject in present:
            yield Asked("present", self.names[subject], True), here.subjects == subject
        for subject in absent:
            yield Asked("absent", self.names[subject], False), nowhere
        for subject in absent:
            place = int(rng.choice(here.places[here.places < len(PLACES) - 1]))
            text = self._with_place(subject, PLACES[place], rng)
            yield Asked("part_absent", text, False), nowhere
        for subject in present:
            of_it = here.places[here.subjects == subject]
            there = of_it[of_it < len(PLACES) - 1]
            if len(there):
                place = int(rng.choice(there))
                text = self._with_place(subject, PLACES[place], rng)
                is_it = (here.subjects == subject) & (here.places == place)
                yield Asked("present with place", text, True), is_it
            elsewhere = sorted(set(here.places.tolist()) - {*of_it.tolist(), len(PLACES) - 1})
            if elsewhere:
                text = self._with_place(subject, PLACES[int(rng.choice(elsewhere))], rng)
                yield Asked("place absent", text, False), nowhere
        for text in GIBBERISH:
            yield Asked("gibberish", text, False), nowhere

    def _with_place(self, subject: int, place: str, rng: Random) -> str:
        return f"{self.names[subject]} {place_terms([place], 'en', rng)[0]}"


def _entries(vectors: Floats) -> Entries:
    count = len(vectors)
    zeros = np.zeros(count, np.int64)
    return Entries(
        vectors=vectors,
        links=np.arange(count, dtype=np.int64),
        frames=np.ones(count, np.int64),
        spaces=zeros,
        groups=zeros,
        texts=np.zeros(count, np.bool_),
        owners=zeros,
        posted=np.zeros(count),
    )


def is_held_out(name: str) -> bool:
    """Whether this is one of the tenth that no other figure counts."""
    return hashlib.sha256(f"held out|{name}".encode()).digest()[0] % HELD_OUT == 0


def run(options: Options) -> Report:
    """Needs the artwork packages, which npm fetches. raises ArtworkError without them."""
    install()
    sizes = options.rows or SIZES
    artwork, loaded = Artwork(), Loaded()
    model = embedder.load(checkpoint.find(str(MODEL)), "cpu")
    count = min(max(LEAST_RENDERED, 2 * max(sizes)), MOST_RENDERED)
    pictures = scenes(artwork, loaded, TRAINED_STYLES, SEED, count)
    unseen_pictures = scenes(artwork, loaded, (UNSEEN_STYLE,), SEED + 1, BLOCK)
    honesty, unseen = (Honesty(artwork, model, some) for some in (pictures, unseen_pictures))
    is_back = np.arange(count) % HELD_OUT == 0
    open_, back = (pictures.chosen(np.flatnonzero(rows)) for rows in (~is_back, is_back))
    held_out = [is_held_out(name) for name in honesty.names]

    def asked(some: Sequence[int], seed: int, of: Scenes, which: Which) -> list[Outcomes]:
        return [honesty.ask(size, which=which, pictures=of, seed=seed) for size in some]

    told = asked(sizes, 1, open_, lambda n: bool(honesty.apart[n]) and not held_out[n])
    everyone = asked(sizes, 2, open_, lambda n: not held_out[n])
    few = [size for size in sizes if size <= len(back) / 2]
    untouched = asked(few, 3, back, lambda n: bool(honesty.apart[n]) and held_out[n])
    style = unseen.ask(
        UNSEEN_SIZE, which=lambda n: bool(unseen.apart[n]), pictures=unseen.pictures, seed=4
    )
    figures: dict[str, Figure] = dict(_figures(told))
    figures |= {f"held_out_{name}": value for name, value in _figures(untouched).items()}
    for label, some in (
        ("all subjects", everyone),
        ("style never seen", [style]),
        *((f"gallery of {size:,}", [one]) for size, one in zip(sizes, told, strict=True)),
    ):
        figures |= {f"{name}, {label}": value for name, value in _figures(some).items()}
    figures["subjects told apart"] = f"{int(honesty.apart.sum())} of {len(honesty.names)}"
    figures["subjects told apart, style never seen"] = int(unseen.apart.sum())
    figures["different pictures in the largest gallery"] = int(
        min(max(sizes), len(open_) * (1 - ABSENT_SHARE))
    )
    figures |= (cost := _cost())
    targets = {
        name + figure: Target(float(str(figures[name + figure])), target)
        for name in ("", "held_out_")
        for figure, target in TARGETS.items()
    }
    targets["cost_share"] = Target(cost["cost_share"], COST_SHARE, at_least=False)
    peers: dict[str, Figure] = dict(_peers(told))
    peers |= {f"{name}, style never seen": value for name, value in _peers([style]).items()}
    return Report(figures, peers, targets)


def _figures(some: Sequence[Outcomes]) -> dict[str, float]:
    """Means over galleries of several sizes, each of which counts as much."""
    mean = statistics.fmean
    return {
        "absent_refused": mean(one.share("absent", shown=False) for one in some),
        "present_kept": mean(one.share("present", shown=True) for one in some),
        "part_absent_refused": mean(one.share("part_absent", shown=False) for one in some),
        "present with place kept": mean(
            one.share("present with place", shown=True) for one in some
        ),
        "place absent refused": mean(one.share("place absent", shown=False) for one in some),
        "gibberish refused": mean(one.share("gibberish", shown=False) for one in some),
        "shown that fits": mean(mean(one.right) for one in some),
        "fitting that is shown": mean(mean(one.found) for one in some),
    }


def _peers(some: Sequence[Outcomes]) -> dict[str, float]:
    mean = statistics.fmean
    flat = Outcomes()
    for one in some:
        for kind, best in one.best.items():
            flat.best[kind] += best
    return {
        "flat threshold in hindsight, absent refused": flat.refused_by_flat("absent", "present"),
        "flat threshold in hindsight, part absent refused": flat.refused_by_flat(
            "part_absent", "present with place"
        ),
        "stands out, absent refused": mean(one.by_spread("absent", shown=False) for one in some),
        "stands out, present kept": mean(one.by_spread("present", shown=True) for one in some),
        "stands out, part absent refused": mean(
            one.by_spread("part_absent", shown=False) for one in some
        ),
    }


# ---- what it costs

ONE_WISH, TWO_WISHES = "an old wooden bicycle", "an old bicycle under a tree"
ROUNDS = 60
PAGE = 6  # pictures that a page shows


def _cost() -> dict[str, float]:
    """Milliseconds of an answer with a model of ViT-B/32's size, and the judgement's share of it.

    The weights are random, which changes no time. The gallery has 10,000 pictures. The judgement's
    are the words' parts in the model, and the cut-off.
    """
    model = embedder.load(checkpoint.find(str(vit_b32())), "cpu", "default")
    rng = np.random.default_rng(SEED)
    known = vocabulary()
    background = Background(
        *(known.words, np.array(known.kinds), _random_rows(rng, len(known.words), model)),
        *(np.ones(len(known.words), bool), 100.0),
    )
    vectors = _random_rows(rng, 10_000, model)
    rows = Rows(model.dimension)
    rows.apply(Changes(added=_entries(vectors), removed=()))
    sample = vectors[::20]
    work: dict[str, float] = {}
    for name, question in (("", ONE_WISH), (", two wishes", TWO_WISHES)):
        texts = [question, *parts_of(question)]
        read = model.texts(texts)[0]
        embedding = QueryEmbedding(words=read[0], parts=read[1:])
        near = vectors[rows.search(read[:1], Filter(0), k=CANDIDATES).links]
        judge = partial(cutoff.by_background, background=background)
        words = _cpu_ms(partial(model.texts, texts[:1]))
        parts = _cpu_ms(partial(model.texts, texts)) - words if len(texts) > 1 else 0.0
        search = _cpu_ms(partial(rows.search, read[:1], Filter(0), k=CANDIDATES))
        judged = _cpu_ms(partial(judge, embedding, near, sample, len(vectors)))
        work |= {f"words, ms{name}": words, f"search, ms{name}": search}
        work |= {f"parts, ms{name}": parts, f"judgement, ms{name}": judged}
        work[f"cost_share{name}"] = (parts + judged) / (words + parts + search + judged)
    return work | {"what is seen in a page, ms": _cpu_ms(partial(background.concepts, near[:PAGE]))}


def _cpu_ms(work: Callable[[], object]) -> float:
    """Milliseconds of processor time, so that other programs on the machine don't count."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) * 1000)
    return statistics.median(times)


def _random_rows(rng: Random, count: int, model: ClipEmbedder) -> Floats:
    """(count, d) unit rows in random directions."""
    rows = rng.standard_normal((count, model.dimension), np.float32)
    made: Floats = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made
