"""That no two processes serve the same servers of a database."""

from __future__ import annotations

import asyncio

from bot.ops.settings import Settings, SettingsError
from bot.platform.shards import Shards
from index import Claim, ClaimRefused

PARTS_OF_WHOLE = (0,)  # of a database that is not divided


class Ousted(Exception):
    """Another process has begun to serve the servers of this one; the text says so."""


async def claim(chosen: Settings, patience_s: float) -> Claim | None:
    """What keeps other processes off this one's shards; None for a file, which is locked anyway.

    patience_s   how long it is waited for another process to let go, which may have ended
    raises       SettingsError when another process serves them; StoreError
    """
    if not isinstance(chosen.db, str):
        return None
    parts, count = chosen.shards.ids or PARTS_OF_WHOLE, chosen.shards.count
    try:
        return await Claim.make(chosen.db, parts, count, patience_s=patience_s)
    except ClaimRefused as error:
        raise SettingsError([why_refused(error, chosen.shards, chosen.gallery)]) from error


async def keep(made: Claim | None, chosen: Settings, patience_s: float) -> None:
    """Keep a claim, if there is one; it doesn't return. raises   Ousted"""
    if made is None:
        await asyncio.Event().wait()
        return
    try:
        await made.keep(patience_s=patience_s)
    except ClaimRefused as error:
        raise Ousted(why_refused(error, chosen.shards, chosen.gallery)) from error


def why_refused(error: ClaimRefused, mine: Shards, gallery: str) -> str:
    """Who serves what this process should serve, and what to do about it."""
    if error.part is None:
        others = f"divide the servers into {error.count} shards" if error.count else "have none"
        return (
            f"MAGPIE_SHARDS={mine if mine.count else ''}: other processes on {gallery}, such as "
            f"one at {error.holder}, {others}. All must name the same number of shards; to change "
            "it, stop all of them first."
        )
    if not mine.count:
        return (
            f"MAGPIE_DB={gallery}: another Magpie serves this database already, at "
            f"{error.holder}. Stop it first, or let them share the servers by MAGPIE_SHARDS."
        )
    return (
        f"MAGPIE_SHARDS={mine}: another process on {gallery} serves shard {error.part} of "
        f"{error.count} already, at {error.holder}. Stop it first, or give this one other shards."
    )
