"""Channels, threads and forum posts."""

from __future__ import annotations

import discord
import pytest

from sandbox import Server
from sandbox.person import Refused
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import VIEW_CHANNEL, WorldFile


async def test_a_channel_is_created_changed_and_deleted(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada, mei = await log_in("ada"), await log_in("mei")
        path = f"/guilds/{world_file.guild_id}/channels"
        made = await ada.request("POST", path, json={"name": "Holiday Pictures", "type": 0})
        assert made["name"] == "holiday-pictures"
        channel = await bird.until("guild_channel_create")
        assert channel.name == "holiday-pictures"
        assert (await mei.event("CHANNEL_CREATE"))["id"] == made["id"]
        await ada.request("PATCH", f"/channels/{made['id']}", json={"nsfw": True})
        await bird.until("guild_channel_update")
        assert bird.get_channel(channel.id).is_nsfw()
        await ada.post(made["id"], "soon gone")
        await ada.request("DELETE", f"/channels/{made['id']}")
        assert (await bird.until("guild_channel_delete")).id == channel.id
        assert (await mei.event("CHANNEL_DELETE"))["id"] == made["id"]
        with pytest.raises(Refused, match="Unknown Channel"):
            await ada.messages(made["id"])


async def test_a_hidden_channel_disappears_for_people_and_changes_for_the_bot(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada, mei = await log_in("ada"), await log_in("mei")
        general = ada.channel("general")
        hide = {"type": 0, "allow": "0", "deny": str(VIEW_CHANNEL)}
        path = f"/channels/{general}/permissions/{world_file.guild_id}"
        await ada.request("PUT", path, json=hide)
        assert (await mei.event("CHANNEL_DELETE"))["id"] == general
        await bird.until("guild_channel_update")
        channel = bird.get_channel(int(general))
        # the bot can't see it either: its permissions come from roles only
        assert not channel.permissions_for(channel.guild.me).view_channel
        await ada.request("DELETE", path)
        assert (await mei.event("CHANNEL_CREATE"))["id"] == general


async def test_deleting_a_category_keeps_its_channels(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    path = f"/guilds/{world_file.guild_id}/channels"
    category = await ada.request("POST", path, json={"name": "Old Things", "type": 4})
    inside = {"name": "inside", "parent_id": category["id"]}
    channel = await ada.request("POST", path, json=inside)
    await ada.request("DELETE", f"/channels/{category['id']}")
    left = await ada.request("GET", f"/channels/{channel['id']}")
    assert left["parent_id"] is None


async def test_a_thread_from_a_message_takes_its_id(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        mei = await log_in("mei")
        general = mei.channel("general")
        posted = await mei.post(general, "let us talk")
        path = f"/channels/{general}/messages/{posted['id']}/threads"
        thread = await mei.request("POST", path, json={"name": "Talk"})
        assert thread["id"] == posted["id"]
        seen = await bird.until("thread_create")
        assert (seen.id, seen.parent_id, seen.name) == (int(posted["id"]), int(general), "Talk")
        await mei.post(thread["id"], "in here", pictures={"a.png": b"x"})
        message = await bird.until("message", lambda message: message.content == "in here")
        assert isinstance(message.channel, discord.Thread)
        (starter,) = await mei.messages(general, 1)
        assert starter["thread"]["message_count"] == 1


async def test_a_forum_post_is_a_thread_with_its_first_message(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        mei = await log_in("mei")
        body = {"name": "Rome", "message": {"content": "We were there"}}
        path = f"/channels/{mei.channel('trips')}/threads"
        post = await mei.request("POST", path, json=body)
        assert post["message"]["id"] == post["id"]
        thread = await bird.until("thread_create")
        assert isinstance(thread.parent, discord.ForumChannel)
        assert [one.content async for one in thread.history()] == ["We were there"]
        with pytest.raises(Refused):
            await mei.post(mei.channel("trips"), "not in a post")


async def test_a_private_thread_is_seen_by_its_members_only(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    whispers = str(world_file.channels["whispers"])
    member = f"/channels/{whispers}/thread-members/{world_file.people['mei']}"
    with pytest.raises(Refused) as error:
        await ada.request("GET", member)
    assert error.value.code == 10007
    await ada.request("PUT", member)
    assert (await mei.event("THREAD_CREATE"))["id"] == whispers
    await mei.messages(whispers)
    await ada.request("DELETE", member)
    assert (await mei.event("THREAD_DELETE"))["id"] == whispers
    with pytest.raises(Refused, match="Missing Access"):
        await mei.messages(whispers)


async def test_archived_threads_are_listed_separately_and_posting_unarchives_them(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = bird.get_channel(world_file.channels["general"])
        walks, whispers = (str(world_file.channels[name]) for name in ("walks", "whispers"))
        for thread in (walks, whispers):
            await ada.request("PATCH", f"/channels/{thread}", json={"archived": True})
        await bird.times("raw_thread_update", 2)
        assert (await bird.guilds[0].active_threads()) == []
        public = [one.name async for one in general.archived_threads()]
        private = [one.name async for one in general.archived_threads(private=True)]
        joined = [one.name async for one in general.archived_threads(private=True, joined=True)]
        assert (public, private, joined) == (["walks"], ["whispers"], ["whispers"])
        first = await ada.post(walks, "awake again")
        assert not (await ada.request("GET", f"/channels/{walks}"))["thread_metadata"]["archived"]
        await ada.request("PATCH", f"/channels/{walks}", json={"archived": True})
        edit = f"/channels/{walks}/messages/{first['id']}"
        with pytest.raises(Refused) as error:
            await ada.request("PATCH", edit, json={"content": "x"})
        assert error.value.code == 50083


async def test_archived_threads_come_in_pages(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        general = ada.channel("general")
        for number in range(5):
            body = {"name": f"thread {number}", "type": 11}
            thread = await ada.request("POST", f"/channels/{general}/threads", json=body)
            await ada.request("PATCH", f"/channels/{thread['id']}", json={"archived": True})
        listed = bird.get_channel(int(general)).archived_threads(limit=None)
        assert [one.name async for one in listed] == [f"thread {n}" for n in (4, 3, 2, 1, 0)]
        page = await ada.request("GET", f"/channels/{general}/threads/archived/public?limit=2")
        assert page["has_more"]
        before = page["threads"][-1]["thread_metadata"]["archive_timestamp"]
        path = f"/channels/{general}/threads/archived/public"
        rest = await ada.request("GET", path, params={"before": before})
        assert [one["name"] for one in rest["threads"]] == ["thread 2", "thread 1", "thread 0"]


async def test_archived_private_threads_need_manage_threads(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    mei, mod = await log_in("mei"), await log_in("mod")
    path = f"/channels/{mei.channel('general')}/threads/archived/private"
    with pytest.raises(Refused, match="Missing Access"):
        await mei.request("GET", path)
    assert (await mod.request("GET", path))["threads"] == []


async def test_deleting_a_thread_is_one_event_without_message_events(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        walks = str(world_file.channels["walks"])
        await ada.post(walks, "soon gone")
        await bird.until("message")
        await ada.request("DELETE", f"/channels/{walks}")
        gone = await bird.until("raw_thread_delete")
        assert gone.thread_id == int(walks)
        assert not bird.named("raw_message_delete")


async def test_members_of_a_thread_come_in_pages_with_their_names(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    path = f"/channels/{world_file.channels['whispers']}/thread-members"
    ids = sorted((world_file.people["ada"], world_file.bot_id))
    assert [int(one["user_id"]) for one in await ada.request("GET", path)] == ids
    (first,) = await ada.request("GET", f"{path}?with_member=true&limit=1")
    assert int(first["member"]["user"]["id"]) == ids[0]
    (second,) = await ada.request("GET", f"{path}?with_member=true&after={ids[0]}")
    assert int(second["user_id"]) == ids[1]


async def test_joining_and_leaving_a_thread_sends_events(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada, mei = await log_in("ada"), await log_in("mei")
    walks = mei.channel("walks")
    await mei.request("PUT", f"/channels/{walks}/thread-members/@me")
    joined = await ada.event("THREAD_MEMBERS_UPDATE")
    assert [one["user_id"] for one in joined["added_members"]] == [mei.user["id"]]
    everybody = await ada.request("GET", f"/channels/{walks}/thread-members")
    assert {one["user_id"] for one in everybody} == {ada.user["id"], mei.user["id"]}
    await mei.request("DELETE", f"/channels/{walks}/thread-members/@me")
    left = await ada.event("THREAD_MEMBERS_UPDATE", where=lambda e: "removed_member_ids" in e)
    assert left["removed_member_ids"] == [mei.user["id"]]


async def test_roles_and_members_can_be_managed(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        guild = f"/guilds/{world_file.guild_id}"
        role = await ada.request("POST", f"{guild}/roles", json={"name": "Birders"})
        assert (await bird.until("guild_role_create")).name == "Birders"
        mei = f"{guild}/members/{world_file.people['mei']}"
        changed = await ada.request("PATCH", mei, json={"nick": "M", "roles": [role["id"]]})
        assert (changed["nick"], changed["roles"]) == ("M", [role["id"]])
        await ada.request("PATCH", f"{guild}/roles/{role['id']}", json={"permissions": "0"})
        await bird.until("guild_role_update")
        await ada.request("DELETE", f"{guild}/roles/{role['id']}")
        await bird.until("guild_role_delete")
        assert (await ada.request("GET", mei))["roles"] == []
        await ada.request("DELETE", mei)
        with pytest.raises(Refused) as error:
            await ada.request("GET", mei)
        assert error.value.code == 10007


async def test_a_channel_that_the_bot_gains_brings_its_threads(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada = await log_in("ada")
        mods = ada.channel("mods")
        body = {"name": "plans", "type": 11}
        thread = await ada.request("POST", f"/channels/{mods}/threads", json=body)
        path = f"/channels/{mods}/permissions/{world_file.roles['Magpie']}"
        await ada.request("PUT", path, json={"type": 0, "allow": str(VIEW_CHANNEL), "deny": "0"})
        joined = await bird.until("thread_join")
        assert (joined.name, joined.id) == ("plans", int(thread["id"]))


async def test_a_thread_begins_with_a_message_that_refers_to_the_first(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    mei = await log_in("mei")
    general = mei.channel("general")
    posted = await mei.post(general, "the start")
    path = f"/channels/{general}/messages/{posted['id']}/threads"
    thread = await mei.request("POST", path, json={"name": "Talk"})
    (starter,) = await mei.messages(thread["id"])
    assert starter["type"] == 21
    assert starter["referenced_message"]["content"] == "the start"
