"""`copies` tells where else a picture is; `find` names near-copies with the picture."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from index.cli.main import main

Add = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def edited(add: Add, photos: Path, capsys: Capture) -> Path:
    """A photograph in a gallery with an edited and an exact copy of it, and other photographs."""
    original = photos / "album 0" / "astronaut.png"
    (photos / "same.png").write_bytes(original.read_bytes())
    with Image.open(original) as picture:
        picture.convert("L").save(photos / "grey.jpg", quality=80)
    for name, changed in (("same.png", 86_400), ("grey.jpg", 2 * 86_400)):
        os.utime(photos / name, (changed, changed))
    add("photos")
    capsys.readouterr()
    return original


def test_copies_of_a_picture_are_listed_oldest_first(edited: Path, capsys: Capture) -> None:
    assert main(["copies", str(edited), "--db", "g.db"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 copies of photos/album 0/astronaut.png, the oldest first:",
        "1970-01-02  photos/same.png  the same picture",
        "1970-01-03  photos/grey.jpg  an edited version",
    ]
    assert main(["copies", str(edited), "--db", "g.db", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["copies"]
    assert [(one["kind"], one["edits"], one["readable"]) for one in found] == [
        ("exact", [], True),
        ("copy", [], True),
    ]


def test_a_picture_without_copies_is_told_from_what_looks_like_it(
    edited: Path, photos: Path, capsys: Capture
) -> None:
    other = photos / "album 0" / "rocket.jpg"
    assert main(["copies", str(other), "--db", "g.db"]) == 1
    assert capsys.readouterr().out == (
        "No copy of photos/album 0/rocket.jpg is in the gallery. What looks like it:\n"
        f"  python -m index find --image '{other}' --db g.db\n"
    )


def test_copies_that_are_gone_from_the_disk_are_left_out(
    edited: Path, photos: Path, capsys: Capture
) -> None:
    (photos / "same.png").unlink()
    (photos / "grey.jpg").unlink()
    assert main(["copies", str(edited), "--db", "g.db"]) == 1
    with Image.open(edited) as picture:
        picture.crop((40, 40, 480, 480)).save(photos / "part.png")
    main(["add", "photos", "--db", "g.db"])
    capsys.readouterr()
    assert main(["copies", str(photos / "part.png"), "--db", "g.db"]) == 0
    assert "astronaut.png  an edited version (cropped)\n" in capsys.readouterr().out
    assert main(["copies", "nowhere.png", "--db", "g.db"]) == 2
    assert "nowhere.png can't be read" in capsys.readouterr().err


def test_near_copies_are_one_hit_that_names_them(
    edited: Path, photos: Path, capsys: Capture
) -> None:
    assert main(["find", "--image", str(edited), "--db", "g.db", "--json", "--guesses"]) == 0
    (first, *others) = json.loads(capsys.readouterr().out)["hits"]
    assert first["path"] == str(edited)
    assert first["copies"] == [str(photos / "same.png"), str(photos / "grey.jpg")]
    assert not {hit["path"] for hit in others} & set(first["copies"])
