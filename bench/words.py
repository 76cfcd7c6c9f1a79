"""Whether pictures are found by the words in them, and what it costs those who mean no words.

A gallery of drawings whose contents are known. Most of its pictures have a transcript as OCR of
memes and screenshots gives it: a sentence that has nothing to do with what is drawn, with some
letters misread. Asked are

- the words of a caption as somebody remembers them: without case, some words left out or one of
  them mistyped. `caption_recall@1` is the share whose picture comes first;
- what a picture shows ("tree frog in snow"), without words in mind. `meaning_recall_loss` is how
  much fewer of the right pictures stand on the first page than in the same gallery without
  transcripts. The sentences are made of common words, names of things among them, so some do say
  what is asked;
- three words of a caption between quotation marks. `exact_recall` is of those that OCR read right.

The peers are the meaning alone, the words alone, and the reciprocal ranks of the two, which is what
hybrid searches commonly use (Cormack and others, 2009; k = 60).

BENCH_ROWS chooses the sizes of the galleries. It needs the artwork, which npm fetches.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import statistics
import tempfile
import time
import unicodedata
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.options import Options
from bench.query import Pictures, gallery_of
from bench.report import Report, Target
from index import EmbeddedPicture, Filter, Gallery, Group, Link, Query
from index.answering.background import vocabulary
from index.embed import checkpoint, embedder
from pocket import MODEL
from pocket.wording import PLACE_PHRASES

SIZES = (1_000,)
SHARE_WITH_WORDS = 0.6
ASKED = 100
PAGE = 10
COMMIT_ROWS = 2_000
CONSTANT = 60  # of reciprocal ranks
MISREAD = 0.02  # share of letters
LOOKS_LIKE = {"l": "1", "o": "0", "i": "l", "m": "rn", "e": "c", "s": "5", "h": "b", "t": "f"}
GLUE = """
    the a my your this that when if and but so because is are was not no just still never always
    me you we they nobody everybody why how what who one two some all more out up down in on with
    for to of at by from about after before again today tomorrow finally literally somehow
"""
FIGURES = {
    "caption_recall@1": (0.95, True),
    "exact_recall": (1.0, True),
    "exact_precision": (1.0, True),
    "meaning_recall_loss": (0.01, False),
}


def run(options: Options) -> Report:
    """Needs the artwork packages, which npm fetches. raises ArtworkError without them."""
    report = Report({}, {})
    for size in options.rows or SIZES:
        pictures = gallery_of(size, options.seed)
        random = np.random.default_rng([options.seed, size])
        read = [
            replace(one, lines=(_misread(one.said, random),))
            for one in captions(with_words(size, random), random)
        ]
        asyncio.run(measure(report, pictures, read, random, f" at {size:,}"))
    return report


@dataclass(frozen=True, slots=True)
class Caption:
    """A sentence, as it stands in a picture; and the lines that OCR read there."""

    row: int
    said: str
    lines: tuple[str, ...] = ()


def with_words(n: int, random: np.random.Generator) -> list[int]:
    """The rows of the pictures that say something, of `n`."""
    rows: list[int] = random.permutation(n)[: round(SHARE_WITH_WORDS * n)].tolist()
    return rows


def captions(rows: Iterable[int], random: np.random.Generator) -> list[Caption]:
    """A sentence of its own for each row."""
    words = [word for word in vocabulary().words if " " not in word]
    made = []
    for row in rows:
        sentence = [
            str(random.choice(words) if random.random() < 0.5 else random.choice(GLUE.split()))
            for _ in range(random.integers(4, 13))
        ]
        made.append(Caption(row, " ".join(sentence)))
    return made


def _misread(said: str, random: np.random.Generator) -> str:
    return "".join(
        LOOKS_LIKE.get(letter, letter) if random.random() < MISREAD else letter for letter in said
    ).upper()


def remembered(said: str, random: np.random.Generator) -> str:
    """The sentence as somebody asks for it: at least three of its words, one mistyped or not."""
    words = said.split()
    kept = max(3, round(len(words) * random.uniform(0.5, 1)))
    start = int(random.integers(0, len(words) - kept + 1))
    words = words[start : start + kept]
    if random.random() < 0.3:
        at = int(random.integers(len(words)))
        word = words[at]
        if len(word) > 4:
            spot = int(random.integers(1, len(word) - 1))
            words[at] = word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :]
    return " ".join(words)


async def measure(
    report: Report,
    pictures: Pictures,
    read: Sequence[Caption],
    random: np.random.Generator,
    at: str = "",
) -> None:
    """Ask in a gallery of these pictures, before it has the transcripts and after.

    at   stands behind the names of the figures
    """
    tally: dict[str, list[float]] = defaultdict(list)
    meant = _meant(pictures, random)
    async with _opened(pictures) as gallery:
        for text, right in meant:
            found, _ = await _first(gallery, text)
            tally["meaning before"].append(_recall(found, right))
        a_second = await _kept(gallery, read, len(pictures))
        report.figures[f"transcripts kept a second{at}"] = round(a_second)
        for text, right in meant:
            found, took_ms = await _first(gallery, text)
            tally["meaning after"].append(_recall(found, right))
            tally["ms"].append(took_ms)
            _, took_ms = await _first(gallery, text, with_words=False)
            tally["ms without words"].append(took_ms)
            fused = await _reciprocal(gallery, text)
            tally["meaning, reciprocal"].append(_recall(fused[:PAGE], right))
        for one in read[:ASKED]:
            text = remembered(one.said, random)
            found, took_ms = await _first(gallery, text)
            tally["caption"].append(float(found[:1] == [one.row]))
            tally["ms of a caption"].append(took_ms)
            fused = await _reciprocal(gallery, text)
            tally["caption, reciprocal"].append(float(fused[:1] == [one.row]))
            alone, _ = await _first(gallery, text, with_words=False)
            tally["caption, meaning"].append(float(alone[:1] == [one.row]))
            await _exact(gallery, one, read, tally)
    mean = {name: statistics.fmean(values) for name, values in tally.items() if values}
    values = {
        "caption_recall@1": mean["caption"],
        "exact_recall": mean["exact, found"],
        "exact_precision": mean["exact, right"],
        "meaning_recall_loss": mean["meaning before"] - mean["meaning after"],
    }
    for name, (target, at_least) in FIGURES.items():
        report.figures[name + at] = values[name]
        report.targets[name + at] = Target(values[name], target, at_least)
    report.figures[f"three words that OCR read right{at}"] = mean["exact, read"]
    report.figures[f"meaning, recall of a page{at}"] = mean["meaning after"]
    for name in ("ms", "ms of a caption", "ms of exact words"):
        report.figures[f"{name}, median{at}"] = statistics.median(tally[name])
    report.peers[f"ms without words, median{at}"] = statistics.median(tally["ms without words"])
    report.peers[f"caption_recall@1, reciprocal ranks{at}"] = mean["caption, reciprocal"]
    report.peers[f"caption_recall@1, meaning alone{at}"] = mean["caption, meaning"]
    report.peers[f"meaning_recall_loss, reciprocal ranks{at}"] = (
        mean["meaning before"] - mean["meaning, reciprocal"]
    )


async def _kept(gallery: Gallery, read: Sequence[Caption], n: int) -> float:
    """Keep what was read in some of `n` pictures; how many transcripts a second."""
    await gallery.transcripts.begin("bench")
    pending = await gallery.transcripts.pending(limit=n)
    keys = {int(one.link.source): one.key for one in pending}
    started = time.perf_counter()
    for one in read:
        await gallery.transcripts.put(keys[one.row], "bench", one.lines)
    return len(read) / (time.perf_counter() - started)


async def _exact(
    gallery: Gallery, one: Caption, read: Sequence[Caption], tally: dict[str, list[float]]
) -> None:
    """Three words in a row of a caption, between quotation marks."""
    words = " ".join(one.said.split()[:3])
    started = time.perf_counter()
    answer = await gallery.find(Query(), Filter(0, says=(words,)), k=PAGE)
    tally["ms of exact words"].append((time.perf_counter() - started) * 1000)
    rows = {int(hit.link.source) for hit in answer.hits}
    right = {other.row for other in read if _says(other.lines, words)}
    tally["exact, read"].append(float(one.row in right))
    tally["exact, found"] += [float(one.row in rows)] if one.row in right else []
    tally["exact, right"].append(float(rows <= right))


def _says(lines: Sequence[str], words: str) -> bool:
    """An oracle of its own for whole words in a row."""
    return f" {_bare(words)} " in f" {_bare(' '.join(lines))} "


def _bare(text: str) -> str:
    """The words without case and accents. A sign or a letter of another script parts them."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _meant(pictures: Pictures, random: np.random.Generator) -> list[tuple[str, frozenset[int]]]:
    """What pictures show, in words, each with the rows that show it."""
    asked: dict[str, frozenset[int]] = {}
    for row in random.permutation(len(pictures)).tolist():
        subject, place = str(pictures.subjects[row]), str(pictures.places[row])
        phrases = PLACE_PHRASES["en"].get(place, [""])
        with_place = len(asked) % 2 == 0 and phrases[0]
        right = pictures.subjects == subject
        text = subject
        if with_place:
            right = right & (pictures.places == place)
            text = f"{subject} {phrases[0]}"
        asked[text] = frozenset(np.flatnonzero(right).tolist())
        if len(asked) == ASKED:
            break
    return list(asked.items())


def _recall(found: Sequence[int], right: frozenset[int]) -> float:
    """The share of a page that is right, of what could be."""
    return len(right.intersection(found[:PAGE])) / min(len(right), PAGE)


async def _first(
    gallery: Gallery, text: str, *, with_words: bool = True, k: int = PAGE
) -> tuple[list[int], float]:
    """The rows of the first hits, and how long it took."""
    embedding = await gallery.embed_query(Query(text=text))
    if not with_words:
        embedding = replace(embedding, terms=())
    started = time.perf_counter()
    answer = await gallery.search(embedding, Filter(0), k=k, guesses=True)
    took_ms = (time.perf_counter() - started) * 1000
    return [int(hit.link.source) for hit in answer.hits], took_ms


async def _reciprocal(gallery: Gallery, text: str) -> list[int]:
    """Rows in the order of the sum of reciprocal ranks, by meaning and by words."""
    from index.answering.written import written

    seen, _ = await _first(gallery, text, with_words=False, k=100)
    embedding = await gallery.embed_query(Query(text=text))
    terms, pairs = embedding.terms, embedding.pairs
    mentions = await gallery.transcripts.mentions((*terms, *pairs), Filter(0))
    said = written(terms, pairs, mentions)
    links = await gallery.links.with_ids(0, list(said))
    best = sorted(links, key=lambda id: (-said[id].raises, id))[:100]
    scores: dict[int, float] = defaultdict(float)
    for ranking in (seen, [int(links[id][0].source) for id in best]):
        for rank, row in enumerate(ranking, start=1):
            scores[row] += 1 / (CONSTANT + rank)
    return sorted(scores, key=lambda row: (-scores[row], row))


@contextlib.asynccontextmanager
async def _opened(pictures: Pictures) -> AsyncIterator[Gallery]:
    """A gallery that has these pictures."""
    with tempfile.TemporaryDirectory() as folder:
        model = embedder.load(checkpoint.find(str(MODEL)), "cpu")
        gallery = await Gallery.open(Path(folder) / "gallery.db", model)
        try:
            for start in range(0, len(pictures), COMMIT_ROWS):
                items = [
                    (
                        EmbeddedPicture(
                            row.to_bytes(32, "big"), "image", pictures.vectors[row : row + 1]
                        ),
                        Link(0, Group(0), str(row), ""),
                    )
                    for row in range(start, min(start + COMMIT_ROWS, len(pictures)))
                ]
                await gallery.commit(items)
            await gallery.ready_to_judge()
            yield gallery
        finally:
            await gallery.close()
