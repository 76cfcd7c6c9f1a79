"""Application commands: their registration, and which commands a person may use."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from . import permissions, rest
from .core import Core
from .errors import ApiError, invalid, missing_access, unknown
from .locales import LOCALES, localized
from .world import Channel, Guild, Member

if TYPE_CHECKING:
    from discord.types.command import ApplicationCommand

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
MOST = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
NAME = re.compile(r"[-_'\w]{1,32}")
MAX_OPTIONS = MAX_CHOICES = 25
MAX_CREATES_A_DAY = 200

Command = dict[str, Any]

TOO_MANY_CREATES = ApiError(
    400, 30034, "Max number of daily application command creates has been reached (200)"
)


class CommandRoutes:
    """/applications/{application_id}/commands, the same for a guild, and the index for people."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._created_at: deque[float] = deque(maxlen=MAX_CREATES_A_DAY + 1)

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        everywhere = "/applications/{application_id}/commands"
        in_guild = "/applications/{application_id}/guilds/{guild_id}/commands"
        routes = [
            web.get(f"{in_guild}/permissions", self.all_permissions),
            web.get(f"{in_guild}/{{command_id}}/permissions", self.permissions_of_one),
            web.get("/guilds/{guild_id}/application-command-index", self.index),
        ]
        for path in (everywhere, in_guild):
            routes += [
                web.get(path, self.read_all),
                web.put(path, self.replace_all),
                web.post(path, self.create),
                web.get(f"{path}/{{command_id}}", self.read),
                web.patch(f"{path}/{{command_id}}", self.change),
                web.delete(f"{path}/{{command_id}}", self.delete),
            ]
        return routes

    def _place(self, request: web.Request) -> str | None:
        """The id of the guild that the path names, as text; None for global commands."""
        who = rest.caller(self.core, request)
        application = self.core.world.application
        if rest.id_in(request, "application_id") != application.id:
            raise unknown("Application")
        if not who.user.bot:
            raise missing_access()
        if "guild_id" not in request.match_info:
            return None
        guild, _ = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        return str(guild.id)

    def _there(self, place: str | None) -> list[Command]:
        commands = self.core.world.commands.values()
        return [one for one in commands if one.get("guild_id") == place]

    async def read_all(self, request: web.Request) -> web.Response:
        """All commands of the guild, or all global ones."""
        return rest.answer([_payload(one) for one in self._there(self._place(request))])

    async def replace_all(self, request: web.Request) -> web.Response:
        """Replace all commands. Commands whose name stays keep their id."""
        place = self._place(request)
        wanted = request.get(rest.JSON, [None])[0]
        if not isinstance(wanted, list):
            raise invalid("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
        before = {(one["type"], one["name"]): one for one in self._there(place)}
        fresh = [self._command(one, place, f"{n}.") for n, one in enumerate(wanted)]
        _check_set(fresh)
        self._count_creates(sum((one["type"], one["name"]) not in before for one in fresh))
        for command in before.values():
            del self.core.world.commands[int(command["id"])]
        for command in fresh:
            known = before.get((command["type"], command["name"]))
            self._put(command, known)
        self.core.journal.commands(self.core.world.commands)
        return rest.answer([_payload(one) for one in self._there(place)])

    async def create(self, request: web.Request) -> web.Response:
        """Add a command, or replace the one of this name."""
        place = self._place(request)
        command = self._command((await rest.body_of(request)).json, place)
        names = {(one["type"], one["name"]): one for one in self._there(place)}
        known = names.get((command["type"], command["name"]))
        self._count_creates(0 if known else 1)
        self._put(command, known)
        _check_set(self._there(place))
        self.core.journal.commands(self.core.world.commands)
        return rest.answer(_payload(command), 200 if known else 201)

    def _count_creates(self, count: int) -> None:
        now = time.time()
        while self._created_at and self._created_at[0] < now - 86_400:
            self._created_at.popleft()
        if len(self._created_at) + count > MAX_CREATES_A_DAY:
            raise TOO_MANY_CREATES
        self._created_at.extend([now] * count)

    def _put(self, command: Command, known: Command | None) -> None:
        id = int(known["id"]) if known else self.core.next_id()
        same = known is not None and all(known.get(key) == command[key] for key in command)
        version = known["version"] if same and known else str(self.core.next_id())
        command |= {"id": str(id), "version": version}
        self.core.world.commands[id] = command

    def _one(self, request: web.Request) -> Command:
        place = self._place(request)
        command = self.core.world.commands.get(rest.id_in(request, "command_id"))
        if command is None or command.get("guild_id") != place:
            raise unknown("application command")
        return command

    async def read(self, request: web.Request) -> web.Response:
        """One command."""
        return rest.answer(_payload(self._one(request)))

    async def change(self, request: web.Request) -> web.Response:
        """Change a command."""
        known = self._one(request)
        wanted = {**known, **(await rest.body_of(request)).json}
        command = self._command(wanted, known.get("guild_id"))
        self._put(command, known)
        self.core.journal.commands(self.core.world.commands)
        return rest.answer(_payload(command))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a command."""
        del self.core.world.commands[int(self._one(request)["id"])]
        self.core.journal.commands(self.core.world.commands)
        return rest.nothing()

    async def all_permissions(self, request: web.Request) -> web.Response:
        """Permissions of the commands: an empty list, since they can't be edited here."""
        self._place(request)
        return rest.answer([])

    async def permissions_of_one(self, request: web.Request) -> web.Response:
        """Permissions of one command: 404, as in Discord for a command that was not edited."""
        self._one(request)
        raise ApiError(404, 10066, "Unknown application command permissions")

    def _command(self, wanted: Any, place: str | None, path: str = "") -> Command:
        if not isinstance(wanted, dict):
            raise invalid(path.strip("."), "DICT_TYPE_CONVERT", "Only dictionaries may be used")
        kind = wanted.get("type") or CHAT_INPUT
        _check_named(wanted, path, described=kind == CHAT_INPUT, lower=kind == CHAT_INPUT)
        command: Command = {
            "application_id": str(self.core.world.application.id),
            "name": wanted["name"],
            "description": wanted.get("description") or "",
            "type": kind,
            "default_member_permissions": _text(wanted.get("default_member_permissions")),
            "nsfw": bool(wanted.get("nsfw", False)),
            "contexts": wanted.get("contexts"),
            "integration_types": wanted.get("integration_types") or [0],
            "name_localizations": wanted.get("name_localizations"),
            "description_localizations": wanted.get("description_localizations"),
        }
        if place is None:
            command["dm_permission"] = wanted.get("dm_permission") is not False
        else:
            command["guild_id"] = place
        if kind == CHAT_INPUT:
            command["options"] = _options(wanted.get("options") or [], f"{path}options.")
        return command

    # the index for people

    async def index(self, request: web.Request) -> web.Response:
        """The commands that a person may use in a guild, as Discord's own clients request them."""
        who = rest.caller(self.core, request)
        guild, member = rest.guild_seen(self.core, who, rest.id_in(request, "guild_id"))
        available_ = available(self.core, guild, member)
        offered = [localized(dict(_payload(one)), who.user.locale) for one in available_]
        application = self.core.world.application
        listed = {
            "id": str(application.id),
            "name": application.name,
            "description": application.description,
            "icon": None,
            "bot": self.core.payloads.user(self.core.world.bot),
        }
        there = application.bot_user_id in guild.members
        body = {
            "applications": [listed] if there else [],
            "application_commands": offered if there else [],
        }
        return rest.answer(body)


def available(core: Core, guild: Guild, member: Member) -> list[Command]:
    """The commands that a member may use in at least one channel of a guild."""
    mine = permissions.in_guild(guild, member)
    return [
        one
        for one in core.world.commands.values()
        if one.get("guild_id") in (None, str(guild.id)) and _allowed(one, mine)
    ]


def usable(core: Core, member: Member, channel: Channel, command: Command) -> bool:
    """Whether a member may use a command in this channel."""
    guild = core.guild_of(channel)
    if command.get("guild_id") not in (None, str(guild.id)):
        return False
    mine = core.world.permissions(member.user_id, channel)
    parent = guild.channels.get(channel.parent_id or 0) if channel.thread is not None else channel
    if command["nsfw"] and not (parent is not None and parent.nsfw):
        return False
    return _allowed(command, mine)


def _allowed(command: Command, mine: int) -> bool:
    """Discord's rule: the guild context, and all of the default member permissions."""
    contexts = command["contexts"]
    if contexts is not None and 0 not in contexts:
        return False
    if 0 not in command["integration_types"]:
        return False
    needed = command["default_member_permissions"]
    if needed is None or mine & permissions.ADMINISTRATOR:
        return True
    return needed != "0" and mine & int(needed) == int(needed)


def _payload(command: Command) -> ApplicationCommand:
    absent = ("contexts", "name_localizations", "description_localizations")
    kept = {key: value for key, value in command.items() if value is not None or key not in absent}
    return cast("ApplicationCommand", kept)


def _text(permissions: Any) -> str | None:
    return None if permissions is None else str(int(permissions))


def _check_set(commands: list[Command]) -> None:
    for kind, most in MOST.items():
        of_kind = [one for one in commands if one["type"] == kind]
        _check_unique(of_kind, "")
        if len(of_kind) > most:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({most})")


def _check_unique(named: list[dict[str, Any]], path: str) -> None:
    """Names that stand beside each other differ, in each language.

    path   of one of them, with `{n}` for its number
    """
    for locale in (None, *LOCALES):
        names = [_name_in(one, locale) for one in named]
        for n, name in enumerate(names):
            if name in names[:n]:
                message = "Application command names must be unique"
                where = path.format(n=n)
                raise invalid(where, "APPLICATION_COMMANDS_DUPLICATE_NAME", message)


def _name_in(named: dict[str, Any], locale: str | None) -> str:
    return str((named.get("name_localizations") or {}).get(locale, named["name"]))


def _check_named(wanted: dict[str, Any], path: str, *, described: bool, lower: bool) -> None:
    _check_name(wanted.get("name"), f"{path}name", lower=lower)
    for locale, name in _localizations(wanted, "name", path):
        _check_name(name, f"{path}name_localizations.{locale}", lower=lower)
    description = wanted.get("description") or ""
    if described:
        _check_length(description, f"{path}description", 100)
        for locale, translated in _localizations(wanted, "description", path):
            _check_length(translated, f"{path}description_localizations.{locale}", 100)
    if not described and description:
        message = "Context menu commands cannot have description"
        raise invalid(f"{path}description", "CONTEXT_MENU_NO_DESCRIPTION", message)


def _localizations(wanted: dict[str, Any], what: str, path: str) -> Iterator[tuple[str, Any]]:
    """The translations of a name or a description. raises ApiError for an unknown language"""
    for locale, translated in (wanted.get(f"{what}_localizations") or {}).items():
        if locale not in LOCALES:
            message = f"Value must be one of {set(LOCALES)}."
            raise invalid(f"{path}{what}_localizations.{locale}", "BASE_TYPE_CHOICES", message)
        yield locale, translated


def _check_name(name: Any, path: str, *, lower: bool) -> None:
    _check_length(name, path, 32)
    if lower and (not NAME.fullmatch(name) or name != name.lower()):
        raise invalid(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_length(text: Any, path: str, most: int) -> None:
    if not isinstance(text, str) or not 1 <= len(text) <= most:
        message = f"Must be between 1 and {most} in length."
        raise invalid(path, "BASE_TYPE_BAD_LENGTH", message)


def _options(options: Any, path: str) -> list[dict[str, Any]]:
    if not isinstance(options, list) or len(options) > MAX_OPTIONS:
        message = f"Must be {MAX_OPTIONS} or fewer in length."
        raise invalid(path.strip("."), "BASE_TYPE_MAX_LENGTH", message)
    seen_optional = False
    for n, option in enumerate(options):
        _check_named(option, f"{path}{n}.", described=True, lower=True)
        if option.get("required") and seen_optional:
            message = "Required options must be placed before non-required options"
            raise invalid(f"{path}{n}", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        seen_optional = seen_optional or not option.get("required")
        if len(option.get("choices") or []) > MAX_CHOICES:
            message = f"Must be {MAX_CHOICES} or fewer in length."
            raise invalid(f"{path}{n}.choices", "BASE_TYPE_MAX_LENGTH", message)
        for m, choice in enumerate(option.get("choices") or []):
            at = f"{path}{n}.choices.{m}."
            for locale, name in _localizations(choice, "name", at):
                _check_length(name, f"{at}name_localizations.{locale}", 100)
    _check_unique(options, f"{path}{{n}}.name")
    return [_option(option, f"{path}{n}.") for n, option in enumerate(options)]


def _option(option: dict[str, Any], path: str) -> dict[str, Any]:
    kept = {key: value for key, value in option.items() if value not in (None, [])}
    if "options" in kept:
        kept["options"] = _options(kept["options"], f"{path}options.")
    return kept
