"""Commands, menus, buttons, forms and autocomplete, from a person to discord.py and back."""

from __future__ import annotations

import asyncio
import io
from typing import Any, Literal

import discord
import pytest
from discord import app_commands, ui

from sandbox import Clocks, Server
from sandbox.person import Answer, Person, Refused, Unanswered
from tests.sandbox.clients import Bird, flying
from tests.sandbox.conftest import LogIn
from tests.worlds import WorldFile

Interaction = discord.Interaction[Any]


class More(ui.DynamicItem[ui.Button[Any]], template=r"m:(?P<search>[a-z]+):(?P<page>[0-9]+)"):
    """A button that has its page number in its custom_id."""

    def __init__(self, search: str, page: int) -> None:
        super().__init__(ui.Button(label="More", custom_id=f"m:{search}:{page}"))
        self.page = page

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: Any, /
    ) -> More:
        return cls(match["search"], int(match["page"]))

    async def callback(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(view=page(self.page + 1))


def page(number: int, *urls: str) -> ui.LayoutView:
    """A page of an answer: text, a gallery if there are pictures, and a button."""
    view = ui.LayoutView(timeout=None)
    container: ui.Container[Any] = ui.Container(ui.TextDisplay(f"page {number}"))
    if urls:
        container.add_item(ui.MediaGallery(*[discord.MediaGalleryItem(url) for url in urls]))
    container.add_item(ui.ActionRow(More("abc", number)))
    view.add_item(container)
    return view


def commands(bird: Bird) -> None:
    """The commands that the tests use."""
    bird.add_dynamic_items(More)

    @bird.tree.command(description="Find pictures.")
    @app_commands.guild_only()
    async def find(
        interaction: Interaction,
        query: app_commands.Range[str, 1, 20],
        image: discord.Attachment | None = None,
        show: Literal["me", "everyone"] = "me",
    ) -> None:
        await interaction.response.defer(ephemeral=show == "me", thinking=True)
        if image is not None:
            assert len(await image.read()) == image.size
        await interaction.edit_original_response(view=page(0))

    @find.autocomplete("query")
    async def complete(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current + "g", value=current + "g")]

    @bird.tree.command(description="Says what it was given.")
    async def echo(
        interaction: Interaction,
        place: discord.TextChannel | None = None,
        who: discord.Member | None = None,
        role: discord.Role | None = None,
        number: int = 0,
    ) -> None:
        said = f"{place and place.name} {who and who.name} {role and role.name} {number}"
        await interaction.response.send_message(said)

    @bird.tree.command(description="Never answers.")
    async def asleep(interaction: Interaction) -> None:
        return None

    @bird.tree.command(description="Asks.")
    async def ask(interaction: Interaction) -> None:
        await interaction.response.send_modal(Form())

    @bird.tree.command(description="Answers with a picture.")
    async def draw(interaction: Interaction) -> None:
        file = discord.File(io.BytesIO(b"picture"), "SPOILER_drawn.png")
        view = ui.LayoutView()
        view.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://SPOILER_drawn.png")))
        await interaction.response.send_message(view=view, file=file)

    @bird.tree.context_menu(name="Find similar")
    async def similar(interaction: Interaction, message: discord.Message) -> None:
        await interaction.response.defer(ephemeral=True)
        names = ", ".join(one.filename for one in message.attachments)
        await interaction.followup.send(f"like {names}")
        await interaction.followup.send("and more", ephemeral=True)

    @bird.tree.command(description="For those who manage.")
    @app_commands.default_permissions(manage_guild=True)
    async def status(interaction: Interaction) -> None:
        await interaction.response.send_message("all is well", ephemeral=True)

    @bird.tree.command(description="For direct messages.")
    @app_commands.dm_only()
    async def whisper(interaction: Interaction) -> None:
        await interaction.response.send_message("psst")

    @bird.tree.command(description="For grown-ups.", nsfw=True)
    async def late(interaction: Interaction) -> None:
        await interaction.response.send_message("late")


class Form(ui.Modal, title="A form"):
    name: ui.Label[Any] = ui.Label(text="Name", component=ui.TextInput(custom_id="name"))

    async def on_submit(self, interaction: Interaction) -> None:
        assert isinstance(self.name.component, ui.TextInput)
        await interaction.response.send_message(f"hello {self.name.component.value}")


async def test_a_deferred_private_answer_reaches_only_the_asker(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei, ada = await log_in("mei"), await log_in("ada")
        answer = await mei.command("find", query="dog")
        assert answer.private
        assert answer.text() == "page 0"
        assert answer.message["flags"] == 64 | 1 << 15
        assert "edited_timestamp" not in answer.message or not answer.message["edited_timestamp"]
        await ada.post(ada.channel("general"), "after")
        await bird.until("message", lambda message: message.content == "after")
        assert not [name for name, _ in ada._events if name == "MESSAGE_UPDATE"]
        history = await ada.messages(ada.channel("general"))
        assert answer.message["id"] not in [message["id"] for message in history]


async def test_a_public_answer_is_a_message_like_any_other(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei, ada = await log_in("mei"), await log_in("ada")
        answer = await mei.command("find", query="dog", show="everyone")
        assert not answer.private
        seen = await ada.event("MESSAGE_UPDATE", where=lambda m: m["id"] == answer.message["id"])
        assert seen["components"]
        assert seen["interaction"]["name"] == "find"
        assert (await ada.messages(ada.channel("general")))[0]["id"] == answer.message["id"]


async def test_a_dynamic_button_changes_the_page_in_place(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        answer = await mei.command("find", query="dog")
        for number in (1, 2):
            button = answer.button("More")
            answer = await _clicked(mei, answer, button, f"page {number}")


async def test_only_the_asker_can_click_a_private_button(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei, ada = await log_in("mei"), await log_in("ada")
        answer = await mei.command("find", query="dog")
        ada._application_id = answer.message["application_id"]
        with pytest.raises(Refused, match="Unknown Message"):
            await ada.click(answer, answer.button("More"))


async def test_an_attachment_option_can_be_read(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        picture = (world_file.folder / "red.png").read_bytes()
        answer = await mei.command("find", query="dog", image=("dog.png", picture))
        assert answer.text() == "page 0"


async def test_options_of_channels_members_roles_and_numbers_are_resolved(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        answer = await mei.command(
            "echo",
            place=mei.channel("after-dark"),
            who=str(world_file.people["ada"]),
            role=str(world_file.roles["Moderators"]),
            number=7,
        )
        assert answer.text() == "after-dark ada Moderators 7"
        with pytest.raises(Refused, match="Unknown Channel"):
            await mei.command("echo", place=str(world_file.channels["mods"]))


async def test_an_option_outside_its_bounds_is_refused(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        with pytest.raises(Refused, match="Invalid Form Body"):
            await mei.command("find", query="x" * 21)
        with pytest.raises(Refused, match="Invalid Form Body"):
            await mei.command("find", query="dog", show="nobody")
        with pytest.raises(Refused, match="Invalid Form Body"):
            await mei.command("find")


async def test_what_is_typed_is_completed_with_the_bots_choices(
    sandbox: Server, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        assert await mei.suggestions("find", "query", "do") == [{"name": "dog", "value": "dog"}]
        assert await mei.suggestions("find", "query", "x" * 99, show="everyone") == [
            {"name": "x" * 99 + "g", "value": "x" * 99 + "g"}
        ]
        with pytest.raises(KeyError, match="colour"):
            await mei.suggestions("find", "colour", "do")


async def test_choices_longer_than_discord_takes_are_refused(
    sandbox: Server, log_in: LogIn
) -> None:
    quick = Clocks(acknowledge_s=0.5)
    sandbox.core.clocks = quick
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        with pytest.raises(Unanswered):
            await mei.suggestions("find", "query", "x" * 100)


async def test_a_menu_gets_the_message_it_was_opened_on(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        posted = await mei.post(mei.channel("general"), pictures={"cat.png": b"x"})
        answer = await mei.menu("Find similar", posted)
        assert answer.private
        assert answer.text() == "like cat.png"
        further = await mei.event("MESSAGE_CREATE", where=lambda m: m["content"] == "and more")
        assert further["flags"] & 64


async def test_a_form_is_shown_and_sent(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei = await log_in("mei")
        ask = next(one for one in await mei.commands() if one["name"] == "ask")
        await _interact(mei, 2, ask, "5")
        form = await mei.event("INTERACTION_MODAL_CREATE")
        assert (form["title"], form["nonce"]) == ("A form", "5")
        (label,) = form["components"]
        assert label["id"] != label["component"]["id"]
        field = {"type": 4, "custom_id": "name", "value": "Bob"}
        data = {
            "id": form["id"],
            "custom_id": form["custom_id"],
            "components": [{"type": 18, "component": field}],
        }
        body = {**_where(mei, ask), "type": 5, "nonce": "6", "data": data}
        await mei.request("POST", "/interactions", json=body)
        answer = await mei.event("MESSAGE_CREATE")
        assert answer["content"] == "hello Bob"
        opened_by = answer["interaction_metadata"]["triggering_interaction_metadata"]
        assert opened_by["user"]["id"] == mei.user["id"]
        sent = (await bird.times("interaction", 2))[1]
        (label_sent,) = sent.data["components"]
        ids = (label_sent["id"], label_sent["component"]["id"])
        assert ids == (label["id"], label["component"]["id"])


async def test_no_answer_within_three_seconds_is_a_failure(sandbox: Server, log_in: LogIn) -> None:
    sandbox.clocks.acknowledge_s = 0.2
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei = await log_in("mei")
        with pytest.raises(Unanswered):
            await mei.command("asleep")
        interaction = await bird.until("interaction")
        with pytest.raises(discord.NotFound) as error:
            await interaction.response.send_message("too late")
        assert error.value.code == 10062


async def test_an_interaction_is_acknowledged_once(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei = await log_in("mei")
        await mei.command("echo")
        interaction = await bird.until("interaction")
        interaction.response._response_type = None
        with pytest.raises(discord.HTTPException) as error:
            await interaction.response.send_message("again")
        assert error.value.code == 40060


async def test_a_token_expires(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei = await log_in("mei")
        await mei.command("echo")
        sandbox.clocks.token_s = 0.0
        interaction = await bird.until("interaction")
        with pytest.raises(discord.HTTPException) as error:
            await interaction.edit_original_response(content="too late")
        assert error.value.code == 50027


async def test_the_answer_can_be_read_edited_and_deleted(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei = await log_in("mei")
        answer = await mei.command("echo", number=3)
        interaction = await bird.until("interaction")
        original = await interaction.original_response()
        assert original.content == "None None None 3"
        assert original.interaction_metadata.user.name == "mei"
        await original.edit(content="changed")
        await mei.event("MESSAGE_UPDATE", where=lambda m: m["content"] == "changed")
        await original.delete()
        gone = await mei.event("MESSAGE_DELETE")
        assert gone["id"] == answer.message["id"]
        with pytest.raises(discord.NotFound):
            await interaction.edit_original_response(content="once more")


async def test_a_file_of_an_answer_is_in_its_gallery_and_not_in_attachments(
    sandbox: Server, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        answer = await mei.command("draw")
        assert answer.message["attachments"] == []
        (item,) = answer.pictures()
        assert item["media"]["attachment_id"]
        assert item["media"]["url"].startswith(f"{sandbox.url}/cdn/attachments/")


async def test_people_get_only_commands_that_they_may_use(sandbox: Server, log_in: LogIn) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei, mod = await log_in("mei"), await log_in("mod")
        assert not {"status", "whisper"} & {one["name"] for one in await mei.commands()}
        assert "status" in [one["name"] for one in await mod.commands()]
        answer = await mod.command("status")
        assert answer.text() == "all is well"
        status = next(one for one in await mod.commands() if one["name"] == "status")
        with pytest.raises(Refused, match="Missing Permissions"):
            await _interact(mei, 2, status, "1")


async def test_an_age_restricted_command_works_only_in_age_restricted_channels(
    sandbox: Server, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox):
        mei = await log_in("mei")
        answer = await mei.command("late", where=mei.channel("after-dark"))
        assert answer.text() == "late"
        with pytest.raises(Refused, match="Missing Permissions"):
            await mei.command("late", where=mei.channel("general"))


async def test_registering_again_keeps_ids(sandbox: Server) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        first = {one.name: one.id for one in await bird.tree.sync()}
        second = {one.name: one.id for one in await bird.tree.sync()}
        assert first == second
        assert {one.name for one in await bird.tree.fetch_commands()} == set(first)


async def test_the_two_hundred_and_first_command_of_a_day_is_refused(sandbox: Server) -> None:
    def many(bird: Bird, letter: str) -> None:
        bird.tree.clear_commands(guild=None)
        for number in range(99):

            @bird.tree.command(name=f"{letter}{number}", description="One of many.")
            async def one(interaction: Interaction) -> None:
                return None

    async with flying(Bird(), sandbox) as bird:
        for letter in "ab":
            many(bird, letter)
            await bird.tree.sync()
        many(bird, "c")
        with pytest.raises(discord.HTTPException) as error:
            await bird.tree.sync()
        assert error.value.code == 30034


def _where(person: Person, command: dict[str, Any]) -> dict[str, Any]:
    return {
        "application_id": command["application_id"],
        "guild_id": person.guilds[0]["id"],
        "channel_id": person.channel("general"),
        "session_id": person.session_id,
    }


async def _interact(
    person: Person, kind: int, command: dict[str, Any], nonce: str, **data: Any
) -> None:
    about = {key: command[key] for key in ("id", "name", "type", "version")}
    body = {**_where(person, command), "type": kind, "nonce": nonce, "data": {**about, **data}}
    await person.request("POST", "/interactions", json=body)


async def _clicked(person: Person, answer: Answer, button: dict[str, Any], expected: str) -> Answer:
    """The answer after a click has changed it."""
    changed = asyncio.create_task(
        person.event(
            "MESSAGE_UPDATE",
            where=lambda message: Answer(message).text() == expected,
            since=person.seen(),
        )
    )
    await person.click(answer, button)
    return Answer(await changed)


async def test_gallery_link_to_another_message_is_signed_until_that_is_deleted(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(set_up=commands), sandbox) as bird:
        mei = await log_in("mei")
        general = mei.channel("general")
        picture = (world_file.folder / "red.png").read_bytes()
        posted = await mei.post(general, pictures={"cat.png": picture})
        bare = posted["attachments"][0]["url"].split("?")[0]
        view = page(0, bare, "https://pictures.example/red.png")
        sent = await bird.get_channel(int(general)).send(view=view)
        ours, elsewhere = sent.components[0].children[1].items
        assert "hm=" in ours.media.url
        assert (ours.media.width, ours.media.height) == (64, 48)
        assert await bird.http.get_from_cdn(ours.media.url) == picture
        assert elsewhere.media.url == "https://pictures.example/red.png"
        assert await bird.http.get_from_cdn(elsewhere.media.proxy_url)
        await mei.request("DELETE", f"/channels/{general}/messages/{posted['id']}")
        again = await sent.channel.fetch_message(sent.id)
        with pytest.raises(discord.NotFound):
            await bird.http.get_from_cdn(again.components[0].children[1].items[0].media.url)
        await sent.edit(view=page(1))


async def test_a_file_that_a_component_shows_cannot_be_removed(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    async with flying(Bird(), sandbox) as bird:
        general = bird.get_channel(world_file.channels["general"])
        file = discord.File(world_file.folder / "red.png")
        sent = await general.send(view=page(0, "attachment://red.png"), file=file)
        with pytest.raises(discord.HTTPException, match="was not found"):
            await sent.edit(attachments=[])
        missing = page(0, "attachment://other.png")
        with pytest.raises(discord.HTTPException, match="was not found"):
            await sent.edit(view=missing)
        await sent.edit(view=page(1), attachments=[])


async def test_a_select_sends_what_was_chosen(sandbox: Server, log_in: LogIn) -> None:
    chosen: list[list[str]] = []

    def choosing(bird: Bird) -> None:
        @bird.tree.command(description="Lets choose.")
        async def choose(interaction: Interaction) -> None:
            view = ui.View()
            select: ui.Select[Any] = ui.Select(
                options=[discord.SelectOption(label=name) for name in ("red", "blue")]
            )

            async def selected(click: Interaction) -> None:
                chosen.append(select.values)
                await click.response.edit_message(content="chosen", view=None)

            select.callback = selected  # type: ignore[method-assign]
            view.add_item(select)
            await interaction.response.send_message("which?", view=view)

    async with flying(Bird(set_up=choosing), sandbox):
        mei = await log_in("mei")
        answer = await mei.command("choose")
        (select,) = (part for part in answer.parts() if part["type"] == 3)
        body = {
            "application_id": answer.message["application_id"],
            "guild_id": mei.guilds[0]["id"],
            "channel_id": answer.message["channel_id"],
            "session_id": mei.session_id,
            "type": 3,
            "message_id": answer.message["id"],
        }
        data = {"component_type": 3, "custom_id": select["custom_id"]}
        for wrong in (["green"], ["red", "blue"], []):
            with pytest.raises(Refused, match="Invalid Form Body"):
                await mei.request(
                    "POST", "/interactions", json={**body, "data": {**data, "values": wrong}}
                )
        await mei.request(
            "POST", "/interactions", json={**body, "data": {**data, "values": ["blue"]}}
        )
        changed = await mei.event("MESSAGE_UPDATE", where=lambda m: m["content"] == "chosen")
        assert changed["components"] == []
        assert chosen == [["blue"]]


async def test_a_user_menu_gets_the_member(
    sandbox: Server, world_file: WorldFile, log_in: LogIn
) -> None:
    def greeting(bird: Bird) -> None:
        @bird.tree.context_menu(name="Greet")
        async def greet(interaction: Interaction, member: discord.Member) -> None:
            seen = member.resolved_permissions
            assert seen is not None
            await interaction.response.send_message(f"{member.name} {seen.manage_guild}")

    async with flying(Bird(set_up=greeting), sandbox):
        mei = await log_in("mei")
        (greet,) = await mei.commands()
        await _interact(mei, 2, greet, "1", target_id=str(world_file.people["mod"]))
        answer = await mei.event("MESSAGE_CREATE")
        assert answer["content"] == "mod True"


async def test_the_answer_to_a_subcommand_has_its_full_name(sandbox: Server, log_in: LogIn) -> None:
    def grouped(bird: Bird) -> None:
        group = app_commands.Group(name="channels", description="Which ones.")

        @group.command(description="One more.")
        async def add(interaction: Interaction, place: discord.TextChannel) -> None:
            await interaction.response.send_message(f"added {place.name}")

        bird.tree.add_command(group)

    async with flying(Bird(set_up=grouped), sandbox):
        mei = await log_in("mei")
        answer = await mei.command("channels", "add", place=mei.channel("general"))
        assert answer.text() == "added general"
        assert answer.message["interaction"]["name"] == "channels add"
