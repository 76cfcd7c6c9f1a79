"""`remove` forgets pictures, and leaves files alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from index.cli.main import main
from tests.index.cli.folders import patches, stored


def test_removed_pictures_are_forgotten_and_their_files_stay(
    add: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = patches(tmp_path / "photos", 3)
    patches(tmp_path / "photos 2", 1, seed=1)
    (tmp_path / "songs.txt").write_text("one song\ntwo songs\n")
    (tmp_path / "photos" / "broken.png").write_text("no picture")
    add("photos", "photos 2", "--text", "songs.txt")
    capsys.readouterr()
    assert main(["remove", "photos/0000.png", "songs.txt", "--db", "g.db"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 picture of photos/0000.png forgotten.",
        "2 texts of songs.txt forgotten.",
    ]
    assert main(["remove", "photos", "nowhere", "photos", "--db", "g.db"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 pictures of photos forgotten.",
        "g.db has nothing of nowhere.",
        "g.db has nothing of photos.",
    ]
    assert stored() == [str(tmp_path / "photos 2" / "0000.png")]
    assert all(file.exists() for file in files)
    assert stored("SELECT COUNT(*) FROM items") == [1]
    main(["info", "--db", "g.db"])
    assert "broken" not in capsys.readouterr().out  # files that failed are forgotten, too


def test_nothing_to_remove_is_told_by_the_exit_code(
    add: Callable[..., int], tmp_path: Path
) -> None:
    patches(tmp_path / "photos", 1)
    add("photos")
    assert main(["remove", "elsewhere", "--db", "g.db"]) == 1
    assert len(stored()) == 1
