"""Jobs: who asks gets an answer, whatever happens meanwhile, and nothing of a job outlives it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

import trial_postgres
from index.jobs.asker import MAX_JOBS, Asker
from index.jobs.dead_letters import DeadLetters
from index.jobs.worker import Worker
from index.types.errors import (
    DecoderUnusable,
    GalleryClosed,
    JobsUnreachable,
    PictureGivenUp,
    PictureTooLarge,
)
from index.types.records import Group, Link
from tests.bot.running import PATIENCE_S, until
from tests.index.jobs.conftest import QUICK

LINK = Link(1, Group(10, parent=9), "100", "a", owner=5, posted_at=1_000.0)
Begin = Callable[..., Awaitable[Worker]]


async def doubled(data: bytes) -> bytes:
    return data * 2


async def never(data: bytes) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
def begin(url: str, stack: AsyncExitStack) -> Begin:
    """Starts a worker that makes these things."""

    async def started(at_once: int = 8, **offers: Any) -> Worker:
        made = {f"{name}:1": making for name, making in offers.items()}
        worker = Worker(url, made, at_once=at_once, times=QUICK)
        await worker.start()
        stack.push_async_callback(worker.close)
        return worker

    return started


async def rows(db: Any) -> int:
    count: int = await db.fetchval("SELECT count(*) FROM magpie_jobs")
    return count


async def there(db: Any) -> bool:
    return await rows(db) > 0


async def leased(db: Any) -> bool:
    found: bool = await db.fetchval("SELECT EXISTS (SELECT 1 FROM magpie_jobs WHERE tries > 0)")
    return found


async def test_each_need_is_answered_and_nothing_is_left(
    asker: Asker, begin: Begin, db: Any
) -> None:
    await begin(doubled=doubled)
    asked = (asker.ask(bytes([n]) * 50_000, ["doubled:1"], LINK) for n in range(40))
    answers = await asyncio.gather(*asked)
    made = [answer["doubled:1"].made for answer in answers]
    assert made == [bytes([n]) * 100_000 for n in range(40)]
    assert await rows(db) == 0

    async def file_is_new() -> bool:
        size: int = await db.fetchval("SELECT pg_table_size('magpie_jobs')")
        return size < 50_000

    await until(file_is_new)


async def test_the_error_of_a_picture_is_an_answer(asker: Asker, begin: Begin) -> None:
    async def too_large(data: bytes) -> bytes:
        raise PictureTooLarge(len(data), 3, "bytes")

    await begin(doubled=doubled, refused=too_large)
    answers = await asker.ask(b"four", ["doubled:1", "refused:1"], LINK)
    assert await answers["doubled:1"].result() == b"fourfour"
    with pytest.raises(PictureTooLarge) as caught:
        await answers["refused:1"].result()
    assert (caught.value.size, caught.value.limit, caught.value.unit) == (4, 3, "bytes")


async def test_no_worker_takes_what_it_cannot_make(asker: Asker, begin: Begin, db: Any) -> None:
    await begin(doubled=doubled)
    of_another = asyncio.create_task(asker.ask(b"x", ["doubled:1", "vectors:of-another"], LINK))
    await asker.ask(b"y", ["doubled:1"], LINK)  # which came later
    assert await db.fetchval("SELECT tries FROM magpie_jobs") == 0
    of_another.cancel()


async def test_what_fails_again_and_again_is_given_up_and_the_others_go_on(
    asker: Asker, begin: Begin, url: str, stack: AsyncExitStack
) -> None:
    async def broken(data: bytes) -> bytes:
        if data == b"bad":
            raise RuntimeError("out of memory")
        return data

    await begin(same=broken)
    bad = asyncio.create_task(asker.ask(b"bad", ["same:1"], LINK))
    for n in range(10):
        assert (await asker.ask(bytes([n]), ["same:1"], LINK))["same:1"].made == bytes([n])
    with pytest.raises(PictureGivenUp) as caught:
        await bad
    assert (caught.value.tries, caught.value.reason) == (3, "RuntimeError: out of memory")
    letters = DeadLetters(url)
    stack.push_async_callback(letters.close)
    [letter] = await letters.all()
    assert (letter.space, letter.group, letter.source, letter.slot) == (1, 10, "100", "a")
    assert (letter.reason, letter.tries, letter.bytes) == (caught.value.reason, 3, 3)


@pytest.mark.parametrize(
    "which",
    [
        {"sources": ["7", "100"]}, {"group": 10}, {"group": 9}, {"owner": 5}, {"upto": 2_000.0}, {},
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_erased_is_listed_no_more(
    which: dict[str, Any], asker: Asker, begin: Begin, url: str, stack: AsyncExitStack
) -> None:
    async def broken(data: bytes) -> bytes:
        raise RuntimeError

    await begin(same=broken)
    with pytest.raises(PictureGivenUp):
        await asker.ask(b"bad", ["same:1"], LINK)
    letters = DeadLetters(url)
    stack.push_async_callback(letters.close)
    await letters.erase(2, **which)
    await letters.erase(1, sources=["99"])
    await letters.erase(1, group=11)
    await letters.erase(1, owner=6)
    await letters.erase(1, upto=999.0)
    assert len(await letters.all()) == 1
    await letters.erase(1, **which)
    assert await letters.all() == []


async def test_an_asker_that_is_cancelled_leaves_no_bytes_and_stops_the_work(
    asker: Asker, begin: Begin, db: Any
) -> None:
    worker = await begin(never=never)
    asking = asyncio.create_task(asker.ask(b"secret", ["never:1"], LINK))
    await until(lambda: leased(db))
    asking.cancel()

    async def nothing_left() -> bool:
        return await rows(db) == 0 and worker.busy == 0

    await until(nothing_left)


async def test_the_jobs_of_an_asker_that_is_gone_are_deleted(
    asker: Asker, url: str, db: Any
) -> None:
    gone = Asker(url, times=QUICK)
    await gone.start()
    waiting = asyncio.create_task(gone.ask(b"secret", ["nobody:1"], LINK))

    async def put() -> bool:
        return await rows(db) == 1

    await until(put)
    assert gone._task is not None
    gone._task.cancel()  # as a process that is killed: it says nothing more

    async def deleted() -> bool:
        return await rows(db) == 0

    await until(deleted)
    waiting.cancel()
    await gone._connection.close()


@pytest.mark.parametrize("pause_s", [None, *(n / 500 for n in range(16))])
async def test_a_worker_that_closes_gives_back_what_it_has(
    asker: Asker, begin: Begin, db: Any, pause_s: float | None
) -> None:
    """Once it has begun; and at any moment, such as while it leases."""
    begun = asyncio.Event()

    async def begins(data: bytes) -> bytes:
        begun.set()
        return await never(data)

    worker = await begin(same=begins)
    asking = asyncio.create_task(asker.ask(b"x", ["same:1"], LINK))
    if pause_s is None:
        await begun.wait()
    else:
        await until(lambda: there(db))
        await asyncio.sleep(pause_s)
    await worker.close()
    [job] = await db.fetch("SELECT tries, worker, free_at <= now() AS free FROM magpie_jobs")
    assert tuple(job) == (0, None, True)
    await begin(same=doubled)
    assert (await asking)["same:1"].made == b"xx"


async def test_a_lease_that_ends_while_its_worker_goes_on_holds_up_no_other_job(
    asker: Asker, url: str, db: Any, stack: AsyncExitStack
) -> None:
    """As on a machine that is too busy to renew it."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(data: bytes) -> bytes:
        begun.set()
        await go_on.wait()
        return data * 2

    # It renews its leases once in a day.
    worker = Worker(url, {"slow:1": slow, "same:1": doubled}, times=replace(QUICK, lease=259_200.0))
    await worker.start()
    stack.push_async_callback(worker.close)
    asking = asyncio.create_task(asker.ask(b"x", ["slow:1"], LINK))
    await begun.wait()
    begun.clear()
    await db.execute("UPDATE magpie_jobs SET free_at = now() - interval '1 second'")
    async with asyncio.timeout(PATIENCE_S):
        await asker.ask(b"y", ["same:1"], LINK)
    assert await db.fetchval("SELECT tries FROM magpie_jobs") == 1
    assert not begun.is_set()
    go_on.set()
    assert (await asking)["slow:1"].made == b"xx"


async def test_what_says_nothing_of_the_picture_is_no_try(asker: Asker, begin: Begin) -> None:
    failed = 0

    async def unusable_at_first(data: bytes) -> bytes:
        nonlocal failed
        failed += 1
        if failed <= 5:
            raise DecoderUnusable("no more processes")
        return data

    await begin(same=unusable_at_first)
    assert (await asker.ask(b"x", ["same:1"], LINK))["same:1"].made == b"x"


async def test_a_bot_puts_no_more_than_its_share(asker: Asker, db: Any) -> None:
    asking = [asyncio.create_task(asker.ask(b"x", ["no:1"], LINK)) for _ in range(2 * MAX_JOBS)]

    async def full() -> bool:
        return await rows(db) == MAX_JOBS

    await until(full)
    await asyncio.sleep(3 * QUICK.look)
    assert await rows(db) == MAX_JOBS
    await asker.close()
    for one in asking:
        with pytest.raises(GalleryClosed):
            await one
    assert await rows(db) == 0


@pytest.mark.slow
@pytest.mark.parametrize("crash", [False, True], ids=["restart", "crash"])
async def test_a_server_that_is_gone_and_comes_back_loses_nothing(
    crash: bool, asker: Asker, begin: Begin, server: trial_postgres.Server, url: str
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(data: bytes) -> bytes:
        begun.set()
        await go_on.wait()
        return data * 2

    await begin(at_once=2, slow=slow)
    asking = [asyncio.create_task(asker.ask(bytes([n]), ["slow:1"], LINK)) for n in range(6)]
    await begun.wait()
    (server.kill if crash else server.stop)()
    try:
        meanwhile = asyncio.create_task(asker.ask(b"m", ["slow:1"], LINK))
        with pytest.raises(JobsUnreachable):
            await Asker(url).start()
    finally:
        server.start()
    go_on.set()
    answers = await asyncio.gather(*asking, meanwhile)
    assert [a["slow:1"].made for a in answers] == [bytes([n] * 2) for n in range(6)] + [b"mm"]
