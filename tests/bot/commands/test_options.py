"""Options that several commands have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.commands.options import ChannelToWatch
from bot.platform.refusal import Refusal
from bot.text import channels as text
from tests.bot.offline import GUILD, READ, guild_of, member_of, role_says


async def test_a_channel_that_the_asker_cannot_see_is_not_found() -> None:
    """Its id may be sent by hand, and so may that of a channel of nowhere."""
    guild = guild_of({GUILD: READ, 2: 0}, {10: {}, 11: {"permission_overwrites": [deny(READ)]}})
    asked: Any = SimpleNamespace(user=member_of(guild, 50, []))

    async def chosen(id: int) -> Any:
        option: Any = SimpleNamespace(name="channel", resolve=lambda: guild.get_channel(id))
        return await ChannelToWatch().transform(asked, option)

    assert await chosen(10) == guild.get_channel(10)
    for id in (11, 12):
        with pytest.raises(Refusal, match=text.no_such_channel()):
            await chosen(id)


def deny(bits: int) -> dict[str, Any]:
    return role_says(GUILD, deny=bits)
