"""The vocabulary is read once a model: kept on disk, behind questions, and never half."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from index import Filter, Gallery, Query
from index.answering import reading
from index.answering.background import vocabulary
from index.embed import checkpoint, embedder
from index.embed.model_threads import ModelThreads
from index.types.records import Floats
from tests.index.colours import ColourEmbedder

COUNT = len(vocabulary().words)


class Counting(ColourEmbedder):
    """It can tell how probable a text is, and counts the texts that it reads."""

    scale: float | None = 20.0

    def __init__(self, delay_s: float = 0.0) -> None:
        super().__init__(delay_s)
        self.read = 0
        self.some_read = threading.Event()  # some, and not yet all

    def texts(self, texts: Sequence[str]) -> tuple[Floats, list[str | None]]:
        self.read += len(texts)
        if self.read > 100:
            self.some_read.set()
        return super().texts(texts)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "magpie"


@pytest.fixture
def blocked(cache: Path) -> Path:
    """The cache folder, whose place a file has."""
    cache.parent.mkdir()
    cache.write_text("no folder")
    return cache


@pytest.fixture
async def thread() -> AsyncIterator[ModelThreads]:
    thread = ModelThreads(Counting(), 1)
    yield thread
    await thread.close()


def read(thread: ModelThreads) -> int:
    assert isinstance(thread.embedder, Counting)
    return thread.embedder.read


def files(cache: Path) -> list[Path]:
    return sorted(cache.iterdir())


async def test_it_is_read_once_a_model(thread: ModelThreads, cache: Path) -> None:
    made = await reading.background(thread, 20.0)
    again = await reading.background(thread, 20.0)
    assert read(thread) == COUNT
    assert np.abs(made.columns - again.columns).max() < 1e-3
    assert [path.suffix for path in files(cache)] == [".npy"]
    thread.embedder.revision = "2"
    await reading.background(thread, 20.0)
    assert read(thread) == 2 * COUNT


async def test_reading_goes_on_where_it_was_interrupted(thread: ModelThreads) -> None:
    task = asyncio.create_task(reading.background(thread, 20.0))
    await asyncio.to_thread(thread.embedder.some_read.wait)  # type: ignore[attr-defined]
    task.cancel()
    await asyncio.wait([task])
    assert read(thread) < COUNT
    await reading.background(thread, 20.0)
    assert read(thread) <= COUNT + reading.WORDS_AT_ONCE


@pytest.mark.parametrize("damage", [b"", b"not an array", None])
async def test_a_damaged_file_is_made_anew(
    thread: ModelThreads, cache: Path, damage: bytes | None
) -> None:
    await reading.background(thread, 20.0)
    (file,) = files(cache)
    file.write_bytes(file.read_bytes()[:-100] if damage is None else damage)
    made = await reading.background(thread, 20.0)
    assert read(thread) == 2 * COUNT
    assert len(made.lengths) == COUNT


async def test_a_folder_that_cannot_be_written_costs_only_time(
    thread: ModelThreads, blocked: Path
) -> None:
    for _ in range(2):
        assert len((await reading.background(thread, 20.0)).lengths) == COUNT
    assert read(thread) == 2 * COUNT


async def test_questions_go_first_and_are_answered_before_it_is_read(tmp_path: Path) -> None:
    model = Counting(delay_s=0.005)
    async with asyncio.timeout(60):
        gallery = await Gallery.open(tmp_path / "g.db", model)
        embedding = await gallery.embed_query(Query("red"))
        assert model.read < COUNT / 2
        await gallery.search(embedding, Filter(0), k=1)
        await gallery.close()
    assert model.read < COUNT


async def test_scale_and_bias_are_the_checkpoints_own(tmp_path: Path) -> None:
    import safetensors.torch
    import torch

    from tests.index import checkpoints

    folder = checkpoints.siglip_b16(tmp_path / "siglip")
    file = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(file)
    tensors["logit_scale"], tensors["logit_bias"] = torch.tensor([4.7]), torch.tensor([-16.5])
    safetensors.torch.save_file(tensors, file, {"format": "pt"})
    model = embedder.load(checkpoint.find(str(folder)), "cpu", whole=False)
    assert model.scale == pytest.approx(np.exp(4.7))
    assert model.bias == pytest.approx(-16.5)
    assert model.pieces("a dog in snow") == 4
    os.remove(file)  # half a gigabyte
