"""`bench query`, on pictures whose vectors are made of words."""

from __future__ import annotations

import numpy as np
import pytest

from bench import query
from bench.query import Pictures
from bench.report import Report
from index.embed import checkpoint, embedder
from pocket import MODEL
from pocket.wording import PLACE_WORDS

SUBJECTS = ("dog", "cat", "horse", "bicycle", "tree", "drum")
TIMES = 3


@pytest.mark.slow
async def test_parts_of_a_question_are_measured_beside_one_vector() -> None:
    places = [place for place in PLACE_WORDS["en"] if place != query.PLAIN]
    shown = [(subject, place) for subject in SUBJECTS for place in places] * TIMES
    model = embedder.load(checkpoint.find(str(MODEL)), "cpu")
    words, _ = model.texts([f"{subject} {PLACE_WORDS['en'][place][0]}" for subject, place in shown])
    noise = np.random.default_rng(1).standard_normal(words.shape, np.float32) / 40
    vectors = (words + noise) / np.linalg.norm(words + noise, axis=1, keepdims=True)
    subjects, there = (np.array(column) for column in zip(*shown, strict=True))
    report = Report({}, {})
    await query.measure(report, Pictures(vectors, subjects, there), 1, at="", asked=12)
    assert report.figures["minus_ranked"] == 1
    assert report.figures["composed, asked"] == 12
    assert 0 < float(report.figures["composed_recall@1"] or 0) <= 1
    assert "composed_recall@1, average of two vectors" in report.peers
    assert report.targets.keys() >= {"minus_ranked", "minus_kept", "composed_recall@5"}
