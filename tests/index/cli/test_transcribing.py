"""`add` reads the words in pictures after it has made them searchable."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from index.cli.main import main
from index.cli.place import GROUP, SPACE
from index.cli.transcribing import Transcribed, transcribe
from index.gallery import Gallery
from index.ocr import installed
from index.ocr.transcriber import Transcriber
from index.types.errors import PictureBroken
from index.types.records import Link
from tests.index.cli.folders import patches, stored
from tests.index.ocr.posters import poster

Add = Callable[..., int]
Capture = pytest.CaptureFixture[str]

WORDS = "SELECT lines FROM transcripts WHERE NOT stale ORDER BY lines"


class Finds(Transcriber):
    """Finds the same words in every picture, at once; a picture that it was told of, it can't."""

    def __init__(self, broken: bytes = b"none") -> None:
        self.revision = "of a test"
        self.asked: list[bytes] = []
        self._broken = broken

    async def read(self, data: bytes) -> tuple[str, ...]:
        self.asked.append(data)
        if data == self._broken:
            raise PictureBroken("the words in it can't be read")
        return ("found",)


@asynccontextmanager
async def opened(folder: Path, model: Path) -> AsyncIterator[Gallery]:
    gallery = await Gallery.open(folder / "g.db", str(model))
    try:
        yield gallery
    finally:
        await gallery.close()


async def fill(gallery: Gallery, files: Sequence[Path]) -> None:
    for file in files:
        link = Link(space=SPACE, group=GROUP, source=str(file), slot="", posted_at=0.0)
        await gallery.add(file.read_bytes(), link)


@pytest.mark.slow
@pytest.mark.skipif(not installed.installed(), reason="the extra ocr isn't installed")
def test_words_are_read_once_and_again_when_that_is_asked_for(
    add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("MAGPIE_OCR", "auto")
    patches(tmp_path / "photos", 1)
    (tmp_path / "photos" / "poster.png").write_bytes(poster("Nobody told me"))
    assert add("photos") == 0
    assert "Words were found in 1 of 2 pictures;" in capsys.readouterr().out
    assert stored(WORDS) == ["", "Nobody told me"]
    assert main(["info", "--db", "g.db"]) == 0
    assert "words     read in all of them" in capsys.readouterr().out
    assert add("photos") == 0
    assert "Words" not in capsys.readouterr().out
    assert main(["add", "--ocr", "--db", "g.db"]) == 0
    assert "Words were found in 1 of 2 pictures;" in capsys.readouterr().out
    assert stored(WORDS) == ["", "Nobody told me"]


def test_without_the_packages_add_goes_on_and_ocr_says_how_to_install_them(
    add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(installed, "PACKAGES", ("no_such_package",))
    monkeypatch.setenv("MAGPIE_OCR", "auto")
    patches(tmp_path / "photos", 1)
    assert add("photos") == 0
    assert add("--ocr") == 2
    said = capsys.readouterr()
    assert "1 added" in said.out
    assert "pip install '.[ocr]'" in said.out + said.err


def test_a_wrong_choice_is_named(
    add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("MAGPIE_OCR", "maybe")
    patches(tmp_path / "photos", 1)
    assert add("photos") == 2
    assert "MAGPIE_OCR=maybe: must be one of auto, on, off." in capsys.readouterr().err


async def test_what_was_read_stays_when_it_is_stopped_and_the_rest_is_read_later(
    tiny_clip: Path, tmp_path: Path
) -> None:
    files = patches(tmp_path / "photos", 4)
    async with opened(tmp_path, tiny_clip) as gallery:
        reader, stop = Finds(broken=files[0].read_bytes()), threading.Event()
        await gallery.transcripts.begin(reader.revision)
        await fill(gallery, files)

        def stop_after_two(tally: Transcribed) -> None:
            if tally.done == 2:
                stop.set()

        tally = await transcribe(gallery, reader, stop, stop_after_two)
        assert (tally.done, tally.total, tally.stopped) == (2, 4, True)
        assert await gallery.transcripts.count_pending(0) == 2
        tally = await transcribe(gallery, reader, threading.Event(), lambda tally: None)
        assert (tally.done, tally.total, tally.stopped) == (2, 2, False)
        assert sorted(reader.asked) == sorted(file.read_bytes() for file in files)
        assert await gallery.transcripts.count_pending(0) == 0  # nor the one that it couldn't read


async def test_words_of_a_file_that_has_changed_are_not_taken_for_those_of_the_old_picture(
    tiny_clip: Path, tmp_path: Path
) -> None:
    changed, gone, same = patches(tmp_path / "photos", 3)
    async with opened(tmp_path, tiny_clip) as gallery:
        await gallery.transcripts.begin("of a test")
        await fill(gallery, [changed, gone, same])
        changed.write_bytes(poster("something else"))
        gone.unlink()
        tally = await transcribe(gallery, Finds(), threading.Event(), lambda tally: None)
        assert (tally.with_words, tally.left) == (1, 2)
        assert await gallery.transcripts.count_pending(0) == 2


async def test_words_are_read_in_another_file_of_the_same_picture_if_the_newest_is_gone(
    tiny_clip: Path, tmp_path: Path
) -> None:
    [file] = patches(tmp_path / "photos", 1)
    copies = [file, *(file.with_name(f"copy {n}.png") for n in (1, 2))]
    for copy in copies[1:]:
        copy.write_bytes(file.read_bytes())
    async with opened(tmp_path, tiny_clip) as gallery:
        reader = Finds()
        await gallery.transcripts.begin(reader.revision)
        await fill(gallery, copies)
        copies[-1].unlink()
        tally = await transcribe(gallery, reader, threading.Event(), lambda tally: None)
        assert (tally.total, tally.with_words, tally.left) == (1, 1, 0)
        assert len(reader.asked) == 1
