"""What `find` shows: no file that is gone, copies once, paths for programs, sheets, viewers."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from index.cli.main import main
from tests.index.cli.folders import as_user, child, patches

Add = Callable[..., int]
Capture = pytest.CaptureFixture[str]
# The model is one of random numbers, which nothing fits.
FIND = ["find", "a dog", "--db", "g.db", "--guesses"]


@pytest.fixture
def two(add: Add, tmp_path: Path, capsys: Capture) -> list[Path]:
    """Two pictures in a gallery."""
    files = patches(tmp_path / "photos", 2)
    add("photos")
    capsys.readouterr()
    return files


def hits(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    assert main([*FIND, "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["hits"]
    return found


# ---- what is shown


def test_files_that_are_gone_are_left_out_and_others_take_their_places(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    files = patches(tmp_path / "photos", 8)
    add("photos")
    for file in files[1:6]:
        file.unlink()
    capsys.readouterr()
    assert main([*FIND, "-k", "3"]) == 0
    printed = capsys.readouterr()
    assert [line[0] for line in printed.out.splitlines()[-3:]] == ["1", "2", "3"]
    assert all(str(file.name) in printed.out for file in (files[0], *files[6:]))
    assert printed.err.startswith("Left out: 5 files gone from the disk.")
    files[0].unlink()
    assert len(hits(capsys, "-k", "2")) == 2
    for file in files[6:]:
        file.unlink()
    (tmp_path / "photos" / "notes.txt").touch()
    assert main([*FIND, "-k", "3"]) == 1


def test_file_whose_drive_may_be_away_is_marked(two: list[Path], capsys: Capture) -> None:
    for file in two:
        file.unlink()
    main(FIND)
    printed = capsys.readouterr()
    assert printed.out.count("(can't be read now; is its drive connected?)") == 2
    assert printed.err == ""
    assert main([*FIND, "--paths"]) == 0
    assert capsys.readouterr().out == ""
    assert [hit["readable"] for hit in hits(capsys)] == [False, False]


def test_copies_of_a_picture_are_one_hit_that_names_them(
    add: Add, tmp_path: Path, capsys: Capture
) -> None:
    first, _ = patches(tmp_path / "photos", 2)
    for i in range(30):
        shutil.copy(first, tmp_path / "photos" / f"copy {i:02}.png")
    add("photos")
    capsys.readouterr()
    assert main([*FIND, "-k", "2"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line[0] in "12"]
    assert len(lines) == 2
    (line,) = (line for line in lines if "copy" in line)
    assert line.endswith(
        "photos/0000.png (also photos/copy 00.png, photos/copy 01.png, photos/copy 02.png "
        "and 27 more)"
    )
    first.unlink()
    found = hits(capsys, "-k", "2")
    assert [hit["rank"] for hit in found] == [1, 2]
    (hit,) = (hit for hit in found if hit["copies"])
    assert hit["path"] == str(tmp_path / "photos" / "copy 00.png")
    assert len(hit["copies"]) == 29


def test_look_names_near_pictures_once(two: list[Path], tmp_path: Path, capsys: Capture) -> None:
    shutil.copy(two[1], tmp_path / "photos" / "copy.png")
    model = ["--db", "g.db"]
    main(["add", "photos", *model])
    capsys.readouterr()
    assert main(["look", str(two[0]), *model]) == 0
    said = capsys.readouterr().out
    assert "gallery  in it as photos/0000.png" in said
    assert said.count("photos/0001.png") == 1
    assert "copy.png" not in said


# ---- for other programs


def test_paths_are_bare_and_exact(add: Add, tmp_path: Path) -> None:
    (plain, odd) = patches(tmp_path / "photos", 2)
    odd = odd.rename(tmp_path / "photos" / "two\nlines\x1b[2J é.png")
    add("photos")
    # Bytes for another program pass unchanged, whatever the encoding of what people read.
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    lines = child(*FIND, "--paths", env=ascii_only)
    zeros = child(*FIND, "--paths", "-0", env=ascii_only)
    expected = {os.fsencode(plain), os.fsencode(odd)}
    assert set(zeros.stdout.split(b"\0")) == expected | {b""}
    assert zeros.stdout.replace(b"\0", b"\n") == lines.stdout
    nothing_fits = b'Nothing here looks like "a dog".\n'  # beside the paths, never among them
    assert (lines.stderr, zeros.stderr) == (nothing_fits, nothing_fits)


@pytest.mark.parametrize(
    ("name", "kind"), [("x.jpg", "JPEG"), ("x.WEBP", "WEBP"), ("x.png", "PNG")]
)
def test_sheet_is_what_its_name_says(name: str, kind: str, two: list[Path], tmp_path: Path) -> None:
    assert main([*FIND, "--sheet", name]) == 0
    with Image.open(tmp_path / name) as sheet:
        assert sheet.format == kind
    assert main(["look", str(two[0]), "--db", "g.db", "--out", name]) == 0
    with Image.open(tmp_path / name) as drawn:
        assert drawn.format == kind


def test_sheet_with_control_characters_in_a_name_is_drawn(
    two: list[Path], tmp_path: Path, capsys: Capture
) -> None:
    two[0].rename(tmp_path / "photos" / "a\nb\x1b.png")
    main(["add", "photos", "--db", "g.db"])
    assert main(["find", "a\ndog", *FIND[2:], "--sheet", "x.png"]) == 0
    assert (tmp_path / "x.png").is_file()


def test_sheet_is_refused_before_the_search(two: list[Path], capsys: Capture) -> None:
    assert main([*FIND, "--sheet", "x.gif"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "x.gif can't be written: the ending .gif is not known. Name a .png, .jpg or .webp file.\n"
    )


def test_sheet_overwrites_no_picture_of_the_gallery_and_not_the_one_asked_with(
    two: list[Path], tmp_path: Path, capsys: Capture
) -> None:
    asked = tmp_path / "asked.png"
    shutil.copy(two[0], asked)
    for question, sheet, why in (
        (["find", "dog"], two[1], "is a picture of the gallery"),
        (["find", "--image", str(asked)], asked, "is the picture that you ask with"),
    ):
        before = sheet.read_bytes()
        assert main([*question, *FIND[2:], "--sheet", str(sheet)]) == 2
        assert why in capsys.readouterr().err
        assert sheet.read_bytes() == before


# ---- the system's viewer


@pytest.fixture
def viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program named as the system's opener, which notes what it is to open."""
    if sys.platform == "win32":
        pytest.skip("Windows has no program for this, but a call")
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / ("open" if sys.platform == "darwin" else "xdg-open")
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/opened\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return program


def test_open_shows_the_hits_or_the_sheet(
    viewer: Path, two: list[Path], tmp_path: Path, capsys: Capture
) -> None:
    assert main([*FIND, "--open"]) == 0
    assert set((tmp_path / "opened").read_text().splitlines()) == {str(file) for file in two}
    (tmp_path / "opened").unlink()
    assert main([*FIND, "--open", "--sheet", "x.jpg"]) == 0
    assert (tmp_path / "opened").read_text() == f"{tmp_path / 'x.jpg'}\n"
    viewer.write_text("#!/bin/sh\nexit 3\n")
    capsys.readouterr()
    assert main([*FIND, "--open"]) == 2
    assert "could not open photos/" in capsys.readouterr().err


def test_missing_viewer_is_one_sentence(
    two: list[Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main([*FIND, "--open"]) == 2
    printed = capsys.readouterr()
    assert printed.out.count("photos/") == 2
    assert "on this machine to open photos/" in printed.err


# ---- galleries that can't be opened


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_gallery_that_may_not_be_seen_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o000)
    done = child("info", "--db", "closed/g.db", before=as_user())
    assert done.returncode == 2
    assert done.stderr == b"closed/g.db can't be opened: permission denied.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such links")
def test_gallery_that_is_a_link_to_itself_is_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "g.db").symlink_to("g.db")
    for command in (["info"], ["find", "a dog"], ["remove", "x"], ["add", "."]):
        patches(tmp_path / "photos", 1)
        assert main([*command, "--db", "g.db"]) == 2
        said = capsys.readouterr().err
        assert said == "g.db can't be opened: it is a link that leads back to itself.\n"


def test_something_else_in_the_place_of_a_gallery_is_one_sentence(
    tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "folder").mkdir()
    for command in (["info"], ["find", "a dog"], ["remove", "x"], ["backup", "copy.db"]):
        assert main([*command, "--db", "folder"]) == 2
        said = capsys.readouterr().err
        assert said == "folder can't be a gallery: it is a folder, not a file.\n"
