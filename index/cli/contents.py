"""What is searched of a file: the bytes of a picture, or the scenes of a video."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from console.exits import WrongUse
from console.output import harmless
from index.cli.paths import piped, read_file, read_head, why
from index.clips.clip import BytesSource, FileSource
from index.clips.containers import HEAD_BYTES, container_of
from index.clips.readers import scenes_of

if TYPE_CHECKING:
    from index.gallery import Gallery


async def contents(path: Path, gallery: Gallery | None = None) -> bytes:
    """The bytes of a picture; of a video, its scenes as an animation.

    gallery   reads few videos at once; None: there is only this one
    raises    OSError, PictureError, DecoderUnusable
    """
    if container_of(await asyncio.to_thread(read_head, path, HEAD_BYTES)) is None:
        return await asyncio.to_thread(read_file, path)
    clip = FileSource(path)
    return await (gallery.scenes(clip) if gallery else scenes_of(clip))


async def named(path: str) -> bytes:
    """The same of a file that a command names. A pipe is waited for, as in `--image <(…)`.

    raises   WrongUse, PictureError, DecoderUnusable
    """
    try:
        if not stat.S_ISFIFO(os.stat(path).st_mode):
            return await contents(Path(path))
        data = piped(path)
    except (OSError, ValueError) as exc:
        raise WrongUse(f"{harmless(path)} can't be read: {why(exc)}.") from exc
    is_video = container_of(data[:HEAD_BYTES]) is not None
    return await scenes_of(BytesSource(data)) if is_video else data
