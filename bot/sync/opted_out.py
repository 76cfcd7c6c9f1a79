"""Members who opted out, by server: none of their pictures is kept.

The gallery refuses their pictures in any case. They are also known here, so that their pictures are
not even downloaded.
"""

from __future__ import annotations

from bot.sync.writer import Writer
from index import BookkeepingReader, StoreError


class OptedOut:
    """The members who opted out, kept in the gallery and held in memory."""

    def __init__(self, bookkeeping: BookkeepingReader, writer: Writer) -> None:
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._members: set[tuple[int, int]] = set()

    async def load(self) -> None:
        self._members = await self._bookkeeping.opted_out()

    def __contains__(self, guild_and_member: tuple[int, int]) -> bool:
        return guild_and_member in self._members

    async def add(self, guild_id: int, member_id: int) -> int:
        """Erase a member's pictures and index no more of them; returns how many were erased.

        raises   StoreError when the file can't be written now; the member is not opted out then
        """
        was_out = (guild_id, member_id) in self._members
        self._members.add((guild_id, member_id))
        try:
            return await self._writer.opt_out(guild_id, member_id)
        except StoreError:
            if not was_out:
                self._members.discard((guild_id, member_id))
            raise

    async def discard(self, guild_id: int, member_id: int) -> None:
        await self._writer.opt_in(guild_id, member_id)
        self._members.discard((guild_id, member_id))
