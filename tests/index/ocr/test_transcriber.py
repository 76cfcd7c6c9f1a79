"""Words read in pictures, by a process that can do nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image, ImageDraw, ImageFont

from bench.photographs import jpeg
from checks.fuzzing import files, films
from demo import FOLDER as DEMO
from index.clips.clip import BytesSource
from index.clips.readers import scenes_of
from index.images import confinement, decoders
from index.ocr import installed, limits, transcriber
from index.ocr.transcriber import Transcriber
from index.types.errors import GalleryClosed, OCRUnusable, PictureBroken
from tests.index.ocr.posters import poster

with_extra = pytest.mark.skipif(not installed.installed(), reason="the extra ocr isn't installed")


@pytest_asyncio.fixture
async def reader() -> AsyncIterator[Transcriber]:
    made = Transcriber()
    yield made
    await made.close()


def process_of(reader: Transcriber) -> int:
    assert reader._process is not None
    return reader._process.pid


async def begun(reader: Transcriber) -> None:
    """Wait until a picture is before the process."""
    while not reader._turn.locked():  # noqa: ASYNC110 (nothing tells of it)
        await asyncio.sleep(0.001)


@with_extra
@pytest.mark.slow
async def test_words_are_read_in_their_order_whichever_way_they_stand(reader: Transcriber) -> None:
    said = ("Nobody told me there", "would be so many birds")
    for turn in (0, 90, 180):
        assert await reader.read(poster(*said, turn=turn)) == said
    assert await reader.read(jpeg(2)) == ()  # a photograph of a cat
    with pytest.raises(PictureBroken):
        await reader.read(files.sound()["PNG"][0][:60])


SAID = ("The first door", "A second window", "Nobody told me", "So many birds", "It ends here")


def shots() -> list[Image.Image]:
    """Scenes of their own colours, each with other words, which it keeps for a second."""
    colours = ("#f4e8d0", "#a0d8a0", "#90b0f0", "#f0a0a0", "#e0e060")
    shown = []
    for colour, line in zip(colours, SAID, strict=True):
        image = Image.new("RGB", (640, 360), colour)
        ImageDraw.Draw(image).text((60, 150), line, "#203040", ImageFont.load_default(52))
        shown.append(image)
    return shown


@with_extra
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["GIF", "video"])
async def test_the_words_of_every_scene_are_read(reader: Transcriber, kind: str) -> None:
    first, *others = scenes = shots()
    if kind == "video":
        frames = (np.asarray(scene) for scene in scenes for _ in range(10))
        clip = films.encoded(frames, "libx264", "mp4", 10)
        data = await scenes_of(BytesSource(clip))
        assert data == await scenes_of(BytesSource(clip))  # else it couldn't be read later
    else:
        data = files.encoded(first, "GIF", save_all=True, append_images=others, duration=1000)
    assert await reader.read(data) == SAID


@with_extra
@pytest.mark.slow
async def test_narrow_blanks_between_thick_letters_are_read(reader: Transcriber) -> None:
    meme = (DEMO / "pictures" / "419.webp").read_bytes()
    assert await reader.read(meme) == ("WHO WROTE", "THIS CODE")


@with_extra
@pytest.mark.slow
async def test_the_process_can_open_nothing_and_knows_no_token(
    reader: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2")
    assert await reader.read(poster("Magpie")) == ("Magpie",)
    place = Path(f"/proc/{process_of(reader)}")
    assert b"hunter2" not in (place / "environ").read_bytes()
    said = (place / "limits").read_text()
    for limit in ("file size", "core file size", "open files"):
        assert re.search(rf"^Max {limit} +0 +0 ", said, re.M), limit
    assert re.search(rf"^Max address space +{limits.MEMORY_BYTES} ", said, re.M)
    if confinement._libseccomp() is not None:
        assert re.search(r"^Seccomp:\t2$", (place / "status").read_text(), re.M)
    assert (place / "oom_score_adj").read_text().strip() == "1000"
    assert os.getpriority(os.PRIO_PROCESS, process_of(reader)) > os.getpriority(os.PRIO_PROCESS, 0)


@with_extra
@pytest.mark.slow
async def test_long_lines_take_little_memory(reader: Transcriber) -> None:
    image = Image.new("RGB", (800, 330), "white")
    for place in range(8):
        words = "Nobody told me there would be so many birds. " * 2
        ImageDraw.Draw(image).text((5, 5 + 40 * place), words, "black", ImageFont.load_default(20))
    assert await reader.read(files.encoded(image, "PNG"))
    place = Path(f"/proc/{process_of(reader)}")
    said = (place / "status").read_text()
    peak = re.search(r"^VmHWM:\s+(\d+) kB", said, re.M)
    assert peak is not None
    assert int(peak[1]) < 600_000  # read together, the lines take 680 MB


@with_extra
@pytest.mark.slow
async def test_a_process_that_crashes_or_stops_costs_one_picture(
    reader: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = poster("Magpie")
    assert await reader.read(picture) == ("Magpie",)
    os.kill(process_of(reader), signal.SIGSEGV)
    with pytest.raises(PictureBroken):
        await reader.read(picture)
    assert await reader.read(picture) == ("Magpie",)
    os.kill(process_of(reader), signal.SIGKILL)  # from outside: the picture is tried once more
    assert await reader.read(picture) == ("Magpie",)
    with monkeypatch.context() as patch:
        patch.setattr(transcriber, "WALL_CLOCK_S", 0.5)
        os.kill(process_of(reader), signal.SIGSTOP)
        with pytest.raises(PictureBroken):
            await reader.read(picture)
    assert await reader.read(picture) == ("Magpie",)


@with_extra
@pytest.mark.slow
async def test_it_rests_and_ends_and_a_cancelled_picture_leaves_no_answer_behind(
    reader: Transcriber,
) -> None:
    assert await reader.read(poster("Magpie")) == ("Magpie",)
    reading = asyncio.create_task(reader.read(poster("another one")))
    await begun(reader)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await reader.read(poster("Magpie")) == ("Magpie",)
    resting = process_of(reader)
    await reader.rest()
    with pytest.raises(ProcessLookupError):
        os.kill(resting, 0)
    assert await reader.read(poster("Magpie")) == ("Magpie",)
    reading = asyncio.create_task(reader.read(poster("another one")))
    await begun(reader)
    await reader.close()
    with pytest.raises(GalleryClosed):
        await reading
    with pytest.raises(GalleryClosed):
        await reader.read(poster("Magpie"))


def test_without_the_packages_it_says_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "PACKAGES", ("rapidocr", "no_such_package"))
    with pytest.raises(OCRUnusable, match=r"pip install '\.\[ocr\]'"):
        Transcriber()


@with_extra
def test_only_models_of_the_package_are_loaded() -> None:
    """So nothing is downloaded: the package would fetch a model that it doesn't find."""
    found = installed.models()
    for file in (found.detection, found.direction, found.recognition):
        assert file.is_file()
        assert "rapidocr" in file.parts
    assert decoders.environment().keys().isdisjoint({"DISCORD_TOKEN", "HTTPS_PROXY"})
