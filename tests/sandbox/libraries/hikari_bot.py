"""hikari as a bot of the sandbox. test_libraries.py starts it with the sandbox's address.

    python hikari_bot.py URL BOT_TOKEN PERSON_TOKEN

It runs in hikari's own environment, without Magpie's packages. Each check prints a line of JSON:
{"check": name} or {"check": name, "failed": why}.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import hikari
from hikari.impl import special_endpoints as build

URL, TOKEN, PERSON_TOKEN = sys.argv[1:4]
PATIENCE_S = 60.0
# a picture of one pixel
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

CHECKS: list[Callable[[], Awaitable[None]]] = []
bot = hikari.GatewayBot(
    TOKEN, intents=hikari.Intents.ALL, rest_url=f"{URL}/api/v10", banner=None, logs="ERROR"
)


class World:
    """What the checks share."""

    application: hikari.Application
    guild: hikari.GatewayGuild
    channel: hikari.GuildTextChannel
    person: hikari.Member
    message: hikari.Message
    commands: dict[str, hikari.PartialCommand]
    http: aiohttp.ClientSession


world = World()


def check(run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    CHECKS.append(run)
    return run


# ---- the person who uses the bot


async def as_person(method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": PERSON_TOKEN}
    url = f"{URL}/api/v10{path}"
    async with world.http.request(method, url, json=body, headers=headers) as answer:
        text = await answer.text()
        assert answer.status < 400, f"{method} {path}: {answer.status} {text}"
        return json.loads(text) if text else None


async def expect(event: Any, wanted: Callable[[Any], bool] = lambda _: True) -> asyncio.Task[Any]:
    """A task that waits for an event from now on."""
    task = asyncio.create_task(bot.wait_for(event, timeout=PATIENCE_S, predicate=wanted))
    await asyncio.sleep(0)  # now it waits
    return task


async def interact(kind: int, data: Any, **more: Any) -> Any:
    """Send an interaction as the person; hikari's object of it."""
    arrived = await expect(hikari.InteractionCreateEvent)
    body = {
        "type": kind,
        "data": data,
        "application_id": str(world.application.id),
        "guild_id": str(world.guild.id),
        "channel_id": str(world.channel.id),
        "session_id": "none",
        "nonce": "1",
        **more,
    }
    await as_person("POST", "/interactions", body)
    return (await arrived).interaction


async def command(name: str, kind: int, **more: Any) -> Any:
    id = str(world.commands[name].id)
    return await interact(2, {"id": id, "name": name, "type": kind, "options": [], **more})


async def click(message: hikari.Message, component: Any, **more: Any) -> Any:
    data = {"component_type": int(component.type), "custom_id": component.custom_id, **more}
    return await interact(3, data, message_id=str(message.id), message_flags=int(message.flags))


async def refused(kind: type[Any], request: Awaitable[Any]) -> Any:
    """The error of this kind with which a request is refused."""
    try:
        await request
    except kind as error:
        return error
    raise AssertionError(f"there was no {kind.__name__}")


# ---- the checks, in their order


@check
async def logs_in_and_knows_the_server() -> None:
    arrived = asyncio.get_running_loop().create_future()

    @bot.listen()
    async def on_guild(event: hikari.GuildAvailableEvent) -> None:
        if not arrived.done():
            arrived.set_result(event.guild)

    await asyncio.wait_for(bot.start(check_for_updates=False), PATIENCE_S)
    guild = world.guild = await asyncio.wait_for(arrived, PATIENCE_S)
    channels = {one.name: one for one in guild.get_channels().values()}
    world.channel = channels["general"]
    assert guild.name == "The Nest"
    assert world.channel.topic is None
    threads = bot.cache.get_threads_view_for_guild(guild).values()
    assert {one.name for one in threads} == {"walks", "whispers"}
    assert isinstance(channels["trips"], hikari.GuildForumChannel)
    assert isinstance(channels["lounge"], hikari.GuildVoiceChannel)
    world.application = await bot.rest.fetch_application()


@check
async def fetches_the_server_with_counts() -> None:
    (mine,) = [one async for one in bot.rest.fetch_my_guilds()]
    assert (mine.name, mine.approximate_member_count) == ("The Nest", 4)
    guild = await bot.rest.fetch_guild(world.guild)
    assert guild.approximate_member_count == 4


@check
async def fetches_members_roles_and_channels() -> None:
    members = [one async for one in bot.rest.fetch_members(world.guild)]
    assert sorted(one.username for one in members) == ["ada", "magpie", "mei", "mod"]
    world.person = next(one for one in members if one.username == "ada")
    assert (await bot.rest.fetch_member(world.guild, world.person)).id == world.guild.owner_id
    (found,) = await bot.rest.search_members(world.guild, "me")
    assert found.username == "mei"
    roles = await bot.rest.fetch_roles(world.guild)
    assert "Moderators" in [one.name for one in roles]
    assert (await bot.rest.fetch_role(world.guild, roles[0])).id == roles[0].id
    assert len(await bot.rest.fetch_guild_channels(world.guild)) == 5
    assert (await bot.rest.fetch_user(world.person)).username == "ada"


@check
async def changes_channels_and_sets_them_back_to_nothing() -> None:
    made = await bot.rest.create_guild_text_channel(
        world.guild, "birds", topic="tits", rate_limit_per_user=5
    )
    assert (made.topic, made.rate_limit_per_user.total_seconds()) == ("tits", 5)
    changed = await bot.rest.edit_channel(
        made, topic="", rate_limit_per_user=0, default_auto_archive_duration=60, nsfw=True
    )
    assert isinstance(changed, hikari.GuildTextChannel)
    assert (changed.topic or None, changed.rate_limit_per_user.total_seconds()) == (None, 0)
    assert (changed.default_auto_archive_duration.total_seconds(), changed.is_nsfw) == (3600, True)
    await made.edit_overwrite(world.person.user, deny=hikari.Permissions.SEND_MESSAGES)
    await made.remove_overwrite(world.person.user)
    voice = await bot.rest.create_guild_voice_channel(world.guild, "song", user_limit=3)
    assert voice.user_limit == 3
    gone = await expect(hikari.GuildChannelDeleteEvent, lambda event: event.channel_id == made.id)
    await made.delete()
    await gone


@check
async def makes_and_paints_roles() -> None:
    gradient = hikari.ColorGradient(primary_color=0xFF0000, secondary_color=0x00FF00)
    role = await bot.rest.create_role(world.guild, name="painters", color=gradient)
    assert (int(role.color), role.colors.secondary_color) == (0xFF0000, 0x00FF00)
    role = await bot.rest.edit_role(world.guild, role, color=0, hoist=True)
    assert (int(role.color), role.colors.secondary_color, role.is_hoisted) == (0, None, True)
    await bot.rest.reposition_roles(world.guild, {1: role})
    await bot.rest.add_role_to_member(world.guild, world.person, role)
    assert role.id in (await bot.rest.fetch_member(world.guild, world.person)).role_ids
    await bot.rest.remove_role_from_member(world.guild, world.person, role)
    await bot.rest.delete_role(world.guild, role)


@check
async def posts_pictures_embeds_and_buttons() -> None:
    embed = hikari.Embed(
        title="Birds", color=0xFF0000, timestamp=datetime.datetime.now(datetime.UTC)
    )
    embed.set_footer("foot").set_author(name="ada").add_field("a", "b").add_field(
        "c", "d", inline=True
    )
    embed.set_thumbnail(hikari.Bytes(PIXEL, "pixel.png"))
    row = build.MessageActionRowBuilder()
    row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "go", label="Go")
    seen = await expect(hikari.GuildMessageCreateEvent, lambda event: event.content == "look")
    message = await world.channel.send("look", embed=embed, component=row)
    assert (await seen).message_id == message.id
    (shown,) = message.embeds
    assert [one.is_inline for one in shown.fields] == [False, True]
    assert await shown.thumbnail.resource.read() == PIXEL
    assert message.components[0].components[0].custom_id == "go"
    plain = await world.channel.send(attachment=hikari.Bytes(PIXEL, "pixel.png"))
    assert (plain.attachments[0].width, plain.attachments[0].media_type) == (1, "image/png")
    world.message = message


@check
async def posts_components_of_the_second_version() -> None:
    container = build.ContainerComponentBuilder().add_text_display("# Birds")
    gallery = build.MediaGalleryComponentBuilder()
    gallery.add_media_gallery_item(hikari.Bytes(PIXEL, "pixel.png"))
    container.add_component(gallery)
    message = await world.channel.send(component=container)
    (shown,) = message.components
    assert shown.components[1].items[0].media.width == 1


@check
async def reads_replies_edits_and_deletes() -> None:
    posted = await as_person("POST", f"/channels/{world.channel.id}/messages", {"content": "who?"})
    asked = await world.channel.fetch_message(int(posted["id"]))
    reply = await asked.respond("me", reply=True)
    assert (reply.type, reply.referenced_message.id) == (hikari.MessageType.REPLY, asked.id)
    edited = await expect(
        hikari.GuildMessageUpdateEvent, lambda event: event.message_id == reply.id
    )
    await reply.edit("not me")
    assert (await edited).content == "not me"
    assert reply.id in [one.id async for one in world.channel.fetch_history().limit(3)]
    deleted = await expect(
        hikari.GuildMessageDeleteEvent, lambda event: event.message_id == reply.id
    )
    await reply.delete()
    await deleted
    many = [await world.channel.send(str(n)) for n in range(2)]
    await world.channel.delete_messages(many)
    gone = await refused(hikari.NotFoundError, world.channel.fetch_message(reply.id))
    assert gone.code == 10008
    await bot.rest.forward_message(world.channel, asked, world.channel)


@check
async def sees_reactions_and_types() -> None:
    theirs = await expect(
        hikari.GuildReactionAddEvent, lambda event: event.user_id == world.person.id
    )
    await world.message.add_reaction("👍")
    path = f"/channels/{world.channel.id}/messages/{world.message.id}/reactions/%F0%9F%90%A6/@me"
    await as_person("PUT", path)
    assert (await theirs).emoji_name == "🐦"
    reactions = bot.rest.fetch_reactions_for_emoji(world.channel, world.message, "👍")
    assert [one.username async for one in reactions] == ["magpie"]
    await world.message.remove_reaction("👍")
    await world.message.remove_all_reactions("🐦")
    await world.message.add_reaction("👎")
    await world.message.remove_all_reactions()
    assert (await world.channel.fetch_message(world.message)).reactions == []
    await world.channel.trigger_typing()


@check
async def pins_and_unpins() -> None:
    changed = await expect(hikari.GuildPinsUpdateEvent)
    await world.channel.pin_message(world.message)
    assert (await changed).last_pin_timestamp is not None
    (pin,) = [one async for one in world.channel.fetch_pins()]
    assert pin.message.id == world.message.id
    again = await bot.rest.fetch_channel(world.channel)
    assert isinstance(again, hikari.GuildTextChannel)
    assert again.last_pin_timestamp is not None
    await world.channel.unpin_message(world.message)
    assert [one async for one in world.channel.fetch_pins()] == []


@check
async def posts_a_poll_sees_the_votes_ends_it() -> None:
    poll = build.PollBuilder(question_text="Which bird?", allow_multiselect=False, duration=2)
    poll.add_answer(text="magpie", emoji=hikari.UnicodeEmoji("🐦"))
    poll.add_answer(text="jay")
    message = await bot.rest.create_message(world.channel, poll=poll)
    assert [one.poll_media.text for one in message.poll.answers] == ["magpie", "jay"]
    voted = await expect(hikari.PollVoteCreateEvent)
    path = f"/channels/{world.channel.id}/polls/{message.id}/answers/@me"
    await as_person("PUT", path, {"answer_ids": ["1"]})
    assert (await voted).answer_id == 1
    (voter,) = await bot.rest.fetch_poll_voters(world.channel, message, 1)
    assert voter.id == world.person.id
    ended = await bot.rest.end_poll(world.channel, message)
    assert ended.poll.results.is_finalized
    assert ended.poll.results.answer_counts[0].count == 1


@check
async def starts_threads() -> None:
    thread = await bot.rest.create_message_thread(
        world.channel, world.message, "talk", rate_limit_per_user=7
    )
    assert (thread.id, thread.rate_limit_per_user.total_seconds()) == (world.message.id, 7)
    await thread.send("in here")
    await bot.rest.add_thread_member(thread, world.person)
    assert world.person.id in [one.user_id async for one in bot.rest.fetch_thread_members(thread)]
    await bot.rest.edit_channel(thread, archived=True)
    archived = bot.rest.fetch_public_archived_threads(world.channel)
    assert thread.id in [one.id async for one in archived]
    secret = await bot.rest.create_thread(
        world.channel, hikari.ChannelType.GUILD_PRIVATE_THREAD, "shh"
    )
    active = await bot.rest.fetch_active_threads(world.guild)
    assert secret.id in [one.id for one in active]
    await bot.rest.leave_thread(secret)
    await bot.rest.delete_channel(secret)


@check
async def posts_in_a_forum_with_tags() -> None:
    channels = await bot.rest.fetch_guild_channels(world.guild)
    forum = next(one for one in channels if one.name == "trips")
    tags = [
        hikari.ForumTag(name="Rome", emoji="🏛"),
        hikari.ForumTag(name="official", moderated=True),
    ]
    forum = await bot.rest.edit_channel(forum, available_tags=tags, default_sort_order=1)
    assert isinstance(forum, hikari.GuildForumChannel)
    assert [(one.name, one.moderated) for one in forum.available_tags] == [
        ("Rome", False),
        ("official", True),
    ]
    rome, official = forum.available_tags
    post = await bot.rest.create_forum_post(forum, "Day 1", "hi", tags=[rome])
    assert post.applied_tag_ids == [rome.id]
    changed = await bot.rest.edit_channel(
        post, applied_tags=[official], flags=hikari.ChannelFlag.PINNED
    )
    assert changed.applied_tag_ids == [official.id]
    assert changed.flags & hikari.ChannelFlag.PINNED


@check
async def registers_commands() -> None:
    say = build.SlashCommandBuilder("say", "Says it")
    for kind, name in ((hikari.OptionType.STRING, "text"), (hikari.OptionType.USER, "member")):
        say.add_option(
            hikari.CommandOption(
                type=kind, name=name, description="a value", autocomplete=name == "text"
            )
        )
    quote = build.ContextMenuCommandBuilder(hikari.CommandType.MESSAGE, "Quote")
    made = await bot.rest.set_application_commands(world.application, [say, quote])
    world.commands = {one.name: one for one in made}
    assert len(await bot.rest.fetch_application_commands(world.application)) == 2
    own = await bot.rest.create_slash_command(
        world.application, "here", "Only here", guild=world.guild
    )
    await own.edit(description="Here only")
    await own.delete()


@check
async def answers_a_command() -> None:
    options = [
        {"type": 3, "name": "text", "value": "hello"},
        {"type": 6, "name": "member", "value": str(world.person.id)},
    ]
    asked = await command("say", 1, options=options)
    assert [one.value for one in asked.options] == ["hello", world.person.id]
    await asked.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "hello")
    assert (await asked.fetch_initial_response()).content == "hello"
    further = await asked.execute("and", flags=hikari.MessageFlag.EPHEMERAL)
    assert further.flags & hikari.MessageFlag.EPHEMERAL
    await asked.delete_initial_response()


@check
async def defers_edits_and_attaches() -> None:
    asked = await command("say", 1)
    await asked.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    message = await asked.edit_initial_response("done", attachment=hikari.Bytes(PIXEL, "pixel.png"))
    assert len(message.attachments) == 1
    menu = await command("Quote", 3, target_id=str(world.message.id))
    assert list(menu.resolved.messages) == [world.message.id]
    await menu.create_initial_response(
        hikari.ResponseType.MESSAGE_CREATE, "quoted", flags=hikari.MessageFlag.EPHEMERAL
    )


@check
async def suggests_choices() -> None:
    options = [{"type": 3, "name": "text", "value": "he", "focused": True}]
    data = {"id": str(world.commands["say"].id), "name": "say", "type": 1, "options": options}
    asked = await interact(4, data)
    assert asked.options[0].is_focused
    await asked.create_response([build.AutocompleteChoiceBuilder(name="hello", value="hello")])


@check
async def answers_buttons_menus_and_forms() -> None:
    first = build.MessageActionRowBuilder()
    first.add_interactive_button(hikari.ButtonStyle.SECONDARY, "b", label="B")
    second = build.MessageActionRowBuilder()
    second.add_text_menu("pick").add_option("one", "1")
    message = await world.channel.send("choose", components=[first, second])
    button, menu = (row.components[0] for row in message.components)
    clicked = await click(message, button)
    await clicked.create_initial_response(hikari.ResponseType.MESSAGE_UPDATE, "clicked")
    picked = await click(message, menu, values=["1"])
    assert list(picked.values) == ["1"]
    await picked.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
    await picked.execute("picked")
    asked = await click(message, button)
    row = build.ModalActionRowBuilder()
    row.add_text_input("why", "Why?")
    await asked.create_modal_response("Form", "form", components=[row])
    inputs = [{"type": 1, "components": [{"type": 4, "custom_id": "why", "value": "because"}]}]
    data = {"id": str(asked.id), "custom_id": "form", "components": inputs}
    submitted = await interact(5, data)
    assert submitted.components[0].components[0].value == "because"
    await submitted.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "thanks")


@check
async def resumes_after_a_break_and_after_an_invalid_session() -> None:
    for fault in (
        {"kind": "gateway_drop"},
        {"kind": "gateway_reconnect"},
        {"kind": "gateway_invalid", "resumable": True},
    ):
        kind = fault["kind"]
        resumed = await expect(hikari.ShardResumedEvent)
        arrived = await expect(
            hikari.GuildMessageCreateEvent, lambda event, kind=kind: event.content == kind
        )
        async with world.http.put(f"{URL}/sandbox/faults", json=fault) as answer:
            assert answer.status == 200
        await as_person("POST", f"/channels/{world.channel.id}/messages", {"content": kind})
        await asyncio.gather(resumed, arrived)


@check
async def writes_direct_messages() -> None:
    direct = await bot.rest.create_dm_channel(world.person)
    written = await bot.rest.create_message(direct, "only for you")
    assert (await bot.rest.fetch_message(direct, written)).content == "only for you"


@check
async def gets_discords_errors() -> None:
    missing = await refused(hikari.NotFoundError, bot.rest.fetch_message(world.channel, 1))
    assert missing.code == 10008
    too_long = await refused(hikari.BadRequestError, world.channel.send("x" * 2001))
    assert (too_long.code, list(too_long.errors)) == (50035, ["content"])


async def main() -> None:
    async with aiohttp.ClientSession() as world.http:
        for run in CHECKS:
            line = {"check": run.__name__.replace("_", " ")}
            try:
                await run()
            except Exception:
                line["failed"] = traceback.format_exc()
            print(json.dumps(line), flush=True)
            if not hasattr(world, "guild"):
                break
        if bot.is_alive:
            await bot.close()


asyncio.run(main())
