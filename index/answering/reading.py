"""The vocabulary as a model reads it: made once, and kept on disk for the next start.

It is a small file a model, in the user's cache folder. Where that can't be written, each start
makes it anew, in some seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

import numpy as np

from index.answering.background import Background, Bools, is_whole, vocabulary
from index.embed.choices import cache_folder
from index.embed.embedder import Embedder
from index.embed.model_threads import ModelThreads
from index.types.records import Floats

log = logging.getLogger(__name__)

# Words that are embedded in one call. A question that comes meanwhile waits for one call: for
# ViT-B/32 on a core some 30 ms.
WORDS_AT_ONCE = 8
MAX_FILES = 20  # of as many models; the newest are kept
PREFIX = "background-"


def kept(model: Embedder, scale: float) -> Background | None:
    """The background that this model made at an earlier start; None if it has to be made."""
    rows = _read(_path(model.revision), model.dimension)
    return _background(model, rows, scale) if len(rows) == len(vocabulary().words) else None


async def background(threads: ModelThreads, scale: float) -> Background:
    """The background of the model in these threads, made now.

    If it is cancelled, the next start goes on where this one ended.
    scale    of the model
    raises   GalleryClosed, and what the model raises
    """
    words, model = vocabulary().words, threads.embedder
    path = _path(model.revision)
    rows = await asyncio.to_thread(_read, path, model.dimension)
    parts = [rows]
    try:
        for start in range(len(rows), len(words), WORDS_AT_ONCE):
            vectors, _ = await threads.texts(words[start : start + WORDS_AT_ONCE])
            parts.append(vectors)
    finally:
        rows = np.concatenate(parts)
        await asyncio.to_thread(_write, path, rows)
    return await asyncio.to_thread(_background, model, rows, scale)


def _background(model: Embedder, rows: Floats, scale: float) -> Background:
    """The vocabulary, of which this model has made these rows, (v, d)."""
    words, kinds = vocabulary().words, np.array(vocabulary().kinds)
    return Background(words, kinds, rows, _whole(model), scale, model.bias)


def _whole(model: Embedder) -> Bools:
    """(v,) whether the model's tokenizer has each word in one piece."""
    return np.array([is_whole(word, model.pieces) for word in vocabulary().words])


def _path(revision: str) -> Path | None:
    """The file of a model and of this vocabulary; None for a user without a home."""
    text = "\n".join((revision, *vocabulary().words))
    with contextlib.suppress(RuntimeError):
        return cache_folder() / f"{PREFIX}{hashlib.sha256(text.encode()).hexdigest()[:32]}.npy"
    return None


def _read(path: Path | None, dimension: int) -> Floats:
    """The rows that were kept, (n, d), n at most as many as words; none if the file is damaged."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        if path is not None:
            rows: Floats = np.load(path).astype(np.float32)
            if rows.ndim == 2 and rows.shape[1] == dimension and np.isfinite(rows).all():
                return rows[: len(vocabulary().words)]
    return np.zeros((0, dimension), np.float32)


def _write(path: Path | None, rows: Floats) -> None:
    """Keep the rows. Half precision moves a cosine by less than a thousandth."""
    if path is None:
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written under another name first: an end in the middle must not leave half a file.
        number, made = tempfile.mkstemp(dir=path.parent, prefix=PREFIX)
        try:
            with open(number, "wb") as file:
                np.save(file, rows.astype(np.float16))
            os.replace(made, path)
        except BaseException:
            os.unlink(made)
            raise
        kept = sorted(path.parent.glob(f"{PREFIX}*.npy"), key=lambda one: one.stat().st_mtime)
        for old in kept[:-MAX_FILES]:
            old.unlink()
    except OSError as exc:
        log.debug("the background is not kept: %s", exc)
