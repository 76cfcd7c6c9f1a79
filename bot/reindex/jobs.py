"""The reindex jobs of all servers: begun, resumed after a restart; who asks again gets the same.

A job is kept in the gallery, so that it outlasts the process.

Where MAGPIE_MODEL names another model than the one that embedded the gallery, the jobs read
everything for that one, in every server at once; when the last is done, it takes over. A server
that was left can't be read any more, so it is erased then, before its week is over.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import TYPE_CHECKING

import discord
from discord.abc import GuildChannel

from bot.ops.logs import fields
from bot.reindex.run import Run, State
from bot.sync.erasure import forget_guild
from bot.sync.ingest import What
from bot.text import replies
from index import Job

if TYPE_CHECKING:
    from bot.app import Interaction, Magpie

log = logging.getLogger(__name__)

KIND = "reindex"
MODEL_JOBS_AT_ONCE = 3  # servers


class Reindexing:
    """The jobs of all guilds."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._runs: dict[int, Run] = {}  # by job
        self._beginning = asyncio.Lock()  # two who ask at once get one job
        self._switching = asyncio.Lock()
        self.model_turns = asyncio.Semaphore(MODEL_JOBS_AT_ONCE)

    async def close(self) -> None:
        """Stop where it is; the jobs go on after the next start."""
        await asyncio.gather(*(run.stop() for run in self._runs.values()))

    async def resume(self) -> None:
        """Go on with the jobs that a restart interrupted; called at every READY."""
        async with self._beginning:
            await self._take_up()
        await self.switch_if_done()

    async def _take_up(self) -> None:
        """Go on with the active jobs of the gallery that are not known here."""
        gallery = self._client.gallery
        for job in await gallery.jobs():
            if job.kind != KIND or job.id in self._runs:
                continue
            run = self._runs[job.id] = Run(self._client, job)
            if run.state.what == "model" and run.state.succession != gallery.succession:
                await run.cancel()  # the owner has chosen otherwise meanwhile
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
        """Begin a job, or show the one under way; the answer, unless the run shows it itself."""
        if not self._client.watched.channels(guild, channel):
            return replies.nothing_to_reindex(channel)
        async with self._beginning:
            await self._take_up()  # a question may come before READY
            run = self.of(guild.id)
            if run is None:
                scope_id = channel.id if channel else None
                run = await self._begun(guild.id, State(what, scope_id, interaction.user.id))
        try:
            return await run.progress.show_here(interaction)
        finally:  # also where showing it fails
            run.start()

    async def _begun(self, guild_id: int, state: State) -> Run:
        """A new job, which is yet to be started.

        raises   ModelError
        """
        self._runs = {id: run for id, run in self._runs.items() if run.active or not run.idle}
        if self._client.gallery.wanted:
            return await self._read_for_the_wanted_model(guild_id, state.asked_by)
        return await self._new_run(guild_id, state)

    async def _new_run(self, space: int, state: State) -> Run:
        job = await self._client.gallery.new_job(space, KIND, asdict(state))
        run = self._runs[job.id] = Run(self._client, job)
        log.info(fields("reindex_started", guild=space, job=job.id, what=state.what))
        return run

    # ---- another model

    async def _read_for_the_wanted_model(self, here: int, asked_by: int) -> Run:
        """A job in this guild, yet to be started, and one in every other that has none yet.

        raises   ModelError
        """
        await self._client.gallery.begin_succession()
        run = await self._new_run(here, self._for_the_wanted_model(asked_by))
        await self._read_everywhere(asked_by)
        return run

    async def _read_everywhere(self, asked_by: int) -> bool:
        """Begin a job in every guild that has none for the wanted model; whether there was one."""
        gallery = self._client.gallery
        begun = {job.space for job in await self._model_jobs()}
        others = await gallery.spaces() - set(await gallery.departed()) - begun
        for space in others:
            (await self._new_run(space, self._for_the_wanted_model(asked_by))).start()
        return bool(others)

    def _for_the_wanted_model(self, asked_by: int) -> State:
        name, succession = self._client.gallery.wanted, self._client.gallery.succession
        assert name is not None
        return State("model", None, asked_by, model=name, succession=succession)

    async def _model_jobs(self) -> list[Job]:
        """The latest job of each guild that reads for the wanted model."""
        gallery = self._client.gallery
        if gallery.succession is None:
            return []
        jobs = await gallery.jobs(active=False)
        ours = [job for job in jobs if job.state.get("succession") == gallery.succession]
        return list({job.space: job for job in ours}.values())

    async def switch_if_done(self) -> None:
        """Let the wanted model take over once every guild has been read for it."""
        gallery = self._client.gallery
        async with self._switching:
            departed = set(await gallery.departed())
            jobs = [job for job in await self._model_jobs() if job.space not in departed]
            if not jobs or any(job.status != "done" for job in jobs):
                return
            async with self._beginning:  # a server may have come, or the process have died
                if await self._read_everywhere(jobs[0].state["asked_by"]):
                    return
            for space in departed:
                await forget_guild(self._client, space)
            name, lost = gallery.wanted, await gallery.succeed()
            log.info(fields("model_switched", model=name, lost=lost))
        for job in jobs:
            run = self._runs.get(job.id) or Run(self._client, job)
            await run.has_switched(lost)

    def of(self, guild_id: int) -> Run | None:
        """The active job of a guild."""
        runs = (run for run in self._runs.values() if run.space == guild_id and run.active)
        return next(runs, None)

    async def drop(self, guild_id: int) -> None:
        """Forget the jobs of a guild that was left; the gallery's go with its space."""
        left = [id for id, run in self._runs.items() if run.space == guild_id]
        for run in [self._runs.pop(id) for id in left]:
            await run.drop()

    def by_id(self, job_id: int) -> Run | None:
        return self._runs.get(job_id)

    async def lines(self, member: discord.Member) -> list[str]:
        """How far the latest job of a guild is, or how it ended, for this member."""
        runs = [run for run in self._runs.values() if run.space == member.guild.id]
        return [await run.progress.text_for(member) for run in runs[-1:]]
