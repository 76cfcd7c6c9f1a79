"""The command `magpie` names what the packages behind it offer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import magpie
from sandbox import lock

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


# ---- output that is full, closed or not read

PROGRAMS = ("bot", "demo", "sandbox", "bench")
COMMANDS = [["magpie.py", "--help"], *(["-m", program, "--help"] for program in PROGRAMS)]


def ran(
    command: list[str], before: str = ":", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """A program in a shell, which can close or redirect its streams before."""
    return subprocess.run(
        ["sh", "-c", f'{before}; exec "$@"', "sh", sys.executable, *command],
        cwd=ROOT, env=os.environ | environment, capture_output=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_ends_without_a_traceback_wherever_it_is_sent(command: list[str]) -> None:
    full = ran(command, "exec >/dev/full")
    assert full.stderr == b"The output can't be written: the disk is full.\n"
    assert full.returncode == 2
    closed = ran(command, "exec >&- 2>&-")
    assert (closed.returncode, closed.stderr) == (0, b"")
    plain = ran(command, PYTHONIOENCODING="ascii")
    assert (plain.returncode, plain.stderr) == (0, b"")
    assert plain.stdout.startswith(b"usage: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_sandbox_whose_address_nobody_can_read_ends() -> None:
    done = ran(["-m", "sandbox", "--port", "0"], "exec >/dev/full")
    assert done.stderr == b"The output can't be written: the disk is full.\n"
    assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device")
def test_a_demo_that_can_tell_nobody_why_it_failed_ends(tmp_path: Path) -> None:
    with lock.hold(tmp_path):
        command = ["-m", "demo", "--once", "--port", "0", "--data", str(tmp_path)]
        done = ran(command, "exec >/dev/full")
        assert done.stderr == b"The output can't be written: the disk is full.\n"
        assert done.returncode == 2
        read_by_nobody = ran(command, "exec >&-")
        assert (read_by_nobody.returncode, read_by_nobody.stderr) == (1, b"")


@pytest.mark.parametrize("stream", ["exec 2>&-", "exec 2>/dev/full"])
def test_a_bot_that_can_tell_nobody_why_it_does_not_start_ends(stream: str, tmp_path: Path) -> None:
    done = ran(["-m", "bot"], stream, DISCORD_TOKEN="", MAGPIE_DB=str(tmp_path / "g.db"))
    assert (done.returncode, done.stdout) == (2, b"")
