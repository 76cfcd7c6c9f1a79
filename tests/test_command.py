"""The command `magpie` names what the packages behind it offer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import magpie

ROOT = Path(__file__).resolve().parent.parent


def test_bot_takes_no_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert magpie.main(["bot", "--help"]) == 0
    assert ".env" in capsys.readouterr().out
    assert magpie.main(["bot", "--token", "x"]) == 2
    assert ".env" in capsys.readouterr().err


def test_a_package_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "demo", None)
    assert magpie.main(["demo"]) == 2
    assert capsys.readouterr().err == "magpie: demo is not part of this installation.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
@pytest.mark.parametrize("command", [["-m", "bot", "--help"], ["magpie.py", "--help"]])
def test_help_that_nobody_takes_ends_without_a_traceback(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, *command], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.stderr == "The output can't be written: the disk is full.\n"
    assert ended.returncode == 2
