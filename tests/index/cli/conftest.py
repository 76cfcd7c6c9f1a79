"""A folder of photographs, and `add`, for the tests of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from index.cli.main import main


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test runs in its own folder, without a gallery."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def add(tiny_clip: Path) -> Callable[..., int]:
    def run(*arguments: str) -> int:
        return main(["add", *arguments, "--db", "g.db", "--model", str(tiny_clip)])

    return run


@pytest.fixture
def photos(photographs: dict[str, bytes], tmp_path: Path) -> Path:
    """A folder with photographs in three subfolders, and files that are not pictures."""
    folder = tmp_path / "photos"
    for i, (name, data) in enumerate(photographs.items()):
        (folder / f"album {i % 3}").mkdir(parents=True, exist_ok=True)
        (folder / f"album {i % 3}" / name).write_bytes(data)
    (folder / "notes.txt").write_text("not a picture\n")
    (folder / ".hidden.png").write_bytes(b"never read")
    return folder
