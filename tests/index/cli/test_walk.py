"""What a walk takes, what it names, and what is concluded from what it didn't see."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from index.cli.paths import NotAFile, read_file
from index.cli.vanished import standing, vanished
from index.cli.walk import Listing, walk
from index.types.errors import PictureTooLarge

linux = pytest.mark.skipif(sys.platform != "linux", reason="a file of Linux's own")


def walked(folder: Path, *exclude: str) -> Listing:
    return walk([str(folder)], exclude)


def names(listing: Listing, folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in listing.files]


def touched(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


# ---- odd entries


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such entries")
def test_each_odd_entry_is_named_and_the_rest_is_taken(tmp_path: Path) -> None:
    folder = touched(tmp_path / "p", "a.jpg", "z.jpg")
    (folder / "b.jpg").symlink_to("b.jpg")
    (folder / "c.jpg").symlink_to("a.jpg/below.jpg")
    (folder / "d.jpg").symlink_to("nowhere.jpg")
    (folder / "e.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "f.jpg")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(folder / "g.jpg"))
        listing = walked(folder)
    assert names(listing, folder) == ["a.jpg", "z.jpg"]
    said = {os.path.basename(path): reason for path, reason in listing.unseen.items()}
    assert said == {
        "b.jpg": "It can't be read (it is a link that leads back to itself).",
        "c.jpg": "It can't be read (a part of its path is a file, not a folder).",
        "d.jpg": "It is a link, and what it leads to is not there.",
        "e.jpg": "It is a device, not a file.",
        "f.jpg": "It is a named pipe, not a file.",
        "g.jpg": "It is a socket, not a file.",
    }


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_pipe_that_took_a_pictures_place_after_the_walk_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(NotAFile, match="a named pipe"):
        read_file(tmp_path / "a.jpg")


@linux
@pytest.mark.timeout(60)
def test_device_without_an_end_is_not_read() -> None:
    with pytest.raises(NotAFile, match="a device"):
        read_file("/dev/zero")


def test_file_that_grows_while_it_is_read_ends_at_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.cli import paths
    from index.images.decode import Limits

    monkeypatch.setattr(paths, "LIMITS", Limits(bytes=100_000))
    (tmp_path / "a.jpg").write_bytes(b"x" * 99_999)
    assert len(read_file(tmp_path / "a.jpg")) == 99_999
    before = os.stat(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(b"x" * 200_000)
    monkeypatch.setattr(os, "fstat", lambda _: before)  # as it was when the reading began
    with pytest.raises(PictureTooLarge):
        read_file(tmp_path / "a.jpg")


@linux
def test_folder_that_cannot_be_listed_is_named_and_drops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = touched(tmp_path / "p", "a.jpg")
    deepest = folder
    monkeypatch.chdir(folder)
    for _ in range(18):  # deeper than a path can name
        deepest /= "n" * 240
        os.mkdir("n" * 240)
        monkeypatch.chdir("n" * 240)
    listing = walked(folder)
    assert names(listing, folder) == ["a.jpg"]
    assert list(listing.unlisted.values()) == ["its name is too long"]
    (unlisted,) = listing.unlisted
    known = [f"{unlisted}/b.jpg", f"{deepest}/c.jpg"]
    report = vanished(known, str(folder), listing, ())
    assert (report.gone, report.unlisted) == ([], {unlisted: 2})


# ---- patterns


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.gif", ["a.jpg", "raw/b.jpg", "raw/raw/d.jpg", "x/raw.jpg"]),
        ("raw", ["a.jpg", "c.gif", "x/raw.jpg"]),
        ("raw/", ["a.jpg", "c.gif", "x/raw.jpg"]),
        ("a.jpg/", ["a.jpg", "c.gif", "raw/b.jpg", "raw/raw/d.jpg", "x/raw.jpg"]),
        ("/raw/raw", ["a.jpg", "c.gif", "raw/b.jpg", "x/raw.jpg"]),
        ("raw/*.jpg", ["a.jpg", "c.gif", "raw/raw/d.jpg", "x/raw.jpg"]),
        ("**/raw/*.jpg", ["a.jpg", "c.gif", "x/raw.jpg"]),
        ("?.[jg]*", ["x/raw.jpg"]),
    ],
)
def test_patterns_read_as_in_a_gitignore(tmp_path: Path, pattern: str, left: list[str]) -> None:
    folder = touched(tmp_path, "a.jpg", "c.gif", "raw/b.jpg", "raw/raw/d.jpg", "x/raw.jpg")
    assert names(walked(folder, pattern), folder) == left


# ---- what is gone


def test_only_what_a_listed_folder_lacks_is_gone(tmp_path: Path) -> None:
    folder = touched(tmp_path / "p", "a.jpg", "nas/here.txt", "hidden/b.jpg", "deep/er/c.jpg")
    (folder / "empty").mkdir()
    (folder / "file.jpg").touch()
    (folder / "link").symlink_to(tmp_path / "a drive that is away")
    known = [
        str(folder / name)
        for name in (
            *("a.jpg", "gone.jpg", "nas/gone.jpg", "album/gone.jpg", "deep/er/gone.jpg"),
            *("empty/kept.jpg", "empty/sub/kept.jpg", "hidden/kept.jpg", "link/kept.jpg"),
            "file.jpg/gone.jpg",
        )
    ]
    report = vanished(known, str(folder), walked(folder, "hidden"), ())
    assert all(os.path.basename(source) == "gone.jpg" for source in report.gone)
    assert len(report.gone) == 5
    assert report.empty == {str(folder / "empty"): 2}
    assert (report.mounts, report.unlisted) == ({}, {})


def test_folder_that_failed_in_the_middle_drops_nothing(tmp_path: Path) -> None:
    folder = touched(tmp_path / "p", "a.jpg", "nas/b.jpg")
    listing = walked(folder)
    nas = str(folder / "nas")
    del listing.listed[nas]
    listing.unlisted[nas] = "the drive reports an error"
    known = [f"{nas}/b.jpg", f"{nas}/c.jpg", f"{nas}/sub/d.jpg"]
    report = vanished(known, str(folder), listing, ())
    assert report.gone == []
    assert report.unlisted == {nas: 2}


def test_drive_that_is_away_keeps_its_pictures_though_something_else_is_there(
    tmp_path: Path,
) -> None:
    folder = touched(tmp_path / "p", "a.jpg", "usb/.not-mounted", "media/other.txt")
    usb, stick = str(folder / "usb"), str(folder / "media/stick")
    known = [f"{usb}/b.jpg", f"{stick}/c.jpg", str(folder / "gone.jpg")]
    listing = walked(folder)
    report = vanished(known, str(folder), listing, {usb, stick})
    assert report.mounts == {usb: 1, stick: 1}
    assert report.gone == [str(folder / "gone.jpg")]
    assert standing(f"{stick}/c.jpg", {stick}) == "away"
    # What was copied from the drive into a folder of this name is here to be judged.
    touched(folder, "usb/b.jpg")
    known.append(f"{usb}/gone too.jpg")
    report = vanished(known, str(folder), walked(folder), {usb, stick})
    assert report.mounts == {stick: 1}
    assert f"{usb}/gone too.jpg" in report.gone


def test_standing_of_a_file(tmp_path: Path) -> None:
    folder = touched(tmp_path / "p", "a.jpg")
    (folder / "empty").mkdir()
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "broken.jpg").symlink_to(tmp_path / "a drive that is away" / "x.jpg")
    expected = {
        "a.jpg": "here",
        "b.jpg": "gone",
        "album/b.jpg": "gone",
        "a.jpg/b.jpg": "gone",
        "empty/b.jpg": "away",
        "loop.jpg": "away",
        "broken.jpg": "away",
        "n" * 300: "away",
        "a\0b": "away",
    }
    assert {name: standing(str(folder / name), ()) for name in expected} == expected
