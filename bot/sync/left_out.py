"""What members want left out: all of their pictures, or those that were posted up to a moment.

Who opted out wants all left out. Who typed `/privacy erase` wants what they had posted by then left
out, whatever reads these messages again: a new session, an unfinished history, a reindex, an edit.

The gallery refuses these pictures in any case. They are also known here, so that they are not even
downloaded. Moments are Unix seconds by Discord's clock, which times messages and commands alike.
"""

from __future__ import annotations

import math

from bot.sync.writer import Writer
from index import BookkeepingReader


class LeftOut:
    """What members want left out, by server; kept in the gallery and held in memory."""

    def __init__(self, bookkeeping: BookkeepingReader, writer: Writer) -> None:
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._upto: dict[tuple[int, int], float] = {}

    async def load(self) -> None:
        self._upto = await self._bookkeeping.left_out()

    def covers(self, guild_id: int, member_id: int, posted_at: float) -> bool:
        """Whether the member wants a picture left out that they posted then."""
        return posted_at <= self._upto.get((guild_id, member_id), -math.inf)

    def opted_out(self, guild_id: int, member_id: int) -> bool:
        """Whether the member wants all of their pictures left out."""
        return self._upto.get((guild_id, member_id)) == math.inf

    def erased_upto(self, guild_id: int, member_id: int) -> float | None:
        """Up to when the member's pictures are erased and stay so; None when none are, and for a
        member who opted out."""
        upto = self._upto.get((guild_id, member_id))
        return None if upto == math.inf else upto

    async def opt_out(self, guild_id: int, member_id: int) -> int:
        """Erase a member's pictures and index no more of them; returns how many were erased.

        raises   StoreError when the file can't be written now; the member is not opted out then
        """
        return await self.erase(guild_id, member_id, math.inf)

    async def erase(self, guild_id: int, member_id: int, upto: float) -> int:
        """Erase a member's pictures posted up to then, and let none of them come back; returns how
        many were erased.

        raises   StoreError when the file can't be written now; nothing is erased then
        """
        erased = await self._writer.leave_out(guild_id, member_id, upto)
        known = self._upto.get((guild_id, member_id), upto)
        self._upto[guild_id, member_id] = max(known, upto)
        return erased

    async def opt_in(self, guild_id: int, member_id: int, after: float) -> None:
        """Let a member's pictures be indexed that are posted after then; minus infinity: all.

        What they had erased before they opted out, or without opting out, stays erased unless all
        are let in.

        raises   StoreError when the file can't be written now
        """
        await self._writer.let_in(guild_id, member_id, after)
        upto = min(self._upto.pop((guild_id, member_id), -math.inf), after)
        if upto > -math.inf:
            self._upto[guild_id, member_id] = upto

    def drop_guild(self, guild_id: int) -> None:
        """Drop a guild's members in memory; in the gallery they are erased with its space."""
        self._upto = {one: upto for one, upto in self._upto.items() if one[0] != guild_id}
