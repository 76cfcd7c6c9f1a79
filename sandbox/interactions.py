"""Interactions: a person's command, click or form, and the bot's answers to it.

A person POSTs /interactions. The bot gets INTERACTION_CREATE and has 3 s to acknowledge it by
POST /interactions/{id}/{token}/callback. Then it has 15 minutes to edit its answer and to follow up
through /webhooks/{application}/{token}. When it doesn't acknowledge, the person gets
INTERACTION_FAILURE.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from . import commands, components, permissions, posting, rest, uploads
from .core import Core
from .errors import ApiError, invalid, missing_permissions, required, unknown
from .options import SUB_COMMAND, SUB_COMMAND_GROUP, Options, Resolved
from .payloads import Viewer
from .posting import Author
from .rest import Caller
from .uploads import MAX_FILE_BYTES, Body
from .world import (
    COMMAND_ANSWER,
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    MENU_ANSWER,
    REPLY,
    Channel,
    Message,
    Reference,
)

if TYPE_CHECKING:
    from discord.types.interactions import Interaction as InteractionPayload
    from discord.types.interactions import (
        InteractionCallback,
        InteractionType,
        MessageComponentInteraction,
        MessageComponentInteractionData,
    )
    from discord.types.member import MemberWithUser

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
ANSWER, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9

MAX_CHOICES, MAX_CHOICE_LETTERS = 25, 100
MAX_KEPT = 5000  # interactions; beyond it the oldest are dropped

ACKNOWLEDGED = ApiError(400, 40060, "Interaction has already been acknowledged.")
EXPIRED_TOKEN = ApiError(401, 50027, "Invalid Webhook Token")
OUTDATED = "This command is outdated, please try again in a few minutes"


@dataclass
class Interaction:
    """One interaction. `response` is the message that @original names; None before the answer."""

    id: int
    token: str
    type: InteractionType
    user_id: int
    guild_id: int
    channel_id: int
    data: dict[str, Any]
    nonce: Any
    session_id: str | None
    name: str = ""  # of the command
    source: Message | None = None  # the message whose button was clicked
    target: Message | None = None  # the message that a menu was opened on
    came_from: dict[str, Any] | None = None  # metadata of the interaction that opened a modal
    created: float = field(default_factory=time.monotonic)
    state: str = "waiting"  # then "acknowledged" or "failed"
    response: Message | None = None
    modal: dict[str, Any] | None = None


class InteractionRoutes:
    """/interactions, and the webhooks with their tokens."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.by_id: dict[int, Interaction] = {}
        self.by_token: dict[str, Interaction] = {}

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        webhook = "/webhooks/{webhook_id}/{webhook_token}"
        original, one = f"{webhook}/messages/@original", f"{webhook}/messages/{{message_id}}"
        return [
            web.post("/interactions", self.begin),
            web.post("/interactions/{interaction_id}/{interaction_token}/callback", self.callback),
            web.post(webhook, self.follow_up),
            web.get(original, self.read_answer),
            web.patch(original, self.edit_answer),
            web.delete(original, self.delete_answer),
            web.get(one, self.read_answer),
            web.patch(one, self.edit_answer),
            web.delete(one, self.delete_answer),
        ]

    # a person starts one

    async def begin(self, request: web.Request) -> web.Response:
        """A person's command, click, form or partly typed option; 204, the rest comes as events."""
        who = rest.caller(self.core, request)
        body = await rest.body_of(request)
        wanted = body.json
        if int(wanted.get("application_id") or 0) != self.core.world.application.id:
            raise unknown("Application")
        channel = rest.channel_seen(self.core, who, int(wanted.get("channel_id") or 0))
        world = self.core.world
        if not channel.is_direct and world.member(channel.guild_id, world.bot.id) is None:
            raise unknown("Application")
        interaction = await self._read(who, channel, body)
        self._remember(interaction)
        self._announce(interaction, channel)
        return rest.nothing()

    async def _read(self, who: Caller, channel: Channel, body: Body) -> Interaction:
        kind, data = body.json.get("type"), body.json.get("data")
        if not isinstance(data, dict):
            raise required("data")
        interaction = Interaction(
            id=self.core.next_id(),
            token=secrets.token_urlsafe(48),
            type=cast("InteractionType", kind),
            user_id=who.user.id,
            guild_id=channel.guild_id,
            channel_id=channel.id,
            data={},
            nonce=body.json.get("nonce"),
            session_id=body.json.get("session_id"),
        )
        if kind in (COMMAND, AUTOCOMPLETE):
            await self._read_command(interaction, who, channel, data, body.uploads)
        elif kind == COMPONENT:
            self._read_click(interaction, who, channel, body.json, data)
        elif kind == MODAL_SUBMIT:
            self._read_form(interaction, data)
        else:
            raise invalid("type", "BASE_TYPE_CHOICES", "Value must be one of (2, 3, 4, 5).")
        return interaction

    async def _read_command(
        self,
        interaction: Interaction,
        who: Caller,
        channel: Channel,
        data: dict[str, Any],
        files: list[uploads.Upload],
    ) -> None:
        command = self.core.world.commands.get(int(data.get("id") or 0))
        member = self.core.world.member(channel.guild_id, who.user.id)
        if command is None or member is None:
            raise unknown("application command")
        if data.get("version") not in (None, command["version"]):
            raise invalid(
                "data.version", "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION", OUTDATED
            )
        allowed = rest.may(self.core, who, channel, permissions.USE_APPLICATION_COMMANDS)
        if not allowed or not commands.usable(self.core, member, channel, command):
            raise missing_permissions()
        interaction.name = command["name"]
        interaction.data = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command:
            interaction.data["guild_id"] = command["guild_id"]
        resolved = Resolved(self.core, channel, who)
        if command["type"] == commands.CHAT_INPUT:
            given = data.get("options") or []
            half_typed = interaction.type == AUTOCOMPLETE
            kept = await self._keep_files(channel, data, files)
            options = Options(resolved, kept, half_typed)
            interaction.data["options"] = options.read(given, command.get("options") or [])
            interaction.name = _full_name(command["name"], interaction.data["options"])
        else:
            self._read_target(interaction, channel, command["type"], data, resolved)
        if resolved.value:
            interaction.data["resolved"] = resolved.value

    async def _keep_files(
        self, channel: Channel, data: dict[str, Any], files: list[uploads.Upload]
    ) -> dict[str, Any]:
        """The files of attachment options, by the number that they were sent with."""
        listed = {str(one.get("id")): one for one in data.get("attachments") or []}
        kept = {}
        for upload in files:
            attachment = await uploads.keep(
                upload,
                self.core.uploads,
                id=self.core.next_id(),
                channel_id=channel.id,
                listed=listed.get(upload.index, {}),
                ephemeral=True,
            )
            self.core.world.show_file(attachment)
            kept[upload.index] = attachment
        return kept

    def _read_target(
        self,
        interaction: Interaction,
        channel: Channel,
        kind: int,
        data: dict[str, Any],
        resolved: Resolved,
    ) -> None:
        target_id = int(data.get("target_id") or 0)
        interaction.data["target_id"] = str(target_id)
        if kind == commands.USER_MENU:
            resolved.user(target_id)
            return
        message = self.core.find_message(channel.id, target_id)
        if message is None or message.only_for not in (None, interaction.user_id):
            raise unknown("Message")
        interaction.target = message
        resolved.message(message)

    def _read_click(
        self,
        interaction: Interaction,
        who: Caller,
        channel: Channel,
        wanted: dict[str, Any],
        data: dict[str, Any],
    ) -> None:
        message = self.core.find_message(channel.id, int(wanted.get("message_id") or 0))
        if message is None or message.only_for not in (None, who.user.id):
            raise unknown("Message")
        custom_id, kind = str(data.get("custom_id")), int(data.get("component_type") or 0)
        component = components.find(message.components, custom_id, kind)
        if component is None or message.author_id != self.core.world.bot.id:
            message_text = "Component validation failed"
            raise invalid("data.custom_id", "COMPONENT_VALIDATION_FAILED", message_text)
        interaction.source = message
        clicked: dict[str, Any] = {"id": component["id"]}
        interaction.data = {**clicked, "component_type": kind, "custom_id": custom_id}
        if kind in components.SELECTS:
            values = [str(value) for value in data.get("values") or []]
            _check_values(component, values)
            interaction.data["values"] = values
            resolved = Resolved(self.core, channel, who)
            for value in values:
                resolved.selected(kind, value)
            if resolved.value:
                interaction.data["resolved"] = resolved.value

    def _read_form(self, interaction: Interaction, data: dict[str, Any]) -> None:
        asked = self.by_id.get(int(data.get("id") or 0))
        if asked is None or asked.modal is None or asked.user_id != interaction.user_id:
            raise unknown("interaction")
        if asked.modal["custom_id"] != data.get("custom_id"):
            raise invalid("data.custom_id", "COMPONENT_VALIDATION_FAILED", "Unknown form")
        form, asked.modal = asked.modal, None
        interaction.source = asked.source
        interaction.name = asked.name
        interaction.came_from = self._metadata(asked)
        interaction.data = {
            "custom_id": data["custom_id"],
            "components": components.filled_in(data.get("components") or [], form["components"]),
        }

    def _remember(self, interaction: Interaction) -> None:
        self.by_id[interaction.id] = interaction
        self.by_token[interaction.token] = interaction
        while len(self.by_id) > MAX_KEPT:
            oldest = self.by_id.pop(next(iter(self.by_id)))
            del self.by_token[oldest.token]

    def _announce(self, interaction: Interaction, channel: Channel) -> None:
        """Send the events to the bot and the person, and start the time limit."""
        brief = {"id": str(interaction.id), "nonce": interaction.nonce}
        gateway = self.core.gateway
        gateway.emit("INTERACTION_CREATE", brief, only={interaction.user_id})
        payload = self._payload(interaction, channel)
        bot = self.core.world.bot.id
        gateway.emit(
            "INTERACTION_CREATE",
            cast("dict[str, Any]", payload),
            guild=self.core.guild_of(channel),
            only={bot},
        )
        self.core.spawn(self._fail_when_late(interaction))

    async def _fail_when_late(self, interaction: Interaction) -> None:
        await asyncio.sleep(self.core.clocks.acknowledge_s)
        if interaction.state == "waiting":
            interaction.state = "failed"
            self._tell(interaction, "INTERACTION_FAILURE", reason_code=2)

    def _tell(self, interaction: Interaction, event: str, **more: Any) -> None:
        data = {"id": str(interaction.id), "nonce": interaction.nonce, **more}
        self.core.gateway.emit(event, data, only={interaction.user_id})

    def _payload(self, interaction: Interaction, channel: Channel) -> InteractionPayload:
        """What the bot gets. The common keys are type-checked; `data` depends on the kind."""
        guild = self.core.guild_of(channel)
        world, payloads = self.core.world, self.core.payloads
        payload: MessageComponentInteraction = {
            "id": str(interaction.id),
            "application_id": str(world.application.id),
            "type": 3,
            "token": interaction.token,
            "version": 1,
            "data": cast("MessageComponentInteractionData", interaction.data),
            "channel_id": str(channel.id),
            "channel": payloads.interaction_channel(channel, interaction.user_id),
            "app_permissions": str(world.permissions(world.bot.id, channel)),
            "locale": world.users[interaction.user_id].locale,
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 1 if channel.is_direct else 0,
            "attachment_size_limit": MAX_FILE_BYTES,
        }
        about: dict[str, Any] = {"type": interaction.type}
        if channel.is_direct:
            about["user"] = payloads.user_by_id(interaction.user_id)
        else:
            about["member"] = self._asker(interaction, channel)
            locale = guild.preferred_locale
            about["guild_id"], about["guild_locale"] = str(guild.id), locale
            about["guild"] = {"id": str(guild.id), "locale": locale, "features": []}
        if interaction.source is not None:
            viewer = Viewer(world.bot.id)
            about["message"] = payloads.message_event(interaction.source, viewer)
        return cast("InteractionPayload", {**payload, **about})

    def _asker(self, interaction: Interaction, channel: Channel) -> MemberWithUser:
        member = self.core.guild_of(channel).members[interaction.user_id]
        asker = self.core.payloads.member(member)
        asker["permissions"] = str(self.core.world.permissions(interaction.user_id, channel))
        return asker

    # the bot acknowledges

    async def callback(self, request: web.Request) -> web.Response:
        """The bot's first answer; it must come in time, and only once."""
        interaction = self.by_id.get(rest.id_in(request, "interaction_id"))
        token = request.match_info["interaction_token"]
        if interaction is None or interaction.token != token or interaction.state == "failed":
            raise unknown("interaction")
        if interaction.state == "acknowledged":
            raise ACKNOWLEDGED
        body = await rest.body_of(request)
        kind, data = body.json.get("type"), body.json.get("data") or {}
        interaction.state = "acknowledged"
        try:
            await self._respond(interaction, kind, Body(data, body.uploads))
        except BaseException:
            interaction.state = "waiting"
            raise
        if kind not in (CHOICES, MODAL):
            self._tell(interaction, "INTERACTION_SUCCESS")
        if not rest.flag_asked(request, "with_response"):
            return rest.nothing()
        return rest.answer(self._callback_payload(interaction, cast("int", kind)))

    async def _respond(self, interaction: Interaction, kind: Any, body: Body) -> None:
        if kind == CHOICES and interaction.type == AUTOCOMPLETE:
            self._choices(interaction, body.json)
        elif interaction.type == AUTOCOMPLETE:
            raise invalid("type", "INTERACTION_TYPE_INVALID", "Only choices answer autocomplete")
        elif kind == ANSWER:
            message = await self._answer(interaction, body)
            interaction.response = message
            self.core.post(message)
        elif kind == DEFER:
            self._defer(interaction, body.json)
        elif kind == MODAL and interaction.type != MODAL_SUBMIT:
            self._show_form(interaction, body.json)
        elif kind in (DEFER_UPDATE, UPDATE) and interaction.source is not None:
            interaction.response = interaction.source
            if kind == UPDATE:
                await posting.edit(self.core, interaction.source, body, self._author(interaction))
                self.core.change(interaction.source)
        else:
            message_text = f"Interaction callback type {kind} is invalid here"
            raise invalid("type", "INTERACTION_TYPE_INVALID", message_text)

    def _author(self, interaction: Interaction) -> Author:
        world = self.core.world
        channel = world.channel(interaction.channel_id)
        allowed = world.permissions(world.bot.id, channel) if channel is not None else 0
        return Author(world.bot, allowed, world.application.id, for_interaction=True)

    def _channel(self, interaction: Interaction) -> Channel:
        channel = self.core.world.channel(interaction.channel_id)
        if channel is None:
            raise unknown("Channel")
        return channel

    async def _answer(self, interaction: Interaction, body: Body) -> Message:
        """A new message that answers the interaction, not posted yet."""
        channel = self._channel(interaction)
        message = await posting.new(self.core, self._author(interaction), channel, body)
        self._mark(message, interaction)
        return message

    def _mark(self, message: Message, interaction: Interaction) -> None:
        """Set which interaction a message answers, and who may see it if it is ephemeral."""
        message.interaction = self._metadata(interaction)
        if message.flags & EPHEMERAL:
            message.only_for = interaction.user_id
        previous = interaction.response or interaction.source
        if previous is not None:
            message.type = REPLY
            message.reference = Reference(0, previous.channel_id, previous.id, interaction.guild_id)
        elif interaction.target is not None:
            message.type = MENU_ANSWER
            target = interaction.target
            message.reference = Reference(0, target.channel_id, target.id, interaction.guild_id)
        else:
            message.type = COMMAND_ANSWER

    def _metadata(self, interaction: Interaction) -> dict[str, Any]:
        kind = COMMAND if interaction.type == AUTOCOMPLETE else interaction.type
        metadata: dict[str, Any] = {
            "id": str(interaction.id),
            "type": kind,
            "user_id": interaction.user_id,
            "name": interaction.name,
            "authorizing_integration_owners": {"0": str(interaction.guild_id)},
        }
        if interaction.response is not None:
            metadata["original_response_message_id"] = str(interaction.response.id)
        if kind == COMPONENT and interaction.source is not None:
            metadata["interacted_message_id"] = str(interaction.source.id)
        if interaction.target is not None:
            metadata["target_message_id"] = str(interaction.target.id)
        if interaction.came_from is not None:
            metadata["triggering_interaction_metadata"] = interaction.came_from
        return metadata

    def _defer(self, interaction: Interaction, data: dict[str, Any]) -> None:
        world = self.core.world
        message = Message(
            id=self.core.next_id(),
            channel_id=interaction.channel_id,
            author_id=world.bot.id,
            flags=LOADING | int(data.get("flags") or 0) & EPHEMERAL,
            application_id=world.application.id,
        )
        self._mark(message, interaction)
        interaction.response = message
        self.core.post(message)

    def _choices(self, interaction: Interaction, data: dict[str, Any]) -> None:
        choices = data.get("choices") or []
        if len(choices) > MAX_CHOICES:
            message = f"Must be {MAX_CHOICES} or fewer in length."
            raise invalid("data.choices", "BASE_TYPE_MAX_LENGTH", message)
        for n, choice in enumerate(choices):
            for key, least in (("name", 1), ("value", 0)):
                if not least <= len(str(choice.get(key) or "")) <= MAX_CHOICE_LETTERS:
                    message = f"Must be between {least} and {MAX_CHOICE_LETTERS} in length."
                    raise invalid(f"data.choices.{n}.{key}", "BASE_TYPE_BAD_LENGTH", message)
        event = {"choices": choices, "nonce": interaction.nonce}
        self.core.gateway.emit(
            "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE", event, only={interaction.user_id}
        )

    def _show_form(self, interaction: Interaction, data: dict[str, Any]) -> None:
        """Send the person a form."""
        for key, most in (("custom_id", 100), ("title", 45)):
            if not 1 <= len(str(data.get(key) or "")) <= most:
                message = f"Must be between 1 and {most} in length."
                raise invalid(f"data.{key}", "BASE_TYPE_BAD_LENGTH", message)
        if not 1 <= len(data.get("components") or []) <= 5:
            message = "Must be between 1 and 5 in length."
            raise invalid("data.components", "BASE_TYPE_BAD_LENGTH", message)
        interaction.modal = {**data, "components": components.numbered(data["components"])}
        self._tell(
            interaction,
            "INTERACTION_MODAL_CREATE",
            channel_id=str(interaction.channel_id),
            application={
                "id": str(self.core.world.application.id),
                "name": self.core.world.application.name,
            },
            custom_id=data["custom_id"],
            title=data["title"],
            components=interaction.modal["components"],
        )

    def _callback_payload(self, interaction: Interaction, kind: int) -> InteractionCallback:
        payload: InteractionCallback = {
            "interaction": {"id": str(interaction.id), "type": interaction.type}
        }
        message = interaction.response
        if kind in (ANSWER, DEFER, UPDATE) and message is not None:
            about = payload["interaction"]
            about["response_message_id"] = str(message.id)
            about["response_message_loading"] = bool(message.flags & LOADING)
            about["response_message_ephemeral"] = message.only_for is not None
        if kind in (ANSWER, UPDATE) and message is not None:
            payload["resource"] = {
                "type": cast("Any", kind),
                "message": self.core.payloads.message(message, Viewer(self.core.world.bot.id)),
            }
        return payload

    # the bot follows up

    def _of_token(self, request: web.Request) -> Interaction:
        interaction = self.by_token.get(request.match_info["webhook_token"])
        right = rest.id_in(request, "webhook_id") == self.core.world.application.id
        if interaction is None or not right:
            raise unknown("Webhook")
        if time.monotonic() - interaction.created > self.core.clocks.token_s:
            raise EXPIRED_TOKEN
        if interaction.state != "acknowledged":
            raise unknown("Webhook")
        return interaction

    async def follow_up(self, request: web.Request) -> web.Response:
        """Post a further message; the first one after a deferral replaces the deferred answer.

        The message is always returned: for interactions, Discord takes no notice of `wait`.
        """
        interaction = self._of_token(request)
        body = await rest.body_of(request)
        waiting = interaction.response
        if waiting is not None and waiting.flags & LOADING:
            if int(body.json.get("flags") or 0) & COMPONENTS_V2:
                waiting.flags |= COMPONENTS_V2
            body.json.pop("flags", None)
            await posting.edit(self.core, waiting, body, self._author(interaction))
            self.core.change(waiting)
            message = waiting
        else:
            message = await self._answer(interaction, body)
            self.core.post(message)
        return rest.answer(self._shown(message))

    def _shown(self, message: Message) -> Any:
        return self.core.payloads.message(message, Viewer(self.core.world.bot.id))

    def _named(self, request: web.Request, interaction: Interaction) -> Message:
        """The message that the path names: @original, or another one of this interaction."""
        if "message_id" not in request.match_info:
            message = interaction.response
        else:
            id = rest.id_in(request, "message_id")
            message = self.core.find_message(interaction.channel_id, id)
            mine = (message.interaction or {}).get("id") if message is not None else None
            original = interaction.response is not None and interaction.response.id == id
            if mine != str(interaction.id) and not original:
                message = None
        if message is None or self.core.find_message(message.channel_id, message.id) is None:
            raise unknown("Message")
        return message

    async def read_answer(self, request: web.Request) -> web.Response:
        """One of the interaction's messages."""
        interaction = self._of_token(request)
        return rest.answer(self._shown(self._named(request, interaction)))

    async def edit_answer(self, request: web.Request) -> web.Response:
        """Edit one of the interaction's messages; this ends a deferral."""
        interaction = self._of_token(request)
        message = self._named(request, interaction)
        body = await rest.body_of(request)
        await posting.edit(self.core, message, body, self._author(interaction))
        self.core.change(message)
        return rest.answer(self._shown(message))

    async def delete_answer(self, request: web.Request) -> web.Response:
        """Delete one of the interaction's messages."""
        message = self._named(request, self._of_token(request))
        self.core.delete(message)
        return rest.nothing()


def _full_name(name: str, options: list[dict[str, Any]]) -> str:
    """A command's name with its group and subcommand, such as "channels add"."""
    while options and options[0]["type"] in (SUB_COMMAND, SUB_COMMAND_GROUP):
        name = f"{name} {options[0]['name']}"
        options = options[0].get("options") or []
    return name


def _check_values(component: dict[str, Any], values: list[str]) -> None:
    least, most = component["min_values"], component["max_values"]
    if not least <= len(values) <= most:
        message = f"Must be between {least} and {most} in length."
        raise invalid("data.values", "BASE_TYPE_BAD_LENGTH", message)
    options = [option["value"] for option in component.get("options") or []]
    if component["type"] == components.SELECT and not set(values) <= set(options):
        raise invalid("data.values", "COMPONENT_VALIDATION_FAILED", "Unknown option")
