"""The models worth choosing: one list for the command, the page and the programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.sizes import SIZES, parameters
from bot.ops.settings import DEFAULTS
from index.cli.command import DEFAULT_MODEL
from index.cli.main import main
from index.embed.published import DEFAULT, HEADINGS, MODELS, RECOMMENDED, SOURCES, cells

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def table(text: str) -> list[list[str]]:
    """The cells of the page's first table."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_has_the_same_table_as_the_command() -> None:
    rows = [list(HEADINGS), *(list(cells(model)) for model in MODELS)]
    assert table(PAGE.read_text())[: len(rows)] == rows


def test_the_page_says_what_each_model_is_for_and_where_its_recall_is_from() -> None:
    page = " ".join(PAGE.read_text().split())
    for model in MODELS:
        assert model.says in page
        assert model.source is None or SOURCES[model.source] in page


def test_recall_has_a_source() -> None:
    assert all(model.source == "immich" for model in MODELS if model.english is not None)


def test_the_command_names_the_default_and_what_most_should_take(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert f"{RECOMMENDED} is what most servers should take" in said
    assert all(model.name in said for model in MODELS)
    assert DEFAULT == DEFAULT_MODEL == DEFAULTS["MAGPIE_MODEL"] == MODELS[0].name


def test_programs_get_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in said if model["default"]] == [DEFAULT]
    assert [model["name"] for model in said if model["recommended"]] == [RECOMMENDED]
    assert said[0]["download_bytes"] == 4 * MODELS[0].parameters


def test_sizes_are_those_of_the_architectures() -> None:
    """Counted in transformers' models of these sizes, which are not filled with numbers."""
    assert {model.name: model.parameters for model in MODELS} == {
        name: parameters(name) for name in SIZES
    }
