"""What a program says about its own use: help, version, and what is wrong with its arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click
import pytest

from console.commands import Called, Choice, Command, Group, Name, Whole, flag, option, run
from console.exits import DONE, INTERRUPTED, REFUSED
from console.output import say

Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True, kw_only=True)
class Given(Called):
    words: tuple[str, ...]
    db: str | None
    count: int
    shape: str | None
    json: bool


def _say(given: Given) -> int:
    say(repr(replace(given, options=())))
    return DONE


SHOW = Command(
    "show",
    _say,
    Given,
    summary="show something",
    params=[
        click.Argument(["words"], nargs=-1, metavar="WORDS"),
        option("--db", metavar="FILE", type=Name()),
        option("-k", "--count", metavar="N", type=Whole(1, 1000), default=10),
        option("--shape", metavar="SHAPE", type=Choice("round", "square")),
        flag("--json"),
    ],
)


@dataclass(frozen=True, kw_only=True)
class One(Called):
    file: str


def _interrupted(given: One) -> int:
    raise KeyboardInterrupt


OPEN = Command(
    "open",
    _interrupted,
    One,
    summary="open something",
    params=[click.Argument(["file"], metavar="FILE")],
)
PROGRAM = Group("A program.", [SHOW, OPEN], {"no_such_package": "is missing"})


def ran(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = run(PROGRAM, arguments, program="prog")
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_options_stand_before_and_behind_the_command(capsys: Capture) -> None:
    expected = Given(
        program="prog", options=(), words=("a", "b"), db="x", count=3, shape="round", json=True
    )
    for arguments in (
        ["show", "--db", "x", "--json", "-k3", "--shape", "round", "a", "b"],
        ["--db", "x", "--json", "show", "a", "-k", "3", "b", "--shape=round"],
        ["--count=3", "--shape", "round", "--db=x", "show", "a", "--json", "b"],
        ["--json", "show", "a", "b", "--db", "y", "--count", "3", "--shape", "round", "--db", "x"],
    ):
        assert ran(capsys, *arguments) == (DONE, f"{expected!r}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shwo"], "prog has no command 'shwo'; did you mean show? prog --help lists them."),
        (["--db", "x"], "Which command? prog --help lists them."),
        (["--jsno", "show"], "prog show has no option --jsno; did you mean --json?"),
        (["open", "x", "--json"], "prog open has no option --json."),
        (["--json", "open", "x"], "prog open has no option --json."),
        (["open"], "prog open needs FILE.\n  usage: prog open [options] FILE"),
        (["open", "x", "y"], "prog open has no use for 'y'.\n  usage: prog open [options] FILE"),
        (["show", "-k", "0"], "--count takes a whole number from 1 to 1,000, not '0'."),
        (["show", "-k", "x"], "--count takes a whole number from 1 to 1,000, not 'x'."),
        (["show", "-k", "9" * 5000], "--count takes a whole number from 1 to 1,000, not '99"),
        (["show", "--shape", "rond"], "--shape takes round or square, not 'rond'; did you mean ro"),
        (["show", "--shape", "x"], "--shape takes round or square, not 'x'."),
        (["no_such_package"], "prog: no_such_package is not part of this installation."),
    ],
)
def test_wrong_use_is_told_in_our_words(capsys: Capture, arguments: list[str], said: str) -> None:
    code, out, err = ran(capsys, *arguments)
    assert (code, out) == (REFUSED, "")
    assert err.startswith(said)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["--help", "show"]])
def test_help_lists_the_commands(capsys: Capture, arguments: list[str]) -> None:
    code, out, err = ran(capsys, *arguments)
    assert (code, err) == (DONE, "")
    assert out.startswith("usage: prog [options] COMMAND ...\n")
    assert "\n  show             show something\n" in out
    assert "\n  no_such_package  is missing\n" in out


@pytest.mark.parametrize("arguments", [["show", "a", "--help"], ["show", "-h", "--json"]])
def test_help_of_a_command(capsys: Capture, arguments: list[str]) -> None:
    code, out, err = ran(capsys, *arguments)
    assert (code, err) == (DONE, "")
    assert out.startswith("usage: prog show [options] WORDS\n")
    assert "  -k, --count N" in out


def test_ctrl_c_is_one_word_and_its_own_code(capsys: Capture) -> None:
    assert ran(capsys, "open", "x") == (INTERRUPTED, "", "Interrupted.\n")
