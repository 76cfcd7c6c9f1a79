"""From the bytes of a picture to its vectors and moments: the same in a gallery and in a worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from index.concurrency import Pool
from index.embed.embedder import Embedder
from index.embed.model_thread import ModelThread
from index.images import decoders
from index.images.decode import Decoded
from index.stills import stills_of
from index.types.records import EmbeddedPicture, Moment


async def embedded(key: bytes, data: bytes, thread: ModelThread, decoding: Pool) -> EmbeddedPicture:
    """The picture with this key, decoded and embedded by this model. raises   PictureError"""
    with thread.expecting():
        decoded = await decoding.run(decode_for(thread.embedder, data))
    vectors = await thread.images(decoded.frames)
    return EmbeddedPicture(
        key, "image", vectors, decoded.width, decoded.height,
        revision=thread.embedder.revision,
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
