"""The change of a gallery's model: every picture is embedded again while the old model answers."""

from __future__ import annotations

from index.concurrency import to_completion
from index.models import Models
from index.search.interface import VectorIndex
from index.store.interface import Store


class Reembedding:
    """The change from the gallery's model to the one that was asked for."""

    def __init__(self, store: Store, models: Models, engine: VectorIndex) -> None:
        self._store = store
        self._models = models
        self._engine = engine

    @property
    def wanted(self) -> str | None:
        """The name of the model that was asked for, while another one answers; else None."""
        return self._models.wanted

    @property
    def id(self) -> str | None:
        """An id of the re-embedding that has begun, the same until it is done or dropped; None
        while there is none."""
        return self._models.succession

    async def begin(self) -> None:
        """From now on each picture and text is also embedded by the wanted model.

        Those that are in the gallery already need a second `embed_picture` and `commit`. What
        was done is kept over a restart. raises ModelError
        """
        await self._models.begin_succession()

    async def slots_left(self, space: int, source: str) -> set[str]:
        """The slots of one source that the wanted model has not embedded yet."""
        return await self._store.succession.slots_left(space, source)

    async def left_behind(self) -> int:
        """How many pictures and texts the wanted model has not embedded yet."""
        return await self._store.succession.left_behind()

    async def switch(self) -> int:
        """Make the wanted model the gallery's; links it has not embedded are removed.

        Queries are answered all the while, by the one model or the other. Writes wait.
        returns  how many links were removed
        """
        changes = await to_completion(self._models.succeed(self._engine.succeed))
        return len(changes.removed)
