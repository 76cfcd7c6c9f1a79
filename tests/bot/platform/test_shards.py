"""Which servers are a process's own."""

from __future__ import annotations

import pytest

from bot.ops import settings
from bot.platform.shards import Shards, parsed

GUILDS = [number << 22 for number in range(64)]


def test_each_server_belongs_to_exactly_one_process() -> None:
    processes = [parsed("0-3/16"), parsed("4/16"), parsed("5-15/16")]
    assert all(sum(one.mine(guild) for one in processes) == 1 for guild in GUILDS)
    assert [one.first for one in processes] == [True, False, False]


def test_without_a_setting_all_servers_are_its_own() -> None:
    assert parsed("") == Shards()
    assert all(parsed("").mine(guild) for guild in GUILDS)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("16/16", "the last of 16 is 15"),
        ("3-1/16", "1-3/16"),
        ("0/0", "from 1 to"),
        ("2", "such as 2/16"),
        ("-1/16", "such as 2/16"),
    ],
)
def test_wrong_shards_are_refused_in_words(value: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parsed(value)


def test_a_part_of_the_shards_needs_a_database() -> None:
    environment = {
        "DISCORD_TOKEN": "token",
        "DISCORD_API": "http://127.0.0.1:1",
        "MAGPIE_SHARDS": "2/16",
    }
    with pytest.raises(settings.SettingsError, match="MAGPIE_DB=postgresql"):
        settings.read(environment)
    database = {"MAGPIE_DB": "postgresql://me@localhost/magpie"}
    assert settings.read(environment | database).shards == Shards((2,), 16)
