"""The names of `python -m bench`: what they run, and what a caller may choose."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from bench import COMPUTED, MEASUREMENTS
from bench import __main__ as command
from bench.options import Options
from bench.report import Report
from checks import CHECKS
from console.commands import run as run_command
from console.exits import DONE, REFUSED


def test_measurements_and_checks_share_no_name() -> None:
    assert not MEASUREMENTS.keys() & CHECKS.keys()
    assert command.MODULES.keys() == MEASUREMENTS.keys() | COMPUTED.keys() | CHECKS.keys()


@pytest.mark.parametrize("module", [*MEASUREMENTS.values(), *COMPUTED.values(), *CHECKS.values()])
def test_each_name_is_a_module_that_runs_with_options(module: str) -> None:
    found = importlib.util.find_spec(module)
    assert found is not None
    assert found.origin is not None
    tree = ast.parse(Path(found.origin).read_text())
    (run,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "run")
    assert [ast.unparse(one.annotation) for one in run.args.args if one.annotation] == ["Options"]


def options_of(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, **environment: str
) -> Options | None:
    """What a run is given for these arguments; None where they are refused."""
    given: list[Options] = []

    def run(options: Options) -> Report:
        given.append(options)
        return Report({}, {})

    for name in ("BENCH_SEED", "BENCH_MINUTES", "BENCH_ROWS", "BENCH_WORLDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    module: Any = type("Module", (), {"run": staticmethod(run)})
    monkeypatch.setattr("importlib.import_module", lambda name: module)
    code = run_command(command.COMMAND, ["search", "--json", *arguments], program="bench")
    assert code == (DONE if given else REFUSED)
    return given[0] if given else None


def test_without_arguments_each_run_has_its_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options_of(monkeypatch) == Options()


def test_arguments_reach_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = "--device cuda --plot a.svg --seed 3 --seeds 4-6 --minutes 0.5 --hurried"
    arguments += " --db postgres"
    assert options_of(monkeypatch, *arguments.split()) == Options(
        device="cuda",
        plot=Path("a.svg"),
        seed=3,
        seeds=range(4, 7),
        minutes=0.5,
        hurried=True,
        db="postgres",
    )


def test_variables_of_the_environment_reach_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"BENCH_ROWS": "10000,100000", "BENCH_WORLDS": "9", "BENCH_MINUTES": "2"}
    given = options_of(monkeypatch, **environment, BENCH_SEED="7")
    assert given == Options(rows=(10_000, 100_000), worlds=9, minutes=2.0, seed=7)


@pytest.mark.parametrize("name", ["BENCH_SEED", "BENCH_MINUTES", "BENCH_ROWS", "BENCH_WORLDS"])
def test_a_variable_that_is_no_number_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert options_of(monkeypatch, **{name: "many"}) is None
    assert capsys.readouterr().err.startswith(f"{name} takes a ")
