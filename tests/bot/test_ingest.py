"""Pictures on their way from a message into the gallery, through discord.py and the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from bot.client import Magpie
from tests.bot.conftest import LogIn
from tests.bot.running import idle, png, sources, until
from tests.worlds import WorldFile


@pytest.fixture
async def watching(magpie: Magpie, world_file: WorldFile) -> Magpie:
    """Magpie, having read #general."""
    await watch(magpie, world_file.channels["general"])
    return magpie


async def watch(client: Magpie, channel_id: int) -> None:
    channel = client.guilds[0].get_channel(channel_id)
    assert channel is not None
    await client.watched.add(channel.guild.id, channel.id)
    client.history.begin([channel])
    await idle(client)


async def test_posted_picture_is_searchable(
    watching: Magpie, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    posted = await ada.post(str(world_file.channels["general"]), pictures={"sea.png": png("teal")})
    await idle(watching)
    assert posted["id"] in await sources(watching)
    embedding = await watching.gallery.embed_picture(png("teal"))
    assert embedding.vectors.shape[0] == 1
    attachment = posted["attachments"][0]["id"]
    assert await watching.gallery.slots(world_file.guild_id, posted["id"]) == {f"a:{attachment}"}


async def test_picture_in_another_channel_is_left_alone(
    watching: Magpie, world_file: WorldFile, log_in: LogIn
) -> None:
    mod = await log_in("mod")
    elsewhere = await mod.post(
        str(world_file.channels["after-dark"]), pictures={"a.png": png("teal")}
    )
    await idle(watching)
    assert elsewhere["id"] not in await sources(watching)


async def test_ordinary_chat_writes_nothing(
    watching: Magpie, world_file: WorldFile, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[object] = []
    write = watching.ledger._write

    async def counted(*arguments: Any) -> int:
        commits.append(arguments)
        return await write(*arguments)

    monkeypatch.setattr(watching.ledger, "_write", counted)
    ada = await log_in("ada")
    for number in range(5):
        last = await ada.post(str(world_file.channels["general"]), f"just talk {number}")

    async def heard() -> bool:
        channel = watching.get_channel(world_file.channels["general"])
        return watching.history.coverage(channel).newest >= int(last["id"])  # type: ignore[arg-type]

    await until(heard)
    assert commits == []
