"""The runs under docs/measured/ name only benches and figures that there are."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bench import MEASUREMENTS
from bench.machine import KINDS
from bench.measured.kept import read

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = read(ROOT / "docs" / "measured")
SEARCHED = ("bench", "pocket")  # packages in which the names of figures are written
NUMBER = re.compile(r"\d(?:[\d,.]*\d)?")  # what follows the last digit belongs to the text


def test_something_is_kept_and_every_file_is_of_a_bench() -> None:
    assert KEPT
    assert KEPT.keys() <= MEASUREMENTS.keys()


@pytest.mark.parametrize("name", KEPT)
def test_a_run_that_is_kept_has_only_figures_that_its_bench_prints(name: str) -> None:
    known = pieces(MEASUREMENTS[name])
    for runs in KEPT[name].values():
        for run in runs:
            for figure in (*run.figures, *run.peers, *run.targets):
                assert is_made_of(figure, known), figure


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_run_lies_in_the_folder_of_its_kind(kind: str) -> None:
    for kinds in KEPT.values():
        assert {run.kind for run in kinds.get(kind, [])} <= {kind}


def test_a_name_is_made_of_whole_pieces() -> None:
    known = {"held_out_", "absent_refused", ", ", "gallery of ", "ms", "fast"}
    assert is_made_of("held_out_absent_refused, gallery of 2,000", known)
    assert is_made_of("ms, fast", known)
    assert is_made_of("ms, 2,000, fast", known)
    assert not is_made_of("absent_refused_ms", known)
    assert not is_made_of("held_out_absent", known)
    assert not is_made_of("msfast", known)


# ---- what the source of a bench says


@cache
def pieces(module: str) -> frozenset[str]:
    """All texts in the source of a module, and of what it imports of SEARCHED.

    The name of a figure is often put together, as in f"{size}, recall@10"; so its parts count.
    """
    return frozenset(
        node.value
        for file in sources(module)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    )


def sources(module: str) -> set[Path]:
    """The files of a module and of all that it imports of SEARCHED."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        file = file_of(waiting.pop())
        if file is None or file in found:
            continue
        found.add(file)
        waiting += (name for name in imports(file) if name.split(".")[0] in SEARCHED)
    return found


def file_of(module: str) -> Path | None:
    """The file of a module; of a name in a module, None."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_made_of(name: str, known: frozenset[str] | set[str]) -> bool:
    """Whether a name can be put together of known pieces and numbers, without cutting a word."""
    reached = {0}
    for start in range(len(name)):
        if start not in reached:
            continue
        number = NUMBER.match(name, start)
        ends = [number.end()] if number else []
        ends += [start + len(one) for one in known if name.startswith(one, start)]
        reached |= {end for end in ends if not cuts_a_word(name, end)}
    return len(name) in reached


def cuts_a_word(name: str, at: int) -> bool:
    return at < len(name) and name[at - 1].isalpha() and name[at].isalpha()
