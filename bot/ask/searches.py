"""Searches that are saved, so that the controls of their answers can ask again."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bot.ask.asker import Asker
from bot.ask.questions import Questions
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.sync.writer import Writer
from index import SavedSearch, StoreError

log = logging.getLogger(__name__)

NO_CHANGES: Mapping[str, Any] = MappingProxyType({})


class Searches:
    """Saves searches."""

    def __init__(self, questions: Questions, writer: Writer, clocks: Clocks) -> None:
        self._questions = questions
        self._writer = writer
        self._clocks = clocks

    async def own(self, asker: Asker, id: str) -> SavedSearch:
        """A saved search of the asker's own; of a public one, a private copy."""
        search = await self._questions.saved(asker, id)
        return await self.copy(asker, search) if search.asked.public else search

    async def copy(
        self, asker: Asker, search: SavedSearch, changes: Mapping[str, Any] = NO_CHANGES
    ) -> SavedSearch:
        """The asker's own private copy of a saved search, with changes to what is asked.

        The search itself stays as it is: the buttons of other messages belong to it. Copies are as
        many as the clicks that the rate limit allows, and are kept as long as any search.
        """
        asked = dataclasses.replace(search.asked, public=False, **changes)
        copy = dataclasses.replace(search, id="", owner=asker.member.id, asked=asked)
        return await self.save(copy, asker.asked_at)

    async def save(self, search: SavedSearch, asked_at: float) -> SavedSearch:
        """The search with the id by which buttons find it.

        It has no id if the asker has erased their questions since, or if the file can't be
        written, as on a full disk, or not soon, as while it is compacted. The question is answered
        in any case.
        """
        try:
            async with asyncio.timeout(self._clocks.save_search_s):
                id = await self._writer.save_search(
                    search.space, search.owner, search.asked, search.embedding, asked_at
                )
        except (StoreError, TimeoutError) as error:
            reason = str(error) or "the file is busy"
            log.warning(fields("search_not_kept", guild=search.space, reason=reason))
            return search
        return dataclasses.replace(search, id=id)
