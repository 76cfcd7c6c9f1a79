"""Imports run one way: each part of `bot` and `index` imports only what stands before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = {
    "bot": (
        *("languages", "platform", "ops", "text", "media", "access", "sync", "reindex", "ask"),
        *("reposts", "watches", "overview", "welcome"),
        *("maintenance", "commands", "app", "__main__"),
    ),
    "index": (
        *("types", "language", "derivations", "compiled", "concurrency"),
        *(
            "images",
            "clips",
            "interface",
            "stills",
            "ocr",
            "embed",
            "search",
            "copies",
            "transcripts",
            "store",
            "jobs",
        ),
        *("answering", "overview", "drawing", "making", "models", "pipeline"),
        *("posted_before", "reembedding", "picture_worker", "watches", "gallery", "cli"),
        "__main__",
    ),
}
# The one writer, and those who make it and its gallery.
MAY_WRITE = {"bot/sync/writer.py", "bot/app.py", "bot/__main__.py"}


def imports(file: Path) -> Iterator[str]:
    """Everything that a module imports, anywhere in it, by its dotted name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", LAYERS)
def test_imports_run_one_way(package: str) -> None:
    layers, wrong = LAYERS[package], []
    for file in sorted((ROOT / package).rglob("*.py")):
        here = file.relative_to(ROOT / package).parts[0].removesuffix(".py")
        for name in imports(file):
            there = name.split(".")[1] if name.startswith(f"{package}.") else here
            if here != "__init__" and there in layers and layers.index(there) > layers.index(here):
                wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("package", LAYERS)
def test_every_part_has_a_layer(package: str) -> None:
    parts = {path.stem for path in (ROOT / package).iterdir() if path.suffix in ("", ".py")}
    assert parts - {"__init__", "__pycache__"} == set(LAYERS[package])


@pytest.mark.parametrize(
    ("package", "allowed"),
    [
        ("console", set()),
        ("sandbox", {"console"}),
        ("serve", {"console", "index"}),
        ("trial_postgres", set()),
    ],
)
def test_what_stands_alone_imports_none_of_the_others(package: str, allowed: set[str]) -> None:
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {package} - allowed
    assert len(ours) >= 6
    for file in sorted((ROOT / package).rglob("*.py")):
        assert not ours & {name.split(".")[0] for name in imports(file)}, file


@pytest.mark.parametrize("package", ["bot", "index", "sandbox", "console", "demo", "pocket"])
def test_nothing_is_built_on_the_page_of_a_folder(package: str) -> None:
    for file in sorted((ROOT / package).rglob("*.py")):
        assert "serve" not in {name.split(".")[0] for name in imports(file)}, file


def test_the_bot_uses_only_the_public_names_of_index() -> None:
    wrong = []
    for file in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            wrong += [f"{file.name}: {name}" for name in names if name.startswith("index.")]
    assert wrong == []


def test_only_the_writer_can_write() -> None:
    """The others are given protocols that only read, so mypy finds a write that goes round it."""
    ways = {"index.Gallery", "index.Bookkeeping", "index.Reembedding"}
    files = (ROOT / "bot").rglob("*.py")
    named = {str(file.relative_to(ROOT)) for file in files if ways & set(imports(file))}
    assert named <= MAY_WRITE
