"""What workers gave up: what it was, why, and whether it is to be tried again.

No bytes are kept of it. "Again" means that the bot of its server looks at the message once more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from index.jobs import schema
from index.jobs.connection import Connection

_COLUMNS = (
    "id, needs, space, group_id, parent, source, slot, bytes, tries, reason, "
    "extract(epoch FROM given_up_at)::double precision AS at, again"
)
LIST = f"SELECT {_COLUMNS} FROM magpie_dead_letters ORDER BY id"
AGAIN = f"SELECT {_COLUMNS} FROM magpie_dead_letters WHERE again ORDER BY id LIMIT 100"
MARK = "UPDATE magpie_dead_letters SET again = true WHERE $1::bigint[] IS NULL OR id = ANY($1)"
FORGET = "DELETE FROM magpie_dead_letters WHERE $1::bigint[] IS NULL OR id = ANY($1)"
# One that failed again meanwhile is not marked any more.
TRIED_AGAIN = "DELETE FROM magpie_dead_letters WHERE id = $1 AND again"
ERASE = """
DELETE FROM magpie_dead_letters
WHERE space = $1 AND ($2::text[] IS NULL OR source = ANY($2))
    AND ($3::bigint IS NULL OR group_id = $3 OR parent = $3)
    AND ($4::bigint IS NULL OR owner = $4)
    AND posted_at <= $5
"""
FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A picture that was given up.

    needs   what was to be made of it, such as "vectors:…"
    at      when (Unix seconds)
    again   whether it is to be tried again
    """

    id: int
    needs: tuple[str, ...]
    space: int
    group: int
    parent: int | None
    source: str
    slot: str
    bytes: int
    tries: int
    reason: str
    at: float
    again: bool

    @property
    def of_words(self) -> bool:
        """Whether the words in it were to be read, and nothing else."""
        return all(need.startswith("words:") for need in self.needs)


@dataclass(frozen=True, slots=True)
class QueueState:
    """How many jobs wait for a worker, and are being worked on; how old the oldest is; and how many
    were given up."""

    waiting: int = 0
    leased: int = 0
    oldest_s: float = 0.0
    dead: int = 0


class DeadLetters:
    """The list of a database. Everything here raises JobsUnreachable."""

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, (), lambda what: None)

    async def close(self) -> None:
        await self._connection.close()

    async def all(self) -> list[DeadLetter]:
        """All that was given up, the oldest first."""
        return await self._fetched(LIST)

    async def again(self) -> list[DeadLetter]:
        """Some of those that are to be tried again."""
        return await self._fetched(AGAIN)

    async def retry(self, ids: Sequence[int] | None) -> int:
        """Let these be tried again, or all; returns how many."""
        return await self._changed(MARK, ids, say=True)

    async def drop(self, ids: Sequence[int] | None) -> int:
        """Forget these, or all; returns how many."""
        return await self._changed(FORGET, ids)

    async def tried_again(self, id: int) -> None:
        """Forget one, unless it was given up again."""
        await self._changed(TRIED_AGAIN, id)

    async def erase(
        self,
        space: int,
        *,
        sources: Collection[str] | None = None,
        group: int | None = None,
        owner: int | None = None,
        upto: float = FOREVER,
    ) -> None:
        """Erase those of a space: of these sources, this group with its threads, this owner, and
        those posted up to then (Unix seconds)."""
        found = None if sources is None else list(sources)
        await self._changed(ERASE, space, found, group, owner, upto)

    async def state(self) -> QueueState:
        """How the queue is at this moment."""
        async with self._connection.transaction() as db:
            return QueueState(**dict(await db.fetchrow(schema.STATE)))

    async def _fetched(self, sql: str) -> list[DeadLetter]:
        async with self._connection.transaction() as db:
            rows = await db.fetch(sql)
        return [_letter(row) for row in rows]

    async def _changed(self, sql: str, *values: Any, say: bool = False) -> int:
        async with self._connection.transaction() as db:
            done = await db.execute(sql, *values)
            if say:
                await db.execute("SELECT pg_notify($1, $1)", schema.AGAIN)
        return int(done.split()[-1])


def _letter(row: Any) -> DeadLetter:
    values = dict(row)
    return DeadLetter(group=values.pop("group_id"), needs=tuple(values.pop("needs")), **values)
