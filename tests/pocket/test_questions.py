"""The obvious questions get a right first answer on the demo world."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo import FOLDER as DEMO
from pocket.evaluate import Floats, Loaded
from tests.pocket.questions import ALL, Question

Labels = Mapping[str, Mapping[str, Any]]

pytestmark = pytest.mark.slow  # the first one embeds all pictures of the demo world


@pytest.fixture(scope="module")
def labels() -> Labels:
    found: Labels = json.loads((DEMO / "labels.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return Loaded()


@pytest.fixture(scope="module")
def gallery(labels: Labels, loaded: Loaded) -> Floats:
    """The embeddings of all pictures of the demo world, in the order of the labels."""
    images = []
    for file in labels:
        with Image.open(DEMO / file) as image:
            images.append(image.convert("RGB"))
    return loaded.pictures(images)


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.text)
def test_first_answer_is_right(
    question: Question, labels: Labels, loaded: Loaded, gallery: Floats
) -> None:
    scores = gallery @ loaded.texts([question.text])[0]
    shown = list(labels.values())[int(np.argmax(scores))]
    assert question.subject in shown["subjects"], shown
    assert question.place is None or question.place in shown["places"], shown
