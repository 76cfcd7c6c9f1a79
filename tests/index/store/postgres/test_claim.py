"""A part of a database is served by one process: whoever comes second is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from index import Claim, ClaimRefused
from tests.bot.running import until
from tests.postgres import on_server

Make = Callable[..., Awaitable[Claim]]


@pytest.fixture
async def make(postgres_url: str) -> AsyncIterator[Make]:
    """Makes claims, each as another process does, and closes them when the test ends."""
    async with AsyncExitStack() as stack:

        async def made(parts: Sequence[int], count: int, patience_s: float = 0.0) -> Claim:
            claim = await Claim.make(postgres_url, parts, count, patience_s=patience_s)
            stack.push_async_callback(claim.close)
            return claim

        yield made


async def cut(url: str) -> None:
    """End the connections of all claims, as a network or a server does."""
    (ended,) = await on_server(
        url,
        """SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'magpie'""",
    )
    assert ended["count"]


async def test_each_part_is_served_once(make: Make, postgres_url: str) -> None:
    await make([0, 1], 4)
    await make([2], 4)
    with pytest.raises(ClaimRefused) as refused:
        await make([3, 1], 4)
    assert (refused.value.part, refused.value.count) == (1, 4)
    assert refused.value.holder == "127.0.0.1"
    assert "password" not in str(refused.value)
    await make([3], 4)  # which the refused one has let go


@pytest.mark.parametrize(
    ("first", "second"), [((1, 4), (1, 8)), ((1, 4), (0, 0)), ((0, 0), (1, 4))]
)
async def test_all_divide_the_database_alike(
    make: Make, first: tuple[int, int], second: tuple[int, int]
) -> None:
    held = await make([first[0]], first[1])
    with pytest.raises(ClaimRefused) as refused:
        await make([second[0]], second[1])
    assert (refused.value.part, refused.value.count) == (None, first[1])
    await held.close()
    await make([second[0]], second[1])


async def test_a_whole_database_is_served_once(make: Make) -> None:
    await make([0], 0)
    with pytest.raises(ClaimRefused) as refused:
        await make([0], 0)
    assert (refused.value.part, refused.value.count) == (0, 0)


async def test_one_that_is_about_to_end_is_waited_for(make: Make) -> None:
    first = await make([0], 2)
    second = asyncio.create_task(make([0], 2, patience_s=60.0))
    await asyncio.sleep(0.1)
    assert not second.done()
    await first.close()
    await second


async def test_of_many_that_start_at_once_one_is_let_in(postgres_url: str) -> None:
    claims = [Claim.make(postgres_url, [part % 2], 2, patience_s=0.0) for part in range(8)]
    made = await asyncio.gather(*claims, return_exceptions=True)
    held = [one for one in made if isinstance(one, Claim)]
    refused = [one for one in made if isinstance(one, ClaimRefused)]
    assert (len(held), len(refused)) == (2, 6)
    for one in held:
        await one.close()


async def test_a_lost_connection_is_made_again_with_its_locks(
    make: Make, postgres_url: str
) -> None:
    claim = await make([0], 2)
    keeping = asyncio.create_task(claim.keep(look_s=0.05, patience_s=60.0))
    await cut(postgres_url)

    async def holds_again() -> bool:
        try:
            other = await Claim.make(postgres_url, [0], 2, patience_s=0.0)
        except ClaimRefused:
            return True
        await other.close()
        return False

    await until(holds_again)
    assert not keeping.done()
    keeping.cancel()


async def test_who_has_lost_it_to_another_one_is_told(make: Make, postgres_url: str) -> None:
    claim = await make([0], 2)
    await cut(postgres_url)
    await make([0], 2)
    with pytest.raises(ClaimRefused):
        await claim.keep(look_s=0.05, patience_s=0.0)
