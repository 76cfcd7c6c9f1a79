"""What docs/asking.md says is what the language does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from index import printed
from index.language import fields
from tests.index.language.readers import NOW, read, reader, refused

PAGE = (Path(__file__).parents[3] / "docs" / "asking.md").read_text()
READ, REFUSED = PAGE.split("## When a line can't be read")
ROWS = re.compile(r"^\| `(.+?)` \| `(.+?)` \|$", re.M)


@pytest.mark.parametrize("line", re.findall(r"`(on:[^`]+|\w+:[^\s`]+ [^`]+)`", READ))
def test_dates_and_fields_in_the_text_can_be_read(line: str) -> None:
    locale = {"on:gestern": "de", "on:先週": "ja"}.get(line, "en-US")
    assert read(line, locale) != read("", locale)


@pytest.mark.parametrize("line", re.findall(r"^\| `(.+?)` \|", READ, re.M))
def test_what_one_may_type_can_be_read(line: str) -> None:
    assert read(line) != read("")


@pytest.mark.parametrize(("line", "same"), ROWS.findall(READ))
def test_a_negation_is_read_as_the_page_says(line: str, same: str) -> None:
    assert printed(read(line), reader()) == same


@pytest.mark.parametrize(("line", "corrected"), ROWS.findall(REFUSED))
def test_a_refusal_suggests_what_the_page_says(line: str, corrected: str) -> None:
    assert refused(line).corrected == corrected


def test_every_field_is_on_the_page() -> None:
    for name in {*fields.FIELDS.values()} - {"query", "image", "without"}:
        assert f"`{name}:" in PAGE
    assert all(f"`{kind}`" in PAGE or f"has:{kind}" in PAGE for kind in fields.KINDS.values())


def test_after_and_before_leave_the_date_out_as_the_page_says() -> None:
    for line in re.findall(r"^\| `(\w+:2024-05)` \|", READ, re.M):
        wish, name = read(line), line.split(":")[0]
        begins = {"on": 1714521600, "since": 1714521600, "after": 1717200000}.get(name)
        ends = {"on": 1717200000, "until": 1717200000, "before": 1714521600}.get(name)
        assert (wish.since, wish.until) == (begins, ends)
    assert NOW.year == 2026
