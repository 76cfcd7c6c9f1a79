"""The link by which the bot is added asks for what it needs."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import discord

from bot.platform.invitation import NEEDED_PERMISSIONS, invite


def test_invite_asks_for_what_is_needed_and_no_more() -> None:
    link = urlsplit(invite(1456255637913600002))
    query = parse_qs(link.query)
    granted = discord.Permissions(int(query["permissions"][0]))
    assert all(getattr(granted, name) for name in NEEDED_PERMISSIONS)
    assert granted.value.bit_count() == len(NEEDED_PERMISSIONS) == 6
    assert query["scope"] == ["bot applications.commands"]
    assert link.hostname == "discord.com"
