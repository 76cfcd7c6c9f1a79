"""Posting, reading, editing and deleting, seen from discord.py and from people's clients."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest

from sandbox import Server
from sandbox.person import Refused
from sandbox.world import Message
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import READ_MESSAGE_HISTORY, WorldFile


def fill(server: Server, channel_id: int, count: int) -> list[int]:
    """Add messages to a channel; returns their ids, oldest first."""
    ids = [server.core.next_id() for _ in range(count)]
    author = next(iter(server.world.guilds.values())).owner_id
    for id in ids:
        server.world.put_message(Message(id, channel_id, author, f"number {id}"))
    return ids


async def test_history_goes_back_page_by_page(sandbox: Server, world_file: WorldFile) -> None:
    walks = world_file.channels["walks"]
    ids = fill(sandbox, walks, 230)
    async with flying(Bird(), sandbox) as bird:
        thread = bird.get_channel(walks)
        assert isinstance(thread, discord.Thread)
        assert [one.id async for one in thread.history(limit=None)] == ids[::-1]
        oldest_first = [one.id async for one in thread.history(limit=None, oldest_first=True)]
        assert oldest_first == ids
        after = discord.Object(ids[50])
        assert [one.id async for one in thread.history(limit=150, after=after)] == ids[51:201]
        before = discord.Object(ids[50])
        assert [one.id async for one in thread.history(limit=20, before=before)] == ids[30:50][::-1]
        around = [one.id async for one in thread.history(limit=11, around=discord.Object(ids[50]))]
        assert around == ids[45:56][::-1]


async def test_a_page_after_a_message_is_the_oldest_ones_newest_first(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    walks = world_file.channels["walks"]
    ids = fill(sandbox, walks, 10)
    ada = await log_in("ada")
    page = await ada.request("GET", f"/channels/{walks}/messages?after={ids[2]}&limit=3")
    assert [int(message["id"]) for message in page] == [ids[5], ids[4], ids[3]]


async def test_a_posted_picture_reaches_discord_py_with_its_size(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        data = (world_file.folder / "red.png").read_bytes()
        await ada.post(ada.channel("general"), "look", pictures={"SPOILER_my red.png": data})
        message = await bird.until("message")
        (attachment,) = message.attachments
        assert attachment.filename == "SPOILER_my_red.png"
        assert (attachment.width, attachment.height) == (64, 48)
        assert attachment.content_type == "image/png"
        assert attachment.is_spoiler()
        assert await attachment.read() == data


async def test_discord_py_posts_replies_edits_and_deletes(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        asked = await ada.post(ada.channel("general"), "?")
        question = await bird.until("message")
        answer = await question.reply("!", file=discord.File(world_file.folder / "red.png"))
        seen = await ada.event("MESSAGE_CREATE", where=lambda message: message["content"] == "!")
        assert seen["type"] == 19
        assert seen["referenced_message"]["id"] == asked["id"]
        assert [user["username"] for user in seen["mentions"]] == ["ada"]
        await answer.edit(content="changed", attachments=[])
        changed = await ada.event("MESSAGE_UPDATE")
        assert (changed["content"], changed["attachments"]) == ("changed", [])
        assert changed["edited_timestamp"]
        await answer.delete()
        assert (await ada.event("MESSAGE_DELETE"))["id"] == str(answer.id)
        with pytest.raises(discord.NotFound) as error:
            await question.channel.fetch_message(answer.id)
        assert error.value.code == 10008


async def test_a_reply_to_a_deleted_message_says_so(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    general = ada.channel("general")
    first = await ada.post(general, "first")
    await ada.post(general, "second", reply_to=first)
    await ada.request("DELETE", f"/channels/{general}/messages/{first['id']}")
    (second,) = await ada.messages(general, 1)
    assert second["referenced_message"] is None
    with pytest.raises(Refused, match="Invalid Form Body"):
        await ada.post(general, "third", reply_to=first)


async def test_who_may_not_read_the_history_may_write_and_not_reply(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada, everyone = await log_in("ada"), world_file.guild_id
    general = ada.channel("general")
    deny = {"id": str(everyone), "type": 0, "allow": "0", "deny": str(READ_MESSAGE_HISTORY)}
    async with flying(Bird(), sandbox) as bird:
        await ada.request("PATCH", f"/channels/{general}", json={"permission_overwrites": [deny]})
        await ada.post(general, "?")
        question = await bird.until("message")
        with pytest.raises(discord.Forbidden) as refused:
            await question.channel.send(
                "!", reference=question.to_reference(fail_if_not_exists=False)
            )
        assert refused.value.code == 160002
        assert (await question.channel.send("!")).content == "!"


async def test_a_forward_carries_the_picture_in_its_snapshot(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = ada.channel("general")
        data = (world_file.folder / "red.png").read_bytes()
        posted = await ada.post(general, "mine", pictures={"cat.png": data})
        reference = {"type": 1, "channel_id": general, "message_id": posted["id"]}
        await ada.post(ada.channel("after-dark"), message_reference=reference)
        forward = await bird.until("message", lambda message: message.message_snapshots)
        assert (forward.content, forward.attachments) == ("", [])
        (snapshot,) = forward.message_snapshots
        assert (snapshot.content, snapshot.attachments[0].filename) == ("mine", "cat.png")
        await ada.request("DELETE", f"/channels/{general}/messages/{posted['id']}")
        assert await snapshot.attachments[0].read() == data


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("https://pictures.example/red.png", "image"),
        ("https://pages.example/red.png", "article"),
    ],
)
async def test_a_link_unfurls_a_moment_later(
    sandbox: Server, world_file: WorldFile, log_in: LogIn, link: str, kind: str
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        posted = await ada.post(ada.channel("general"), f"see {link}")
        assert posted["embeds"] == []
        update = await bird.until("raw_message_edit")
        (embed,) = update.message.embeds
        assert (embed.type, embed.url) == (kind, link)
        assert (embed.thumbnail.width, embed.thumbnail.height) == (64, 48)
        data = await bird.http.get_from_cdn(embed.thumbnail.proxy_url)
        assert data == (world_file.folder / "red.png").read_bytes()
        assert update.message.edited_at is None


async def test_removing_a_link_removes_its_embed(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    sandbox.clocks.unfurl_s = 0.0
    ada = await log_in("ada")
    general = ada.channel("general")
    posted = await ada.post(general, "see https://pictures.example/red.png")
    await ada.event("MESSAGE_UPDATE", where=lambda message: bool(message["embeds"]))
    path = f"/channels/{general}/messages/{posted['id']}"
    edited = await ada.request("PATCH", path, json={"content": "never mind"})
    assert edited["embeds"] == []


async def test_an_unknown_address_does_not_unfurl(
    sandbox: Server, log_in: LogIn, tmp_path: Path
) -> None:
    sandbox.clocks.unfurl_s = 0.0
    (tmp_path / "outside.png").write_bytes(b"x")
    ada = await log_in("ada")
    general = ada.channel("general")
    for link in ("https://pictures.example/../outside.png", "https://elsewhere.example/red.png"):
        await ada.post(general, link)
    await asyncio.sleep(0.1)
    assert all(message["embeds"] == [] for message in await ada.messages(general, 2))


@pytest.mark.parametrize("other", ["https://[::1", "https://[x/a.png", "https://exa℀mple.com/a"])
async def test_an_invalid_link_does_not_stop_others_from_unfurling(
    sandbox: Server, log_in: LogIn, other: str
) -> None:
    sandbox.clocks.unfurl_s = 0.0
    ada = await log_in("ada")
    await ada.post(ada.channel("general"), f"{other} https://pictures.example/red.png")
    update = await ada.event("MESSAGE_UPDATE", where=lambda message: bool(message["embeds"]))
    assert [embed["type"] for embed in update["embeds"]] == ["image"]


async def test_bulk_deletion_is_one_event(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = ada.channel("general")
        ids = [(await ada.post(general, str(number)))["id"] for number in range(3)]
        path = f"/channels/{general}/messages/bulk-delete"
        await ada.request("POST", path, json={"messages": ids})
        event = await bird.until("raw_bulk_message_delete")
        assert event.message_ids == set(map(int, ids))
        old = [str(world_file.guild_id), *ids]
        with pytest.raises(Refused, match="too old"):
            await ada.request("POST", path, json={"messages": old})


async def test_reactions_are_counted_and_send_events(sandbox: Server, log_in: LogIn) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    general = ada.channel("general")
    posted = await ada.post(general, "nice?")
    path = f"/channels/{general}/messages/{posted['id']}/reactions/%F0%9F%91%8D/@me"
    await mei.request("PUT", path)
    added = await ada.event("MESSAGE_REACTION_ADD")
    assert (added["user_id"], added["emoji"]["name"]) == (mei.user["id"], "👍")
    (seen,) = await mei.messages(general, 1)
    assert [(one["count"], one["me"]) for one in seen["reactions"]] == [(1, True)]
    await mei.request("DELETE", path)
    await ada.event("MESSAGE_REACTION_REMOVE")
    (seen,) = await mei.messages(general, 1)
    assert "reactions" not in seen


@pytest.mark.parametrize("pins", ["messages/pins", "pins"])
async def test_pinned_messages_are_listed(
    sandbox: Server, world_file: WorldFile, log_in: LogIn, pins: str
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = ada.channel("general")
        first, second = [await ada.post(general, text) for text in ("first", "second")]
        for posted in (first, second, second):
            await ada.request("PUT", f"/channels/{general}/{pins}/{posted['id']}")
        said = await bird.until("message", lambda one: one.type is discord.MessageType.pins_add)
        assert said.reference.message_id == int(first["id"])
        channel = bird.get_channel(int(general))
        assert [one.content async for one in channel.pins()] == ["second", "first"]
        last = (await ada.request("GET", f"/channels/{general}"))["last_pin_timestamp"]
        assert await bird.until("guild_channel_pins_update")
        listed = await ada.request("GET", f"/channels/{general}/{pins}")
        if pins == "pins":
            assert [one["id"] for one in listed] == [second["id"], first["id"]]
        else:
            newest = listed["items"][0]["pinned_at"]
            assert newest == last
            page = await ada.request(
                "GET", f"/channels/{general}/{pins}", params={"before": newest}
            )
            assert [one["message"]["id"] for one in page["items"]] == [first["id"]]
        await ada.request("DELETE", f"/channels/{general}/{pins}/{second['id']}")
        assert [one.content async for one in channel.pins()] == ["first"]
        notices = [one for one in bird.named("message") if one.is_system()]
        assert len(notices) == 2


async def test_typing_is_shown_to_others(sandbox: Server, log_in: LogIn) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    await mei.request("POST", f"/channels/{mei.channel('general')}/typing")
    assert (await ada.event("TYPING_START"))["user_id"] == mei.user["id"]


async def test_the_nonce_comes_back_to_its_sender(sandbox: Server, log_in: LogIn) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    posted = await ada.post(ada.channel("general"), "hi", nonce="abc")
    mine = await ada.event("MESSAGE_CREATE")
    theirs = await mei.event("MESSAGE_CREATE")
    assert posted["nonce"] == mine["nonce"] == "abc"
    assert "nonce" not in theirs


async def test_an_enforced_nonce_posts_once(sandbox: Server, log_in: LogIn) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    general = ada.channel("general")
    again = {"nonce": "abc", "enforce_nonce": True}
    first = await ada.post(general, "hi", **again)
    posts = (ada.post(general, "hi", **again) for _ in range(3))
    assert {one["id"] for one in await asyncio.gather(*posts)} == {first["id"]}
    other = await mei.post(mei.channel("general"), "hi", **again)
    unforced = await ada.post(general, "hi", nonce="abc")
    await ada.request("DELETE", f"/channels/{general}/messages/{unforced['id']}")
    after_deletion = await ada.post(general, "hi", **again)
    ids = [first["id"], other["id"], unforced["id"], after_deletion["id"]]
    assert len(set(ids)) == len(ids)
    messages = await ada.messages(general, 3)
    assert [one["id"] for one in messages] == [after_deletion["id"], other["id"], first["id"]]


async def test_nonces_sent_together_post_once(sandbox: Server, log_in: LogIn) -> None:
    ada = await log_in("ada")
    general = ada.channel("general")
    posts = [ada.post(general, "hi", nonce=7, enforce_nonce=True) for _ in range(4)]
    assert len({one["id"] for one in await asyncio.gather(*posts)}) == 1


async def test_fields_of_embeds_say_whether_they_are_inline(sandbox: Server, log_in: LogIn) -> None:
    ada = await log_in("ada")
    fields = [{"name": "a", "value": "b"}, {"name": "c", "value": "d", "inline": True}]
    posted = await ada.request(
        "POST",
        f"/channels/{ada.channel('general')}/messages",
        json={"embeds": [{"fields": fields}]},
    )
    assert [one["inline"] for one in posted["embeds"][0]["fields"]] == [False, True]


async def test_icons_of_an_embed_may_be_attachments(
    sandbox: Server, world_file: WorldFile, http: aiohttp.ClientSession
) -> None:
    data = (world_file.folder / "red.png").read_bytes()
    async with flying(Bird(), sandbox) as bird:
        embed = discord.Embed(title="x").set_footer(text="y", icon_url="attachment://red.png")
        embed.set_author(name="z", icon_url="attachment://red.png")
        general = bird.get_channel(world_file.channels["general"])
        message = await general.send(embed=embed, file=discord.File(io.BytesIO(data), "red.png"))
        (shown,) = message.embeds
        assert message.attachments == []
        for url in (shown.footer.icon_url, shown.author.proxy_icon_url):
            async with http.get(url) as answer:
                assert (answer.status, await answer.read()) == (200, data)


async def test_a_voice_message_keeps_its_waveform(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    form = aiohttp.FormData()
    told = {"id": "0", "filename": "voice.ogg", "duration_secs": 1.5, "waveform": "AAAA"}
    body = {"flags": 1 << 13, "attachments": [told]}
    form.add_field("payload_json", json.dumps(body), content_type="application/json")
    form.add_field("files[0]", b"OggS", filename="voice.ogg")
    path = f"/channels/{ada.channel('general')}/messages"
    posted = await ada.request("POST", path, data=form)
    (attachment,) = posted["attachments"]
    assert posted["flags"] & 1 << 13
    assert (attachment["duration_secs"], attachment["waveform"]) == (1.5, "AAAA")


async def test_who_reacted_is_listed_in_pages(sandbox: Server, log_in: LogIn) -> None:
    people = [await log_in(name) for name in ("mei", "ada", "mod")]
    ada = people[1]
    general = ada.channel("general")
    posted = await ada.post(general, "nice?")
    path = f"/channels/{general}/messages/{posted['id']}/reactions/%F0%9F%91%8D"
    for person in people:
        await person.request("PUT", f"{path}/@me")
    ids = sorted((person.user["id"] for person in people), key=int)
    page = await ada.request("GET", f"{path}?limit=2")
    assert [user["id"] for user in page] == ids[:2]
    rest = await ada.request("GET", f"{path}?limit=2&after={ids[1]}")
    assert [user["id"] for user in rest] == ids[2:]


async def test_all_reactions_are_removed_at_once(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    intents = discord.Intents(guilds=True, guild_messages=True, guild_reactions=True)
    async with flying(Bird(intents=intents), sandbox) as bird:
        ada = await log_in("ada")
        general = ada.channel("general")
        posted = await ada.post(general, "nice?")
        reactions = f"/channels/{general}/messages/{posted['id']}/reactions"
        for emoji in ("%F0%9F%91%8D", "%F0%9F%90%A6", "%F0%9F%91%8E"):
            await ada.request("PUT", f"{reactions}/{emoji}/@me")
        await ada.request("DELETE", f"{reactions}/%F0%9F%90%A6")
        assert (await bird.until("raw_reaction_clear_emoji")).emoji.name == "🐦"
        (seen,) = await ada.messages(general, 1)
        assert [one["emoji"]["name"] for one in seen["reactions"]] == ["👍", "👎"]
        await ada.request("DELETE", reactions)
        await bird.until("raw_reaction_clear")
        (seen,) = await ada.messages(general, 1)
        assert "reactions" not in seen


@pytest.mark.parametrize(
    ("body", "code", "spot"),
    [
        ({"content": ""}, 50006, None),
        ({"content": "x" * 2001}, 50035, "content"),
        ({"embeds": [{"title": "x" * 257}]}, 50035, "embeds"),
        ({"embeds": [{}] * 11}, 50035, "embeds"),
        ({"embeds": [{"fields": [{"name": "x"}]}]}, 50035, "embeds"),
        ({"embeds": [{"footer": {"text": "x" * 2049}}]}, 50035, "embeds"),
        ({"poll": {"question": {"text": "x"}, "answers": []}}, 50035, "poll"),
        ({"poll": {"question": {}, "answers": [{"poll_media": {"text": "x"}}]}}, 50035, "poll"),
        ({"sticker_ids": ["1"]}, 10060, None),
        ({"content": "x", "attachments": [{"id": "7"}]}, 50035, "attachments"),
        ({"content": "x", "flags": 1 << 15}, 50035, "content"),
    ],
)
async def test_invalid_messages_are_refused(
    sandbox: Server, log_in: LogIn, body: dict[str, Any], code: int, spot: str | None
) -> None:
    ada = await log_in("ada")
    with pytest.raises(Refused) as error:
        await ada.request("POST", f"/channels/{ada.channel('general')}/messages", json=body)
    assert error.value.code == code
    assert spot is None or spot in error.value.body["errors"]


async def test_a_file_over_ten_mebibytes_is_too_large(sandbox: Server, log_in: LogIn) -> None:
    ada = await log_in("ada")
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("files[0]", io.BytesIO(bytes(10 * 1024 * 1024 + 1)), filename="big.png")
    with pytest.raises(Refused) as error:
        await ada.request("POST", f"/channels/{ada.channel('general')}/messages", data=form)
    assert (error.value.status, error.value.code) == (413, 40005)


async def test_stickers_are_sent_and_shown(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = ada.channel("general")
        (id,) = sandbox.world.guilds[world_file.guild_id].stickers
        await ada.request("POST", f"/channels/{general}/messages", json={"sticker_ids": [str(id)]})
        message = await bird.until("message")
        (sticker,) = message.stickers
        assert await sticker.read() == (world_file.folder / "red.png").read_bytes()
