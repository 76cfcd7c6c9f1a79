"""From the bytes of a picture to its vectors and moments: the same in a gallery and in a worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from index.concurrency import Pool
from index.embed.embedder import Embedder
from index.embed.model_threads import ModelThreads
from index.images import decoders
from index.images.decode import Decoded
from index.stills import stills_of
from index.types.records import EmbeddedPicture, Moment

# With more threads, pictures are decoded faster than a machine embeds them.
MAX_DECODERS = 16


def decoding_threads(cores: int) -> int:
    """How many threads decode new pictures. One of them often waits for its decoder process, or for
    Python's lock; where there are several cores, another one uses the core meanwhile."""
    return min(MAX_DECODERS, 2 * cores) if cores > 1 else 1


async def embedded(key: bytes, data: bytes, model: ModelThreads, decoding: Pool) -> EmbeddedPicture:
    """The picture with this key, decoded and embedded by this model. raises   PictureError"""
    with model.expecting():
        decoded = await decoding.run(decode_for(model.embedder, data))
    vectors = await model.images(decoded.frames)
    return EmbeddedPicture(
        key, "image", vectors, decoded.width, decoded.height,
        revision=model.embedder.revision,
        moments=await _moments(data, decoded, decoding), partial=decoded.partial,
    )  # fmt: skip


def decode_for(model: Embedder, data: bytes) -> Callable[[], Decoded]:
    """What decodes a picture as this model takes it; for a thread. It raises PictureError."""
    return partial(decoders.decode, data, model.side, model.shape, resample=model.resample)


async def _moments(data: bytes, decoded: Decoded, decoding: Pool) -> list[Moment]:
    """What is kept of each frame of an animation; nothing of a still picture."""
    if decoded.n_frames < 2:
        return []
    stills = await decoding.run(partial(stills_of, data, decoded.seconds))
    return [Moment(*one) for one in zip(decoded.seconds, stills, strict=bool(stills))]
