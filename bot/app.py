"""The bot: builds its parts, hands each what it needs, and passes Discord's events on to them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from pathlib import Path
from typing import Any

import discord
import yarl
from discord import app_commands

from bot.ask.answers import Answers
from bot.ask.embedding import QuestionEmbedder
from bot.ask.examples import Examples
from bot.ask.fair_turns import FairTurns
from bot.ask.members import Members
from bot.ask.messages import MessageQuestions
from bot.ask.names import Names
from bot.ask.posted import PostedBefore
from bot.ask.preparation import Preparation
from bot.ask.questions import Questions
from bot.ask.rate_limiter import RateLimiter
from bot.ask.results import Results
from bot.ask.searches import Searches
from bot.ask.suggestions import Suggestions
from bot.commands import (
    channels,
    controls,
    find,
    find_similar,
    help,
    overview,
    posted_before,
    privacy,
    registration,
    reindex,
    reposts,
    setup,
    status,
    watch,
)
from bot.commands import tree as trees
from bot.languages import speech
from bot.languages.command_names import CommandNames
from bot.maintenance.closed import ClosedChannels
from bot.maintenance.departures import Departures
from bot.maintenance.maintenance import Maintenance
from bot.maintenance.relisting import Relisting
from bot.media.contents import Contents
from bot.media.download import Downloader
from bot.ops.health import Condition
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.settings import DISCORD, Settings
from bot.ops.starting import StartFailed, why_not_started
from bot.ops.tuning import Clocks, Limits
from bot.ops.unread import UnreadCounts
from bot.overview.overviews import Overviews
from bot.overview.thumbnails import Thumbnails
from bot.platform import heartbeat, last_moment
from bot.platform.invitation import NEEDED_PERMISSIONS, invite
from bot.platform.responses import accept_empty_callbacks, name_plain_json
from bot.platform.shards import Shards
from bot.platform.state import State
from bot.platform.unreadable import readable
from bot.reindex.jobs import Jobs
from bot.reposts.notes import Notes
from bot.sync.backfill import Backfill
from bot.sync.backlog import Backlog
from bot.sync.catch_up import CatchUp
from bot.sync.erasure import Erasure
from bot.sync.given_up import GivenUp
from bot.sync.history import History
from bot.sync.ingest import Ingest
from bot.sync.left_out import LeftOut
from bot.sync.live import Live
from bot.sync.noted import Noted
from bot.sync.refetching import Refetcher
from bot.sync.searching import Searching
from bot.sync.transcribing import Transcribing
from bot.sync.watched import Watched
from bot.sync.writer import Writer
from bot.watches.deliveries import Deliveries
from bot.watches.judge import Judge
from bot.watches.owners import Owners
from bot.watches.watches import Watches
from bot.welcome.panel import Facts
from bot.welcome.welcome import Welcomes
from index import Gallery, GalleryError, WordReader

log = logging.getLogger(__name__)

LAST_WRITE_S = 5.0  # how long closing waits for the cursors to be saved


class Magpie(discord.AutoShardedClient):
    """The bot, which owns all parts. Only `bot.__main__`, tests and benches import it."""

    def __init__(
        self,
        settings: Settings,
        gallery: Gallery,
        metrics: Metrics,
        clocks: Clocks | None = None,
        limits: Limits | None = None,
        transcriber: WordReader | None = None,
    ) -> None:
        redirect(settings.api)
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice here
        self.settings = settings
        self.gallery = gallery
        self.metrics = metrics
        self.unread = UnreadCounts(metrics)
        self.clocks = clocks = clocks or Clocks()
        self.limits = limits = limits or Limits()
        trace = last_moment.trace()
        trace.on_request_end.append(name_plain_json)
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, message_content=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # nothing is cached: raw events carry what is needed
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=clocks.guild_ready_s,
            http_trace=trace,
            **_sharding(settings.shards),
        )
        self.tree = trees.CommandTree(
            self,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
        )
        shards = settings.shards
        links, bookkeeping = gallery.links, gallery.bookkeeping
        model_change = gallery.reembedding

        # From a message to the gallery.
        self.writer = Writer(gallery, clocks)
        self.watched = Watched(links, bookkeeping, self.writer, shards)
        self.left_out = LeftOut(bookkeeping, self.writer)
        self.noted = Noted(bookkeeping, self.writer)
        self.downloader = Downloader(settings, clocks)
        contents = Contents(self.downloader, gallery, settings.videos)
        self.backlog = Backlog(self.watched, searching=limits.searching)
        self.ingest = Ingest(
            self,
            links,
            model_change,
            gallery,
            self.writer,
            contents,
            self.left_out,
            metrics,
            limits,
            read=lambda key, data, where: self.transcribing.keep(key, data, where),
        )
        self.live = Live(
            links,
            self.writer,
            self.watched,
            self.backlog,
            self.ingest,
            metrics,
            limits,
            indexed=lambda *message: self.notes.on_indexed(*message),
        )
        self.history = History(self, self.writer, self.ingest, limits)
        self.erasure = Erasure(
            links,
            bookkeeping,
            self.writer,
            self.watched,
            self.backlog,
            self.left_out,
            self.noted,
            metrics,
        )
        self.transcribing = Transcribing(
            gallery.transcripts,
            transcriber,
            self.writer,
            Refetcher(self, links, self.watched, self.ingest, contents),
            metrics,
            clocks,
            limits,
            busy=lambda: self.live.busy or self.backlog.busy,
        )
        self.given_up = GivenUp(
            *(self, gallery.workers, self.watched, self.ingest, self.transcribing),
            *(self.writer, clocks),
        )
        self.backfill = Backfill(
            self,
            links,
            self.writer,
            self.watched,
            self.backlog,
            self.ingest,
            self.history,
            Searching(self, self.writer, self.watched, self.backlog, self.ingest, metrics, clocks),
            self.erasure,
            metrics,
            clocks,
            limits,
            indexed=lambda *message: self.notes.on_indexed(*message),
        )
        self.jobs = Jobs(
            self,
            links,
            bookkeeping,
            model_change,
            self.writer,
            self.watched,
            self.backlog,
            self.ingest,
            self.history,
            self.erasure,
            self.transcribing,
            metrics,
            clocks,
            shards,
        )
        self.departures = Departures(
            bookkeeping,
            self.writer,
            self.erasure,
            self.jobs,
            shards,
            clocks,
            left=lambda guild_id: self.welcomes.on_leave(guild_id),
        )
        self.catch_up = CatchUp(
            self,
            links,
            bookkeeping,
            self.writer,
            self.watched,
            self.backlog,
            self.erasure,
            left=self.departures.leave,
        )
        self.closed = ClosedChannels(
            self,
            links,
            bookkeeping,
            self.writer,
            self.history,
            self.erasure,
            self.departures,
            shards,
            clocks,
        )
        self.relisting = Relisting(
            *(self, links, self.history, self.erasure, self.closed, self.departures),
            *(shards, clocks),
        )
        self.owners = Owners(self, gallery.watches, self.writer, clocks)
        self.maintenance = Maintenance(
            links,
            bookkeeping,
            self.writer,
            self.erasure,
            self.departures,
            self.closed,
            self.relisting,
            self.owners,
            shards,
            clocks,
        )

        # From a question to its answer.
        members = Members(self)
        self.suggestions = Suggestions(links, members, clocks, limits)
        names = Names(links, members)
        self.questions = Questions(self, links, bookkeeping, self.writer, names)
        embedder = QuestionEmbedder(gallery, contents, FairTurns())
        self.results = Results(
            self, gallery, links, self.writer, self.ingest, self.erasure, self.left_out
        )
        rate_limiter = RateLimiter(settings.questions)
        self.answers = Answers(
            gallery.transcripts,
            self.writer,
            self.watched,
            self.backlog,
            self.questions,
            Searches(self.questions, self.writer, clocks),
            Preparation(self, links, self.questions, embedder, clocks),
            embedder,
            self.results,
            rate_limiter,
        )
        self.posted = PostedBefore(
            self,
            gallery,
            links,
            bookkeeping,
            self.writer,
            self.noted,
            self.questions,
            embedder,
            self.results,
            rate_limiter,
            clocks,
            self.answers.progress,
        )
        self.overviews = Overviews(
            self,
            gallery,
            links,
            self.results,
            Thumbnails(links, self.results, self.downloader, gallery),
            rate_limiter,
            clocks,
            self.answers.progress,
        )
        examples = Examples(self, links, gallery, members, self.results, rate_limiter, clocks)
        self.examples = examples
        self.welcomes = Welcomes(
            self, bookkeeping, self.writer, self.watched, self.backlog, examples, shards, clocks
        )
        self.messages = MessageQuestions(self, self.answers, self.posted)
        self.notes = Notes(
            *(self, gallery, links, bookkeeping, self.writer, self.noted, self.results),
            *(shards, clocks),
        )

        # From a new picture to whom it is told.
        self.watches = Watches(
            self,
            gallery.watches,
            self.writer,
            self.questions,
            embedder,
            rate_limiter,
            clocks,
            limits,
        )
        self.judge = Judge(
            self,
            gallery.watching,
            gallery.watches,
            links,
            self.owners,
            self.writer,
            clocks,
            shards,
            reads_words=self.transcribing.on,
        )
        self.deliveries = Deliveries(
            self,
            gallery,
            gallery.watches,
            links,
            self.owners,
            self.writer,
            self.results,
            clocks,
            limits,
            shards,
        )

    def _register_commands(self) -> None:
        tree, links, bookkeeping = self.tree, self.gallery.links, self.gallery.bookkeeping
        find.register(tree, self.answers, self.suggestions, self.clocks)
        controls.register(tree, self.answers, self.clocks)
        find_similar.register(tree, self.answers, self.clocks)
        posted_before.register(tree, self.posted, self.clocks)
        overview.register(tree, self.overviews, self.answers, self.clocks)
        reposts.register(tree, self.noted, self.watched)
        channels.register(tree, links, self.watched, self.backlog, self.erasure, self.welcomes)
        help.register(tree, self.examples, self.answers, self.watched, self.clocks)
        setup.register(
            tree,
            bookkeeping,
            self.watched,
            self.noted,
            self.backlog,
            self.erasure,
            self.welcomes,
            lambda: Facts(self.gallery.model, self.gallery.languages, self.transcribing.on),
        )
        reindex.register(tree, self.jobs)
        status.register(
            tree,
            links,
            self.gallery.reembedding,
            lambda: self.gallery.device,
            self.watched,
            self.backlog,
            self.live,
            self.jobs,
            self.transcribing,
            self.metrics,
            self.unread,
            lambda: heartbeat.latency_s(self),
        )
        watch.register(tree, self.watches)
        privacy.register(
            tree,
            links,
            bookkeeping,
            self.gallery.watches,
            self.left_out,
            self.erasure,
            self.limits,
        )

    # ---- what discord.py lets its clients change

    def _get_state(self, **options: Any) -> State:
        """discord.py's state, which is built while this client is."""
        return State(
            note=self.unread.note,
            dispatch=self.dispatch,
            handlers=self._handlers,
            hooks=self._hooks,
            http=self.http,
            **options,
        )

    async def fetch_channel(self, channel_id: int, /) -> Any:
        """The channel or thread, as Discord has it now.

        raises   discord.HTTPException, Unreadable
        """
        return await readable(super().fetch_channel(channel_id))

    async def fetch_guild(self, guild_id: int, /, *, with_counts: bool = True) -> discord.Guild:
        """The server, as Discord has it now.

        raises   discord.HTTPException, Unreadable
        """
        return await readable(super().fetch_guild(guild_id, with_counts=with_counts))

    # ---- starting and stopping

    async def setup_hook(self) -> None:
        await self.watched.load()
        await self.left_out.load()
        await self.noted.load()
        await self.departures.load()
        await self.welcomes.load()
        self.maintenance.start()
        self.live.start()
        self.notes.start()
        self.judge.start()
        self.backfill.start()
        self._register_commands()
        await asyncio.to_thread(speech.load)
        await self.tree.set_translator(CommandNames())
        if self.settings.shards.first:  # one of the processes is enough
            await registration.sync(self.tree, Path(f"{self.settings.beside}.commands"))
        assert self.application_id is not None  # login has read it
        reasons = "; ".join(f"{name}: {why}" for name, why in NEEDED_PERMISSIONS.items())
        log.info(fields("invite", url=invite(self.application_id), permissions=reasons))

    async def serve(self) -> None:
        """Run until `close` is called.

        raises   StartFailed when Discord refuses or cannot be reached
        """
        accept_empty_callbacks()
        try:
            await self.start(self.settings.token)
        except Exception as error:
            if (sentence := why_not_started(error, self.settings)) is None:
                raise
            raise StartFailed(sentence) from error

    async def close(self) -> None:
        """Stop all work and disconnect. The cursors tell the next start what is unfinished."""
        if not self.is_closed():
            await self.maintenance.close()
            await self.jobs.close()
            await self.catch_up.close()
            await self.backfill.close()
            await self.live.close()
            await self.notes.close()
            await self.judge.close()
            await self.deliveries.close()
            await self.welcomes.close()
            await self.transcribing.close()
            await self.given_up.close()
            with contextlib.suppress(TimeoutError, GalleryError):  # then history is read again
                await asyncio.wait_for(self.backfill.save_cursors(), LAST_WRITE_S)
        await super().close()
        await self.downloader.close()

    def condition(self) -> Condition:
        """The bot's state at this moment, for `/healthz` and `/metrics`."""
        shards_open = not any(shard.is_closed() for shard in self.shards.values())
        return Condition(
            connected=self.is_ready() and not self.is_closed() and shards_open,
            heard=math.isfinite(self.latency),
            latency_s=heartbeat.latency_s(self),
            indexing=self.backlog.busy or self.live.busy,
            queue=self.live.depth,
            channels_left=len(self.backlog.unfinished()),
        )

    # ---- Discord's events

    async def on_shard_connect(self, shard_id: int) -> None:
        self.catch_up.on_connect(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        log.info(fields("ready", shard=shard_id, guilds=len(self.guilds)))
        await self.catch_up.on_ready(shard_id)

    async def on_ready(self) -> None:
        self.deliveries.start()
        await self.jobs.resume()
        self.welcomes.resume()
        self.transcribing.start()
        self.given_up.start()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self.departures.come_back(guild.id)
        self.catch_up.on_available(guild)
        await self.welcomes.on_available(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        log.info(fields("guild_joined", guild=guild.id))
        await self.departures.come_back(guild.id)
        self.catch_up.on_available(guild)
        await self.welcomes.on_join(guild)

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        log.warning(fields("guild_outage", guild=guild.id))  # an outage: the bot was not removed

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.departures.leave(guild.id)

    async def on_message(self, message: discord.Message) -> None:
        self.live.on_message(message)
        await self.messages.on_message(message)

    async def on_raw_message_edit(self, edit: discord.RawMessageUpdateEvent) -> None:
        await self.live.on_edit(edit)

    async def on_unread_edit(self, guild_id: int, channel_id: int, message_id: int) -> None:
        await self.live.on_unread_edit(self.get_channel(channel_id), message_id)

    async def on_raw_message_delete(self, deletion: discord.RawMessageDeleteEvent) -> None:
        await self.live.on_delete(deletion.guild_id, [deletion.message_id])

    async def on_raw_bulk_message_delete(self, deletion: discord.RawBulkMessageDeleteEvent) -> None:
        await self.live.on_delete(deletion.guild_id, sorted(deletion.message_ids))

    async def on_raw_thread_delete(self, deletion: discord.RawThreadDeleteEvent) -> None:
        self.jobs.forget(deletion.guild_id, deletion.thread_id)
        await self.catch_up.on_thread_deleted(deletion.guild_id, deletion.thread_id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.jobs.forget(channel.guild.id, channel.id)
        await self.catch_up.on_channel_deleted(channel)
        await self.noted.on_channel_deleted(channel)

    async def on_unknown_channel_delete(self, guild_id: int, channel_id: int) -> None:
        await self.catch_up.on_unknown_channel_deleted(guild_id, channel_id)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        await self.catch_up.on_channel_changed(channel)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        if before.category_id != after.category_id or before.overwrites != after.overwrites:
            await self.catch_up.on_channel_changed(after)

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions:
            self.backlog.check_permissions(after.guild)

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        if after == after.guild.me:  # the only member in the cache
            self.backlog.check_permissions(after.guild)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.backlog.on_thread(thread)

    async def on_thread_join(self, thread: discord.Thread) -> None:
        self.backlog.on_thread(thread)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            await controls.filled_in(interaction, self.answers, self.clocks)

    async def on_app_command_completion(
        self,
        interaction: discord.Interaction[Any],
        command: app_commands.Command[Any, ..., Any] | app_commands.ContextMenu,
    ) -> None:
        trees.observe(self.metrics, interaction, command)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        if not self.is_closed():
            log.exception(fields("event_failed", name=event_method))


def _sharding(shards: Shards) -> dict[str, Any]:
    """Which shards discord.py is told to serve; nothing: all, as many as Discord asks for."""
    if not shards.ids:
        return {}
    return {"shard_ids": list(shards.ids), "shard_count": shards.count}


def redirect(api: str) -> None:
    """Point discord.py at `api`, Discord itself or a server that speaks its protocol.

    The library keeps these addresses in classes, so they hold for the whole process.
    """
    own = api == DISCORD
    discord.http.Route.BASE = f"{api}/api/v10"
    discord.Asset.BASE = "https://cdn.discordapp.com" if own else f"{api}/cdn"
    gateway = "wss://gateway.discord.gg/" if own else f"{api.replace('http', 'ws', 1)}/gateway"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
