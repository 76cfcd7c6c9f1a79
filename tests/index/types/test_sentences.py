"""Sentences that know what they are made of."""

from __future__ import annotations

import json
from typing import Any

import pytest

from index import Sentence
from index.types.sentences import packed, unpacked

BOTH = Sentence("{n} of {what}", n=1234.5, what=Sentence("a {kind}", kind="picture"))


def test_a_sentence_is_its_english_text() -> None:
    assert BOTH == "1,234.5 of a picture"
    assert Sentence("{n} MB", n=20.0) == "20 MB"


def test_another_language_fills_in_the_same_values() -> None:
    german = {"{n} of {what}": "{what}: {n}", "a {kind}": "ein {kind}"}

    def written(value: Any) -> str:
        return said(value) if isinstance(value, Sentence) else f"<{value}>"

    def said(sentence: Sentence) -> str:
        return sentence.said(lambda template: german[template], written)

    assert said(BOTH) == "ein <picture>: <1234.5>"


def test_a_sentence_comes_from_another_process_as_it_was() -> None:
    again = unpacked(json.loads(json.dumps(packed(BOTH))))
    assert again == BOTH
    assert again.values["what"].template == "a {kind}"
    assert unpacked(packed("text")) == "text"


@pytest.mark.parametrize("template", ["{n.__class__}", "{n[0]}", "{n!r}", "{0}x"])
def test_a_hostile_template_reaches_nothing(template: str) -> None:
    """It may come from a process that decoded a hostile picture."""
    try:
        said = unpacked({"template": template, "values": {"n": "x"}})
    except KeyError:
        return
    assert said == template


DEEP: Any = "x"
for _ in range(400):
    DEEP = {"template": "{n}", "values": {"n": DEEP}}
NONE = [{}, {"template": "x"}, {"template": "{n}", "values": {}}, {"template": "x", "values": "y"}]


@pytest.mark.parametrize("data", [*NONE, DEEP])
def test_what_is_no_sentence_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        unpacked(data)
