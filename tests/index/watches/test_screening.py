"""A pass over all watches finds what judging each by the answer's rule finds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from index.answering import cutoff
from index.answering.background import Background, is_whole, vocabulary
from index.answering.parts import parts_of
from index.embed import checkpoint, embedder
from index.embed.embedder import ClipEmbedder
from index.types.query import NOTHING, QueryEmbedding
from index.types.records import Floats
from index.types.searches import Asked
from index.types.watches import Watch
from index.watches.judging import judged
from index.watches.screening import Screen, compiled
from pocket import MODEL

FIXED = Path(__file__).parents[2] / "pocket" / "fixed"
SIDE, COLUMNS, PICTURES = 96, 20, 40


@pytest.fixture(scope="module")
def model() -> ClipEmbedder:
    return embedder.load(checkpoint.find(str(MODEL)), "cpu", whole=False)


@pytest.fixture(scope="module")
def background(model: ClipEmbedder) -> Background:
    words, kinds = vocabulary().words, np.array(vocabulary().kinds)
    whole = np.array([is_whole(word, model.pieces) for word in words])
    assert model.scale is not None
    return Background(words, kinds, model.texts(words)[0], whole, model.scale, model.bias)


@pytest.fixture(scope="module")
def pictures(model: ClipEmbedder) -> Floats:
    with Image.open(FIXED / "scenes.webp") as file:
        sheet = file.convert("RGB")
    corners = [(n % COLUMNS * SIDE, n // COLUMNS * SIDE) for n in range(PICTURES)]
    return model.images([sheet.crop((x, y, x + SIDE, y + SIDE)) for x, y in corners])


@pytest.fixture(scope="module")
def watches(model: ClipEmbedder, background: Background, pictures: Floats) -> list[Watch]:
    """One for each of some words, for some of them in a place, and for some pictures."""
    some = background.words[::97]
    words = [*some, *(f"{word} in the snow" for word in some[::3])]
    split = [parts_of(one) for one in words]
    vectors = model.texts([*words, *(part for parts in split for part in parts)])[0]
    asked, at = [], len(words)
    for vector, parts in zip(vectors, split, strict=False):
        asked.append(QueryEmbedding(words=vector, parts=vectors[at : at + len(parts)]))
        at += len(parts)
    asked += [QueryEmbedding(picture=picture) for picture in pictures[:5]]
    asked.append(QueryEmbedding(words=vectors[0], picture=pictures[0]))
    return [
        Watch(id, 1, 1, Asked(), embedding=one, searched=PICTURES)
        for id, one in enumerate(asked, start=1)
    ]


def screen_of(watches: list[Watch], background: Background | None) -> Screen:
    made = compiled(watches, background)
    return Screen(watches, dict(zip((w.id for w in watches), made, strict=True)), background)


def test_the_odds_of_all_watches_are_those_that_an_answer_finds(
    watches: list[Watch], background: Background, pictures: Floats
) -> None:
    screen = screen_of(watches, background)
    texts = [
        part
        for watch in watches
        if watch.embedding is not None and watch.embedding.words is not None
        for part in (
            watch.embedding.parts if len(watch.embedding.parts) else watch.embedding.words[None]
        )
    ]
    for picture in pictures[:3]:
        odds = screen.odds(picture)
        each = [background.fit(text[None], picture[None])[0, 0] for text in texts]
        assert np.allclose(odds / (1 + odds), each, atol=2e-5)


def test_a_pass_leaves_out_no_watch_that_fits(
    watches: list[Watch], background: Background, pictures: Floats
) -> None:
    screen, judge = (
        screen_of(watches, background),
        partial(cutoff.by_background, background=background),
    )
    fitting = looked_at = 0
    for picture in pictures[::3]:
        passing = {watch.id for watch in screen.passing(picture[None])}
        looked_at += sum(
            watch.embedding.words is not None
            for watch in watches
            if watch.id in passing and watch.embedding
        )
        for watch in watches:
            assert watch.embedding is not None
            if judged(watch.embedding, picture[None], pictures, PICTURES, judge).fits:
                fitting += 1
                assert watch.id in passing
    assert fitting
    assert looked_at < len(watches)  # and few are looked at in vain


def test_a_picture_that_shows_what_is_unwanted_fits_no_watch(
    background: Background, pictures: Floats, model: ClipEmbedder
) -> None:
    judge = partial(cutoff.by_background, background=background)
    words = model.texts([background.words[0]])[0]
    asked = QueryEmbedding(words=words[0])
    best = pictures[int((pictures @ words[0]).argmax())]
    without = QueryEmbedding(words=words[0], minus=best[None])
    plain = judged(asked, best[None], pictures, 1, judge)
    assert not judged(without, best[None], pictures, 1, judge).fits
    assert plain.fits


def test_of_a_few_pictures_none_stands_out(pictures: Floats) -> None:
    """An answer says that all of them do; a watch would tell of each picture that comes."""
    asked = QueryEmbedding(picture=pictures[0])
    few, many = pictures[1:9], pictures[1:]
    assert not judged(asked, pictures[:1], few, len(few), cutoff.by_spread).fits
    assert judged(asked, pictures[:1], many, len(many), cutoff.by_spread).fits


def test_words_that_the_model_spells_fit_nothing_that_is_shown(
    background: Background, pictures: Floats
) -> None:
    asked = QueryEmbedding(words=pictures[0], spelled=True)
    watch = Watch(1, 1, 1, Asked(), embedding=asked, searched=1)
    assert screen_of([watch], background).passing(pictures[:1]) == []
    alike = Watch(1, 1, 1, Asked(), embedding=QueryEmbedding(words=pictures[0]), searched=1)
    assert screen_of([alike], background).passing(pictures[:1]) == [alike]


def test_a_watch_without_words_and_picture_is_for_every_picture(pictures: Floats) -> None:
    watch = Watch(1, 1, 1, Asked(), embedding=QueryEmbedding(minus=NOTHING))
    assert screen_of([watch], None).passing(pictures[:1]) == [watch]
