"""`map`, on a folder of pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from index.cli.main import main
from tests.index.colours import png


@pytest.fixture
def gallery(tmp_path: Path, tiny_clip: Path) -> list[str]:
    """The options of a gallery of twelve pictures."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.png").write_bytes(png((20 * number, 200 - 9 * number, 90)))
    options = ["--db", str(tmp_path / "g.db")]
    assert main(["add", str(folder), "--model", str(tiny_clip), *options]) == 0
    return options


def test_each_picture_is_counted(gallery: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["map", *gallery, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == sum(one["pictures"] for one in told["clusters"]) == 12
    assert all(Path(one["path"]).exists() for one in told["clusters"])


def test_the_map_is_drawn(
    gallery: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "map.png"
    assert main(["map", *gallery, str(out)]) == 0
    assert "12 pictures" in capsys.readouterr().out
    with Image.open(out) as drawn:
        assert drawn.width > 1000


def test_a_map_never_takes_the_place_of_a_picture(gallery: list[str], tmp_path: Path) -> None:
    picture = tmp_path / "photos" / "3.png"
    before = picture.read_bytes()
    assert main(["map", *gallery, str(picture)]) == 2
    assert picture.read_bytes() == before


def test_an_empty_gallery_has_no_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", "--db", str(tmp_path / "none.db")]) == 2
    assert "no gallery" in capsys.readouterr().err
