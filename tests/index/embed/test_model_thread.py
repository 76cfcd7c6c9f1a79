"""The model's thread: batches, priorities, cancellation and closing."""

from __future__ import annotations

import asyncio
import threading

import pytest
from PIL import Image

from index.embed import model_thread
from index.embed.model_thread import ModelThread
from index.types.errors import GalleryClosed, ModelUnusable
from tests.index.colours import ColourEmbedder

RED = Image.new("RGB", (8, 8), (255, 0, 0))


async def _busy(thread: ModelThread, embedder: ColourEmbedder) -> asyncio.Task[object]:
    """A picture that the model is computing now."""
    task = asyncio.create_task(thread.images([RED]))
    await asyncio.to_thread(embedder.called.wait)
    return task


async def test_waiting_pictures_go_in_batches_and_each_gets_its_own() -> None:
    embedder = ColourEmbedder(delay_s=0.05)
    thread = ModelThread(embedder)
    first = await _busy(thread, embedder)
    colours = [(255, i, 0) for i in range(0, 200, 20)]
    pictures = [[Image.new("RGB", (8, 8), c)] * (1 + i % 2) for i, c in enumerate(colours)]
    results = await asyncio.gather(*(thread.images(frames) for frames in pictures), first)
    for frames, vectors in zip(pictures, results[:-1], strict=True):
        assert vectors.shape == (len(frames), 3)  # type: ignore[union-attr]
        assert (vectors == ColourEmbedder().images(frames)).all()
    assert max(count for _, count in embedder.calls) == embedder.batch
    assert embedder.threads == {"model"}
    await thread.close()


async def test_a_picture_waits_for_those_that_are_being_decoded() -> None:
    embedder = ColourEmbedder()
    thread = ModelThread(embedder, gather_s=30.0)
    with thread.expecting():
        early = asyncio.create_task(thread.images([RED]))
        question = await thread.texts(["red"], asked=True)
        assert (question[0] == ColourEmbedder().texts(["red"])[0]).all()
        assert not early.done()
    late = asyncio.create_task(thread.images([RED]))
    await asyncio.gather(early, late)
    with thread.expecting():  # a full batch doesn't wait
        await asyncio.gather(*(thread.images([RED]) for _ in range(embedder.batch)))
    await thread.close()


async def test_a_picture_stops_waiting_for_one_that_takes_long_to_decode() -> None:
    thread = ModelThread(ColourEmbedder(), gather_s=0.05)
    with thread.expecting():
        await thread.images([RED])
    await thread.close()


async def test_questions_go_before_waiting_pictures_words_first() -> None:
    embedder = ColourEmbedder(delay_s=0.03)
    thread = ModelThread(embedder)
    done: list[str] = []

    async def note(what: str, work: object) -> None:
        await work  # type: ignore[misc]
        done.append(what)

    first = await _busy(thread, embedder)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(note("picture", thread.images([RED])))
        await asyncio.sleep(0)
        group.create_task(note("asked picture", thread.images([RED], asked=True)))
        group.create_task(note("asked words", thread.texts(["red"], asked=True)))
    await first
    assert done[:2] == ["asked words", "asked picture"]
    await thread.close()


async def test_a_question_is_answered_in_the_middle_of_a_call_for_pictures() -> None:
    embedder = ColourEmbedder(delay_s=0.1)
    thread = ModelThread(embedder)
    done: list[str] = []
    first = await _busy(thread, embedder)
    first.add_done_callback(lambda _: done.append("picture"))
    cancelled = asyncio.create_task(thread.texts(["blue"], asked=True))
    waiting = asyncio.create_task(thread.images([RED]))
    await asyncio.sleep(0)
    cancelled.cancel()
    asked = await asyncio.gather(
        thread.images([RED], asked=True), thread.texts(["red"], asked=True), thread.texts(["green"])
    )
    assert done == ["picture"]
    assert (await waiting == await first).all()  # type: ignore[attr-defined]
    assert [kind for kind, _ in embedder.calls] == ["images", "texts", "images", "texts", "images"]
    assert (asked[1][0] == ColourEmbedder().texts(["red"])[0]).all()
    await thread.close()


async def test_cancelled_picture_is_never_embedded() -> None:
    embedder = ColourEmbedder(delay_s=0.05)
    thread = ModelThread(embedder)
    first = await _busy(thread, embedder)
    unwanted = [asyncio.create_task(thread.images([RED])) for _ in range(3)]
    await asyncio.sleep(0)
    for task in unwanted:
        task.cancel()
    wanted = asyncio.create_task(thread.texts(["red"]))
    await asyncio.gather(first, wanted, *unwanted, return_exceptions=True)
    assert embedder.calls == [("images", 1), ("texts", 1)]
    assert all(task.cancelled() for task in unwanted)
    await thread.close()


async def test_closing_finishes_what_runs_and_fails_what_waits() -> None:
    embedder = ColourEmbedder(delay_s=0.1)
    thread = ModelThread(embedder)
    first = await _busy(thread, embedder)
    waiting = [asyncio.create_task(thread.images([RED])) for _ in range(3)]
    await asyncio.sleep(0)
    await thread.close()
    assert (await first).shape == (1, 3)  # type: ignore[attr-defined]
    for task in waiting:
        with pytest.raises(GalleryClosed):
            await task
    with pytest.raises(GalleryClosed):
        await thread.images([RED])


async def test_one_bad_picture_does_not_spoil_its_batch() -> None:
    class Picky(ColourEmbedder):
        def images(self, frames, between=None):  # type: ignore[no-untyped-def]
            if any(frame.width == 13 for frame in frames):
                self._called("refused", len(frames))
                raise RuntimeError("thirteen")
            return super().images(frames)

    embedder = Picky(delay_s=0.02)
    thread = ModelThread(embedder)
    first = await _busy(thread, embedder)
    good = [asyncio.create_task(thread.images([RED])) for _ in range(2)]
    bad = asyncio.create_task(thread.images([Image.new("RGB", (13, 13))]))
    await asyncio.gather(first, *good)
    with pytest.raises(RuntimeError, match="thirteen"):
        await bad
    await thread.close()


async def test_the_queue_is_bounded() -> None:
    thread = ModelThread(ColourEmbedder(delay_s=0.01))
    most = 0
    tasks = [asyncio.create_task(thread.images([RED])) for _ in range(120)]
    while not all(task.done() for task in tasks):
        most = max(most, thread.waiting)
        await asyncio.sleep(0.001)
    assert 0 < most <= model_thread.MAX_QUEUED[model_thread.Priority.IMAGE]
    await thread.close()


async def test_the_time_does_not_tell_that_somebody_asked_the_same_words_before() -> None:
    embedder = ColourEmbedder()
    thread = ModelThread(embedder)
    for words in ("red", "green", "red"):
        vectors, _ = await thread.texts([words], asked=True)
        assert (vectors == ColourEmbedder().texts([words])[0]).all()
    assert embedder.calls == [("texts", 1)] * 3
    await thread.close()


class Incomplete(ColourEmbedder):
    """Completed when `go` is set; then it fails, if it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.go = threading.Event()
        self._error = error

    def complete(self) -> None:
        assert self.go.wait(30.0)
        if self._error is not None:
            raise self._error
        super().complete()


async def test_words_are_answered_while_the_model_is_completed_and_pictures_wait() -> None:
    embedder = Incomplete()
    thread = ModelThread(embedder)
    completing = [asyncio.create_task(thread.complete()) for _ in range(2)]
    await asyncio.sleep(0)
    pictures = [asyncio.create_task(thread.images([RED], asked=asked)) for asked in (True, False)]
    for _ in range(5):  # between two of them, the thread would take the pictures
        await thread.texts(["red"], asked=True)
    assert embedder.calls == 5 * [("texts", 1)]
    assert not any(one.done() for one in pictures)
    embedder.go.set()
    await asyncio.gather(*completing, *pictures)
    assert embedder.calls[5] == ("complete", 0)
    assert {what for what, _ in embedder.calls[6:]} == {"images"}  # it is completed once
    await thread.close()


async def test_pictures_that_wait_are_not_lost_with_a_model_that_cannot_be_completed() -> None:
    """They are told that the gallery is closed, as all work that the next start goes on with."""
    embedder = Incomplete(ModelUnusable("a model", "its weights are odd"))
    thread = ModelThread(embedder)
    completing = asyncio.create_task(thread.complete())
    await asyncio.sleep(0)
    picture = asyncio.create_task(thread.images([RED]))
    embedder.go.set()
    with pytest.raises(ModelUnusable):
        await completing
    with pytest.raises(GalleryClosed):
        await picture
    await thread.close()
