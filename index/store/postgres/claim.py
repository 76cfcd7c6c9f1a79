"""Lets one process alone serve a part of a database: advisory locks, which a connection holds.

The server lets go of them when the connection ends, however its process ends. A connection that was
lost is made again, and takes its locks again. If another process has them by then, this one must
stop. Beside the lock of each of its parts, a process shares one that says into how many parts the
database is divided: others that divide it in another way would serve some parts twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence

from index.store.postgres.connections import (
    CONNECT_S,
    NAME,
    Connection,
    is_lost,
    require_driver,
    translated,
)
from index.types.address import shown
from index.types.errors import ClaimRefused, StoreUnreachable

log = logging.getLogger(__name__)

AGAIN_S = 0.5
# How often the connection is looked at: nothing else would tell that it is gone.
LOOK_S = 10.0
# The locks of a process whose machine is gone are let go after 25 seconds.
_SETTINGS = {
    "application_name": NAME,
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
# Two numbers name an advisory lock. The first is of what it stands for in this schema.
_KIND = "hashtext(concat('magpie ', $1::text, ' ', current_schema()))"
_COUNT, _PART, _CLAIMING = "count", "part", "claiming"
_ALONE = f"SELECT pg_advisory_xact_lock({_KIND}, 0)"
_TAKE = f"SELECT pg_try_advisory_lock({_KIND}, $2)"
_SHARE = f"SELECT pg_advisory_lock_shared({_KIND}, $2)"
# Who holds locks of a kind: their second numbers, and where the holders are.
_HELD = f"""
SELECT objid::bigint AS number, COALESCE(host(client_addr), 'this server') AS holder
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = ({_KIND})::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY number
"""


class Claim:
    """Parts of a database that no other process serves; made by `make`.

    parts   their numbers
    count   into how many the database is divided; 0: it is not divided, and there is part 0 alone
    """

    def __init__(self, url: str, parts: Sequence[int], count: int) -> None:
        self.place = shown(url)
        self._url = url
        self._parts = parts
        self._count = count
        self._connection: Connection = None
        self._lost = asyncio.Event()

    @classmethod
    async def make(cls, url: str, parts: Sequence[int], count: int, *, patience_s: float) -> Claim:
        """A claim that holds.

        patience_s   how long it is waited for another process to let go, which may have ended
        raises   ClaimRefused, StoreUnreachable
        """
        claim = cls(url, parts, count)
        await claim._take(patience_s)
        return claim

    async def keep(self, *, patience_s: float, look_s: float = LOOK_S) -> None:
        """Take the locks again whenever the connection is lost; it doesn't return.

        patience_s   how long it is waited then for another process to let go
        raises   ClaimRefused when another process has taken them meanwhile
        """
        while True:
            if await self._holds(look_s):
                continue
            try:
                await self._take(patience_s)
                log.info("%s is claimed again, on a new connection", self.place)
            except StoreUnreachable as error:
                log.warning("%s It is tried again.", error)
                await asyncio.sleep(AGAIN_S)

    async def close(self) -> None:
        """Let go."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close(timeout=1.0)
            connection.terminate()

    async def _holds(self, look_s: float) -> bool:
        """Whether the connection is still there, after a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                await self._lost.wait()
        if self._connection is None or self._lost.is_set():
            return False
        try:
            await self._connection.execute("SELECT 1", timeout=CONNECT_S)
        except Exception as error:
            if not (is_lost(error) or isinstance(error, TimeoutError)):
                raise
            return False
        return True

    async def _take(self, patience_s: float) -> None:
        """Take the locks, as soon as nobody has them. raises   ClaimRefused, StoreUnreachable"""
        until, said = time.monotonic() + patience_s, False
        while True:
            try:
                await self._try()
                return
            except ClaimRefused as error:
                if time.monotonic() > until:
                    raise
                if not said:
                    log.warning("%s It is waited for.", error)
                    said = True
            await asyncio.sleep(AGAIN_S)

    async def _try(self) -> None:
        driver = require_driver(self.place)
        await self.close()
        with translated(self.place):
            self._connection = connection = await driver.connect(
                self._url, timeout=CONNECT_S, command_timeout=CONNECT_S, server_settings=_SETTINGS
            )
            self._lost = lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            try:
                async with connection.transaction():  # of which there is one at a time
                    await connection.execute(_ALONE, _CLAIMING)
                    await self._lock(connection)
            except BaseException:
                await self.close()
                raise

    async def _lock(self, connection: Connection) -> None:
        for other in await connection.fetch(_HELD, _COUNT):
            if other["number"] != self._count:
                raise ClaimRefused(self.place, None, other["number"], other["holder"])
        for part in self._parts:
            if not await connection.fetchval(_TAKE, _PART, part):
                held = {
                    one["number"]: one["holder"] for one in await connection.fetch(_HELD, _PART)
                }
                raise ClaimRefused(self.place, part, self._count, held.get(part, "somewhere"))
        await connection.execute(_SHARE, _COUNT, self._count)
