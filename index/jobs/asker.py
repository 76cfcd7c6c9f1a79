"""Asks workers for what is made of pictures, and waits for their answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from index.jobs import connection, schema
from index.jobs.connection import Connection
from index.jobs.packing import Outcome, outcomes_of
from index.jobs.times import TIMES, Times
from index.types.errors import GalleryClosed, JobsUnreachable, PictureGivenUp
from index.types.records import Link

log = logging.getLogger(__name__)

# Jobs that an asker has in the table at once; further callers wait. It bounds the table by the
# number of bots, and lets no bot's history fill the queue before the new pictures of others.
MAX_JOBS = 64
PICTURE, WORDS = 0, 1  # priorities


@dataclass(eq=False, slots=True)
class _Job:
    """One that is waited for."""

    id: uuid.UUID
    values: Sequence[Any]  # of `schema.PUT`
    done: asyncio.Future[dict[str, Outcome]]


@dataclass(slots=True)
class _Changes:
    """What the table doesn't know yet."""

    put: dict[uuid.UUID, _Job] = field(default_factory=dict)
    drop: set[uuid.UUID] = field(default_factory=set)


class Asker:
    """One who asks: a process, which must not be silent for long (`Times.asker`).

    url     of the database
    again   called when an operator wants something to be tried again that was given up
    """

    def __init__(
        self, url: str, again: Callable[[], None] = lambda: None, times: Times = TIMES
    ) -> None:
        self.id = uuid.uuid4()
        self.again = again
        self._url = url
        self._times = times
        self._jobs: dict[uuid.UUID, _Job] = {}
        self._changes = _Changes()
        self._places = asyncio.Semaphore(MAX_JOBS)
        self._woken = asyncio.Event()
        self._compare = True  # the table with `_jobs`, the next time
        self._connection = Connection(
            url, [schema.channel_of(self.id), schema.AGAIN], self._on_heard
        )
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        """raises   JobsUnreachable when the database can't be used now"""
        await connection.reached(self._url)
        self._task = asyncio.create_task(self._tend_all_the_time(), name="asker")

    async def close(self) -> None:
        """Take all jobs back; who waits for one gets GalleryClosed."""
        self._closed = True
        for job in self._jobs.values():
            if not job.done.done():
                job.done.set_exception(GalleryClosed())
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        with contextlib.suppress(JobsUnreachable):  # then others delete them, a minute later
            async with self._connection.transaction() as db:
                await db.execute(schema.LEAVE, self.id)
                await db.execute(schema.LEFT, self.id)
        await self._connection.close()

    async def ask(
        self, data: bytes, needs: Sequence[str], link: Link, *, priority: int = PICTURE
    ) -> dict[str, Outcome]:
        """What came of each need, made of the bytes of a picture by a worker that can make all.

        A caller that is cancelled takes the job back, and with it the bytes.
        link     whose picture it is, by which it is listed if it is given up
        raises   PictureGivenUp, GalleryClosed
        """
        async with self._places:
            if self._closed:
                raise GalleryClosed
            with self._waiting(data, needs, link, priority) as job:
                return await job.done

    @contextlib.contextmanager
    def _waiting(
        self, data: bytes, needs: Sequence[str], link: Link, priority: int
    ) -> Iterator[_Job]:
        id = uuid.uuid4()
        values = (
            *(id, self.id, priority, list(needs), data, link.space, link.group.id),
            *(link.group.parent, link.source, link.slot, link.owner, link.posted_at),
        )
        job = _Job(id, values, asyncio.get_running_loop().create_future())
        self._jobs[id] = self._changes.put[id] = job
        self._woken.set()
        try:
            yield job
        finally:
            del self._jobs[id]
            self._changes.put.pop(id, None)
            if not job.done.done() or job.done.cancelled():
                self._changes.drop.add(id)
                self._woken.set()

    # ---- the table

    def _on_heard(self, what: str) -> None:
        if not what:  # a new connection: anything may have happened meanwhile
            self._compare = True
        if what in ("", schema.AGAIN):
            self.again()
        self._woken.set()

    async def _tend_all_the_time(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._tend()
                await self._rest()
            except JobsUnreachable as error:
                log.warning("%s Pictures wait until it can.", error)
                await asyncio.sleep(self._times.again)
            except Exception:
                log.exception("the jobs could not be tended")
                await asyncio.sleep(self._times.again)

    async def _rest(self) -> None:
        """Wait until there is something to do."""
        try:
            async with asyncio.timeout(self._times.look):
                await self._woken.wait()
        except TimeoutError:
            self._compare = True

    async def _tend(self) -> None:
        """Make the table match what is waited for, and take the answers."""
        compare, self._compare = self._compare, False
        try:
            async with self._connection.transaction() as db:
                if compare:
                    await db.execute(schema.SEEN, self.id)
                    await sweep(db, self._times)
                await self._write(db)
                collected = await db.fetch(schema.COLLECT, self.id)
                missing = await self._missing(db, collected) if compare else ()
        except BaseException:
            self._compare = True
            raise
        for row in collected:
            self._answered(row)
        self._changes.put |= {job.id: job for job in missing if not job.done.done()}
        if self._changes.put:
            self._woken.set()
        if compare and not self._jobs:
            await renew_file(self._connection)

    async def _write(self, db: Any) -> None:
        """Put what is new, and delete what nobody waits for any more."""
        changes, self._changes = self._changes, _Changes()
        try:
            if changes.drop:
                await db.execute(schema.DROP, list(changes.drop))
                await db.execute("SELECT pg_notify($1, $2)", schema.WORK, schema.DROPPED)
            if changes.put:
                await db.executemany(schema.PUT, [job.values for job in changes.put.values()])
                await db.execute("SELECT pg_notify($1, '')", schema.WORK)
        except BaseException:
            self._changes.drop |= changes.drop
            raise

    async def _missing(self, db: Any, collected: Sequence[Any]) -> list[_Job]:
        """What is waited for and isn't there: the server crashed, or this process was silent."""
        there = {row["id"] for row in await db.fetch(schema.MINE, self.id)}
        there |= {row["id"] for row in collected}
        fresh = self._changes.put.keys()
        return [job for id, job in self._jobs.items() if id not in there and id not in fresh]

    def _answered(self, row: Mapping[str, Any]) -> None:
        job = self._jobs.get(row["id"])
        if job is None or job.done.done():
            return
        if row["answer"] is None:
            job.done.set_exception(PictureGivenUp(row["reason"], row["tries"]))
        else:
            job.done.set_result(outcomes_of(row["answer"]))


async def sweep(db: Any, times: Times) -> None:
    """Give up what was tried too often, and delete what nobody waits for.

    db   a transaction of asyncpg's connection
    """
    for row in await db.fetch(schema.GIVE_UP, schema.MAX_TRIES):
        log.warning("a picture was given up after %d tries: %s", row["tries"], row["reason"])
        await db.execute("SELECT pg_notify($1, '')", schema.channel_of(row["asker"]))
    await db.execute(schema.FORGET_ASKERS, times.asker)
    await db.execute(schema.FORGET_JOBS)
    await db.execute(schema.FORGET_LETTERS)


async def renew_file(connection: Connection) -> None:
    """Where all jobs are gone, let a new file take the place of the one that had their bytes."""
    async with connection.transaction() as db:
        if not await db.fetchval(schema.STALE):
            return
    with contextlib.suppress(JobsUnreachable):  # somebody uses the table this moment
        async with connection.transaction() as db:
            await db.execute(schema.ALONE)
            if not await db.fetchval(schema.ANY_LEFT):
                await db.execute(schema.EMPTY)
