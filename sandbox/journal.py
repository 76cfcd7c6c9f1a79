"""The changes since the world file, saved over a restart.

A data folder has `journal.jsonl`, with a line for each changed object, and `uploads/`, with a file
for each attachment. A line has the complete object after the change, or null when it was deleted.
So restoring is putting the objects back in order, and at a start the journal is shortened to the
last line of each object. A thread writes it; a request is answered when its lines are on disk.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from . import lock
from .errors import WorldError
from .world import Channel, Guild, Member, Message, Role, World

log = logging.getLogger(__name__)


class Journal:
    """The data folder. When `folder` is None, nothing is written."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lines: list[str] = []
        self._held: IO[str] | None = None
        self._writing = asyncio.Lock()

    # recording changes

    def message(self, message: Message) -> None:
        """A message was posted or changed. Ephemeral messages are not saved."""
        if message.only_for is None:
            self._note("message", [message.channel_id, message.id], asdict(message))

    def message_gone(self, channel_id: int, id: int) -> None:
        """A message was deleted."""
        self._note("message", [channel_id, id], None)

    def guild(self, guild: Guild) -> None:
        """A guild's own settings were changed."""
        value = {"name": guild.name, "preferred_locale": guild.preferred_locale}
        self._note("guild", [guild.id, guild.id], value)

    def channel(self, channel: Channel) -> None:
        """A channel or thread was made or changed."""
        self._note("channel", [channel.guild_id, channel.id], asdict(channel))

    def channel_gone(self, channel: Channel) -> None:
        """A channel was deleted with everything in it."""
        self._note("channel", [channel.guild_id, channel.id], None)

    def role(self, guild: Guild, role: Role) -> None:
        """A role was made or changed."""
        self._note("role", [guild.id, role.id], asdict(role))

    def role_gone(self, guild: Guild, id: int) -> None:
        """A role was deleted."""
        self._note("role", [guild.id, id], None)

    def member(self, member: Member) -> None:
        """A member joined, or their roles or nickname changed."""
        self._note("member", [member.guild_id, member.user_id], asdict(member))

    def member_gone(self, guild_id: int, user_id: int) -> None:
        """A member left."""
        self._note("member", [guild_id, user_id], None)

    def commands(self, commands: dict[int, dict[str, Any]]) -> None:
        """The application's commands were registered."""
        self._note("commands", [], list(commands.values()))

    def _note(self, kind: str, key: list[int], value: Any) -> None:
        if self.folder is not None:
            self._lines.append(json.dumps({"kind": kind, "key": key, "value": value}))

    # writing and reading

    async def flush(self) -> None:
        """Write the recorded changes; returns when they are on disk.

        Cancelling it, as when the client disconnects, doesn't stop the writing.

        raises  OSError when the disk refuses; the lines are then written with the next ones
        """
        if self._lines or self._writing.locked():
            await asyncio.shield(asyncio.ensure_future(self._write()))

    async def _write(self) -> None:
        async with self._writing:
            lines, self._lines = self._lines, []
            if not lines or self.folder is None:
                return
            try:
                await asyncio.to_thread(_append, self.folder / "journal.jsonl", lines)
            except OSError:
                self._lines = lines + self._lines
                raise

    def restore(self, world: World) -> int:
        """Restore the changes into a world that was just loaded; returns their number.

        raises  WorldError when the folder or its journal cannot be used; FolderInUse
        """
        if self.folder is None:
            return 0
        try:
            (self.folder / "uploads").mkdir(parents=True, exist_ok=True)
            self._held = lock.hold(self.folder)
            lines = _last_of_each(self.folder / "journal.jsonl")
            for entry in sorted(map(json.loads, lines), key=_restore_order):
                _put_back(world, entry)
            _rewrite(self.folder / "journal.jsonl", lines)
        except OSError as exc:
            self._release()
            raise WorldError(str(self.folder), f"cannot be used for data ({exc.strerror})") from exc
        except (ValueError, KeyError, TypeError) as exc:
            self._release()
            raise WorldError(str(self.folder / "journal.jsonl"), f"is damaged ({exc})") from exc
        return len(lines)

    async def close(self) -> None:
        """Write what is left, and let other processes use the folder."""
        try:
            await self.flush()
        finally:
            self._release()

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()


def _append(path: Path, lines: list[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())


def _last_of_each(path: Path) -> list[str]:
    """The journal's lines, without those that a later line of the same object replaces."""
    if not path.exists():
        return []
    kept: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            # the last line of a killed process, whose request was never answered
            log.warning("a broken line in %s was left out", path)
            continue
        name = f"{entry['kind']}{entry['key']}"
        kept.pop(name, None)
        kept[name] = line
    return list(kept.values())


def _rewrite(path: Path, lines: list[str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    fresh.replace(path)


def _restore_order(entry: dict[str, Any]) -> int:
    """The place of an entry in the order of restoring: channels, messages, deleted channels."""
    if entry["kind"] == "channel" and entry["value"] is None:
        return 2
    return 1 if entry["kind"] == "message" else 0


def _put_back(world: World, entry: dict[str, Any]) -> None:
    kind, key, value = entry["kind"], entry["key"], entry["value"]
    for id in key:
        world.snowflakes.passed(id)
    if kind == "commands":
        world.commands = {int(command["id"]): command for command in value}
    elif kind == "message":
        _put_back_message(world, key, value)
    elif (guild := world.home if key[0] == 0 else world.guilds.get(key[0])) is not None:
        _put_back_in_guild(world, guild, kind, key[1], value)


def _put_back_message(world: World, key: list[int], value: dict[str, Any] | None) -> None:
    if value is None:
        world.drop_message(key[0], key[1])
    elif world.channel(key[0]) is not None:
        message = Message.from_json(value)
        for attachment in message.attachments:
            world.snowflakes.passed(attachment.id)
        world.put_message(message)


def _put_back_in_guild(
    world: World, guild: Guild, kind: str, id: int, value: dict[str, Any] | None
) -> None:
    if kind == "guild" and value is not None:
        guild.name, guild.preferred_locale = value["name"], value["preferred_locale"]
    elif kind == "channel":
        if value is not None:
            guild.channels[id] = Channel.from_json(value)
        elif channel := guild.channels.get(id):
            world.drop_channel(channel)
    elif kind == "role":
        if value is not None:
            guild.roles[id] = Role(**value)
        else:
            guild.roles.pop(id, None)
    elif kind == "member":
        if value is not None:
            guild.members[id] = Member(**value)
        else:
            guild.members.pop(id, None)
