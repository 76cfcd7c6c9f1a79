"""What channels, forum posts and roles are set to is kept, and given back."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from sandbox import Server
from sandbox.person import Refused
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile

Json = dict[str, Any]

# each step sets what the one before set to something else, back to 0, false or null
SETTINGS: dict[str, list[Json]] = {
    "general": [
        {"topic": "cats", "rate_limit_per_user": 5, "nsfw": True, "position": 7},
        {"topic": None, "rate_limit_per_user": 0, "nsfw": False, "position": 0},
        {"default_auto_archive_duration": 60, "default_thread_rate_limit_per_user": 9},
    ],
    "lounge": [
        {"bitrate": 32_000, "user_limit": 4, "rtc_region": "rotterdam", "rate_limit_per_user": 3},
        {"user_limit": 0, "rtc_region": None, "video_quality_mode": 2},
    ],
    "trips": [
        {"default_sort_order": 1, "default_forum_layout": 2, "flags": 16},
        {"default_reaction_emoji": {"emoji_id": None, "emoji_name": "🐦"}},
        {"default_sort_order": 0, "default_reaction_emoji": None, "flags": 0},
    ],
}


@pytest.mark.parametrize("name", SETTINGS)
async def test_a_channel_keeps_what_it_is_set_to(sandbox: Server, log_in: LogIn, name: str) -> None:
    ada = await log_in("ada")
    path = f"/channels/{ada.channel(name)}"
    for wanted in SETTINGS[name]:
        changed = await ada.request("PATCH", path, json=wanted)
        assert {key: changed[key] for key in wanted} == wanted
        assert await ada.request("GET", path) == changed


@pytest.mark.parametrize(
    "wanted",
    [{"rate_limit_per_user": 21_601}, {"topic": 5}, {"default_auto_archive_duration": 61}],
)
async def test_a_setting_out_of_its_limits_is_refused(
    sandbox: Server, log_in: LogIn, wanted: Json
) -> None:
    ada = await log_in("ada")
    path = f"/channels/{ada.channel('general')}"
    before = await ada.request("GET", path)
    with pytest.raises(Refused, match="Invalid Form Body"):
        await ada.request("PATCH", path, json={"nsfw": True, **wanted})
    assert await ada.request("GET", path) == before


async def test_a_forum_keeps_its_tags_and_a_post_those_it_was_given(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        ada, mei = await log_in("ada"), await log_in("mei")
        path = f"/channels/{ada.channel('trips')}"
        wanted = [{"name": "Rome", "emoji_name": "🏛"}, {"name": "official", "moderated": True}]
        rome, official = (await ada.request("PATCH", path, json={"available_tags": wanted}))[
            "available_tags"
        ]
        assert (rome["name"], rome["emoji_name"], rome["moderated"]) == ("Rome", "🏛", False)
        await bird.until("guild_channel_update")
        body: Json = {"name": "Day 1", "message": {"content": "x"}, "applied_tags": [rome["id"]]}
        post = await mei.request("POST", f"{path}/threads", json=body)
        assert post["applied_tags"] == [rome["id"]]
        thread = await bird.until("thread_create")
        assert [tag.name for tag in thread.applied_tags] == ["Rome"]
        kept = [{"id": official["id"], "name": "certified"}]
        (renamed,) = (await ada.request("PATCH", path, json={"available_tags": kept}))[
            "available_tags"
        ]
        assert renamed == {**official, "name": "certified"}
        for tags in ([rome["id"]], [official["id"]]):  # the one is gone, the other is moderated
            with pytest.raises(Refused):
                await mei.request("POST", f"{path}/threads", json={**body, "applied_tags": tags})


async def test_a_forum_may_require_a_tag(sandbox: Server, log_in: LogIn) -> None:
    ada = await log_in("ada")
    path = f"/channels/{ada.channel('trips')}"
    await ada.request("PATCH", path, json={"flags": 16})
    body = {"name": "Day 1", "message": {"content": "x"}}
    with pytest.raises(Refused) as error:
        await ada.request("POST", f"{path}/threads", json=body)
    assert error.value.code == 40067


async def test_a_thread_keeps_its_slowmode_and_a_post_its_pin(
    sandbox: Server, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    trips = f"/channels/{ada.channel('trips')}"
    await ada.request("PATCH", trips, json={"default_thread_rate_limit_per_user": 30})
    body = {"name": "Day 1", "message": {"content": "x"}, "auto_archive_duration": 60}
    post = await ada.request("POST", f"{trips}/threads", json=body)
    assert post["rate_limit_per_user"] == 30
    path = f"/channels/{post['id']}"
    pinned = await ada.request("PATCH", path, json={"flags": 2, "rate_limit_per_user": 0})
    assert (pinned["flags"], pinned["rate_limit_per_user"]) == (2, 0)
    assert pinned["thread_metadata"]["auto_archive_duration"] == 60


async def test_a_role_keeps_its_colours(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    ada = await log_in("ada")
    path = f"/guilds/{world_file.guild_id}/roles"
    gradient = {"primary_color": 0xFF0000, "secondary_color": 0x00FF00, "tertiary_color": None}
    role = await ada.request("POST", path, json={"name": "painters", "colors": gradient})
    assert (role["colors"], role["color"]) == (gradient, 0xFF0000)
    plain = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    changed = await ada.request("PATCH", f"{path}/{role['id']}", json={"color": 0})
    assert (changed["colors"], changed["color"]) == (plain, 0)
    emoji = await ada.request("PATCH", f"{path}/{role['id']}", json={"unicode_emoji": "🎨"})
    assert await ada.request("GET", f"{path}/{role['id']}") == emoji
    assert emoji["unicode_emoji"] == "🎨"


async def test_roles_and_channels_are_put_in_order(sandbox: Server, world_file: WorldFile) -> None:
    intents = discord.Intents(guilds=True)
    sandbox.world.guilds[world_file.guild_id].owner_id = world_file.bot_id
    async with flying(Bird(intents=intents), sandbox) as bird:
        (guild,) = bird.guilds
        moderators = guild.get_role(world_file.roles["Moderators"])
        await moderators.edit(position=2)
        await bird.until("guild_role_update", lambda role: role.position == 1)
        assert guild.get_role(moderators.id).position == 2
        general = guild.get_channel(world_file.channels["general"])
        await general.move(end=True)
        await bird.until("guild_channel_update")
        assert guild.text_channels[-1].name == "general"
