"""The map of the folder, made when it is first asked for and kept until the gallery changes."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from index.drawing import atlas_data
from index.gallery import Gallery
from index.types.errors import GalleryError
from serve.opened import Opened

MAKING = "The map is being made."


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
            overview = await gallery.overview(self._opened.filter)
        known = self._opened.inventory
        places = {link: known.place(link) for link in overview.links.tolist()}
        names = {
            link: os.path.basename(known.sources[place])
            for link, place in places.items()
            if place is not None
        }
        return atlas_data(overview) | {"names": names}

    async def close(self) -> None:
        """Stop making it."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)


async def _ready(gallery: Gallery) -> None:
    if gallery.model:
        await gallery.load_model()  # it names the clusters
        await gallery.ready_to_judge()
