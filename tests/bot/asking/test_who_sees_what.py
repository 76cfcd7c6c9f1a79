"""Nobody finds what they could not read, at the moment they ask."""

from __future__ import annotations

import pytest

from tests.bot.asking.conftest import RED, Scene
from tests.bot.asking.nest import EVERYBODYS, READERS


@pytest.mark.parametrize("name", READERS)
async def test_each_member_finds_what_they_may_read_and_nothing_else(
    scene: Scene, name: str
) -> None:
    person = await scene.log_in(name)
    assert await scene.seen_by(person) == READERS[name]
