"""The options of a command and the values of a select menu, checked against what was offered."""

from __future__ import annotations

from typing import Any

from .core import Core
from .errors import invalid, required, unknown
from .payloads import Viewer
from .rest import Caller
from .world import Attachment, Channel, Guild, Member, Message

Option = dict[str, Any]

SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER, BOOLEAN = 1, 2, 3, 4, 5
USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 6, 7, 8, 9, 10, 11
SNOWFLAKES = (USER, CHANNEL, ROLE, MENTIONABLE)


class Resolved:
    """The `resolved` part of an interaction's data: the objects that its ids name."""

    def __init__(self, core: Core, channel: Channel, who: Caller) -> None:
        self.core = core
        self.channel = channel
        self.who = who
        self.value: dict[str, dict[str, Any]] = {}

    @property
    def guild(self) -> Guild:
        """The guild of the interaction."""
        return self.core.guild_of(self.channel)

    def _put(self, kind: str, id: int, value: Any) -> None:
        self.value.setdefault(kind, {})[str(id)] = value

    def user(self, id: int) -> None:
        """Add a user, and their membership in the guild."""
        user = self.core.world.users.get(id)
        if user is None:
            raise unknown("User")
        self._put("users", id, self.core.payloads.user(user))
        if member := self.guild.members.get(id):
            self._put("members", id, self._member(member))

    def _member(self, member: Member) -> dict[str, Any]:
        allowed = self.core.world.permissions(member.user_id, self.channel)
        return {**self.core.payloads.bare_member(member), "permissions": str(allowed)}

    def role(self, id: int) -> None:
        """Add a role of the guild."""
        role = self.guild.roles.get(id)
        if role is None:
            raise unknown("Role")
        self._put("roles", id, self.core.payloads.role(self.guild, role))

    def chosen_channel(self, id: int) -> None:
        """Add a channel that the person can see."""
        channel = self.guild.channels.get(id)
        if channel is None or not self.core.world.sees(self.who.user.id, channel):
            raise unknown("Channel")
        shown = self.core.payloads.interaction_channel(channel, self.who.user.id)
        self._put("channels", id, shown)

    def message(self, message: Message) -> None:
        """Add the message that a menu was opened on."""
        # The bot always gets the content of this message.
        viewer = Viewer(self.core.world.bot.id)
        self._put("messages", message.id, self.core.payloads.message_event(message, viewer))

    def attachment(self, attachment: Attachment) -> None:
        """Add the file of an attachment option."""
        self._put("attachments", attachment.id, self.core.payloads.attachment(attachment))

    def selected(self, kind: int, value: str) -> None:
        """Add one value of a select menu of users, roles or channels."""
        if kind == 8:
            self.chosen_channel(int(value))
        elif kind == 6 or (kind == 7 and int(value) in self.guild.roles):
            self.role(int(value))
        elif kind in (5, 7):
            self.user(int(value))

    def option(self, kind: int, value: int) -> None:
        """Add the value of a command's option."""
        if kind == CHANNEL:
            self.chosen_channel(value)
        elif kind == ROLE or (kind == MENTIONABLE and value in self.guild.roles):
            self.role(value)
        else:
            self.user(value)


class Options:
    """Checks the options that a person gave against those that the command declares."""

    def __init__(self, resolved: Resolved, files: dict[str, Attachment], half_typed: bool) -> None:
        self.resolved = resolved
        self.files = files
        self.half_typed = half_typed

    def read(
        self, given: list[Option], declared: list[Option], path: str = "data.options"
    ) -> list[Option]:
        """The options as the bot gets them; their users, channels and files are resolved.

        raises  ApiError 50035 that names an option that is unknown, missing or out of bounds
        """
        by_name = {option["name"]: option for option in declared}
        result = []
        for n, option in enumerate(given):
            spot = f"{path}.{n}"
            wanted = by_name.get(str(option.get("name")))
            if wanted is None:
                raise invalid(spot, "APPLICATION_COMMAND_INVALID_OPTION", "Unknown option")
            result.append(self._one(option, wanted, spot))
        names = {option.get("name") for option in given}
        missing = [
            one["name"] for one in declared if one.get("required") and one["name"] not in names
        ]
        if missing and not self.half_typed:
            raise required(f"{path}.{missing[0]}")
        return result

    def _one(self, option: Option, wanted: Option, path: str) -> Option:
        kind = wanted["type"]
        read: Option = {"name": wanted["name"], "type": kind}
        if kind in (SUB_COMMAND, SUB_COMMAND_GROUP):
            nested = option.get("options") or []
            read["options"] = self.read(nested, wanted.get("options") or [], f"{path}.options")
            return read
        if option.get("focused"):
            return {**read, "value": option.get("value", ""), "focused": True}
        return {**read, "value": self._value(option.get("value"), wanted, f"{path}.value")}

    def _value(self, value: Any, wanted: Option, path: str) -> Any:
        kind = wanted["type"]
        if kind == ATTACHMENT:
            attachment = self.files.get(str(value))
            if attachment is None:
                raise invalid(path, "ATTACHMENT_NOT_FOUND", f"Unknown file {value}")
            self.resolved.attachment(attachment)
            return str(attachment.id)
        if kind in SNOWFLAKES:
            self.resolved.option(kind, int(value))
            return str(value)
        return _plain(value, wanted, path)


def _plain(value: Any, wanted: Option, path: str) -> Any:
    """A text, number or boolean, checked against the option's limits."""
    types: dict[int, type | tuple[type, ...]] = {
        STRING: str,
        INTEGER: int,
        BOOLEAN: bool,
        NUMBER: (int, float),
    }
    if not isinstance(value, types[wanted["type"]]):
        raise invalid(path, "BASE_TYPE_REQUIRED", f"Not a value of type {wanted['type']}")
    choices = [choice["value"] for choice in wanted.get("choices") or []]
    if choices and value not in choices:
        raise invalid(path, "APPLICATION_COMMAND_INVALID_CHOICE", "Not one of the choices")
    size = len(value) if isinstance(value, str) else value
    kinds = ("min_length", "max_length") if isinstance(value, str) else ("min_value", "max_value")
    least, most = wanted.get(kinds[0], size), wanted.get(kinds[1], size)
    if not least <= size <= most:
        message = f"Must be between {least} and {most}."
        raise invalid(path, "BASE_TYPE_BAD_LENGTH", message)
    return value
