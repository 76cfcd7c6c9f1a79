"""A worker: leases jobs that it can do, and answers them.

It does several at once, since a model takes several pictures in one call. Each counts as a try when
it is leased, so that one that ends the whole process is known by its tries.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from index.jobs import connection, schema
from index.jobs.asker import sweep
from index.jobs.connection import Connection
from index.jobs.packing import Outcome, outcomes_to_bytes
from index.jobs.times import TIMES, Times
from index.types.errors import GalleryError, JobsUnreachable, PictureError

log = logging.getLogger(__name__)

# What makes one thing of a picture's bytes. raises   PictureError
Making = Callable[[bytes], Awaitable[bytes]]

# Jobs in hand at once: two batches of a core, of which one is decoded while the other is embedded.
AT_ONCE = 16
CLOSE_S = 5.0


class Worker:
    """Works on the jobs of a database, until it is closed.

    offers    what it can make, by the need: only jobs of which it can make all are leased
    finished  told of each job: how it ended ("answered", "refused", "failed", "dropped"), and after
              how many seconds
    """

    def __init__(
        self,
        url: str,
        offers: Mapping[str, Making],
        *,
        at_once: int = AT_ONCE,
        times: Times = TIMES,
        finished: Callable[[str, float], None] = lambda how, seconds: None,
    ) -> None:
        # Containers may have the same host name, and all have the same numbers of processes.
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._url = url
        self._times = times
        self._offers = offers
        self._at_once = at_once
        self._finished = finished
        self._jobs: dict[UUID, asyncio.Task[None]] = {}
        self._alone = False  # the one in hand was tried before
        self._writing = dict[UUID, Sequence[Any]]()  # statements that end jobs, by job
        self._woken = asyncio.Event()
        self._check = True  # whether the leases are still ours, the next time
        self._renewed_at = 0.0
        self._rest_until = 0.0
        self._connection = Connection(url, [schema.WORK], self._on_heard)
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def busy(self) -> int:
        """How many jobs it has in hand."""
        return len(self._jobs)

    async def start(self) -> None:
        """raises   JobsUnreachable when the database can't be used now"""
        await connection.reached(self._url)
        self._task = asyncio.create_task(self._tend_all_the_time(), name="worker")

    async def close(self) -> None:
        """Give back what is in hand; it counts as no try, and another worker takes it at once."""
        if self._task is None:
            return
        # It isn't cancelled while it leases: nobody would know whether the server has leased.
        self._closing = True
        self._woken.set()
        await asyncio.wait([self._task], timeout=CLOSE_S)
        in_hand, tasks = list(self._jobs), [self._task, *self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=CLOSE_S)
        with contextlib.suppress(JobsUnreachable):  # then the leases end by themselves
            await self._write()
            async with self._connection.transaction() as db:
                await db.execute(schema.GIVE_BACK, in_hand, self.name)
                await db.execute("SELECT pg_notify($1, '')", schema.WORK)
        await self._connection.close()

    # ---- the table

    def _on_heard(self, what: str) -> None:
        if what in ("", schema.DROPPED):
            self._check = True
        self._woken.set()

    async def _tend_all_the_time(self) -> None:
        while not self._closing:
            self._woken.clear()
            try:
                await self._tend()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._times.look):
                        await self._woken.wait()
            except JobsUnreachable as error:
                log.warning("%s It is tried again.", error)
                await asyncio.sleep(self._times.again)
            except Exception:
                log.exception("the jobs could not be tended")
                await asyncio.sleep(self._times.again)

    async def _tend(self) -> None:
        """Write what is done, keep what is in hand, and lease more."""
        await self._write()
        await self._keep()
        if time.monotonic() >= self._rest_until and not self._closing:
            for row in await self._lease():
                self._begin(row)

    async def _write(self) -> None:
        """Write how jobs have ended. What can't be written now is written the next time."""
        ended = dict(self._writing)
        if not ended:
            return
        async with self._connection.transaction() as db:
            askers = set()
            for statement, *values in ended.values():
                for row in await db.fetch(statement, *values):
                    askers.add(row["asker"])
            for asker in askers:
                await db.execute("SELECT pg_notify($1, '')", schema.channel_of(asker))
        for id in ended:
            del self._writing[id]

    async def _keep(self) -> None:
        """Renew the leases when it is time; stop what was taken back, or is another's by now."""
        now = time.monotonic()
        due = now - self._renewed_at > self._times.lease / 3
        asked = list(self._jobs)
        if not due and not (asked and self._check):
            return
        self._check = False
        async with self._connection.transaction() as db:
            if due:
                await sweep(db, self._times)
                rows = await db.fetch(schema.RENEW, asked, self.name, self._times.lease)
            else:
                rows = await db.fetch(schema.STILL_MINE, asked, self.name)
        if due:
            self._renewed_at = now
        kept = {row["id"] for row in rows}
        for id in asked:
            if id not in kept and id in self._jobs and id not in self._writing:
                self._jobs[id].cancel()

    async def _lease(self) -> Sequence[Any]:
        """Lease as many jobs as it has room for; one that was tried before comes alone."""
        free = self._at_once - len(self._jobs)
        if free <= 0 or self._alone:
            return ()
        needs, in_hand = list(self._offers), list(self._jobs)
        lessee = needs, self.name, self._times.lease
        async with self._connection.transaction() as db:
            if await db.fetchval(schema.TRIED, needs, in_hand, schema.MAX_TRIES):
                if in_hand:
                    return ()  # until these are done
                tried = await db.fetch(schema.LEASE, *lessee, 1, 1, schema.MAX_TRIES - 1)
                if tried:
                    return list(tried)
            return list(await db.fetch(schema.LEASE, *lessee, free, 0, 0))

    # ---- the work

    def _begin(self, row: Mapping[str, Any]) -> None:
        task = asyncio.create_task(self._work(row["id"], row["needs"], row["data"], row["tries"]))
        self._jobs[row["id"]] = task
        self._alone = row["tries"] > 1
        task.add_done_callback(lambda _: self._ended(row["id"]))

    def _ended(self, id: UUID) -> None:
        del self._jobs[id]
        self._alone = False
        self._woken.set()

    async def _work(self, id: UUID, needs: Sequence[str], data: bytes, tries: int) -> None:
        began = time.monotonic()
        try:
            made = await asyncio.gather(*(self._make(need, data) for need in needs))
        except asyncio.CancelledError:
            self._finished("dropped", time.monotonic() - began)
            raise
        except GalleryError as error:  # DecoderUnusable and its like say nothing of the picture
            log.error("worker %s rests: %s", self.name, error)
            self._rest_until = time.monotonic() + self._times.rest
            self._writing[id] = (schema.GIVE_BACK, [id], self.name)
            self._finished("failed", time.monotonic() - began)
        except Exception as error:
            log.exception("try %d of a picture failed", tries)
            reason = f"{type(error).__name__}: {error}"
            self._writing[id] = (schema.FAILED, id, self.name, reason, self._wait_s(tries))
            self._finished("failed", time.monotonic() - began)
        else:
            outcomes = dict(zip(needs, made, strict=True))
            self._writing[id] = (schema.ANSWER, id, self.name, outcomes_to_bytes(outcomes))
            refused = all(one.error for one in made)
            self._finished("refused" if refused else "answered", time.monotonic() - began)

    async def _make(self, need: str, data: bytes) -> Outcome:
        try:
            return Outcome(await self._offers[need](data))
        except PictureError as error:  # which is an answer, too
            return Outcome(error=error)

    def _wait_s(self, tries: int) -> float:
        """The wait before the next try; none before a picture is given up."""
        return 0.0 if tries >= schema.MAX_TRIES else self._times.retry[tries - 1]
