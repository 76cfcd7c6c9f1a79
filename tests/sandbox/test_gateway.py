"""Logging in, events, intents, breaks."""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import discord
import pytest

from sandbox import Server
from sandbox.gateway import ALL_INTENTS
from sandbox.person import Answer
from tests.sandbox.clients import Bird, flying, redirected
from tests.sandbox.conftest import LogIn
from tests.worlds import BOT_TOKEN, WorldFile


async def test_discord_py_logs_in_and_knows_its_guild(
    sandbox: Server, world_file: WorldFile
) -> None:
    async with flying(Bird(), sandbox) as bird:
        assert bird.user is not None
        assert bird.user.id == world_file.bot_id
        (guild,) = bird.guilds
        assert guild.name == "The Nest"
        assert {one.name for one in guild.channels} == {
            "general",
            "mods",
            "after-dark",
            "lounge",
            "trips",
        }
        assert {one.name for one in guild.threads} == {"walks", "whispers"}
        assert guild.me.guild_permissions.manage_threads
        assert (
            not guild.get_channel(world_file.channels["mods"])
            .permissions_for(guild.me)
            .view_channel
        )
        assert guild.get_channel(world_file.channels["after-dark"]).is_nsfw()


async def test_a_wrong_token_is_refused(sandbox: Server) -> None:
    with redirected(sandbox):
        async with Bird() as bird:
            with pytest.raises(discord.LoginFailure):
                await bird.login("nonsense")


async def test_a_wrong_token_on_the_gateway_closes_with_4004(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await ws.receive_json()
        await ws.send_json({"op": 2, "d": {"token": "nonsense", "intents": 1}})
        await ws.receive()
        assert ws.close_code == 4004


async def test_an_intent_that_was_not_turned_on_closes_with_4014(sandbox: Server) -> None:
    sandbox.world.application.privileged = ["members"]
    with redirected(sandbox):
        async with Bird() as bird:
            with pytest.raises(discord.PrivilegedIntentsRequired):
                await bird.start(BOT_TOKEN)


async def test_without_the_content_intent_messages_arrive_empty_save_for_mentions(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    intents = discord.Intents(guilds=True, guild_messages=True)
    async with flying(Bird(intents=intents), sandbox) as bird:
        ada = await log_in("ada")
        general = str(world_file.channels["general"])
        await ada.post(general, "a secret", pictures={"a.png": b"x"})
        await ada.post(general, f"<@{world_file.bot_id}> look", pictures={"b.png": b"x"})
        plain, mention = await bird.times("message", 2)
        assert (plain.content, plain.attachments) == ("", [])
        assert mention.content.endswith("look")
        assert [one.filename for one in mention.attachments] == ["b.png"]


async def test_the_bot_gets_no_event_of_a_channel_it_cannot_see(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        mod = await log_in("mod")
        await mod.post(str(world_file.channels["mods"]), "between us")
        await mod.post(str(world_file.channels["general"]), "for all")
        await bird.until("message", lambda message: message.content == "for all")
        assert [message.content for message in bird.named("message")] == ["for all"]


async def test_a_person_is_shown_only_the_channels_they_see(
    log_in: LogIn, world_file: WorldFile, sandbox: Server
) -> None:
    mei, mod = await log_in("mei"), await log_in("mod")
    assert "mods" not in [one["name"] for one in mei.guilds[0]["channels"]]
    assert "mods" in [one["name"] for one in mod.guilds[0]["channels"]]
    assert [one["name"] for one in mei.guilds[0]["threads"]] == ["walks"]


async def test_a_role_shows_and_hides_channels_at_once(
    log_in: LogIn, world_file: WorldFile
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    role = f"/guilds/{world_file.guild_id}/members/{world_file.people['mei']}/roles/"
    role += str(world_file.roles["Moderators"])
    await ada.request("PUT", role)
    shown = await mei.event("CHANNEL_CREATE")
    assert shown["name"] == "mods"
    await ada.request("DELETE", role)
    hidden = await mei.event("CHANNEL_DELETE")
    assert hidden["name"] == "mods"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("gateway_drop", {}),
        ("gateway_reconnect", {}),
        ("gateway_invalid", {"resumable": True}),
    ],
)
async def test_after_a_break_discord_py_resumes_and_misses_nothing(
    sandbox: Server, world_file: WorldFile, log_in: LogIn, kind: str, more: dict[str, Any]
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        sandbox.strike(kind, **more)
        await ada.post(str(world_file.channels["general"]), "meanwhile")
        await bird.until("resumed")
        await bird.until("message", lambda message: message.content == "meanwhile")
        assert len(bird.named("message")) == 1
        assert len(bird.named("ready")) == 1


async def test_an_invalid_session_leads_to_a_new_ready(sandbox: Server) -> None:
    async with flying(Bird(), sandbox) as bird:
        sandbox.strike("gateway_invalid", resumable=False)
        await bird.times("ready", 2)


async def test_a_missed_event_stays_missed_and_a_repeated_one_comes_twice(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = str(world_file.channels["general"])
        sandbox.strike("gateway_miss", event="MESSAGE_CREATE")
        await ada.post(general, "lost")
        sandbox.strike("gateway_repeat", event="MESSAGE_CREATE")
        await ada.post(general, "twice")
        messages = await bird.times("message", 2)
        assert [message.content for message in messages] == ["twice", "twice"]


async def test_a_zombie_socket_stays_open_and_silent(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await _identify(ws)
        sandbox.strike("gateway_zombie")
        await asyncio.sleep(0.05)
        await ws.send_json({"op": 1, "d": None})
        with pytest.raises(TimeoutError):
            await ws.receive(timeout=0.3)
        assert not ws.closed


async def test_a_zombie_whose_session_has_ended_is_closed_when_it_wakes(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await _identify(ws)
        sandbox.strike("gateway_zombie", seconds=0.2)
        await asyncio.sleep(0.05)
        sandbox.strike("gateway_invalid")
        assert (await ws.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 4009


async def test_an_outage_does_not_count_as_leaving(sandbox: Server, world_file: WorldFile) -> None:
    async with flying(Bird(), sandbox) as bird:
        sandbox.strike("outage")
        await bird.until("guild_unavailable")
        sandbox.strike("outage_over")
        guild = await bird.until("guild_available")
        assert {one.name for one in guild.threads} == {"walks", "whispers"}
        assert not bird.named("guild_remove")


async def test_removing_the_bot_and_adding_it_again(sandbox: Server, world_file: WorldFile) -> None:
    async with flying(Bird(), sandbox) as bird:
        sandbox.strike("leave")
        await bird.until("guild_remove")
        sandbox.strike("join")
        guild = await bird.until("guild_join")
        assert guild.id == world_file.guild_id


async def test_members_are_sent_on_request(sandbox: Server, world_file: WorldFile) -> None:
    intents = discord.Intents(guilds=True, members=True)
    async with flying(Bird(intents=intents), sandbox) as bird:
        found = await bird.guilds[0].query_members("m", limit=5)
        assert sorted(member.name for member in found) == ["magpie", "mei", "mod"]


async def test_members_who_are_not_there_are_named(
    sandbox: Server, http: aiohttp.ClientSession, world_file: WorldFile
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await _identify(ws)
        mei = str(world_file.people["mei"])
        wanted = {"guild_id": str(world_file.guild_id), "user_ids": [mei, "7"], "limit": 0}
        await ws.send_json({"op": 8, "d": wanted})
        chunk = (await ws.receive_json())["d"]
        assert [one["user"]["id"] for one in chunk["members"]] == [mei]
        assert chunk["not_found"] == ["7"]


async def test_a_zlib_stream_is_one_stream(sandbox: Server, http: aiohttp.ClientSession) -> None:
    unzip = zlib.decompressobj()
    async with http.ws_connect(f"{sandbox.gateway.url}?compress=zlib-stream") as ws:
        frames = []

        async def read() -> dict[str, Any]:
            data = await ws.receive_bytes()
            assert data.endswith(b"\x00\x00\xff\xff")
            frame: dict[str, Any] = json.loads(unzip.decompress(data))
            frames.append(frame)
            return frame

        assert (await read())["op"] == 10
        await ws.send_json({"op": 2, "d": {"token": BOT_TOKEN, "intents": 1}})
        assert (await read())["t"] == "READY"
        assert (await read())["t"] == "GUILD_CREATE"


async def test_shards_share_the_guilds(
    sandbox: Server, http: aiohttp.ClientSession, world_file: WorldFile
) -> None:
    listed = []
    for shard in range(2):
        async with http.ws_connect(sandbox.gateway.url) as ws:
            await ws.receive_json()
            data = {"token": BOT_TOKEN, "intents": 1, "shard": [shard, 2]}
            await ws.send_json({"op": 2, "d": data})
            ready = (await ws.receive_json())["d"]
            assert ready["shard"] == [shard, 2]
            listed.append([guild["id"] for guild in ready["guilds"]])
    mine = (world_file.guild_id >> 22) % 2
    assert listed[mine] == [str(world_file.guild_id)]
    assert listed[1 - mine] == []


async def test_direct_messages_are_heard_on_the_first_shard_alone(
    sandbox: Server, http: aiohttp.ClientSession, log_in: LogIn
) -> None:
    mei = await log_in("mei")

    async def as_bot(path: str, body: dict[str, Any]) -> dict[str, Any]:
        url, bearer = f"{sandbox.url}/api/v10{path}", {"Authorization": f"Bot {BOT_TOKEN}"}
        async with http.post(url, json=body, headers=bearer) as answer:
            assert answer.ok
            made: dict[str, Any] = await answer.json()
            return made

    async with AsyncExitStack() as stack:
        for shard in range(3):
            ws = await stack.enter_async_context(http.ws_connect(sandbox.gateway.url))
            await ws.receive_json()
            data = {"token": BOT_TOKEN, "intents": ALL_INTENTS, "shard": [shard, 3]}
            await ws.send_json({"op": 2, "d": data})
            await ws.receive_json()
        channel = await as_bot("/users/@me/channels", {"recipient_id": mei.user["id"]})
        button = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
        message = {"content": "hello", "components": [{"type": 1, "components": [button]}]}
        sent = await as_bot(f"/channels/{channel['id']}/messages", message)
        received = await mei.event("MESSAGE_CREATE", where=lambda one: one["id"] == sent["id"])
        clicking = asyncio.create_task(mei.click(Answer(received), button))
        stack.callback(clicking.cancel)
        await mei.event("INTERACTION_CREATE", where=lambda _: True)
        heard = {
            one.shard[0]: {json.loads(frame)["t"] for _, frame in one.events}
            for one in sandbox.gateway.sessions.values()
            if one.user.bot
        }
    of_direct = {"MESSAGE_CREATE", "INTERACTION_CREATE"}
    assert {shard: names & of_direct for shard, names in heard.items()} == {
        0: of_direct, 1: set(), 2: set(),
    }  # fmt: skip


async def test_a_resume_from_the_future_is_refused(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        ready = await _identify(ws)
        resume = {"token": BOT_TOKEN, "session_id": ready["session_id"], "seq": 999}
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await ws.receive_json()
        await ws.send_json({"op": 6, "d": resume})
        assert await ws.receive_json() == {"op": 9, "d": False, "s": None, "t": None}


async def test_frames_may_be_binary(sandbox: Server, http: aiohttp.ClientSession) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await ws.receive_json()
        await ws.send_bytes(b'{"op": 1, "d": null}')
        assert (await ws.receive_json())["op"] == 11
        await ws.send_bytes(json.dumps({"op": 2, "d": {"token": BOT_TOKEN, "intents": 1}}).encode())
        assert (await ws.receive_json())["t"] == "READY"


async def test_after_an_invalid_session_the_same_socket_resumes(
    sandbox: Server, http: aiohttp.ClientSession, world_file: WorldFile, log_in: LogIn
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        ready = await _identify(ws, intents=1 | 1 << 9 | 1 << 15)
        sandbox.strike("gateway_invalid", resumable=True)
        assert await ws.receive_json() == {"op": 9, "d": True, "s": None, "t": None}
        ada = await log_in("ada")
        await ada.post(ada.channel("general"), "meanwhile")
        resume = {"token": BOT_TOKEN, "session_id": ready["session_id"], "seq": 2}
        await ws.send_json({"op": 6, "d": resume})
        assert [(await ws.receive_json())["t"] for _ in range(2)] == ["MESSAGE_CREATE", "RESUMED"]
        await ada.post(ada.channel("general"), "afterwards")
        event = await ws.receive_json()
        assert (event["t"], event["d"]["content"]) == ("MESSAGE_CREATE", "afterwards")


async def test_after_the_end_of_a_session_the_same_socket_identifies_again(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        before = await _identify(ws)
        sandbox.strike("gateway_invalid", resumable=False)
        assert (await ws.receive_json())["op"] == 9
        await ws.send_json({"op": 2, "d": {"token": BOT_TOKEN, "intents": 1}})
        ready = await ws.receive_json()
        assert ready["t"] == "READY"
        assert ready["d"]["session_id"] != before["session_id"]


async def test_an_invalid_session_takes_no_other_frames(
    sandbox: Server, http: aiohttp.ClientSession
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await _identify(ws)
        sandbox.strike("gateway_invalid", resumable=True)
        assert (await ws.receive_json())["op"] == 9
        await ws.send_json({"op": 8, "d": {}})
        await ws.receive()
        assert ws.close_code == 4003


async def _identify(ws: aiohttp.ClientWebSocketResponse, intents: int = 1) -> dict[str, Any]:
    await ws.receive_json()
    await ws.send_json({"op": 2, "d": {"token": BOT_TOKEN, "intents": intents}})
    ready: dict[str, Any] = (await ws.receive_json())["d"]
    assert (await ws.receive_json())["t"] == "GUILD_CREATE"
    return ready


async def test_discord_py_leaves_a_zombie_and_resumes(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    sandbox.gateway.heartbeat_ms = 200
    async with flying(Bird(heartbeat_timeout=1.0), sandbox) as bird:
        sandbox.strike("gateway_zombie")
        await asyncio.sleep(0.05)
        ada = await log_in("ada")
        await ada.post(ada.channel("general"), "in the dark")
        await bird.until("resumed")
        await bird.until("message", lambda message: message.content == "in the dark")


async def test_without_the_content_setting_history_is_empty_too(
    sandbox: Server, world_file: WorldFile
) -> None:
    sandbox.world.application.privileged = []
    async with flying(Bird(intents=discord.Intents(guilds=True)), sandbox) as bird:
        general = bird.get_channel(world_file.channels["general"])
        messages = [message async for message in general.history()]
        assert len(messages) == 3
        assert not any(message.content or message.attachments for message in messages)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 4002),
        ("[]", 4002),
        (b"\x83t\x00\xff", 4002),  # ETF, Discord's other encoding
        ('{"op": 2, "d": {"token": "the-bots-token", "intents": "x"}}', 4013),
        *[
            (f'{{"op": 2, "d": {{"token": "{BOT_TOKEN}", "intents": 1, "shard": {shard}}}}}', 4010)
            for shard in ("[2, 1]", "[1, 1]", "[-1, 2]", "[0, 0]", "[0]", '["0", "1"]', "7", "[]")
        ],
        ('{"op": 2, "d": {"token": "ada-token", "shard": ["x"]}}', 4002),
        ('{"op": 8, "d": {}}', 4003),
    ],
)
async def test_an_invalid_frame_closes_with_its_code(
    sandbox: Server, http: aiohttp.ClientSession, frame: str | bytes, code: int
) -> None:
    async with http.ws_connect(sandbox.gateway.url) as ws:
        await ws.receive_json()
        await (ws.send_bytes(frame) if isinstance(frame, bytes) else ws.send_str(frame))
        await ws.receive()
        assert ws.close_code == code
