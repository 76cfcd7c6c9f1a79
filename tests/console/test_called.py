"""A printed example runs when it is pasted: it names the program as it was called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a script that prints how it was called, and a module that does."""
    code = "from console.called import as_typed\nprint(as_typed())\n"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "prog").write_text(f"#!{sys.executable}\n{code}")
    (tmp_path / "bin" / "prog").chmod(0o755)
    (tmp_path / "plain.py").write_text(code)
    (tmp_path / "python 3").symlink_to(sys.executable)
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="Windows starts scripts otherwise")
@pytest.mark.parametrize(
    ("command", "called"),
    [
        ("prog", "prog"),
        ("{}/bin/prog", "prog"),
        ("PATH=/usr/bin:/bin; bin/prog", "bin/prog"),
        ("PATH=/usr/bin:/bin; {}/bin/prog", "{}/bin/prog"),
        ("'./python 3' -m plain", "'./python 3' -m plain"),
        ("'./python 3' plain.py", "'./python 3' plain.py"),
    ],
)
def test_as_typed(folder: Path, command: str, called: str) -> None:
    environment = os.environ | {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    done = subprocess.run(
        ["sh", "-c", command.format(folder)],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == called.format(folder)
