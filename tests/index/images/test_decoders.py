"""Decoding in a separate process: the same pictures, and no harm to the main process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from checks.fuzzing import bombs, files
from index import (
    DecoderUnusable,
    Filter,
    Gallery,
    Group,
    Link,
    NotAPicture,
    PictureBroken,
    PictureError,
    PictureTooHeavy,
    PictureTooLarge,
    PictureTooSlow,
    Query,
)
from index.embed.embedder import Embedder
from index.images import decode as images
from index.images import decoders
from index.images.decode import Limits

SIDE = 32
SOON = Limits(time_s=0.5)
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="decodes within the process")


@pytest.fixture(autouse=True)
def _no_idle_processes() -> Iterator[None]:
    decoders.close()
    yield
    decoders.close()


def idle() -> list[decoders._Decoder]:
    return [decoder for some in decoders._idle.values() for decoder in some]


def many_scans(count: int, edge: int = 8000) -> bytes:
    """A progressive JPEG with `count` more scans over edge × edge pixels."""
    whole = files.encoded(Image.new("L", (edge, edge), 128), "JPEG", progressive=True)
    end = whole.rindex(b"\xff\xd9")
    return whole[:end] + whole[whole.rindex(b"\xff\xda", 0, end) : end] * count + whole[end:]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("resample", [None, Image.Resampling.BICUBIC])
def test_a_picture_is_the_same_from_a_separate_process(format: str, resample: int | None) -> None:
    for data in files.sound()[format]:
        here = images.decode(data, SIDE, resample=resample)
        separate = decoders.decode(data, SIDE, resample=resample)
        assert [f.tobytes() for f in separate.frames] == [f.tobytes() for f in here.frames]
        facts = (
            separate.width,
            separate.height,
            separate.format,
            separate.orientation,
            separate.n_frames,
        )
        assert facts == (here.width, here.height, here.format, here.orientation, here.n_frames)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", PictureBroken),
        (b"just words", NotAPicture),
        (files.encoded(Image.new("RGB", (60, 60)), "PNG")[:50], PictureBroken),
        (files.encoded(Image.new("1", (20_000, 20_000)), "PNG"), PictureTooLarge),
    ],
    ids=["empty", "text", "cut off", "large"],
)
def test_an_error_arrives_with_all_its_fields(data: bytes, kind: type[PictureError]) -> None:
    with pytest.raises(kind) as here:
        images.decode(data, SIDE)
    with pytest.raises(kind) as separate:
        decoders.decode(data, SIDE)
    assert str(separate.value) == str(here.value)
    assert vars(separate.value) == vars(here.value)
    assert len(idle()) == 1  # the process is still running


def test_a_jpeg_of_endless_scans_is_too_slow() -> None:
    with pytest.raises(PictureTooSlow):
        decoders.decode(many_scans(100_000), SIDE, limits=SOON)
    assert not idle()
    assert decoders.decode(files.sound()["PNG"][0], SIDE).frames


def test_a_picture_that_takes_too_much_memory_is_refused() -> None:
    one_tile = files.tiff_in_tiles(60_000, 60_000, zlib.compress(bytes(100)))  # 3.6 GB
    with pytest.raises(PictureTooHeavy):
        decoders.decode(one_tile, SIDE, limits=Limits(pixels=2**32))
    assert decoders.decode(files.sound()["PNG"][0], SIDE).frames


def test_a_tile_is_no_larger_than_a_picture_may_be() -> None:
    one_tile = files.tiff_in_tiles(9_000, 9_000, zlib.compress(bytes(100)))
    with pytest.raises(PictureTooLarge):
        images.decode(one_tile, SIDE)


def test_a_gif_cannot_grow_beyond_the_limit() -> None:
    with pytest.raises(PictureTooLarge):
        images.decode(bombs.growing(3000, disposal=2), SIDE, limits=Limits(pixels=4_000_000))


def test_wide_numbers_take_no_more_memory_than_their_pixels() -> None:
    ramp = np.linspace(-3e38, 3e38, 3000 * 2000, dtype=np.float32).reshape(2000, 3000)
    data = files.encoded(Image.fromarray(ramp), "TIFF")
    tracemalloc.start()
    frame = images.decode(data, SIDE).frames[0]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert frame.getpixel((0, 0))[0] <= 5
    assert frame.getpixel((frame.width - 1, frame.height - 1))[0] >= 250
    assert peak < 3 * ramp.nbytes


@pytest.mark.parametrize("size", [100, 2**20], ids=["waits for an answer", "hands bytes over"])
def test_a_process_that_hangs_is_ended(size: int) -> None:
    decoders.decode(files.sound()["PNG"][0], SIDE)
    [decoder] = idle()
    os.kill(decoder._process.pid, signal.SIGSTOP)
    rescue = threading.Timer(20, os.kill, (decoder._process.pid, signal.SIGKILL))
    rescue.start()  # so that a broken copy fails instead of hanging, too
    try:
        with pytest.raises(PictureTooSlow):
            decoders.decode(bytes(size), SIDE, limits=Limits(time_s=0.05))
        assert rescue.is_alive()
    finally:
        rescue.cancel()
    assert decoder._process.returncode == -signal.SIGKILL
    assert not idle()
    assert decoders.decode(files.sound()["PNG"][0], SIDE).frames


def answer(frames: object) -> bytes:
    facts = {"width": 40, "height": 40, "format": "PNG", "orientation": 1, "n_frames": 1}
    return json.dumps({**facts, "frames": frames}).encode() + b"\n"


@pytest.mark.parametrize(
    "said",
    [
        answer([[40, 40]]),
        answer([[30, 30]] * 5),
        answer([[0, 1]]),
        answer([[-1, -1]]),
        answer([]),
        answer(["red"]),
        answer(7),
        b'{"frames": [[1, 1]]}\n',
        b'{"error": "Path", "fields": {}, "text": "."}\n',
        b'{"error": "no_such", "fields": {}, "text": "."}\n',
        b"[]\n",
        b"words\n",
        b"\xff\n",
        b"a line without an end",
    ],
    ids=lambda said: said.decode("latin-1").strip(),
)
def test_a_process_that_answers_nonsense_is_ended(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40 × 40 is more than the limit of pixels, and five frames are too many."""
    monkeypatch.setattr(decoders, "COMMAND", [sys.executable, "-c", LIAR, said.hex()])
    with pytest.raises((PictureBroken, PictureTooHeavy)):
        decoders.decode(b"anything", SIDE, limits=Limits(pixels=1000))
    assert not idle()


# A decoder process that gives the same answer to everything, until nobody listens.
LIAR = """
import sys
sys.stdout.buffer.write(b"ready\\n")
sys.stdout.buffer.flush()
sys.stdin.readline()
while True:
    sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_picture_survives_the_kill_of_its_process() -> None:
    data = files.sound()["PNG"][0]
    decoders.decode(data, SIDE)
    [decoder] = idle()
    os.kill(decoder._process.pid, signal.SIGKILL)
    assert decoders.decode(data, SIDE).frames
    [decoder] = idle()
    threading.Timer(0.2, os.kill, (decoder._process.pid, signal.SIGKILL)).start()
    assert decoders.decode(many_scans(20), SIDE).frames


def test_a_picture_that_crashes_every_process_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(*_: object) -> None:
        raise decoders._Ended

    monkeypatch.setattr(decoders._Decoder, "decode", crashing)
    monkeypatch.setattr(decoders._Decoder, "end", lambda self: _crashed(self))
    with pytest.raises(PictureBroken, match="can't cope"):
        decoders.decode(files.sound()["PNG"][0], SIDE)


def _crashed(decoder: decoders._Decoder) -> int:
    decoder._process.kill()
    decoder._process.communicate()
    return -signal.SIGSEGV


def test_a_decoder_ends_with_its_parent() -> None:
    decoders.decode(files.sound()["PNG"][0], SIDE)
    [decoder] = idle()
    decoder._requests.close()
    assert decoder._process.wait(timeout=30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no niceness")
async def test_searches_come_before_pictures_of_questions_and_these_before_new_ones(
    tmp_path: Path, embedder: Embedder
) -> None:
    gallery = await Gallery.open(tmp_path / "gallery.db", embedder)
    await gallery.embed_query(Query(image=files.sound()["PNG"][0]))
    of_a_question = set(idle())
    await gallery.embed_picture(files.sound()["PNG"][0])
    await gallery.close()
    [asked], [new] = of_a_question, set(idle()) - of_a_question
    of_asked, of_new = (os.getpriority(os.PRIO_PROCESS, one._process.pid) for one in (asked, new))
    assert os.nice(0) < of_asked < of_new


async def test_a_search_waits_for_no_picture_that_is_asked_with(
    tmp_path: Path, embedder: Embedder
) -> None:
    gallery = await Gallery.open(tmp_path / "gallery.db", embedder)
    await gallery.add(files.sound()["PNG"][0], Link(1, Group(10), "1", "a"))
    slow = many_scans(200, edge=2000)
    queries = [Query(image=slow + bytes([number])) for number in range(8)]
    asked = [asyncio.create_task(gallery.embed_query(query)) for query in queries]
    try:
        for _ in range(3):
            assert (await gallery.find(Query(text="red"), Filter(1), k=1)).hits
        assert not any(task.done() for task in asked)
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await gallery.close()


@pytest.mark.slow
async def test_a_picture_that_stalls_delays_no_question(tmp_path: Path, embedder: Embedder) -> None:
    gallery = await Gallery.open(tmp_path / "gallery.db", embedder)
    stalling = asyncio.create_task(gallery.embed_picture(many_scans(60)))
    try:
        asked = Query(image=files.sound()["PNG"][0])
        assert (await gallery.embed_query(asked)).vector.size
        assert not stalling.done()
    finally:
        stalling.cancel()
        await asyncio.gather(stalling, return_exceptions=True)
        await gallery.close()


@pytest.mark.parametrize(
    "command", [[sys.executable, "-c", "raise ImportError"], ["/nowhere/python"]]
)
def test_a_process_that_cannot_start_is_not_the_pictures_fault(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "COMMAND", command)
    decoders.close()
    with pytest.raises(DecoderUnusable, match="Nothing is wrong with them"):
        decoders.decode(files.sound()["PNG"][0], SIDE)


@pytest.mark.skipif(sys.platform == "win32", reason="no such processes there")
def test_a_signal_to_all_does_not_end_a_process_that_is_starting() -> None:
    """As Ctrl-C on a terminal reaches every process of the command."""
    decoders.close()
    decoder = decoders._acquire()
    for sent in (signal.SIGINT, signal.SIGTERM):
        os.kill(decoder._process.pid, sent)
    decoders._release(decoder)
    assert decoders.decode(files.sound()["PNG"][0], SIDE).frames
    assert idle() == [decoder]
