"""The message with which Magpie comes to a server, and what becomes of it.

It stands where moderators read, if the server has such a channel, and is written once. Once the
server is set up it shows, to everybody who sees it, how far is read what all of them may read, and
an example made of that. It names no channel.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import discord
from discord import ui

from bot.access import permissions
from bot.ask import layout
from bot.ask.asker import Asker
from bot.ask.examples import Example, Examples
from bot.languages.speech import speaking
from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.platform.codes import RequestFailed
from bot.platform.places import group_of
from bot.platform.refusal import Refusal
from bot.platform.shards import Shards
from bot.sync.backlog import Backlog
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from bot.text import welcome as text
from bot.welcome import panel
from index import BookkeepingReader, GalleryClosed, GalleryError, StoreError, Welcome

log = logging.getLogger(__name__)

PERCENT = 10  # the message changes each time that so much more is read: ten times in all
UNSENT = ""  # the id of a message that is being sent


class Welcomes:
    """The messages of all servers, kept in the gallery and held in memory."""

    def __init__(
        self,
        client: discord.Client,
        bookkeeping: BookkeepingReader,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        examples: Examples,
        shards: Shards,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._bookkeeping = bookkeeping
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._examples = examples
        self._shards = shards
        self._clocks = clocks
        self._known: dict[int, Welcome] = {}
        self._since = 0.0  # Unix seconds; who invited Magpie earlier knows it without a greeting
        self._showing: dict[int, asyncio.Task[None]] = {}
        self._background = Background()

    async def load(self) -> None:
        welcomes = await self._bookkeeping.welcomes()
        self._known = {one.space: one for one in welcomes if self._shards.mine(one.space)}
        self._since = await self._bookkeeping.welcoming_since()

    def resume(self) -> None:
        """Go on to show how far is read, after a restart."""
        for welcome in self._known.values():
            if welcome.reading:
                self._begin_to_show(welcome.space)

    async def close(self) -> None:
        await self._background.close()

    # ---- what happens

    async def on_join(self, guild: discord.Guild) -> None:
        """Greet a server that Magpie has just joined, if it may write anywhere."""
        place = place_for(guild)
        if guild.id in self._known or self._watched.marks(guild.id) or place is None:
            return
        self._known[guild.id] = Welcome(guild.id, place.id, UNSENT)
        try:
            # Kept first: whoever is greeted twice is annoyed, and `/help` does the same.
            await self._writer.keep_welcome(self._known[guild.id])
            with speaking(guild.preferred_locale):
                message = await place.send(view=panel.hello())
            await self._keep(replace(self._known[guild.id], source=str(message.id)))
        except (StoreError, *RequestFailed) as error:
            log.warning(fields("not_welcomed", guild=guild.id, reason=repr(error)))

    async def on_available(self, guild: discord.Guild) -> None:
        """Greet a server that has invited Magpie a short while ago, when it was away."""
        joined = guild.me.joined_at if guild.me else None
        newest_known = max(self._since, time.time() - self._clocks.newcomer_s)
        if joined is not None and joined.timestamp() > newest_known:
            await self.on_join(guild)

    async def on_set_up(self, guild_id: int) -> None:
        """Let the message show from now on how far is read."""
        known = self._known.get(guild_id)
        if known is None or known.source == UNSENT:
            return
        try:
            await self._keep(replace(known, reading=True))
        except StoreError as error:  # then only a restart ends it
            log.warning(fields("welcome_not_kept", guild=guild_id, reason=error))
        self._begin_to_show(guild_id)

    async def on_leave(self, guild_id: int) -> None:
        """Forget a server that was left: it is greeted again if it invites Magpie again."""
        if task := self._showing.pop(guild_id, None):
            task.cancel()
        if self._known.pop(guild_id, None) is not None:
            await self._writer.forget_welcome(guild_id)

    async def _keep(self, welcome: Welcome) -> None:
        if welcome.space in self._known:  # else it was left meanwhile
            self._known[welcome.space] = welcome
            await self._writer.keep_welcome(welcome)

    # ---- how far is read

    def _begin_to_show(self, guild_id: int) -> None:
        if guild_id not in self._showing or self._showing[guild_id].done():
            self._showing[guild_id] = self._background.begin(self._show(guild_id), "welcome")

    async def _show(self, guild_id: int) -> None:
        """Change the message while the history is read that everybody may read who sees it."""
        shown: tuple[int | None, bool] | None = None
        while (known := self._known.get(guild_id)) is not None and known.reading:
            asker = self._readers(known)
            if asker is not None and guild_id not in self._backlog.listing:
                done, searching = now = self._progress(asker)
                try:
                    if shown != now:
                        await self._change(known, asker, done, searching)
                        shown = now
                    if done is None:
                        await self._keep(replace(known, reading=False))
                        return
                except (discord.NotFound, discord.Forbidden) as error:  # it was deleted, or closed
                    log.info(fields("welcome_gone", guild=guild_id, reason=error))
                    await self._keep(replace(known, reading=False))
                    return
                except GalleryClosed:
                    return
                except (GalleryError, Refusal, *RequestFailed) as error:
                    log.warning(fields("welcome_unshown", guild=guild_id, reason=repr(error)))
                    await asyncio.sleep(self._clocks.page_retry_s)
            await asyncio.sleep(self._clocks.show_progress_s)

    def _readers(self, welcome: Welcome) -> Asker | None:
        """Those who see the message; None: nobody knows now who they are."""
        guild = self._client.get_guild(welcome.space)
        channel = guild and guild.get_channel(welcome.group)
        if guild is None or guild.unavailable or channel is None:
            return None
        return Asker(guild.me, guild, channel, public=True)

    def _progress(self, readers: Asker) -> tuple[int | None, bool]:
        """How far is read what all of them may read, in steps, None: to the end; and whether
        Discord's search looks for pictures there first."""
        guild = readers.guild
        groups = [group_of(place) for place in self._backlog.places(guild.id)]
        shared = permissions.shared_with_everyone_here(guild, readers.channel, groups)
        progress = self._backlog.progress(guild.id, shared)
        if progress is None:
            return None, False
        return progress.percent // PERCENT * PERCENT, progress.searching

    async def _change(
        self, welcome: Welcome, readers: Asker, done: int | None, searching: bool
    ) -> None:
        guild, channel = readers.guild, welcome.group
        place = self._client.get_partial_messageable(channel, guild_id=guild.id)
        message = place.get_partial_message(int(welcome.source))
        with speaking(guild.preferred_locale):
            draft = await self._examples.draft(readers, partial(_set_up, done, searching))
            await draft.deliver(lambda card: message.edit(view=card))


def _set_up(done: int | None, searching: bool, examples: list[Example]) -> layout.Card:
    said = [text.reading(done, searching=searching)]
    # The message stays, and a channel may be closed later.
    if lines := [one.line for one in examples if one.names_nobody]:
        said.append(text.try_it(lines))
    return layout.card(
        f"### {text.hello()}",
        ui.TextDisplay("\n".join(said)),
        notes=[text.more()],
        buttons=[panel.examples_button()],
    )


def place_for(guild: discord.Guild) -> discord.TextChannel | None:
    """Where Magpie may write that it is there: for moderators, if they have a channel."""
    me = guild.me

    def channels() -> Iterator[discord.TextChannel | None]:
        yield guild.public_updates_channel
        yield guild.system_channel
        for _, inside in guild.by_category():
            yield from (one for one in inside if isinstance(one, discord.TextChannel))

    for channel in channels():
        granted = channel.permissions_for(me) if channel else discord.Permissions.none()
        if granted.view_channel and granted.send_messages:
            return channel
    return None
