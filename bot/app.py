"""The connection to Discord: intents, events to their modules, commands, shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any, TypeAlias

import aiohttp
import discord
import yarl
from discord import app_commands

from bot.ask import answers as find
from bot.ask.rate_limiter import Pace
from bot.commands import channels, privacy, reindex, status
from bot.commands import registration as commands
from bot.commands.privacy import OptedOut
from bot.maintenance.maintenance import Upkeep
from bot.media.download import Downloader
from bot.ops.health import Metrics
from bot.ops.logs import fields
from bot.ops.settings import DISCORD, Settings
from bot.reindex.jobs import Reindexing
from bot.sync.backfill import Backfill
from bot.sync.backlog import Backlog
from bot.sync.catch_up import CatchUp
from bot.sync.erasure import let_go_of_guild
from bot.sync.ingest import Ingest
from bot.sync.watched import Watched
from bot.sync.writer import Ledger
from bot.text import replies
from index import Gallery, GalleryError

log = logging.getLogger(__name__)

Interaction: TypeAlias = "discord.Interaction[Magpie]"

AUTHENTICATION_FAILED = 4004  # a gateway's close code
LAST_WRITE_S = 5.0  # for the cursors, when closing

# What the invite link asks for, and why; nothing else is used.
NEEDED_PERMISSIONS = {
    "view_channel": "see the channels it watches",
    "read_message_history": "index what was posted before it came, and read a message again",
    "send_messages": "answer a reply or a mention, and show the progress of /reindex",
    "send_messages_in_threads": "the same in threads",
    "embed_links": "show the pictures it found",
    "attach_files": "answer with a picture",
}


class StartFailed(Exception):
    """Discord did not let the bot in; the text says why and what to do."""


class Magpie(discord.AutoShardedClient):
    """The bot. Wires Discord's events to the modules that follow them, and does no more."""

    def __init__(
        self,
        settings: Settings,
        gallery: Gallery,
        metrics: Metrics,
        *,
        guild_ready_timeout: float = 2.0,  # s without another guild until READY is over
    ) -> None:
        redirect(settings.api)
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice here
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # raw events say what is needed
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=guild_ready_timeout,
        )
        self.settings = settings
        self.gallery = gallery
        self.metrics = metrics
        self.tree = CommandTree(self)
        self.watched = Watched(gallery)
        self.ledger = Ledger(gallery)
        self.downloader = Downloader(settings)
        self.ingest = Ingest(self)
        self.opted_out = OptedOut(self)
        self.pace = Pace(settings.questions)
        self.backlog = Backlog(self.watched)
        self.backfill = Backfill(self)
        self.catch_up = CatchUp(self)
        self.reindexing = Reindexing(self)
        self.upkeep = Upkeep(self)

    # ---- coming and going

    async def setup_hook(self) -> None:
        await self.watched.load()
        await self.opted_out.load()
        await self.upkeep.start()
        self.ingest.start()
        self.backfill.start()
        for feature in (find, channels, reindex, status, privacy):
            feature.register(self)
        self.add_dynamic_items(*find.DYNAMIC_ITEMS, *reindex.DYNAMIC_ITEMS)
        await commands.sync(self)
        assert self.application_id is not None  # login has read it
        reasons = "; ".join(f"{name}: {why}" for name, why in NEEDED_PERMISSIONS.items())
        log.info(fields("invite", url=invite(self.application_id), permissions=reasons))

    async def serve(self) -> None:
        """Run until `close` is called.

        raises   StartFailed when Discord refuses or cannot be reached
        """
        try:
            await self.start(self.settings.token)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            if (sentence := _why_not(error, self.settings)) is None:
                raise
            raise StartFailed(sentence) from error

    async def close(self) -> None:
        """Stop taking work, leave what is unfinished to the cursors, and disconnect."""
        if not self.is_closed():
            await self.upkeep.close()
            await self.reindexing.close()
            await self.catch_up.close()
            await self.backfill.close()
            await self.ingest.close()
            with contextlib.suppress(TimeoutError, GalleryError):  # then history is read again
                await asyncio.wait_for(self.backfill.flush(), LAST_WRITE_S)
        await super().close()
        await self.downloader.close()

    # ---- what Discord tells

    async def on_shard_connect(self, shard_id: int) -> None:
        self.catch_up.on_connect(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        log.info(fields("ready", shard=shard_id, guilds=len(self.guilds)))
        await self.catch_up.on_ready(shard_id)

    async def on_ready(self) -> None:
        await self.reindexing.resume()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self.upkeep.come_back(guild.id)
        self.catch_up.on_available(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        log.info(fields("guild_joined", guild=guild.id))
        await self.upkeep.come_back(guild.id)
        self.catch_up.on_available(guild)

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        log.warning(fields("guild_outage", guild=guild.id))  # an outage is not a removal

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await let_go_of_guild(self, guild.id)
        await self.upkeep.leave(guild.id)

    async def on_message(self, message: discord.Message) -> None:
        self.ingest.on_message(message)
        if self.is_addressed(message):
            await find.on_message(self, message)

    async def on_raw_message_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        await self.ingest.on_edit(edit)

    async def on_raw_message_delete(self, deletion: discord.RawMessageDeleteEvent) -> None:
        await self.ingest.on_delete(deletion.guild_id, [deletion.message_id])

    async def on_raw_bulk_message_delete(self, deletion: discord.RawBulkMessageDeleteEvent) -> None:
        await self.ingest.on_delete(deletion.guild_id, sorted(deletion.message_ids))

    async def on_raw_thread_delete(self, deletion: discord.RawThreadDeleteEvent) -> None:
        await self.catch_up.on_thread_gone(deletion.guild_id, deletion.thread_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self.catch_up.on_channel_gone(channel)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        await self.catch_up.on_channel_changed(channel)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        if before.category_id != after.category_id or before.overwrites != after.overwrites:
            await self.catch_up.on_channel_changed(after)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions:
            self.backlog.reconsider(after.guild)

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        if after == after.guild.me:  # nobody else is cached
            self.backlog.reconsider(after.guild)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.backlog.on_thread(thread)

    async def on_thread_join(self, thread: discord.Thread) -> None:
        self.backlog.on_thread(thread)

    async def on_app_command_completion(
        self,
        interaction: Interaction,
        command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
    ) -> None:
        took_s = time.perf_counter() - interaction.extras["began"]
        self.metrics.answering.labels(command.qualified_name).observe(took_s)

    def is_addressed(self, message: discord.Message) -> bool:
        """Whether a member's message may ask something: it mentions the bot, perhaps by its
        role, or replies to one of its messages. `find` looks closer."""
        if self.user is None or message.author.bot:
            return False
        if self.user.id in message.raw_mentions or message.raw_role_mentions:
            return True
        replied = message.reference.resolved if message.reference else None
        return isinstance(replied, discord.Message) and replied.author.id == self.user.id

    # ---- what goes wrong

    async def explain(self, interaction: Interaction, error: BaseException) -> None:
        """Tell the asker, privately, what went wrong."""
        sentence = replies.sentence(error)
        try:
            if (
                interaction.response.type
                is discord.InteractionResponseType.deferred_channel_message
            ):
                await interaction.edit_original_response(content=sentence)
            elif interaction.response.is_done():
                await interaction.followup.send(sentence, ephemeral=True)
            else:
                await interaction.response.send_message(sentence, ephemeral=True)
        except discord.HTTPException as refusal:
            log.warning(fields("answer_undelivered", sentence=sentence, reason=refusal))

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        if not self.is_closed():
            log.exception(fields("event_failed", name=event_method))


class CommandTree(app_commands.CommandTree[Magpie]):
    """Commands of which an error becomes the sentence a member reads, and that are timed."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        interaction.extras["began"] = time.perf_counter()
        return True

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        await self.client.explain(interaction, error)


def redirect(api: str) -> None:
    """Point discord.py at `api`, Discord itself or a server that speaks its protocol.

    The library keeps these addresses in classes, so they hold for the whole process.
    """
    own = api == DISCORD
    discord.http.Route.BASE = f"{api}/api/v10"
    discord.Asset.BASE = "https://cdn.discordapp.com" if own else f"{api}/cdn"
    gateway = "wss://gateway.discord.gg/" if own else f"{api.replace('http', 'ws', 1)}/gateway"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


def permissions() -> discord.Permissions:
    """Exactly what the bot needs."""
    return discord.Permissions(**dict.fromkeys(NEEDED_PERMISSIONS, True))


def invite(application_id: int) -> str:
    """The link by which a server's admin adds the bot."""
    return discord.utils.oauth_url(
        application_id, permissions=permissions(), scopes=("bot", "applications.commands")
    )


def _why_not(error: BaseException, settings: Settings) -> str | None:
    """The sentence for a start that failed in a way that is known, and what to do about it."""
    portal = "https://discord.com/developers/applications"
    code = error.code if isinstance(error, discord.ConnectionClosed) else None
    if isinstance(error, discord.LoginFailure) or code == AUTHENTICATION_FAILED:
        return (
            "Discord does not know this DISCORD_TOKEN; reset the token under Bot at "
            f"{portal} and set the new one."
        )
    if isinstance(error, discord.PrivilegedIntentsRequired):
        return (
            "The Message Content intent is off; switch it on under Bot, Privileged Gateway "
            f"Intents, at {portal}."
        )
    if isinstance(error, discord.GatewayNotFound | discord.DiscordServerError):
        return f"Discord at {settings.api} is having trouble ({error}); try again later."
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return (
            f"Discord at {settings.api} can't be reached ({error}); check the network"
            f"{' and DISCORD_API' if settings.redirected else ''}, then start again."
        )
    if isinstance(error, discord.ConnectionClosed):
        return f"Discord ended the connection ({error.code}: {error.reason or 'no reason given'})."
    if isinstance(error, discord.HTTPException):
        return f"Discord at {settings.api} refused to let the bot in ({error})."
    return None
