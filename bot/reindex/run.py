"""One reindex job at work: read history once more, page by page, and put the gallery right.

Each page of messages is one transaction of its pictures and of the job's position, so that the
job goes on where it stood after a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import discord
from discord.abc import GuildChannel

from bot.ops.logs import fields
from bot.reindex.progress_message import ProgressMessage
from bot.sync.backfill import archived_threads
from bot.sync.erasure import forget_group
from bot.sync.history import (
    PAGE,
    WithMessages,
    WithThreads,
    is_deleted,
    missing_permissions,
    read_page,
    reconcile,
)
from bot.sync.ingest import Trouble, What
from bot.sync.watched import group_of
from index import GalleryClosed, Group, Job

if TYPE_CHECKING:
    from bot.app import Magpie
    from bot.sync.ingest import Known

log = logging.getLogger(__name__)

RETRY_S = 30.0  # after Discord failed to give a page
PASSES = 3  # over the pictures that could not be had for another model, before it takes over
# Every channel counts as if it had at least this many pictures: an empty one is work, too.
LEAST_WEIGHT = 20


@dataclass
class State:
    """Where a job stands, as it is kept in the gallery (JSON)."""

    what: What  # "missing" pictures only, "everything" again, or all for another "model"
    channel: int | None  # a channel or category; None: all that is watched
    asked_by: int
    groups: list[list[int]] | None = None  # [id, pictures known]; None: not listed yet
    at: int = 0  # which group
    newest: int = 0  # the id its reading began at
    before: int = 0  # messages from this id on are done; 0: none
    messages: int = 0
    checked: int = 0  # pictures
    added: int = 0
    removed: int = 0
    failed: int = 0
    closed: int = 0  # channels that could not be read
    elapsed_s: float = 0.0
    message: list[int] | None = None  # channel and id of the progress message
    model: str = ""  # the one that is to take over
    succession: str | None = None  # by which the gallery knows this change of models
    passes: int = 0  # over everything, before this one
    switched: bool = False  # it has taken over
    lost: int = 0  # pictures that it could not see, and so left

    @property
    def fraction(self) -> float:
        """How much is done, by the pictures known of each group and, within one, by time."""
        if self.groups is None:
            return 0.0
        weights = [pictures + LEAST_WEIGHT for _, pictures in self.groups]
        here = weights[self.at] * self._fraction_here() if self.at < len(weights) else 0.0
        return (sum(weights[: self.at]) + here) / sum(weights) if weights else 1.0

    def _fraction_here(self) -> float:
        assert self.groups is not None
        if not self.before or self.newest <= (start := self.groups[self.at][0]):
            return 0.0
        return min(max((self.newest - self.before) / (self.newest - start), 0.0), 1.0)

    @property
    def total_estimate(self) -> int | None:
        """How many pictures there will have been; None while that can't be told."""
        if self.groups is None or self.fraction < 0.05:
            return None
        if self.what != "missing":
            return max(self.checked, sum(pictures for _, pictures in self.groups))
        return round(self.checked / self.fraction)

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take at the rate so far; None while that can't be told."""
        done = self.fraction
        return self.elapsed_s * (1 - done) / done if done > 0.01 and self.elapsed_s > 1 else None


class Run:
    """One job at work."""

    def __init__(self, client: Magpie, job: Job) -> None:
        self._client = client
        self._job = job
        self.id = job.id
        self.space = job.space
        self.status = job.status
        self.state = State(**job.state)
        self._task: asyncio.Task[None] | None = None
        self._known: tuple[int, Known] | None = None  # of the group being read
        self.progress = ProgressMessage(client, self)

    @property
    def active(self) -> bool:
        return self.status in ("running", "paused")

    @property
    def idle(self) -> bool:
        """Whether no work is under way, which would keep the job with its next page."""
        return self._task is None or self._task.done()

    # ---- starting and stopping

    def start(self) -> None:
        if self.status == "running" and self.idle:
            self._task = asyncio.create_task(self._work(), name=f"reindex-{self.id}")

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
        """Takes effect with the page being read."""
        if not self.active:
            return
        self.status = "paused" if self.status == "running" else "running"
        await self._settle()

    async def cancel(self) -> None:
        if self.active:
            self.status = "cancelled"
            await self._settle()

    async def _settle(self) -> None:
        """Have the status kept: by the work under way with its page, else at once."""
        if self.idle:
            await self.save()
            self.start()
        await self.progress.show(at_once=True)

    async def save(self, state: State | None = None) -> None:
        """Have the job kept as it stands, or as this state says."""
        self.state = state or self.state
        await self._client.ledger.commit((), jobs=[self._as_job(self.state)])

    def _as_job(self, state: State) -> Job:
        kept = replace(state, message=self.progress.message)
        return replace(self._job, status=self.status, state=asdict(kept))

    # ---- the work

    async def _work(self) -> None:
        """Page by page, until the job is done, paused, cancelled or has failed."""
        of_a_model = self.state.what == "model"
        while self.status == "running":
            async with self._client.reindexing.model_turns if of_a_model else nullcontext():
                await self._run()
            await self.save()
            log.info(fields("reindex_stands", job=self.id, status=self.status))
            await self.progress.show(at_once=True)
        if of_a_model and self.status == "done":
            await self._client.reindexing.switch_if_done()

    async def has_switched(self, lost: int) -> None:
        """The model that this was for has taken over."""
        await self.save(replace(self.state, switched=True, lost=lost))
        await self.progress.show(at_once=True)

    async def _run(self) -> None:
        began = time.monotonic() - self.state.elapsed_s
        while self.status == "running":
            try:
                await self._step(replace(self.state, elapsed_s=time.monotonic() - began))
            except Trouble as error:
                log.warning(fields("reindex_waits", job=self.id, why=error, retry_s=RETRY_S))
                await asyncio.sleep(RETRY_S)
            except GalleryClosed:
                raise
            except Exception:
                log.exception(fields("reindex_failed", job=self.id))
                self.status = "failed"
            await self.progress.show()

    async def _step(self, state: State) -> None:
        """List the groups, read a page of one, or see that all is done."""
        if state.groups is None:
            state.groups = await self._groups(state)
            await self.save(state)
        elif state.at < len(state.groups):
            await self._read_page(state)
        elif state.what == "model" and state.failed and state.passes + 1 < PASSES:
            await asyncio.sleep(RETRY_S)
            state.passes += 1
            await self.save(replace(state, groups=None, at=0, failed=0, closed=0))
        else:
            self.status = "done"
            await self.save(state)

    async def _groups(self, state: State) -> list[list[int]]:
        """Everything to read: channels, their threads, and whatever the gallery still has."""
        guild = self._client.get_guild(self.space)
        if guild is None or guild.unavailable:  # its channels aren't known, and it looks empty
            raise TimeoutError("the server is not available")
        scope = guild.get_channel(state.channel) if state.channel else None
        if state.channel and scope is None:
            return []  # it was deleted
        places: dict[int, Group] = {}
        for channel in self._client.watched.channels(guild, scope):
            if missing_permissions(channel):
                state.closed += 1
            else:
                places |= {group.id: group for group in await _with_threads(channel)}
        inside = set(places)
        for group in await self._client.gallery.groups(self.space):
            if group.parent in inside:
                places.setdefault(group.id, group)
        count = self._client.gallery.count_links
        return [[id, await count(self.space, [id])] for id in places]

    async def _read_page(self, state: State) -> None:
        """One page, newest first: what is missing comes in, what is gone goes."""
        assert state.groups is not None
        group_id, _ = state.groups[state.at]
        try:
            place = await self._place(group_id)
            if self._known is None or self._known[0] != group_id:
                self._known = (group_id, await self._client.gallery.known(self.space, group_id))
            before = discord.Object(state.before) if state.before else None
            page = await read_page(self._client, place, before=before)
        except discord.NotFound as error:
            if not is_deleted(error):
                raise
            state.removed += await forget_group(self._client, self.space, group_id)
            await self._next_group(state)
        except discord.Forbidden:
            state.closed += 1
            await self._next_group(state)
        else:
            await self._put_right(state, group_of(place), page, self._known[1])

    async def _put_right(
        self, state: State, group: Group, page: list[discord.Message], known: Known
    ) -> None:
        ingest = self._client.ingest
        at_end = len(page) < PAGE
        oldest = 0 if at_end else page[-1].id
        space, before = self.space, state.before
        state.removed += await reconcile(self._client, space, page, known, oldest, before)
        items, failed = await ingest.read(space, group, page, what=state.what, patient=False)
        state.messages += len(page)
        state.checked += sum(len(ingest.shown(message)) for message in page)
        state.failed += failed
        state.added += sum(link.slot not in known.get(link.source, ()) for _, link in items)
        state.newest = state.newest or (page[0].id if page else 0)
        state.before = oldest
        if at_end:
            state.at, state.newest, state.before = state.at + 1, 0, 0
        kept = await self._client.ledger.commit(items, jobs=[self._as_job(state)])
        self.state = state
        self._client.metrics.add_pictures(kept)

    async def _next_group(self, state: State) -> None:
        state.at, state.newest, state.before = state.at + 1, 0, 0
        await self.save(state)

    async def _place(self, group_id: int) -> WithMessages:
        guild = self._client.get_guild(self.space)
        known = guild.get_channel_or_thread(group_id) if guild else None
        place = known or await self._client.fetch_channel(group_id)
        assert isinstance(place, WithMessages)
        return place


async def _with_threads(channel: GuildChannel) -> list[Group]:
    """A channel and all its threads, those that are archived too; of a forum only its posts."""
    groups = [] if isinstance(channel, discord.ForumChannel) else [group_of(channel)]
    if isinstance(channel, WithThreads):
        threads = [*channel.threads, *await archived_threads(channel)]
        groups += [group_of(thread) for thread in threads]
    return groups
