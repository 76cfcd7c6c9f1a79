"""Sentences that keep what they are made of, so that others can say them in another language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_NAME = re.compile(r"\{(\w+)\}")
DEEPEST = 20  # sentences within one another


class Sentence(str):
    """A sentence in English, or a phrase for one.

    template   the sentence, with names in braces
    values     what stands there: texts, numbers, other sentences
    """

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Sentence:
        sentence = super().__new__(cls, _filled(template, values, _in_english))
        sentence.template, sentence.values = template, values
        return sentence

    def said(self, translated: Callable[[str], str], written: Callable[[Any], str]) -> str:
        """The sentence in another language.

        translated   gives a template in that language
        written      gives a value as that language writes it
        """
        return _filled(translated(self.template), self.values, written)


def packed(value: Any) -> Any:
    """A value as JSON, from which `unpacked` makes the same, also where it is a sentence."""
    if not isinstance(value, Sentence):
        return value
    values = {name: packed(one) for name, one in value.values.items()}
    return {"template": value.template, "values": values}


def unpacked(data: Any, depth: int = DEEPEST) -> Any:
    """raises   KeyError, TypeError, ValueError where it isn't what `packed` made"""
    if not isinstance(data, dict):
        return data
    if depth == 0 or not isinstance(data["values"], dict):
        raise ValueError("no sentence")
    values = {name: unpacked(one, depth - 1) for name, one in data["values"].items()}
    return Sentence(str(data["template"]), **values)


def _filled(template: str, values: Mapping[str, Any], written: Callable[[Any], str]) -> str:
    """The template with its values. Unlike `str.format` it looks up names and nothing else: the
    template may come from a process that was taken over."""
    return _NAME.sub(lambda name: written(values[name[1]]), template)


def _in_english(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)
