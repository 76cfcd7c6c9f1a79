"""What `make bench-report` keeps, and the tables that it writes."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench import MEASUREMENTS
from bench import __main__ as command
from bench.machine import KINDS, kind, machine
from bench.measured import campaign, kept, tables
from bench.measured.campaign import Plan
from bench.measured.kept import Run
from bench.report import Figure, Report, Target
from console.commands import run as run_command
from console.exits import DONE, INTERRUPTED, REFUSED, WrongUse

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = "Before.\n\n<!-- measured: history -->\n<!-- end -->\n\nAfter.\n"
PATIENCE_S = 120.0


def run(
    figures: dict[str, Figure] | None = None,
    targets: dict[str, Target] | None = None,
    peers: dict[str, Figure] | None = None,
    **differing: Any,
) -> Run:
    """A run that printed this, on a processor of our own choice."""
    printed = Report(figures or {}, peers or {}, targets or {}).as_json("history")
    printed["machine"] |= {"cpu": "Some 9000", "kind": "avx2", "products": "plain"}
    printed["machine"] |= {key: differing.pop(key) for key in ("cpu", "kind") if key in differing}
    told: dict[str, Any] = {"date": "2026-05-31", "commit": "abc1234", "seconds": 60.0}
    return kept.run_of(printed, **(told | {"command": "bench"} | differing))


def rows(*runs: Run, other: list[Run] | None = None) -> dict[str, list[str]]:
    """The cells of the table of these runs, by the name of the figure."""
    kinds = {"avx2": list(runs)} | ({"amx": other} if other else {})
    lines = tables.written(PAGE, {"history": kinds}).splitlines()
    cells = ([cell.strip() for cell in line.split(" | ")] for line in lines if line[:2] == "| ")
    return {
        first.removeprefix("| "): [one.removesuffix(" |") for one in rest] for first, *rest in cells
    }


# ---- kinds of processor


@pytest.mark.parametrize(
    ("features", "is_a"),
    [
        ({"avx", "avx2", "avx512f", "avx512_vnni", "amx_tile", "amx_int8"}, "amx"),
        ({"avx", "avx2", "avx512f", "avx512_vnni", "avx512_bf16"}, "avx512_bf16"),
        ({"avx", "avx2", "avx512f", "avx512_vnni"}, "avx512"),
        ({"avx", "avx2", "avx_vnni"}, "avx2"),
        ({"avx"}, platform.machine()),
    ],
)
def test_a_processor_is_of_the_newest_kind_that_its_features_allow(
    features: set[str], is_a: str
) -> None:
    assert kind(features) == is_a


def test_the_machine_of_a_run_has_a_name_and_a_kind() -> None:
    told = machine()
    assert told["cpu"]
    assert told["kind"] in {*KINDS, platform.machine()}
    assert set(kept.MACHINE) <= told.keys()


# ---- what is kept


def test_the_newest_three_runs_are_kept_in_order(tmp_path: Path) -> None:
    for number in range(5):
        kept.keep(tmp_path, "history", run({"requests": number}))
    (kinds,) = kept.read(tmp_path).values()
    assert [one.figures["requests"] for one in kinds["avx2"]] == [2, 3, 4]
    assert [path.name for path in tmp_path.rglob("*.*")] == ["history.json"]


@pytest.mark.parametrize("differing", [{"cpu": "Another 1"}, {"command": "BENCH_ROWS=1 bench"}])
def test_a_run_that_measured_something_else_takes_the_place_of_earlier_ones(
    tmp_path: Path, differing: dict[str, Any]
) -> None:
    kept.keep(tmp_path, "history", run({"requests": 1}))
    kept.keep(tmp_path, "history", run({"requests": 2}, **differing))
    (newest,) = kept.read(tmp_path)["history"]["avx2"]
    assert newest.figures == {"requests": 2}


def test_kinds_of_processor_are_kept_apart(tmp_path: Path) -> None:
    for number, name in enumerate(("riscv64", "avx2", "amx", "avx512")):
        kept.keep(tmp_path, "history", run({"requests": number}, kind=name))
    kinds = kept.read(tmp_path)["history"]
    assert list(kinds) == ["amx", "avx512", "avx2", "riscv64"]
    assert [runs[0].figures["requests"] for runs in kinds.values()] == [2, 3, 1, 0]


@pytest.mark.parametrize("text", ["<<<<<<< HEAD", '{"date": 1}', '[{"date": "2026-05-31"}]'])
def test_a_file_that_is_damaged_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "avx2" / "history.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(WrongUse, match=r"avx2/history.json does not hold runs of a bench"):
        kept.read(tmp_path)
    with pytest.raises(WrongUse, match="delete it and measure anew"):
        kept.keep(tmp_path, "history", run())
    assert path.read_text() == text


def test_a_kept_run_does_not_name_the_build_of_a_kernel(tmp_path: Path) -> None:
    kept.keep(tmp_path, "history", run())
    assert platform.release() not in (tmp_path / "avx2" / "history.json").read_text()


# ---- tables


def test_a_page_is_left_as_it_is_but_for_its_tables() -> None:
    once = tables.written(PAGE, {"history": {"avx2": [run({"requests": 1})]}})
    assert once.startswith("Before.\n\n<!-- measured: history -->\n\n- AVX2: Some 9000; one")
    assert once.endswith("| requests |  | 1 |\n\n<!-- end -->\n\nAfter.\n")
    assert tables.written(once, {}) == tables.written(PAGE, {})
    assert "Not measured yet; `make bench-report ONLY=history` does it." in tables.written(PAGE, {})


def test_numbers_of_several_runs_are_their_median_and_range() -> None:
    made = [
        run({"requests": requests, "s": s, "p50, p95 ms": text, "same": 7, "word": word})
        for requests, s, text, word in (
            (1_000, 0.2917, "18.2 (17–21)", "a"),
            (3_000, 0.5, "17.1 (16–40)", "b"),
            (20_000, 0.4, "25.0 (18–30)", "c"),
        )
    ]
    assert rows(*made) == {
        "figure": ["target", "AVX2"],
        "requests": ["", "3,000 (1,000–20,000)"],
        "s": ["", "0.4 (0.292–0.5)"],
        "p50, p95 ms": ["", "18.2 (17–30)"],
        "same": ["", "7"],
        "word": ["", "c"],
    }


def test_a_target_is_judged_by_how_far_it_is_met_or_missed() -> None:
    def judged(value: float, target: float, *, at_least: bool = True) -> list[str]:
        told = run({"it": value}, {"it": Target(value, target, at_least)})
        return rows(told)["it"]

    assert judged(15, 10) == ["≥ 10", "15, met by 50 %"]
    assert judged(9.5, 10) == ["≥ 10", "9.5, **missed** by 5 %"]
    assert judged(0.4, 0.5, at_least=False) == ["≤ 0.5", "0.4, met by 20 %"]
    assert judged(1, 0.5, at_least=False) == ["≤ 0.5", "1, **missed** by 100 %"]
    assert judged(0, 0, at_least=False) == ["0", "0, met"]
    assert judged(0.99996, 0.9999) == ["≥ 0.9999", "0.99996, met by 0.006 %"]
    assert judged(3, 0, at_least=False) == ["≤ 0", "3, **missed** by 3"]
    both = [run({"it": one}, {"it": Target(one, 10)}) for one in (9, 12)]
    assert rows(*both)["it"] == ["≥ 10", "10.5 (9–12), met in 1 of 2 runs"]


def test_each_kind_has_a_column_and_peers_and_bare_targets_their_rows() -> None:
    here = run({"requests": 1}, {"workers": Target(2, 1)}, {"alone": 5})
    there = [run({"requests": 2, "more": "a|b"}, kind="amx", date="2026-06-01")]
    lines = rows(here, other=there)
    assert lines["figure"] == ["target", "AVX2", "AMX"]
    assert lines["requests"] == ["", "1", "2"]
    assert lines["more"] == ["", "–", "a\\|b"]
    assert lines["workers"] == ["≥ 1", "2, met by 100 %", "–"]
    assert lines["peer: alone"] == ["", "5", "–"]


def test_a_long_table_is_folded_below_its_targets() -> None:
    many: dict[str, Figure] = {f"figure {n}": n for n in range(tables.MANY_ROWS + 1)}
    long = tables.written(PAGE, {"history": {"avx2": [run(many, {"figure 7": Target(7, 9)})]}})
    shown, _, folded = long.partition("<details><summary>All 41 figures</summary>\n\n")
    assert [line for line in shown.splitlines() if "figure " in line][1:] == [
        "| figure 7 | ≥ 9 | 7, **missed** by 22 % |"
    ]
    assert folded.count("| figure ") == len(many) + 1


def test_one_table_has_the_targets_of_all() -> None:
    page = PAGE.replace("history", tables.ALL_TARGETS)
    made = {
        "find": {"avx2": [run({"a": 2}, {"a": Target(2, 1)})]},
        "start": {"amx": [run({"b": 1, "c": 3}, {"b": Target(1, 2)}, kind="amx")]},
    }
    lines = tables.written(page, made).splitlines()
    assert lines[4:-4] == [
        "- AMX: Some 9000",
        "- AVX2: Some 9000",
        "",
        "| bench | figure | target | AMX | AVX2 |",
        "|---|---|---|---|---|",
        "| `find` | a | ≥ 1 | – | 2, met by 100 % |",
        "| `start` | b | ≥ 2 | 1, **missed** by 50 % | – |",
    ]


# ---- running


def test_every_bench_has_a_plan_and_all_of_them_take_about_an_hour() -> None:
    assert campaign.PLANS.keys() == MEASUREMENTS.keys()
    assert sum(plan.minutes for plan in campaign.PLANS.values()) <= 70
    for plan in campaign.PLANS.values():
        assert set(plan.variables) <= set(campaign.SIZES)


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one page, below the current directory; benches build beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for variable in campaign.SIZES:
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text(PAGE)
    return tmp_path / "docs"


@pytest.mark.slow
def test_what_a_bench_prints_is_kept_and_one_that_fails_keeps_its_earlier_runs(
    docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = str(machine()["kind"])
    earlier = run({"pictures_per_s": 5}, kind=here, seconds=90.0)
    kept.keep(docs / "measured", "workers", earlier)
    plans = {
        "workers": Plan(30, {"BENCH_ROWS": "many"}),
        "history": Plan(1, {"BENCH_ROWS": "100"}),
    }
    assert campaign.measure(plans, docs) == REFUSED
    said = capsys.readouterr().out.splitlines()
    assert said[:3] == [
        "2 benches, about 2.5 min",
        "workers (1 of 2), about 1.5 min",
        "  failed, with exit code 2",
    ]
    assert said[3] == "history (2 of 2), about 1.0 min"
    assert said[-2:] == [
        f"written: {docs}/page.md",
        "Not measured: workers. The tables show earlier runs where there are any.",
    ]
    all_ = kept.read(docs / "measured")
    assert all_["workers"] == {here: [earlier]}
    (made,) = all_["history"][here]
    assert (made.figures["messages"], made.figures["missing"]) == (100, 0)
    assert made.command == "BENCH_ROWS=100 python -m bench history"
    assert made.machine["cpu"] == machine()["cpu"]
    assert made.seconds is not None
    assert made.seconds > 0
    assert "| messages |  | 100 |" in (docs / "page.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_bench_and_keeps_its_earlier_runs(
    docs: Path, ended_by: signal.Signals
) -> None:
    here = str(machine()["kind"])
    kept.keep(docs / "measured", "history", run({"requests": 5}, kind=here))
    before = (docs / "measured" / here / "history.json").read_bytes()
    with subprocess.Popen(
        [sys.executable, "-m", "bench", "report", "--only", "history"],
        cwd=docs.parent, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        _wait_until_there("index.images.decoder", docs.parent)
        process.send_signal(ended_by)
        said, wrong = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == INTERRUPTED
    assert "  stopped. Not measured: history.\n" in said
    assert wrong.endswith("Interrupted.\n")
    assert (docs / "measured" / here / "history.json").read_bytes() == before
    assert "| requests |  | 5 |" in (docs / "page.md").read_text()
    assert _commands_in(docs.parent) == ""


@pytest.mark.slow
def test_a_bench_that_hangs_is_ended(docs: Path) -> None:
    with pytest.raises(campaign._Failed, match="stopped: it took more than 0 min"):
        campaign._printed("history", Plan(1, {"BENCH_ROWS": "100"}), longest_s=0.5)
    assert _commands_in(docs.parent) == ""


def _commands_in(folder: Path) -> str:
    """The command lines of all processes that run in this folder, but for this one."""
    commands = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.name != str(os.getpid()) and (process / "cwd").readlink() == folder:
                commands.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has ended, or is somebody else's
            continue
    return "\n".join(commands)


def _wait_until_there(word: str, folder: Path) -> None:
    ends = time.monotonic() + PATIENCE_S
    while word not in _commands_in(folder):
        assert time.monotonic() < ends, f"no process of {word}"
        time.sleep(0.05)


# ---- the command


def test_only_the_tables_are_written(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.keep(docs / "measured", "history", run({"requests": 5}))
    assert run_command(command.COMMAND, ["tables"], program="bench") == DONE
    assert "| requests |  | 5 |" in (docs / "page.md").read_text()
    assert capsys.readouterr().out == "written: docs/page.md\n"
    assert run_command(command.COMMAND, ["tables"], program="bench") == DONE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (["--only", "find, serch"], {}, "not 'serch'; did you mean search?"),
        ([], {"BENCH_ROWS": "10"}, "BENCH_ROWS is set, but a report chooses the sizes itself"),
    ],
)
def test_a_report_that_can_not_be_made_says_why(
    docs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    variables: dict[str, str],
    sentence: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run_command(command.COMMAND, ["report", *arguments], program="bench") == REFUSED
    assert sentence in capsys.readouterr().err
    assert (docs / "page.md").read_text() == PAGE


def test_without_pages_nothing_is_measured(docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (docs / "page.md").unlink()
    assert run_command(command.COMMAND, ["report"], program="bench") == REFUSED
    told = capsys.readouterr()
    assert (told.out, "run this in a checkout of Magpie" in told.err) == ("", True)
