"""What `python -m demo` says before anything runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sandbox import lock

ROOT = Path(__file__).resolve().parent.parent


def test_a_folder_that_another_demo_uses_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "bot.log").write_text("of the other", encoding="utf-8")
    command = [sys.executable, "-m", "demo", "--once", "--fresh", "--port", "0"]
    with lock.hold(tmp_path):
        run = subprocess.run(
            [*command, "--data", str(tmp_path)],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    assert run.returncode == 1
    assert f"{tmp_path} is in use by process {os.getpid()}" in run.stdout
    assert "--data" in run.stdout
    assert not run.stderr
    assert (tmp_path / "bot.log").read_text(encoding="utf-8") == "of the other"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bot.log", lock.NAME]
