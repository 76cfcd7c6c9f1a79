"""One reindex job at work: it reads page by page, can be paused, and survives a restart.

The pictures of a page and the job's position are written in one transaction, so that the job
continues exactly where it stopped after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace

import discord

from bot.ops.background import Background
from bot.ops.logs import fields
from bot.ops.metrics import Metrics
from bot.ops.tuning import Clocks
from bot.platform.codes import RequestFailed
from bot.platform.interactions import Interaction
from bot.reindex.progress_message import ProgressMessage
from bot.reindex.rereading import Rereading
from bot.reindex.state import JobState
from bot.sync.transcribing import Transcribing
from bot.sync.writer import Item, Writer
from index import GalleryClosed, Job

log = logging.getLogger(__name__)

# How often everything is read for another model, if some pictures could not be had.
PASSES = 3


class Run:
    """One job at work.

    turns   limits how many servers read for another model at once
    done    is called when the job has read everything for another model
    """

    def __init__(
        self,
        client: discord.Client,
        writer: Writer,
        metrics: Metrics,
        clocks: Clocks,
        rereading: Rereading,
        transcribing: Transcribing,
        background: Background,
        turns: asyncio.Semaphore,
        done: Callable[[], Awaitable[None]],
        job: Job,
    ) -> None:
        self._writer = writer
        self._metrics = metrics
        self._clocks = clocks
        self._rereading = rereading
        self._transcribing = transcribing
        self._background = background
        self._turns = turns
        self._done = done
        self._job = job
        self.id = job.id
        self.space = job.space
        self.status = job.status
        self.state = JobState(**job.state)
        self._task: asyncio.Task[None] | None = None
        self._message = ProgressMessage(
            client,
            clocks,
            job,
            self.state.message,
            self._status_and_state,
            self._message_moved,
        )

    @property
    def active(self) -> bool:
        return self.status in ("running", "paused")

    @property
    def of_a_model(self) -> bool:
        """Whether it reads for another model; then only the operator can call it off."""
        return self.state.what == "model"

    @property
    def idle(self) -> bool:
        """Whether no task works on it. A task saves the job with its next page."""
        return self._task is None or self._task.done()

    # ---- starting and stopping

    def start(self) -> None:
        if self.status == "running" and self.idle:
            self._task = self._background.begin(self._work(), f"reindex-{self.id}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def drop(self) -> None:
        """Cancel at once, showing nothing."""
        self.status = "cancelled"
        await self.stop()
        await self.save()

    async def pause_or_resume(self) -> None:
        """Takes effect with the page that is being read."""
        if self.active:
            await self._settle("paused" if self.status == "running" else "running")

    async def cancel(self) -> None:
        if self.active:
            await self._settle("cancelled")

    async def _settle(self, status: str) -> None:
        """Set the status. The task saves it with its next page; without one it is saved here."""
        self.status = status
        if self.idle:
            await self.save()
            self.start()
        await self.show(at_once=True)

    async def save(self, state: JobState | None = None) -> None:
        """Save the job as it stands, or with this state."""
        self.state = state or self.state
        await self._writer.commit((), jobs=[self._as_job(self.state)])

    def _as_job(self, state: JobState) -> Job:
        kept = replace(state, message=self._message.place)
        return replace(self._job, status=self.status, state=asdict(kept))

    def forget(self, deleted: int) -> None:
        """The figures count a deleted channel or thread no longer for who may know them."""
        # Saved with the next page; once the job is over, only this run tells of it.
        self.state.deleted.append(deleted)

    # ---- the message that shows it

    async def show(self, *, at_once: bool = False) -> None:
        await self._message.show(at_once=at_once)

    async def show_here(self, interaction: Interaction) -> None:
        """Show the progress where a command was typed."""
        await self._message.show_here(interaction)

    def may_be_shown_by(self, member: discord.Member) -> bool:
        """Whether the member may have its message where they are."""
        return self._message.names_nothing_hidden_from(member)

    async def text_for(self, member: discord.Member) -> str:
        """How far the job is, as this member may know it."""
        return await self._message.text_for(member)

    def _status_and_state(self) -> tuple[str, JobState]:
        return self.status, self.state

    async def _message_moved(self) -> None:
        """Save where the message is, unless the next page will."""
        if self.idle or self.status != "running":
            await self.save()

    # ---- the work

    async def _work(self) -> None:
        """Page by page, until the job is done, paused, cancelled or has failed."""
        while self.status == "running":
            await self._run()
            await self.save()
            log.info(fields("reindex_stands", job=self.id, status=self.status))
            await self.show(at_once=True)
        if self.of_a_model and self.status == "done":
            await self._done()

    async def has_switched(self, lost: int) -> None:
        """Note that the model which this job read for has taken over."""
        await self.save(replace(self.state, switched=True, lost=lost))
        await self.show(at_once=True)

    async def _run(self) -> None:
        began = time.monotonic() - self.state.elapsed_s
        while self.status == "running":
            wait_s = 0.0
            try:
                # A turn is held for one step, so that nobody's waits keep other servers waiting.
                async with self._turns if self.of_a_model else nullcontext():
                    wait_s = await self._step(
                        replace(self.state, elapsed_s=time.monotonic() - began)
                    )
                await self.show()
            except RequestFailed as error:
                wait_s = self._clocks.page_retry_s
                log.warning(fields("reindex_waits", job=self.id, why=error, retry_s=wait_s))
            except GalleryClosed:
                raise
            except Exception:
                log.exception(fields("reindex_failed", job=self.id))
                if self.of_a_model:  # the switch of all servers waits for it
                    wait_s = self._clocks.model_job_retry_s
                else:
                    self.status = "failed"
            await asyncio.sleep(wait_s)

    async def _step(self, state: JobState) -> float:
        """List the groups, read a page of one, or finish the job.

        returns  seconds to wait before the next step
        """
        if state.groups is None:
            state.groups = await self._rereading.list_groups(state)
            if state.what == "everything":
                await self._transcribing.redo(self.space, {one.id for one in state.groups})
            else:
                self._transcribing.try_again()
            await self.save(state)
        elif state.at < len(state.groups):
            group = state.groups[state.at].id
            items = await self._rereading.read_page(state)
            await self._commit(group, items, state)
        elif state.what == "model" and state.failed and state.passes + 1 < PASSES:
            state.passes += 1
            await self.save(replace(state, groups=None, at=0, failed=0, closed=0))
            return self._clocks.page_retry_s
        else:
            self.status = "done"
            await self.save(state)
        return 0.0

    async def _commit(self, group: int, items: Sequence[Item], state: JobState) -> None:
        """Write a page's pictures, and with the last of them the job as it stands then.

        Those that were just posted are left to the watches, as catching up does it.
        """
        new, history = list[Item](), list[Item]()
        for item in items:
            (new if self._rereading.is_new(item) else history).append(item)
        if new:
            self._metrics.add_pictures(group, await self._writer.commit(new, new=True))
        written = await self._writer.commit(history, jobs=[self._as_job(state)])
        self.state = state
        self._metrics.add_pictures(group, written)
