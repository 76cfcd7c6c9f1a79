"""A folder of mixed files: each picture is searched, each other file is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks import folder as folders
from checks.fuzzing import files
from index.cli.commands import add as add_command
from index.cli.walk import NOT_READ, RARELY_USED, READ


@pytest.mark.slow
def test_each_file_is_searched_or_refused(
    tiny_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add_command, "BROKEN_SHOWN", 1000)
    photos = tmp_path / "photos"
    sound = folders.fill(photos, 80, seed=3)
    for ending in (*READ, *RARELY_USED, *NOT_READ):
        (photos / f"other{ending}").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    for format, endings in folders.ENDINGS.items():
        for number, data in enumerate(files.sound()[format]):
            place = photos / f"{number}{endings[0]}"
            place.write_bytes(data)
            sound.add(str(place))
    searched, refused, _ = folders.added(photos, tmp_path / "g.db", tiny_clip)
    assert sound <= searched
    assert {str(path) for path in photos.rglob("*.*")} == searched | set(refused)
    assert not searched & set(refused)
    assert refused[str(photos / "other.jxl")].startswith("This is an SVG drawing, which can't be")
