"""Links → small pictures of them, to be drawn. Magpie keeps no pictures, so each message is read
again, and a small version is downloaded from Discord's media proxy. Nothing of it is kept."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from bot.ask.page import ShownHit
from bot.ask.results import Results
from bot.media.download import Downloader, DownloadError
from bot.ops.logs import fields
from index import GalleryError, Hit, Links, Surveyor

log = logging.getLogger(__name__)

READ_AT_ONCE = 12  # messages: Discord lets some be read a second in one channel
DOWNLOADED_AT_ONCE = 8
# How long messages are read, and pictures downloaded. What hasn't come by then isn't drawn.
READ_S, DOWNLOAD_S = 60.0, 60.0


class Thumbnails:
    """Reads messages again, and downloads small pictures."""

    def __init__(
        self, links: Links, results: Results, downloader: Downloader, surveyor: Surveyor
    ) -> None:
        self._links = links
        self._results = results
        self._downloader = downloader
        self._surveyor = surveyor

    async def look_up(self, space: int, ids: Sequence[int]) -> list[ShownHit]:
        """Those of these links of a server that can be read in time and are no spoilers, in
        their order."""
        found = await self._links.with_ids(space, ids)
        hits = [
            Hit(rank, 0.0, id, "image", found[id][0], 0, None)
            for rank, id in enumerate(ids, start=1)
            if id in found
        ]
        shown: list[ShownHit] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READ_S):
                for start in range(0, len(hits), READ_AT_ONCE):
                    read = await self._results.look_up(hits[start : start + READ_AT_ONCE])
                    shown += [one for one in read if isinstance(one, ShownHit)]
        return [one for one in shown if not is_hidden(one)]

    async def stills(self, shown: Sequence[ShownHit]) -> dict[int, bytes]:
        """A small WebP of each of these that can be had in time, by link."""
        stills: dict[int, bytes] = {}
        turns = asyncio.Semaphore(DOWNLOADED_AT_ONCE)

        async def one(hit: ShownHit) -> None:
            async with turns:
                with contextlib.suppress(DownloadError, GalleryError):
                    stills[hit.hit.id] = await self._still(hit)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DOWNLOAD_S), asyncio.TaskGroup() as tasks:
                for hit in shown:
                    tasks.create_task(one(hit))
        if len(stills) < len(shown):
            log.info(fields("pictures_not_drawn", count=len(shown) - len(stills)))
        return {hit.hit.id: stills[hit.hit.id] for hit in shown if hit.hit.id in stills}

    async def _still(self, shown: ShownHit) -> bytes:
        """raises   DownloadError, GalleryError"""
        if shown.still is not None:
            return shown.still
        return await self._surveyor.still(await self._downloader.fetch_small(shown.picture))


def is_hidden(shown: ShownHit) -> bool:
    """Whether it is a spoiler, in its message now or when it was indexed."""
    return shown.picture.spoiler or shown.hit.link.spoiler
