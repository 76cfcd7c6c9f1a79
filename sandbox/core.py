"""The parts that all routes use, and all changes of messages, channels, threads and members.

Each method makes one complete change: it changes the world, writes it to the journal, and sends an
event to those who may see it. Routes check the permission first and then call it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .faults import Faults
from .gateway import Gateway
from .journal import Journal
from .links import Links
from .payloads import Payloads, Viewer, partial_emoji
from .snowflakes import at_time
from .world import DIRECT, Channel, Guild, Member, Message, Reaction, User, World, files_of

if TYPE_CHECKING:
    from discord.types.gateway import (
        ChannelPinsUpdateEvent,
        MessageDeleteBulkEvent,
        MessageDeleteEvent,
        MessageReactionAddEvent,
        MessageReactionRemoveAllEvent,
        MessageReactionRemoveEmojiEvent,
        MessageReactionRemoveEvent,
        PollVoteActionEvent,
        ThreadDeleteEvent,
        ThreadMembersUpdate,
    )

ONE_HOUR_S = 3600
NONCE_LIFE_S = 300
MAX_NONCES = 1000


@dataclass(slots=True)
class Clocks:
    """Time limits in seconds; tests shorten them."""

    acknowledge_s: float = 3.0  # until an interaction must be acknowledged
    token_s: float = 900.0  # during which its token can be used
    unfurl_s: float = 0.4  # until a link's embed arrives


@dataclass
class Core:
    """The parts of one sandbox."""

    world: World
    links: Links
    payloads: Payloads
    gateway: Gateway
    journal: Journal
    faults: Faults
    uploads: Path
    clocks: Clocks = field(default_factory=Clocks)
    shards: int = 1  # the number that the bot is told to use
    search_ready_at: float = 0.0  # monotonic; until then the search answers 202, "indexing"
    _by_nonce: dict[tuple[int, str | int], tuple[float, Message]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something in the background; it is cancelled when the sandbox closes."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel background work, close the gateway, write the journal."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.gateway.close()
        await self.journal.close()

    def guild_of(self, channel: Channel) -> Guild:
        """The guild a channel is in; of direct messages, one without members and roles."""
        return self.world.guild_of(channel)

    def next_id(self) -> int:
        """A new id."""
        return self.world.snowflakes.next()

    # messages

    def find_message(self, channel_id: int, id: int) -> Message | None:
        """A message of the channel, ephemeral ones included."""
        return self.world.message(channel_id, id) or self.world.ephemeral_message(channel_id, id)

    def post(self, message: Message, *, nonce: str | int | None = None) -> None:
        """Add a new message to its channel and send the event."""
        self._keep(message)
        if nonce is not None:
            self._remember_nonce(message, nonce)
        channel = self.world.channel(message.channel_id)
        if channel is not None and channel.thread is not None and message.only_for is None:
            self.unarchive(channel)
            self.join_thread(channel, message.author_id)
        self._tell(message, "MESSAGE_CREATE", nonce)

    def _remember_nonce(self, message: Message, nonce: str | int) -> None:
        self._by_nonce[message.author_id, nonce] = (time.monotonic(), message)
        if len(self._by_nonce) > MAX_NONCES:
            del self._by_nonce[next(iter(self._by_nonce))]

    def posted_with(self, author_id: int, nonce: str | int) -> Message | None:
        """The message that this author posted with this nonce in the last minutes, if it is there.

        A client that got no answer sends a message again with its nonce.
        """
        if (author_id, nonce) not in self._by_nonce:
            return None
        at, message = self._by_nonce[author_id, nonce]
        if time.monotonic() - at > NONCE_LIFE_S:
            return None
        return self.find_message(message.channel_id, message.id)

    def change(self, message: Message) -> None:
        """Save a changed message and send the event."""
        self._keep(message)
        self._tell(message, "MESSAGE_UPDATE")

    def _keep(self, message: Message) -> None:
        if message.only_for is None:
            self.world.put_message(message)
            self.journal.message(message)
        else:
            self.world.ephemeral[message.id] = message
            self.world.show_files(message)
            self._forget_old_ephemeral()

    def _forget_old_ephemeral(self) -> None:
        oldest = at_time(time.time() - max(ONE_HOUR_S, self.clocks.token_s))
        for id in [id for id in self.world.ephemeral if id < oldest]:
            self.world.hide_files(files_of(self.world.ephemeral.pop(id)))

    def _tell(self, message: Message, event: str, nonce: Any = None) -> None:
        def build(viewer: Viewer) -> Any:
            payload = self.payloads.message_event(message, viewer)
            if nonce is not None and viewer.user_id == message.author_id:
                payload["nonce"] = nonce
            return payload

        if message.only_for is not None:
            self.gateway.emit(event, build, only={message.only_for})
        elif channel := self.world.channel(message.channel_id):
            self.gateway.emit(event, build, channel=channel)

    def delete(self, message: Message) -> None:
        """Remove a message and send the event."""
        event: MessageDeleteEvent = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
        }
        channel = self.world.channel(message.channel_id)
        if channel is not None:
            event["guild_id"] = str(channel.guild_id)
        if message.only_for is not None:
            self.world.ephemeral.pop(message.id, None)
            self.world.hide_files(files_of(message))
            self.gateway.emit("MESSAGE_DELETE", event, only={message.only_for})
        elif channel is not None:
            self.world.drop_message(channel.id, message.id)
            self.journal.message_gone(channel.id, message.id)
            self.gateway.emit("MESSAGE_DELETE", event, channel=channel)

    def delete_many(self, channel: Channel, ids: list[int]) -> None:
        """Remove messages in bulk; unknown ids are skipped."""
        gone = [id for id in ids if self.world.drop_message(channel.id, id) is not None]
        for id in gone:
            self.journal.message_gone(channel.id, id)
        event: MessageDeleteBulkEvent = {
            "ids": [str(id) for id in gone],
            "channel_id": str(channel.id),
            "guild_id": str(channel.guild_id),
        }
        self.gateway.emit("MESSAGE_DELETE_BULK", event, channel=channel)

    def pins_changed(self, channel: Channel, message: Message) -> None:
        """Save that a message was pinned or unpinned, and send the events."""
        self.journal.channel(channel)
        self.change(message)
        event: ChannelPinsUpdateEvent = {
            "channel_id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "last_pin_timestamp": self.payloads.last_pin(channel),
        }
        self.gateway.emit("CHANNEL_PINS_UPDATE", event, channel=channel)

    def react(self, message: Message, user: User, emoji: str) -> None:
        """Add a user's reaction; a second one with the same emoji changes nothing."""
        reaction = next((one for one in message.reactions if one.emoji == emoji), None)
        if reaction is None:
            reaction = Reaction(emoji)
            message.reactions.append(reaction)
        if user.id in reaction.users:
            return
        reaction.users.append(user.id)
        self.journal.message(message)
        channel = self.world.channel(message.channel_id)
        if channel is None:
            return
        event: MessageReactionAddEvent = {
            "user_id": str(user.id),
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "guild_id": str(channel.guild_id),
            "emoji": partial_emoji(emoji),
            "message_author_id": str(message.author_id),
            "burst": False,
            "type": 0,
        }
        if member := self.world.member(channel.guild_id, user.id):
            event["member"] = self.payloads.member(member)
        self.gateway.emit("MESSAGE_REACTION_ADD", event, channel=channel)

    def unreact(self, message: Message, user_id: int, emoji: str) -> None:
        """Remove a user's reaction, if it is there."""
        for reaction in message.reactions:
            if reaction.emoji == emoji and user_id in reaction.users:
                reaction.users.remove(user_id)
                break
        else:
            return
        message.reactions = [one for one in message.reactions if one.count]
        self.journal.message(message)
        channel = self.world.channel(message.channel_id)
        if channel is None:
            return
        event: MessageReactionRemoveEvent = {
            "user_id": str(user_id),
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "guild_id": str(channel.guild_id),
            "emoji": partial_emoji(emoji),
            "burst": False,
            "type": 0,
        }
        self.gateway.emit("MESSAGE_REACTION_REMOVE", event, channel=channel)

    def unreact_all(self, message: Message, emoji: str | None) -> None:
        """Remove all reactions of a message, or those with one emoji."""
        kept = [one for one in message.reactions if emoji is not None and one.emoji != emoji]
        channel = self.world.channel(message.channel_id)
        if len(kept) == len(message.reactions) or channel is None:
            return
        message.reactions = kept
        self.journal.message(message)
        event: MessageReactionRemoveAllEvent = {
            "channel_id": str(channel.id),
            "message_id": str(message.id),
            "guild_id": str(channel.guild_id),
        }
        if emoji is None:
            self.gateway.emit("MESSAGE_REACTION_REMOVE_ALL", event, channel=channel)
            return
        of_one: MessageReactionRemoveEmojiEvent = {**event, "emoji": partial_emoji(emoji)}
        self.gateway.emit("MESSAGE_REACTION_REMOVE_EMOJI", of_one, channel=channel)

    def vote(self, channel: Channel, message: Message, user_id: int, ids: list[int]) -> None:
        """Replace a user's votes in a message's poll, and send an event for each change."""
        if message.poll is None:
            return
        before = message.poll.votes.pop(user_id, [])
        if ids:
            message.poll.votes[user_id] = ids
        self.journal.message(message)
        changes = [("REMOVE", id) for id in before if id not in ids]
        changes += [("ADD", id) for id in ids if id not in before]
        for change, id in changes:
            event: PollVoteActionEvent = {
                "user_id": str(user_id),
                "channel_id": str(channel.id),
                "message_id": str(message.id),
                "guild_id": str(channel.guild_id),
                "answer_id": id,
            }
            self.gateway.emit(f"MESSAGE_POLL_VOTE_{change}", event, channel=channel)

    # channels

    def direct(self, one: int, other: int) -> Channel:
        """The channel of the direct messages of two users, made if there is none; then people are
        told of it. Bots get no such event."""
        if known := self.world.direct(one, other):
            return known
        channel = Channel(self.next_id(), 0, DIRECT, "", recipients=[one, other])
        self.world.home.channels[channel.id] = channel
        self.journal.channel(channel)
        self.gateway.emit(
            "CHANNEL_CREATE",
            lambda viewer: self.payloads.direct(channel, viewer.user_id),
            channel=channel,
            only={id for id in channel.recipients if not self.world.users[id].bot},
        )
        return channel

    def channel_made(self, channel: Channel) -> None:
        """Add a new channel to its guild and send the event."""
        guild = self.guild_of(channel)
        guild.channels[channel.id] = channel
        self.journal.channel(channel)
        self._note_shown(channel)
        self.gateway.emit(
            "CHANNEL_CREATE", lambda _: self.payloads.channel(channel), channel=channel, seen=True
        )

    def channel_changed(self, channel: Channel) -> None:
        """Save a changed channel or thread and send the event."""
        self.journal.channel(channel)
        guild = self.guild_of(channel)
        name = "CHANNEL_UPDATE" if channel.thread is None else "THREAD_UPDATE"
        self.gateway.sync_channels(guild)
        self.gateway.emit(
            name,
            lambda viewer: self.payloads.any_channel(channel, viewer.user_id),
            channel=channel,
            seen=True,
        )

    def channel_gone(self, channel: Channel) -> None:
        """Delete a channel with its threads and messages, which have no events of their own."""
        recipients = self.gateway.readers(channel, seen=True)
        guild = self.guild_of(channel)
        if channel.thread is None and self.world.bot.id in guild.members:
            # Bots also get events of channels that they cannot see.
            recipients.add(self.world.bot.id)
        payload = self.payloads.any_channel(channel, 0)
        for one in self.world.drop_channel(channel):
            self.journal.channel_gone(one)
            self._note_hidden(one)
        if channel.type == 4:
            self._orphan(guild, channel)
        if channel.thread is None:
            self.gateway.emit("CHANNEL_DELETE", payload, guild=guild, only=recipients)
            return
        event: ThreadDeleteEvent = {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "parent_id": str(channel.parent_id),
            "type": channel.type,
        }
        self.gateway.emit("THREAD_DELETE", event, guild=guild, only=recipients)

    def _orphan(self, guild: Guild, category: Channel) -> None:
        """Move the channels of a deleted category out of it."""
        for channel in list(guild.channels.values()):
            if channel.parent_id == category.id:
                channel.parent_id = None
                self.channel_changed(channel)

    def _note_shown(self, channel: Channel) -> None:
        for session in self.gateway.sessions.values():
            if self.world.sees(session.user.id, channel):
                session.channels.add(channel.id)

    def _note_hidden(self, channel: Channel) -> None:
        for session in self.gateway.sessions.values():
            session.channels.discard(channel.id)

    # threads

    def thread_made(self, channel: Channel) -> None:
        """Add a new thread to its guild and send the event."""
        self.guild_of(channel).channels[channel.id] = channel
        self.journal.channel(channel)
        self._note_shown(channel)

        def build(viewer: Viewer) -> Any:
            return {**self.payloads.thread(channel, viewer.user_id), "newly_created": True}

        self.gateway.emit("THREAD_CREATE", build, channel=channel, seen=True)

    def unarchive(self, channel: Channel) -> None:
        """Unarchive a thread, because something is posted in it."""
        if channel.thread is not None and channel.thread.archived:
            self.archive(channel, False)

    def archive(self, channel: Channel, archived: bool) -> None:
        """Archive or unarchive a thread."""
        if channel.thread is not None and channel.thread.archived != archived:
            channel.thread.archived = archived
            channel.thread.archived_at = time.time()
            self.channel_changed(channel)

    def join_thread(self, channel: Channel, user_id: int) -> None:
        """Make a user a member of a thread."""
        thread = channel.thread
        if thread is None or user_id in thread.members:
            return
        seeing = self.world.sees(user_id, channel)
        thread.members[user_id] = time.time()
        self.journal.channel(channel)
        if not seeing and self.world.sees(user_id, channel):
            # from now on the user can see this private thread
            self._note_shown(channel)
            self.gateway.emit(
                "THREAD_CREATE",
                lambda viewer: self.payloads.thread(channel, viewer.user_id),
                guild=self.guild_of(channel),
                only={user_id},
            )
        self._send_members_update(channel, added=[user_id])

    def leave_thread(self, channel: Channel, user_id: int) -> None:
        """End a user's membership in a thread."""
        if channel.thread is None or user_id not in channel.thread.members:
            return
        recipients = self.gateway.readers(channel, seen=True)
        del channel.thread.members[user_id]
        self.journal.channel(channel)
        self._send_members_update(channel, removed=[user_id], also=recipients)
        self.gateway.sync_channels(self.guild_of(channel))

    def _send_members_update(
        self,
        channel: Channel,
        *,
        added: list[int] | None = None,
        removed: list[int] | None = None,
        also: set[int] | None = None,
    ) -> None:
        event: ThreadMembersUpdate = {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "member_count": len(channel.thread.members) if channel.thread is not None else 0,
        }
        if added:
            event["added_members"] = [self.payloads.thread_member(channel, id) for id in added]
        if removed:
            event["removed_member_ids"] = [str(id) for id in removed]
        recipients = self.gateway.readers(channel, seen=True) | (also or set())
        guild = self.guild_of(channel)
        self.gateway.emit("THREAD_MEMBERS_UPDATE", event, guild=guild, only=recipients)

    # members

    def member_changed(self, member: Member) -> None:
        """Save changed roles or a nickname, send the event, and show or hide channels."""
        self.journal.member(member)
        guild = self.world.guilds[member.guild_id]
        event = {**self.payloads.member(member), "guild_id": str(guild.id)}
        self._send_member_event("GUILD_MEMBER_UPDATE", event, guild, member.user_id)
        self.gateway.sync_channels(guild)

    def member_came(self, member: Member) -> None:
        """Add a member to a guild."""
        guild = self.world.guilds[member.guild_id]
        guild.members[member.user_id] = member
        self.journal.member(member)
        event = {**self.payloads.member(member), "guild_id": str(guild.id)}
        self.gateway.emit("GUILD_MEMBER_ADD", event, guild=guild)
        self.gateway.send_guild_to(guild, {member.user_id}, joined=True)

    def member_gone(self, guild: Guild, user_id: int) -> None:
        """Remove a member, who left or was kicked; their client loses the guild."""
        del guild.members[user_id]
        self.journal.member_gone(guild.id, user_id)
        user = self.payloads.user_by_id(user_id)
        event = {"guild_id": str(guild.id), "user": user}
        self.gateway.emit("GUILD_MEMBER_REMOVE", event, guild=guild)
        self.gateway.emit("GUILD_DELETE", {"id": str(guild.id)}, guild=guild, only={user_id})
        for channel in guild.threads():
            self.leave_thread(channel, user_id)

    def _send_member_event(self, name: str, event: Any, guild: Guild, user_id: int) -> None:
        """Send a member event; the bot gets its own even without the intent for members."""
        self.gateway.emit(name, event, guild=guild)
        if user_id == self.world.application.bot_user_id:
            self.gateway.send_to_itself(name, event, guild)

    # outages

    def outage(self, guild: Guild, unavailable: bool) -> None:
        """Make a guild unavailable, or available again. Nothing in it is lost."""
        if guild.unavailable == unavailable:
            return
        recipients = set(guild.members)
        guild.unavailable = unavailable
        if unavailable:
            event = self.payloads.unavailable(guild)
            self.gateway.emit("GUILD_DELETE", event, guild=guild, only=recipients)
            return
        self.gateway.send_guild_to(guild, recipients)
