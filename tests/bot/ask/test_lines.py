"""Lines that people type, read and written out without holding up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.ask import lines
from index import Wish, parse

BY = lines.reader("en-US")
LONG = "not so red " * 60


async def turns(work: Coroutine[Any, Any, object]) -> int:
    """How many turns the event loop takes until the work is done."""
    task, taken = asyncio.create_task(work), 0
    while not task.done():
        await asyncio.sleep(0)
        taken += 1
    await task
    return taken


@pytest.mark.parametrize("line", ["a red kite", "not so red", LONG, "red from:me since:2024"])
async def test_a_line_means_the_same_wherever_it_is_read(line: str) -> None:
    wish = await lines.read(line, BY)
    assert wish == parse(line, BY)
    assert parse(await lines.written(wish), BY) == wish


async def test_a_long_line_does_not_hold_up_the_event_loop() -> None:
    """It takes milliseconds; one of 4,000 letters, a tenth of a second."""
    at_once = await turns(lines.read("red", BY))
    assert at_once == await turns(lines.written(Wish("red")))
    assert await turns(lines.read(LONG, BY)) > at_once
    assert await turns(lines.written(parse(LONG, BY))) > at_once


async def test_a_date_does_not_hold_up_the_event_loop() -> None:
    """The first one loads a library."""
    at_once = await turns(lines.read("red", BY))
    assert await turns(lines.read("red since:2024", BY)) > at_once
    assert await turns(lines.read("", BY, {"after": "2024"})) > at_once
