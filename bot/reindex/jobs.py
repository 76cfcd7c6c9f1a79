"""The reindex jobs of all servers: begun, and resumed after a restart; one at a time in a server.

A job is kept in the gallery, so that it survives a restart.

If MAGPIE_MODEL names another model than the one that embedded the gallery, the jobs read everything
for the new model, in all servers at once. When the last job is done, the new model takes over. The
bot can't read a server that it has left, so such a server is erased then, before its week is over.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, replace

import discord
from discord.abc import GuildChannel

from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Clocks
from bot.platform.interactions import Interaction
from bot.platform.shards import Shards
from bot.reindex.rereading import Rereading
from bot.reindex.run import Run
from bot.reindex.state import JobState
from bot.sync.backlog import Backlog
from bot.sync.erasure import Erasure
from bot.sync.history import History
from bot.sync.ingest import Ingest, What
from bot.sync.transcribing import Transcribing
from bot.sync.watched import Watched
from bot.sync.writer import ModelChange, Writer
from bot.text import reindex as text
from index import BookkeepingReader, Job, Links

log = logging.getLogger(__name__)

KIND = "reindex"
MODEL_JOBS_AT_ONCE = 3  # servers


class Jobs:
    """The jobs of all servers."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        bookkeeping: BookkeepingReader,
        model_change: ModelChange,
        writer: Writer,
        watched: Watched,
        backlog: Backlog,
        ingest: Ingest,
        history: History,
        erasure: Erasure,
        transcribing: Transcribing,
        metrics: Metrics,
        clocks: Clocks,
        shards: Shards,
    ) -> None:
        self._client = client
        self._links = links
        self._bookkeeping = bookkeeping
        self._model_change = model_change
        self._writer = writer
        self._watched = watched
        self._backlog = backlog
        self._ingest = ingest
        self._history = history
        self._erasure = erasure
        self._transcribing = transcribing
        self._metrics = metrics
        self._clocks = clocks
        self._shards = shards
        self._runs: dict[int, Run] = {}  # by job
        self._beginning = asyncio.Lock()  # two people who ask at once get one job
        self._switching = asyncio.Lock()
        self._model_turns = asyncio.Semaphore(MODEL_JOBS_AT_ONCE)
        self._background = Background()

    def _run_of(self, job: Job) -> Run:
        """A run of this job, which is yet to be started."""
        rereading = Rereading(
            self._client,
            self._links,
            self._watched,
            self._backlog,
            self._ingest,
            self._history,
            self._erasure,
            job.space,
        )
        return Run(
            self._client,
            self._writer,
            self._metrics,
            self._clocks,
            rereading,
            self._transcribing,
            self._background,
            self._model_turns,
            self.switch_if_done,
            job,
        )

    async def close(self) -> None:
        """Stop at once; the jobs go on after the next start."""
        await self._background.close()

    async def resume(self) -> None:
        """Continue the jobs that a restart interrupted; called at every READY."""
        async with self._beginning:
            await self._resume_saved()
        await self.switch_if_done()

    async def _resume_saved(self) -> None:
        """Continue the active jobs of the gallery that have no run yet."""
        for job in [*await self._stopped_model_jobs(), *await self._bookkeeping.jobs()]:
            if job.kind != KIND or job.id in self._runs or not self._shards.mine(job.space):
                continue
            run = self._runs[job.id] = self._run_of(job)
            if run.state.what == "model" and run.state.succession != self._model_change.id:
                await run.cancel()  # the owner has chosen another model meanwhile
                continue
            log.info(fields("reindex_resumed", guild=job.space, job=job.id, status=job.status))
            run.start()

    async def ask(
        self,
        interaction: Interaction,
        guild: discord.Guild,
        channel: GuildChannel | None,
        what: What,
    ) -> str | None:
        """Begin a job, or show the one that is active. A member who sees no channel that it would
        read gets the same answer whether or not there is one.

        returns  the answer to the command; None if the progress is the answer
        """
        member = interaction.user
        assert isinstance(member, discord.Member)
        watched = self._watched.channels(guild, channel)
        if not any(one.permissions_for(member).view_channel for one in watched):
            return text.nothing_to_reindex(channel)
        if self._model_change.wanted and not self._shards.whole:
            return text.model_needs_one_process()
        async with self._beginning:
            await self._resume_saved()  # a question may come before READY
            run = self.of(guild.id)
            if run is None:
                scope_id = channel.id if channel else None
                run = await self._begin(guild.id, JobState(what, scope_id))
        try:
            if not run.may_be_shown_by(member):
                return f"{text.reindex_goes_on()}\n{await run.text_for(member)}"
            await run.show_here(interaction)
        finally:  # also if showing it fails
            run.start()
        return None

    async def _begin(self, guild_id: int, state: JobState) -> Run:
        """A new job, which is yet to be started.

        raises   ModelError
        """
        self._runs = {id: run for id, run in self._runs.items() if run.active or not run.idle}
        if self._model_change.wanted:
            return await self._read_for_the_wanted_model(guild_id)
        return await self._new_run(guild_id, state)

    async def _new_run(self, space: int, state: JobState) -> Run:
        job = await self._writer.new_job(space, KIND, asdict(state))
        run = self._runs[job.id] = self._run_of(job)
        log.info(fields("reindex_started", guild=space, job=job.id, what=state.what))
        return run

    # ---- another model

    async def _read_for_the_wanted_model(self, here: int) -> Run:
        """A job in this server, yet to be started, and one in every other that has none yet.

        raises   ModelError
        """
        await self._writer.begin_reembedding()
        run = await self._new_run(here, self._for_the_wanted_model())
        await self._read_everywhere()
        return run

    async def _read_everywhere(self) -> bool:
        """Begin a job in every server that has none for the wanted model; whether any was begun."""
        begun = {job.space for job in await self._model_jobs()}
        departed = set(await self._bookkeeping.departed())
        others = await self._links.spaces() - departed - begun
        for space in others:
            (await self._new_run(space, self._for_the_wanted_model())).start()
        return bool(others)

    def _for_the_wanted_model(self) -> JobState:
        name = self._model_change.wanted
        assert name is not None
        return JobState("model", None, model=name, succession=self._model_change.id)

    async def _model_jobs(self) -> list[Job]:
        """The latest job of each server that reads for the wanted model."""
        if self._model_change.id is None or not self._shards.whole:
            return []  # a change of models waits for all servers
        jobs = await self._bookkeeping.jobs(active=False)
        ours = [job for job in jobs if job.state.get("succession") == self._model_change.id]
        return list({job.space: job for job in ours}.values())

    async def _stopped_model_jobs(self) -> list[Job]:
        """Jobs for the wanted model that stopped before their end, as if they had not: the switch
        of all servers waits for each of them, but for those of servers that were left."""
        departed = set(await self._bookkeeping.departed())
        return [
            replace(job, status="running")
            for job in await self._model_jobs()
            if job.status in ("paused", "cancelled", "failed") and job.space not in departed
        ]

    async def switch_if_done(self) -> None:
        """Let the wanted model take over once every server has been read for it."""
        async with self._switching:
            departed = set(await self._bookkeeping.departed())
            jobs = [job for job in await self._model_jobs() if job.space not in departed]
            if not jobs or any(job.status != "done" for job in jobs):
                return
            # The bot may have joined another server, or stopped before it began all jobs.
            async with self._beginning:
                if await self._read_everywhere():
                    return
            for space in departed:
                await self.erase_guild(space)
            name, lost = self._model_change.wanted, await self._writer.switch_model()
            log.info(fields("model_switched", model=name, lost=sum(lost.values())))
        for job in jobs:
            run = self._runs.get(job.id) or self._run_of(job)
            await run.has_switched(lost.get(job.space, 0))

    # ---- the jobs of one server

    def of(self, guild_id: int) -> Run | None:
        """The active job of a server."""
        runs = (run for run in self._runs.values() if run.space == guild_id and run.active)
        return next(runs, None)

    def by_id(self, job_id: int) -> Run | None:
        return self._runs.get(job_id)

    def forget(self, guild_id: int, deleted: int) -> None:
        """A channel or thread of a server was deleted, so nobody has to be able to read it to
        know the figures."""
        for run in self._runs.values():
            if run.space == guild_id:
                run.forget(deleted)

    async def drop(self, guild_id: int) -> None:
        """Cancel the jobs of a server that was left; the gallery erases them with its space."""
        left = [id for id, run in self._runs.items() if run.space == guild_id]
        for run in [self._runs.pop(id) for id in left]:
            await run.drop()

    async def erase_guild(self, guild_id: int) -> None:
        """Erase everything of a server that was left, its jobs too."""
        await self.drop(guild_id)
        await self._erasure.erase_guild(guild_id)

    async def lines(self, member: discord.Member) -> list[str]:
        """The progress or the end of a server's latest job, as far as this member may know it."""
        runs = [run for run in self._runs.values() if run.space == member.guild.id]
        return [await run.text_for(member) for run in runs[-1:]]
