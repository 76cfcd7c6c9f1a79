"""The model's threads: batches, priorities, cancellation and closing."""

from __future__ import annotations

import asyncio
import threading

import pytest
from PIL import Image

from index.embed import model_threads
from index.embed.model_threads import ModelThreads
from index.types.errors import GalleryClosed, ModelUnusable
from tests.index.colours import ColourEmbedder

RED = Image.new("RGB", (8, 8), (255, 0, 0))


async def _busy(thread: ModelThreads, embedder: ColourEmbedder) -> asyncio.Task[object]:
    """A picture that the model is computing until `go` is set."""
    embedder.go.clear()
    task = asyncio.create_task(thread.images([RED]))
    await asyncio.to_thread(embedder.called.wait)
    return task


async def _queued(thread: ModelThreads, count: int) -> None:
    async with asyncio.timeout(60):
        while thread.waiting < count:  # noqa: ASYNC110 (callers are on their way)
            await asyncio.sleep(0.001)


async def test_waiting_pictures_go_in_batches_and_each_gets_its_own() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1)
    first = await _busy(thread, embedder)
    colours = [(255, i, 0) for i in range(0, 200, 20)]
    pictures = [[Image.new("RGB", (8, 8), c)] * (1 + i % 2) for i, c in enumerate(colours)]
    tasks = [asyncio.create_task(thread.images(frames)) for frames in pictures]
    await _queued(thread, len(tasks))
    embedder.go.set()
    await first
    for frames, vectors in zip(pictures, await asyncio.gather(*tasks), strict=True):
        assert vectors.shape == (len(frames), 3)  # type: ignore[union-attr]
        assert (vectors == ColourEmbedder().images(frames)).all()
    assert max(count for _, count in embedder.calls) == embedder.batch
    assert embedder.threads == {"model_0"}
    await thread.close()


async def test_a_picture_waits_for_those_that_are_being_decoded() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1, gather_s=30.0)
    await thread.images([RED])
    with thread.expecting():
        early = asyncio.create_task(thread.images([RED]))
        for _ in range(5):  # between two of them, the thread would take the picture
            question = await thread.texts(["red"], asked=True)
            assert (question[0] == ColourEmbedder().texts(["red"])[0]).all()
        assert embedder.calls == [("images", 1), *5 * [("texts", 1)]]
        assert not early.done()
    late = asyncio.create_task(thread.images([RED]))
    await asyncio.gather(early, late)
    with thread.expecting():  # a full batch doesn't wait
        await asyncio.gather(*(thread.images([RED]) for _ in range(embedder.batch)))
    await thread.close()


async def test_a_picture_stops_waiting_for_one_that_takes_long_to_decode() -> None:
    thread = ModelThreads(ColourEmbedder(), 1, gather_s=0.05)
    with thread.expecting():
        await thread.images([RED])
    await thread.close()


async def test_questions_go_before_waiting_pictures_words_first() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1)
    done: list[str] = []

    async def note(what: str, work: object) -> None:
        await work  # type: ignore[misc]
        done.append(what)

    first = await _busy(thread, embedder)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(note("picture", thread.images([RED])))
        await _queued(thread, 8)
        group.create_task(note("asked picture", thread.images([RED], asked=True)))
        group.create_task(note("asked words", thread.texts(["red"], asked=True)))
        await _queued(thread, 10)
        embedder.go.set()
    await first
    assert done[:2] == ["asked words", "asked picture"]
    await thread.close()


async def test_a_question_is_answered_in_the_middle_of_a_call_for_pictures() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1)
    done: list[str] = []
    first = await _busy(thread, embedder)
    first.add_done_callback(lambda _: done.append("picture"))
    cancelled = asyncio.create_task(thread.texts(["blue"], asked=True))
    waiting = asyncio.create_task(thread.images([RED]))
    await _queued(thread, 2)
    cancelled.cancel()
    questions = asyncio.gather(
        thread.images([RED], asked=True), thread.texts(["red"], asked=True), thread.texts(["green"])
    )
    await _queued(thread, 5)
    embedder.go.set()
    asked = await questions
    assert done == ["picture"]
    assert (await waiting == await first).all()  # type: ignore[attr-defined]
    assert [kind for kind, _ in embedder.calls] == ["images", "texts", "images", "texts", "images"]
    assert (asked[1][0] == ColourEmbedder().texts(["red"])[0]).all()
    await thread.close()


async def test_cancelled_picture_is_never_embedded() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1)
    first = await _busy(thread, embedder)
    unwanted = [asyncio.create_task(thread.images([RED])) for _ in range(3)]
    await _queued(thread, 3)
    for task in unwanted:
        task.cancel()
    wanted = asyncio.create_task(thread.texts(["red"]))
    await _queued(thread, 4)
    embedder.go.set()
    await asyncio.gather(first, wanted, *unwanted, return_exceptions=True)
    assert embedder.calls == [("images", 1), ("texts", 1)]
    assert all(task.cancelled() for task in unwanted)
    await thread.close()


async def test_closing_finishes_what_runs_and_fails_what_waits() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1)
    first = await _busy(thread, embedder)
    waiting = [asyncio.create_task(thread.images([RED])) for _ in range(3)]
    await _queued(thread, 3)
    closing = asyncio.create_task(thread.close())
    await asyncio.sleep(0)
    embedder.go.set()
    await closing
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

    embedder = Picky()
    thread = ModelThreads(embedder, 1)
    first = await _busy(thread, embedder)
    good = [asyncio.create_task(thread.images([RED])) for _ in range(2)]
    bad = asyncio.create_task(thread.images([Image.new("RGB", (13, 13))]))
    await _queued(thread, 3)
    embedder.go.set()
    await asyncio.gather(first, *good)
    with pytest.raises(RuntimeError, match="thirteen"):
        await bad
    await thread.close()


async def test_the_queue_is_bounded() -> None:
    thread = ModelThreads(ColourEmbedder(delay_s=0.01), 1)
    most = 0
    tasks = [asyncio.create_task(thread.images([RED])) for _ in range(120)]
    while not all(task.done() for task in tasks):
        most = max(most, thread.waiting)
        await asyncio.sleep(0.001)
    assert 0 < most <= model_threads.pictures_at_once(1)
    await thread.close()


async def test_the_time_does_not_tell_that_somebody_asked_the_same_words_before() -> None:
    embedder = ColourEmbedder()
    thread = ModelThreads(embedder, 1)
    for words in ("red", "green", "red"):
        vectors, _ = await thread.texts([words], asked=True)
        assert (vectors == ColourEmbedder().texts([words])[0]).all()
    assert embedder.calls == [("texts", 1)] * 3
    await thread.close()


class Incomplete(ColourEmbedder):
    """Completed when `completed` is set; then it fails, if it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.completed = threading.Event()
        self._error = error

    def complete(self) -> None:
        assert self.completed.wait(60.0)
        if self._error is not None:
            raise self._error
        super().complete()


async def test_words_are_answered_while_the_model_is_completed_and_pictures_wait() -> None:
    embedder = Incomplete()
    threads = ModelThreads(embedder, 1)
    completing = [asyncio.create_task(threads.complete()) for _ in range(2)]
    await asyncio.sleep(0)
    pictures = [asyncio.create_task(threads.images([RED], asked=asked)) for asked in (True, False)]
    for _ in range(5):  # between two of them, the thread would take the pictures
        await threads.texts(["red"], asked=True)
    assert embedder.calls == 5 * [("texts", 1)]
    assert not any(one.done() for one in pictures)
    embedder.completed.set()
    await asyncio.gather(*completing, *pictures)
    assert embedder.calls[5] == ("complete", 0)
    assert {what for what, _ in embedder.calls[6:]} == {"images"}  # it is completed once
    await threads.close()


async def test_pictures_that_wait_are_not_lost_with_a_model_that_cannot_be_completed() -> None:
    """They are told that the gallery is closed, as all work that the next start goes on with."""
    embedder = Incomplete(ModelUnusable("a model", "its weights are odd"))
    threads = ModelThreads(embedder, 1)
    completing = asyncio.create_task(threads.complete())
    await asyncio.sleep(0)
    picture = asyncio.create_task(threads.images([RED]))
    embedder.completed.set()
    with pytest.raises(ModelUnusable):
        await completing
    with pytest.raises(GalleryClosed):
        await picture
    await threads.close()


async def test_each_core_computes_a_batch_of_its_own() -> None:
    together = threading.Barrier(2, timeout=60.0)

    class Meeting(ColourEmbedder):
        def images(self, frames, between=None):  # type: ignore[no-untyped-def]
            if len(frames) > 1:  # the first call is alone: the other thread starts behind it
                together.wait()
            return super().images(frames)

    embedder = Meeting()
    threads = ModelThreads(embedder, 2, gather_s=60.0)
    await threads.images([RED])
    with threads.expecting():  # so that each batch waits until it is full, and there are two
        vectors = await asyncio.gather(*(threads.images([RED]) for _ in range(2 * embedder.batch)))
    assert all((one == vectors[0]).all() for one in vectors)
    assert embedder.calls == [("images", 1), *2 * [("images", embedder.batch)]]
    assert embedder.threads == {"model_0", "model_1"}
    await threads.close()


async def test_idle_threads_share_the_pictures_that_are_there() -> None:
    embedder = ColourEmbedder(delay_s=0.05)
    threads = ModelThreads(embedder, 4, gather_s=60.0)
    await threads.images([RED])
    embedder.calls.clear()
    # None begins before all of them are queued.
    with threads.expecting():
        pictures = [asyncio.create_task(threads.images([RED])) for _ in range(3)]
        async with asyncio.timeout(30):
            while threads._idle < 4:  # noqa: ASYNC110 (the other threads are being started)
                await asyncio.sleep(0.001)
    await asyncio.gather(*pictures)
    assert embedder.calls == [("images", 1)] * 3
    await threads.close()


async def test_a_gpu_has_one_thread() -> None:
    embedder = ColourEmbedder()
    embedder.device = "cuda:0"
    threads = ModelThreads(embedder, 4)
    for _ in range(2):
        await asyncio.gather(*(threads.images([RED]) for _ in range(3 * embedder.batch)))
    assert embedder.threads == {"model_0"}
    await threads.close()
