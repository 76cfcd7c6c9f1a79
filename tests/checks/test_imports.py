"""Which way the imports of the checks run; the rules are in `checks.__doc__`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OF_BENCH = {"bench.BUILD", "bench.photographs", "bench.report", "bench.options"}
OURS = ("bench", "bot", "checks", "demo", "index", "pocket", "sandbox")


def imported(file: Path) -> Iterator[str]:
    """The modules and names that a file imports, with dots."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_checks_import_of_bench_only_what_their_map_names() -> None:
    for file in (ROOT / "checks").rglob("*.py"):
        for name in imported(file):
            if name.startswith("bench."):
                assert any(name == one or name.startswith(f"{one}.") for one in OF_BENCH), file


def test_only_the_command_line_of_bench_and_its_hostile_clips_import_checks() -> None:
    importers = {ROOT / "bench" / "__main__.py", ROOT / "bench" / "frames.py"}
    for package in set(OURS) - {"checks"}:
        for file in (ROOT / package).rglob("*.py"):
            if file not in importers:
                assert not any(name.startswith("checks") for name in imported(file)), file


def test_the_oracle_imports_nothing_of_ours() -> None:
    for name in imported(ROOT / "checks" / "permissions" / "oracle.py"):
        assert name.split(".")[0] in {"__future__", "collections", "dataclasses", "itertools"}
