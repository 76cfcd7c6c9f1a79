"""Nothing is said to fit that doesn't: the pocket model and pictures that it never saw."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from index.answering import cutoff
from index.answering.background import Background, Bools, is_whole, vocabulary
from index.answering.parts import parts_of
from index.embed import checkpoint, embedder
from index.embed.embedder import ClipEmbedder
from index.embed.tokens import is_spelled
from index.types.query import QueryEmbedding
from index.types.records import Floats, Verdict
from pocket import MODEL

FIXED = Path(__file__).parents[2] / "pocket" / "fixed"
SIDE, COLUMNS = 96, 20
ROWS: list[dict[str, Any]] = json.loads((FIXED / "scenes.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def model() -> ClipEmbedder:
    return embedder.load(checkpoint.find(str(MODEL)), "cpu", whole=False)


@pytest.fixture(scope="module")
def background(model: ClipEmbedder) -> Background:
    whole = np.array([is_whole(word, model.pieces) for word in vocabulary().words])
    return read_by(model, whole)


def read_by(model: ClipEmbedder, whole: Bools) -> Background:
    words, kinds = vocabulary().words, np.array(vocabulary().kinds)
    assert model.scale is not None
    return Background(words, kinds, model.texts(words)[0], whole, model.scale, model.bias)


@pytest.fixture(scope="module")
def pictures(model: ClipEmbedder) -> Floats:
    with Image.open(FIXED / "scenes.webp") as file:
        sheet = file.convert("RGB")
    corners = [(n % COLUMNS * SIDE, n // COLUMNS * SIDE) for n in range(len(ROWS))]
    return model.images([sheet.crop((x, y, x + SIDE, y + SIDE)) for x, y in corners])


class Asked:
    """Questions about some of the pictures."""

    def __init__(self, model: ClipEmbedder, background: Background, pictures: Floats) -> None:
        self.model, self.pictures = model, pictures
        self.judge = partial(cutoff.by_background, background=background)

    def embedding(self, text: str) -> QueryEmbedding:
        vectors, _ = self.model.texts([text, *parts_of(text)])
        spelled = is_spelled(text, self.model.pieces)
        return QueryEmbedding(words=vectors[0], parts=vectors[1:], spelled=spelled)

    def judgement(
        self, asked: QueryEmbedding | str, without: str = ""
    ) -> tuple[cutoff.Judgement, list[str]]:
        """What is said of the best candidates, and what each of them shows."""
        embedding = self.embedding(asked) if isinstance(asked, str) else asked
        here = [n for n, row in enumerate(ROWS) if row["subject"] != without]
        vectors = self.pictures[here]
        best = np.argsort(-vectors @ embedding.vector)[:100]
        judgement = self.judge(embedding, vectors[best], vectors, len(here))
        return judgement, [ROWS[here[n]]["subject"] for n in best]

    def verdict(self, asked: QueryEmbedding | str, without: str = "") -> Verdict:
        return self.judgement(asked, without)[0].verdict


@pytest.fixture(scope="module")
def asked(model: ClipEmbedder, background: Background, pictures: Floats) -> Asked:
    return Asked(model, background, pictures)


CLEAR = 2  # a picture that the model recognises: a fox in the rain
SUBJECTS = [row["subject"] for row in ROWS][::4]


def test_subjects_that_are_there_are_kept_and_absent_ones_refused(asked: Asked) -> None:
    kept = [asked.verdict(subject) is not Verdict.NOTHING for subject in SUBJECTS]
    refused = [asked.verdict(one, without=one) is Verdict.NOTHING for one in SUBJECTS]
    assert np.mean(kept) >= 0.9
    assert np.mean(refused) >= 0.9


def test_a_right_place_does_not_carry_a_wrong_subject(asked: Asked) -> None:
    questions = [(row["subject"], row["asked"]["en"]) for row in ROWS[::4]]
    parted = [(subject, text) for subject, text in questions if parts_of(text)]
    assert len(parted) > 15
    kept = [asked.verdict(text) is not Verdict.NOTHING for _, text in parted]
    refused = [asked.verdict(text, without=subject) is Verdict.NOTHING for subject, text in parted]
    assert np.mean(kept) >= 0.75
    assert np.mean(refused) >= 0.9


@pytest.mark.parametrize(
    "text", ["asdfghjkl", "xyzzy", "🦖🜨", "quantum chromodynamics", "eigenvalue", "lkjh"]
)
def test_gibberish_fits_nothing(asked: Asked, text: str) -> None:
    judgement, _ = asked.judgement(text)
    assert judgement.verdict is Verdict.NOTHING
    assert not judgement.passes.any()


def test_a_tokenizer_that_spells_every_word_refuses_none(asked: Asked) -> None:
    embedding = replace(asked.embedding("pizza"), spelled=True)
    assert asked.verdict(embedding) is Verdict.NOTHING
    letters = read_by(asked.model, np.zeros(len(vocabulary().words), bool))
    asked_of_it = Asked(asked.model, letters, asked.pictures)
    assert asked_of_it.verdict(embedding) is not Verdict.NOTHING


def test_what_passes_is_mostly_right_and_what_is_sure_passes(asked: Asked) -> None:
    right = []
    for subject in SUBJECTS:
        judgement, shown = asked.judgement(subject)
        assert not (judgement.sure & ~judgement.passes).any()
        assert (judgement.verdict is Verdict.SURE) == judgement.sure.any()
        right += [one == subject for one, fits in zip(shown, judgement.passes, strict=True) if fits]
    assert np.mean(right) > 0.5


def test_a_greater_gallery_needs_better_odds_up_to_a_bound() -> None:
    needed = [cutoff.needed_odds(n, 1) for n in (12, 500, 10_000, 100_000, 10_000_000)]
    assert needed[:4] == sorted(set(needed[:4]))
    assert needed[3] == needed[4]
    assert cutoff.needed_odds(500, 2) < cutoff.needed_odds(500, 1)


@pytest.mark.parametrize("count", [1, 3, 12])
def test_few_pictures_are_judged_too(asked: Asked, count: int) -> None:
    vectors = asked.pictures[CLEAR : CLEAR + count]
    shown, absent = (asked.embedding(text) for text in ("fox", "asdfghjkl"))
    order = np.argsort(-vectors @ shown.vector)
    assert asked.judge(shown, vectors[order], vectors, count).passes[0]
    assert not asked.judge(absent, vectors, vectors, count).passes.any()


def test_a_gallery_of_one_thing_shows_all_of_it(asked: Asked) -> None:
    alike = np.repeat(asked.pictures[CLEAR][None], 30, axis=0)
    assert asked.judge(asked.embedding("fox"), alike, alike, 30).passes.all()


def test_words_are_never_sure_until_there_is_a_background(asked: Asked) -> None:
    embedding = asked.embedding(ROWS[0]["subject"])
    judgement = cutoff.never_sure(embedding, asked.pictures, asked.pictures, len(ROWS))
    assert judgement.verdict is Verdict.UNSURE
    assert judgement.passes.all()
    assert not judgement.sure.any()


def test_a_picture_as_the_question_is_judged_by_the_spread(asked: Asked) -> None:
    embedding = QueryEmbedding(picture=asked.pictures[0])
    order = np.argsort(-asked.pictures @ asked.pictures[0])
    judgement = asked.judge(embedding, asked.pictures[order], asked.pictures, len(ROWS))
    assert judgement.verdict is Verdict.SURE
