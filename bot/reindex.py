"""`/reindex`: read the history of one channel, or all, once more and put the gallery right.

A job in the gallery, so that it goes on after a restart: each page of messages is one
transaction of its pictures and of the job's position. Progress is an ordinary message, since
an interaction's token lives for 15 minutes only. Its buttons are dynamic items: they carry
the job's id, work after a restart, and check Manage Server at every click.

Where MAGPIE_MODEL names another model than the one that embedded the gallery, the jobs read
everything for that one, in every server at once; when the last is done, it takes over.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import app_commands, ui
from discord.abc import GuildChannel

from bot import permissions, replies
from bot.backfill import archived_threads
from bot.channels import Channel, demand_manage_server, readable_there
from bot.erasure import forget_group
from bot.ingest import Trouble, What
from bot.logs import fields
from bot.pages import (
    PAGE,
    Place,
    WithMessages,
    is_deleted,
    missing_permissions,
    read_page,
    reconcile,
)
from bot.watched import group_of
from index import GalleryClosed, Group, Job

if TYPE_CHECKING:
    from bot.client import Interaction, Magpie
    from bot.ingest import Known

log = logging.getLogger(__name__)

KIND = "reindex"
SHOW_EVERY_S = 5.0  # the progress message is edited at most this often
RETRY_S = 30.0  # after Discord failed to give a page
PASSES = 3  # over the pictures that could not be had for another model, before it takes over
MODEL_JOBS_AT_ONCE = 3  # servers
TOKEN_S = 14 * 60.0  # an interaction's answer can be edited for 15 minutes
EDITED_TOO_OFTEN = 30046  # Discord's code for a message older than an hour
# Every channel counts as if it had at least this many pictures: an empty one is work, too.
LEAST_WEIGHT = 20

Button = ui.Button[ui.View]


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


def register(client: Magpie) -> None:
    client.tree.add_command(reindex)


@app_commands.command(description="Read the history again and index what is missing")
@app_commands.describe(
    channel="Only this channel or category (otherwise all that is watched)",
    what="Missing pictures only (the default), or everything again",
)
@app_commands.choices(
    what=[
        app_commands.Choice(name="missing pictures only", value="missing"),
        app_commands.Choice(name="everything again", value="everything"),
    ]
)
@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
async def reindex(
    interaction: Interaction, channel: Channel | None = None, what: What = "missing"
) -> None:
    await interaction.response.defer(ephemeral=True)
    demand_manage_server(interaction)
    assert interaction.guild is not None
    answer = await interaction.client.reindexing.ask(interaction, interaction.guild, channel, what)
    if answer is not None:
        await interaction.edit_original_response(content=answer)


class Reindexing:
    """The reindex jobs of all guilds, at most one active in each."""

    def __init__(self, client: Magpie) -> None:
        self._client = client
        self._runs: dict[int, Run] = {}  # by job
        self._switching = asyncio.Lock()
        self.model_turns = asyncio.Semaphore(MODEL_JOBS_AT_ONCE)

    async def close(self) -> None:
        """Stop where it is; the jobs go on after the next start."""
        await asyncio.gather(*(run.stop() for run in self._runs.values()))

    async def resume(self) -> None:
        """Go on with the jobs that a restart interrupted; called at every READY."""
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
        await self.switch_if_done()

    async def ask(
        self,
        interaction: Interaction,
        guild: discord.Guild,
        channel: GuildChannel | None,
        what: What,
    ) -> str | None:
        """Begin a job, or show the one under way; the answer, unless the run shows it itself."""
        watched = self._client.watched
        scope = [place for place in watched.channels(guild) if _within(place, channel)]
        if not scope:
            return replies.nothing_to_reindex(channel)
        active = self.of(guild.id)
        if active is not None:
            return await active.show_here(interaction)
        self._runs = {id: run for id, run in self._runs.items() if run.active}
        if self._client.gallery.wanted:
            run = await self._read_for_the_wanted_model(guild.id, interaction.user.id)
        else:
            scope_id = channel.id if channel else None
            run = await self._new_run(guild.id, State(what, scope_id, interaction.user.id))
        answer = await run.show_here(interaction)
        run.start()
        return answer

    async def _new_run(self, space: int, state: State) -> Run:
        job = await self._client.gallery.new_job(space, KIND, asdict(state))
        run = self._runs[job.id] = Run(self._client, job)
        log.info(fields("reindex_started", guild=space, job=job.id, what=state.what))
        return run

    # ---- another model

    async def _read_for_the_wanted_model(self, here: int, asked_by: int) -> Run:
        """A job in this guild, and in every other that has no such job yet; they begin.

        raises   ModelError
        """
        gallery = self._client.gallery
        assert gallery.wanted is not None
        await gallery.begin_succession()
        begun = {job.space for job in await self._model_jobs()} - {here}
        name, succession = gallery.wanted, gallery.succession
        state = State("model", None, asked_by, model=name, succession=succession)
        run = await self._new_run(here, state)
        for space in await gallery.spaces() - begun - {here}:
            (await self._new_run(space, state)).start()
        return run

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
            jobs = await self._model_jobs()
            if not jobs or any(job.status != "done" for job in jobs):
                return
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
        return [await run.text_for(member) for run in runs[-1:]]


class Run:
    """One job at work."""

    def __init__(self, client: Magpie, job: Job) -> None:
        self._client = client
        self._job = job
        self.space = job.space
        self.status = job.status
        self.state = State(**job.state)
        self._message = self.state.message
        self._task: asyncio.Task[None] | None = None
        self._known: tuple[int, Known] | None = None  # of the group being read
        self._shown_at = 0.0
        self._shown = ""
        self._answer: Interaction | None = None  # where progress goes if no message may
        self._asked_at = 0.0

    @property
    def active(self) -> bool:
        return self.status in ("running", "paused")

    # ---- starting and stopping

    def start(self) -> None:
        if self.status == "running" and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name=f"reindex-{self._job.id}")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def drop(self) -> None:
        """Cancel at once, showing nothing."""
        self.status = "cancelled"
        await self.stop()
        await self._save()

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
        if self._task is None or self._task.done():
            await self._save()
            self.start()
        await self.show(at_once=True)

    async def _save(self, state: State | None = None) -> None:
        self.state = state or self.state
        await self._client.ledger.commit((), jobs=[self._as_job(self.state)])

    def _as_job(self, state: State) -> Job:
        kept = replace(state, message=self._message)
        return replace(self._job, status=self.status, state=asdict(kept))

    # ---- the work

    async def _work(self) -> None:
        """Page by page, until the job is done, paused, cancelled or has failed."""
        of_a_model = self.state.what == "model"
        while self.status == "running":
            async with self._client.reindexing.model_turns if of_a_model else nullcontext():
                await self._run()
            await self._save()
            log.info(fields("reindex_stands", job=self._job.id, status=self.status))
            await self.show(at_once=True)
        if of_a_model and self.status == "done":
            await self._client.reindexing.switch_if_done()

    async def has_switched(self, lost: int) -> None:
        """The model that this was for has taken over."""
        await self._save(replace(self.state, switched=True, lost=lost))
        await self.show(at_once=True)

    async def _run(self) -> None:
        began = time.monotonic() - self.state.elapsed_s
        while self.status == "running":
            try:
                await self._step(replace(self.state, elapsed_s=time.monotonic() - began))
            except Trouble as error:
                log.warning(fields("reindex_waits", job=self._job.id, why=error, retry_s=RETRY_S))
                await asyncio.sleep(RETRY_S)
            except GalleryClosed:
                raise
            except Exception:
                log.exception(fields("reindex_failed", job=self._job.id))
                self.status = "failed"
            await self.show()

    async def _step(self, state: State) -> None:
        """List the groups, read a page of one, or see that all is done."""
        if state.groups is None:
            state.groups = await self._groups(state)
            await self._save(state)
        elif state.at < len(state.groups):
            await self._read_page(state)
        elif state.what == "model" and state.failed and state.passes + 1 < PASSES:
            await asyncio.sleep(RETRY_S)
            await self._save(replace(state, groups=None, at=0, failed=0, passes=state.passes + 1))
        else:
            self.status = "done"
            await self._save(state)

    async def _groups(self, state: State) -> list[list[int]]:
        """Everything to read: channels, their threads, and whatever the gallery still has."""
        guild = self._client.get_guild(self.space)
        if guild is None:
            raise TimeoutError("the server is not available")
        scope = guild.get_channel(state.channel) if state.channel else None
        places: dict[int, Group] = {}
        for channel in self._client.watched.channels(guild):
            if not _within(channel, scope):
                continue
            if missing_permissions(channel):
                state.closed += 1
            else:
                places |= {group.id: group for group in await self._with_threads(channel)}
        inside = set(places)
        for group in await self._client.gallery.groups(self.space):
            if group.parent in inside:
                places.setdefault(group.id, group)
        return [[group.id, await self._count(group)] for group in places.values()]

    async def _with_threads(self, channel: GuildChannel) -> list[Group]:
        groups = [] if isinstance(channel, discord.ForumChannel) else [group_of(channel)]
        if isinstance(channel, discord.TextChannel | discord.ForumChannel):
            threads = [*channel.threads, *await archived_threads(channel)]
            groups += [group_of(thread) for thread in threads]
        return groups

    async def _count(self, group: Group) -> int:
        return await self._client.gallery.count_links(self.space, [group.id])

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
        await self._save(state)

    async def _place(self, group_id: int) -> WithMessages:
        guild = self._client.get_guild(self.space)
        known = guild.get_channel_or_thread(group_id) if guild else None
        place = known or await self._client.fetch_channel(group_id)
        assert isinstance(place, WithMessages)
        return place

    # ---- showing how far it is

    def text(self) -> str:
        return replies.reindexing(self.status, self.state)

    async def text_for(self, member: discord.Member) -> str:
        """The same without figures for whoever may not read all that they count."""
        counted = await self._counted(member.guild)
        allowed = await readable_there(self._client, member, counted)
        if {group.id for group in counted} <= set().union(*allowed.values()):
            return self.text()
        why = replies.FIGURES_CLOSED
        return replies.reindexing_without_figures(self.status, self.state, why)

    async def _text_here(self) -> str:
        """The same for who sees it where it is shown."""
        if self._message:
            return await self._text_in(self._message[0])
        asker = self._answer.user if self._answer else None
        return await self.text_for(asker) if isinstance(asker, discord.Member) else self.text()

    async def _text_in(self, channel_id: int) -> str:
        """The same for everyone who can view this channel."""
        guild = self._client.get_guild(self.space)
        here = guild.get_channel_or_thread(channel_id) if guild else None
        if guild is not None and here is not None:
            counted = await self._counted(guild)
            shared = permissions.shared_with_everyone_here(guild, here, counted)
            if {group.id for group in counted} <= shared:
                return self.text()
        why = replies.FIGURES_IN_STATUS
        return replies.reindexing_without_figures(self.status, self.state, why)

    async def _counted(self, guild: discord.Guild) -> list[Group]:
        """What is read, without what has been deleted since."""
        known = {group.id: group for group in await self._client.gallery.groups(self.space)}
        for id, _ in self.state.groups or ():
            place = guild.get_channel_or_thread(id)
            if isinstance(place, Place):
                known[id] = group_of(place)
        return [known[id] for id, _ in self.state.groups or () if id in known]

    async def show_here(self, interaction: Interaction) -> str | None:
        """Show the progress in the channel of a command; the answer to the command.

        Where the bot may not post, the private answer itself shows the progress.
        """
        self._answer, self._asked_at, self._shown = interaction, time.monotonic(), ""
        earlier, self._message = self._message, None
        channel = interaction.channel
        assert isinstance(channel, discord.abc.Messageable)
        text = await self._text_in(channel.id)
        try:
            message = await self._post(channel, text)
        except discord.HTTPException as error:
            log.warning(fields("progress_unposted", job=self._job.id, why=error))
            await self.show(at_once=True)
            return None
        self._message, self._shown = [message.channel.id, message.id], text
        if self._task is None or self._task.done():
            await self._save()  # else the next page does
        if earlier:
            await self._delete_message(*earlier)
        return replies.reindex_shown(message.jump_url)

    async def _post(self, channel: discord.abc.Messageable, text: str) -> discord.Message:
        buttons = self._buttons()
        return await (channel.send(text, view=buttons) if buttons else channel.send(text))

    async def _delete_message(self, channel_id: int, message_id: int) -> None:
        channel = self._client.get_partial_messageable(channel_id, guild_id=self.space)
        try:
            await channel.get_partial_message(message_id).delete()
        except Trouble as error:
            log.info(fields("progress_left_behind", job=self._job.id, why=error))

    async def show(self, *, at_once: bool = False) -> None:
        """Bring the progress message up to date."""
        if time.monotonic() - self._shown_at < SHOW_EVERY_S and not at_once:
            return
        self._shown_at = time.monotonic()  # also if it says the same: who may read it takes a while
        text = await self._text_here()
        if text == self._shown:
            return
        self._shown = text
        try:
            await (self._edit_message(text) if self._message else self._edit_answer(text))
        except Trouble as error:
            log.warning(fields("progress_unshown", job=self._job.id, why=error))

    async def _edit_message(self, text: str) -> None:
        assert self._message is not None
        channel_id, message_id = self._message
        channel = self._client.get_partial_messageable(channel_id, guild_id=self.space)
        message = channel.get_partial_message(message_id)
        try:
            await message.edit(content=text, view=self._buttons())
        except (discord.NotFound, discord.Forbidden):  # deleted, or closed to the bot meanwhile
            self._message = None
            await self._edit_answer(text)
        except discord.HTTPException as error:
            if error.code != EDITED_TOO_OFTEN:
                raise
            fresh = await self._post(channel, text)
            self._message = [channel_id, fresh.id]
            await self._delete_message(channel_id, message_id)

    async def _edit_answer(self, text: str) -> None:
        """The private answer, while its token lives; after that `/status` tells."""
        if self._answer is not None and time.monotonic() - self._asked_at < TOKEN_S:
            await self._answer.edit_original_response(content=text, view=self._buttons())

    def _buttons(self) -> ui.View | None:
        if not self.active:
            return None
        view = ui.View(timeout=None)
        view.add_item(PauseButton(self._job.id, self.status))
        view.add_item(CancelButton(self._job.id))
        return view


class PauseButton(ui.DynamicItem[Button], template=r"p:(?P<job>\d+)"):
    """Pause or resume a job."""

    def __init__(self, job: int, status: str = "running") -> None:
        label = "Pause" if status == "running" else "Resume"
        super().__init__(Button(label=label, custom_id=f"p:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # our own client
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        if (run := await _clicked(interaction, self.job)) is not None:
            await run.pause_or_resume()


class CancelButton(ui.DynamicItem[Button], template=r"c:(?P<job>\d+)"):
    """Cancel a job; what it has indexed stays."""

    def __init__(self, job: int) -> None:
        super().__init__(Button(label="Cancel", custom_id=f"c:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # our own client
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(int(match["job"]))

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        if (run := await _clicked(interaction, self.job)) is not None:
            await run.cancel()


DYNAMIC_ITEMS = (PauseButton, CancelButton)


async def _clicked(interaction: Interaction, job: int) -> Run | None:
    """The job of a clicked button, if the clicker may steer it; else they are told why not."""
    try:
        demand_manage_server(interaction)
    except app_commands.MissingPermissions as refusal:
        await interaction.client.explain(interaction, refusal)
        return None
    run = interaction.client.reindexing.by_id(job)
    if run is None or run.space != interaction.guild_id or not run.active:
        await interaction.response.send_message(replies.REINDEX_OVER, ephemeral=True)
        return None
    await interaction.response.defer()
    return run


def _within(channel: GuildChannel, scope: GuildChannel | None) -> bool:
    return scope is None or scope.id in (channel.id, channel.category_id)
