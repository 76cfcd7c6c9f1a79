"""Shells complete commands, options, choices and files. Each test needs its shell."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEVER_S = 120


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A folder with `My Photos/` and `a.jpg`, where the command `magpie` is found by its name."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "magpie"
    script.write_text(f"#!{sys.executable}\nimport sys, magpie\nsys.exit(magpie.main())\n")
    script.chmod(0o755)
    (tmp_path / "here" / "My Photos").mkdir(parents=True)
    (tmp_path / "here" / "a.jpg").touch()
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "TERM": "dumb"}
    return os.environ | home | {"PATH": path, "PYTHONPATH": str(ROOT)}


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def in_bash(environment: dict[str, str], tmp_path: Path, *lines: str) -> list[list[str]]:
    """What bash offers behind each of these lines, whose words stand between bars.

    Bash itself splits words at colons, so these stand between bars, too.
    """
    script = """
eval "$(magpie completion bash)"
compopt() { COMPREPLY+=("($2)"); }
for line; do
    IFS='|' read -ra COMP_WORDS <<< "$line|."
    unset 'COMP_WORDS[-1]'
    COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
    _magpie_completion magpie
    (IFS='|'; echo "${COMPREPLY[*]}")
done
"""
    done = subprocess.run(
        [shell("bash"), "--norc", "-c", script, "bash", *lines],
        env=environment, cwd=tmp_path / "here", capture_output=True, text=True, check=True,
        timeout=NEVER_S,
    )  # fmt: skip
    assert done.stderr == ""
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_bash(environment: dict[str, str], tmp_path: Path) -> None:
    offered = {
        "magpie|fi": ["find"],
        "magpie|find|dog|--sh": ["--sheet"],
        "magpie|--db|x.db|find|--lim": ["--limit"],
        "magpie|find|--kind|": ["image", "text"],
        "magpie|find|--image|a": ["(default)"],
        "magpie|add|": ["(default)"],
        "magpie|sandbox|--log|w": ["warning"],
        "magpie|completion|z": ["zsh"],
        # parts of the query language; bash splits words at colons
        "magpie|find|dog|ha": ["has:", "(nospace)"],
        "magpie|find|-ha": ["-has:", "(nospace)"],
        "magpie|find|has|:": ["image", "gif", "video"],
        "magpie|find|dog|-has|:|g": ["gif"],
        "magpie|find|sort|:|n": ["new"],
        "magpie|find|in|:|My": ["(dirnames)"],
    }
    assert in_bash(environment, tmp_path, *offered) == list(offered.values())


@pytest.mark.slow
def test_fish(environment: dict[str, str], tmp_path: Path) -> None:
    script = "magpie completion fish | source; for line in $argv; complete -C $line; end"
    lines = ["magpie fi", "magpie find --sh", "magpie find --kind ", "magpie add My"]
    lines += ["magpie find -ha", "magpie find dog has:g", "magpie find in:My"]
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c", script, *lines],
        env=environment, cwd=tmp_path / "here", capture_output=True, text=True, check=True,
        timeout=NEVER_S,
    )  # fmt: skip
    offered = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert offered == [
        *("find", "--sheet", "image", "text", "My Photos/"),
        *("-has:", "has:gif", "in:My Photos/"),
    ]
    assert "by words, by a picture, or by both" in done.stdout


@pytest.mark.slow
def test_zsh(environment: dict[str, str], tmp_path: Path) -> None:
    """In a terminal of its own: zsh completes nowhere else."""
    shell("zsh")
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover: another process
        os.chdir(tmp_path / "here")
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment)

    def typed(keys: str, until: str) -> str:
        os.write(terminal, keys.encode())
        said = ""
        while until not in said:
            ready, _, _ = select.select([terminal], [], [], NEVER_S)
            assert ready, said
            said += os.read(terminal, 4096).decode("utf-8", "replace")
        return said

    try:
        typed("autoload -U compinit; compinit -u -D; echo rea''dy\n", "ready")
        typed('eval "$(magpie completion zsh)"; echo do""ne\n', "done")
        typed('magpie() { print -r -- "got ${(j:|:)@}" }\n', "\n")
        for keys, got in (
            ("magpie fi\t\n", "got find"),
            ("magpie find --sh\tx.png\n", "got find|--sheet|x.png"),
            ("magpie add My\t\n", "got add|My Photos"),
            ("magpie find ha\tg\t\n", "got find|has:gif"),
            ("magpie find dog -in:My\tx\n", "got find|dog|-in:My Photos/x"),
        ):
            assert typed(keys, got)
    finally:
        os.close(terminal)
        os.waitpid(process, 0)
