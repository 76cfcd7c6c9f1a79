"""The map of the folder, made when it is first asked for and kept until the gallery changes."""

from __future__ import annotations

import asyncio
from typing import Any

from index.gallery import Gallery
from index.types.errors import GalleryError
from index.types.overview import Overview
from serve.opened import Opened

MAKING = "The map is being made."
DIGITS = 4  # of a place from 0 to 1


class Atlas:
    """The map of what is opened."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._making: asyncio.Task[dict[str, Any]] | None = None
        self._of = 0  # the number of the change that it shows

    def made(self) -> dict[str, Any] | None:
        """The map as the page reads it; None while it is being made. raises GalleryError"""
        if self._making is None or (self._making.done() and self._of != self._opened.changes):
            self._of = self._opened.changes
            self._making = asyncio.create_task(self._make())
        if not self._making.done():
            return None
        try:
            return self._making.result()
        except GalleryError:
            self._making = None  # it is tried again
            raise

    async def _make(self) -> dict[str, Any]:
        async with self._opened.use() as gallery:
            await _ready(gallery)
            return told(await gallery.overview(self._opened.filter))

    async def close(self) -> None:
        """Stop making it."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)


async def _ready(gallery: Gallery) -> None:
    if gallery.model:
        await gallery.load_model()  # it names the clusters
        await gallery.ready_to_judge()


def told(overview: Overview) -> dict[str, Any]:
    """An overview as `page/atlas.js` reads it."""
    return {
        "count": overview.count,
        "points": [
            {"id": link, "x": round(x, DIGITS), "y": round(y, DIGITS), "cluster": cluster}
            for link, (x, y), cluster in zip(
                overview.links.tolist(),
                overview.places.tolist(),
                overview.of.tolist(),
                strict=True,
            )
        ],
        "clusters": [
            {
                "words": list(cluster.words),
                "count": cluster.count,
                "x": round(cluster.place[0], DIGITS),
                "y": round(cluster.place[1], DIGITS),
                "shown": list(cluster.shown),
            }
            for cluster in overview.clusters
        ],
    }
