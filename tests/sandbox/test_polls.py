"""Polls: posted, voted in, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
import pytest

from sandbox import Server
from sandbox.permissions import SEND_POLLS
from sandbox.person import Refused
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile

WITH_POLLS = discord.Intents(guilds=True, guild_messages=True, message_content=True)
WITH_POLLS.polls = True

TEA: dict[str, Any] = {
    "question": {"text": "Tea?"},
    "answers": [{"poll_media": {"text": "yes"}}, {"poll_media": {"text": "no"}}],
}


@pytest.fixture
def world_file(world_file: WorldFile) -> WorldFile:
    """The bot and ordinary members may post polls."""
    for role in world_file.guild["roles"]:
        if role["name"] in ("Magpie", "@everyone"):
            role["permissions"] = str(int(role["permissions"]) | SEND_POLLS)
    return world_file


async def test_discord_py_posts_a_poll_and_ends_it(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(intents=WITH_POLLS), sandbox) as bird:
        mei = await log_in("mei")
        poll = discord.Poll("Which bird?", timedelta(hours=2), multiple=True)
        poll.add_answer(text="magpie", emoji="🐦").add_answer(text="jay")
        general = bird.get_channel(world_file.channels["general"])
        message = await general.send(poll=poll)
        seen = await mei.event("MESSAGE_CREATE")
        assert [one["poll_media"] for one in seen["poll"]["answers"]] == [
            {"text": "magpie", "emoji": {"id": None, "name": "🐦"}},
            {"text": "jay"},
        ]
        path = f"/channels/{general.id}/polls/{message.id}/answers/@me"
        await mei.request("PUT", path, json={"answer_ids": ["1", "2"]})
        await bird.times("raw_poll_vote_add", 2)
        await mei.request("PUT", path, json={"answer_ids": ["1"]})
        assert (await bird.until("raw_poll_vote_remove")).answer_id == 2
        again = await general.fetch_message(message.id)
        assert [answer.vote_count for answer in again.poll.answers] == [1, 0]
        assert [user.name async for user in again.poll.answers[0].voters()] == ["mei"]
        ended = await again.end_poll()
        assert ended.poll.is_finalised()
        result = await bird.until(
            "message", lambda one: one.type is discord.MessageType.poll_result
        )
        told = {field.name: field.value for field in result.embeds[0].fields}
        assert (told["victor_answer_text"], told["total_votes"]) == ("magpie", "1")
        with pytest.raises(Refused, match="Poll expired"):
            await mei.request("PUT", path, json={"answer_ids": ["2"]})


async def test_only_its_author_ends_a_poll_and_one_answer_is_one(
    sandbox: Server, log_in: LogIn
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    general = ada.channel("general")
    posted = await ada.request("POST", f"/channels/{general}/messages", json={"poll": TEA})
    polls = f"/channels/{general}/polls/{posted['id']}"
    with pytest.raises(Refused):
        await mei.request("PUT", f"{polls}/answers/@me", json={"answer_ids": ["1", "2"]})
    with pytest.raises(Refused) as error:
        await mei.request("POST", f"{polls}/expire")
    assert error.value.code == 50005
    plain = await ada.post(general, "no poll")
    with pytest.raises(Refused) as error:
        await ada.request("POST", f"/channels/{general}/polls/{plain['id']}/expire")
    assert error.value.code == 520006


async def test_polls_need_their_permission(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    mei = await log_in("mei")
    path = f"/channels/{mei.channel('general')}/messages"
    assert (await mei.request("POST", path, json={"poll": TEA}))["poll"]["question"] == {
        "text": "Tea?"
    }
    sandbox.world.guilds[world_file.guild_id].roles[world_file.guild_id].permissions &= ~SEND_POLLS
    with pytest.raises(Refused, match="Missing Permissions"):
        await mei.request("POST", path, json={"poll": TEA})


async def test_a_poll_ends_at_its_time(sandbox: Server, log_in: LogIn) -> None:
    ada = await log_in("ada")
    general = ada.channel("general")
    posted = await ada.request("POST", f"/channels/{general}/messages", json={"poll": TEA})
    assert not posted["poll"]["results"]["is_finalized"]
    message = sandbox.world.message(int(general), int(posted["id"]))
    assert message is not None
    assert message.poll is not None
    message.poll.ends_at -= 24 * 3600
    (seen,) = await ada.messages(general, 1)
    assert seen["poll"]["results"]["is_finalized"]


async def test_without_the_content_intent_a_poll_is_hidden(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    intents = discord.Intents(guilds=True, guild_messages=True)
    async with flying(Bird(intents=intents), sandbox) as bird:
        ada = await log_in("ada")
        await ada.request(
            "POST", f"/channels/{ada.channel('general')}/messages", json={"poll": TEA}
        )
        assert (await bird.until("message")).poll is None
