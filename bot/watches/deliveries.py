"""Sends notices: single ones, or those that were gathered.

A notice is kept until it was sent. Its message is named in the gallery before it is sent, and
carries that name in a button. If the bot is killed in between, the message is looked for by its
name, and is sent again only if it isn't there. What a message shows is read again first, and is
checked once more when it leaves.
"""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Awaitable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from cachetools import LRUCache

from bot.access.sight import Sight
from bot.ask.draft import Draft
from bot.ask.layout import Card
from bot.ask.page import PAGE_SIZE, ResultPage, ShownHit
from bot.ask.posted import hit_of
from bot.ask.results import Absent, Results
from bot.languages.speech import speaking
from bot.ops.logs import fields
from bot.ops.tuning import DAY_S, Clocks, Limits
from bot.platform.codes import (
    BLOCKED_BY_AUTOMOD,
    NOT_TO_THIS_USER,
    UNKNOWN_CHANNEL,
    UNKNOWN_USER,
    RequestFailed,
    is_refusal,
    is_rejection,
    may_not_write,
)
from bot.platform.places import Place
from bot.platform.refusal import Refusal
from bot.platform.shards import Shards
from bot.sync.worker import Worker
from bot.sync.writer import Writer
from bot.watches import cards, reasons
from bot.watches.cards import Sent
from bot.watches.choices import Choices
from bot.watches.judge import place_of
from bot.watches.owners import Owners
from index import (
    Filter,
    GalleryClosed,
    LinkGone,
    Links,
    Notice,
    Searcher,
    StoreError,
    Watch,
    WatchReader,
)

log = logging.getLogger(__name__)

NAME_BYTES = 8  # of a message's name, which is its nonce, too
MOST_LOOKED_AT = 100  # messages among which one is looked for by its name


# How often a notice is tried that Discord refuses, or that an unforeseen error stops: either may be
# a mistake. While Discord only fails, it is tried for a day.
MOST_TRIES = 3
# Where no message can be looked for: the channel or the account is gone, or takes none.
NOWHERE_TO_LOOK = (UNKNOWN_CHANNEL, UNKNOWN_USER, NOT_TO_THIS_USER)
REMEMBERED = 4_096  # notices that failed


class Gone(Exception):
    """None of the pictures may be shown any more."""


class Deliveries:
    """Sends what is due, one message after another."""

    def __init__(
        self,
        client: discord.Client,
        searcher: Searcher,
        watches: WatchReader,
        links: Links,
        owners: Owners,
        writer: Writer,
        results: Results,
        clocks: Clocks,
        limits: Limits,
        shards: Shards,
    ) -> None:
        self._client = client
        self._searcher = searcher
        self._watches = watches
        self._links = links
        self._owners = owners
        self._writer = writer
        self._results = results
        self._clocks = clocks
        self._limits = limits
        self._shards = shards
        # By the id of a notice: how often it was refused, and since when it has failed.
        self._failed: LRUCache[int, tuple[int, float]] = LRUCache(REMEMBERED)
        self._worker = Worker(
            "notices", self._tell_all, writer.to_tell, lambda: clocks.watch_again_s
        )

    @property
    def busy(self) -> bool:
        """Whether messages are being sent, or it isn't known yet when the next one is due."""
        return self._worker.busy

    def start(self) -> None:
        """Begin, unless it has begun: what was on its way at a kill must be looked for first."""
        self._worker.start()

    async def close(self) -> None:
        await self._worker.close()

    # ---- the work

    async def _tell_all(self) -> float:
        """Send what is due; the seconds until something is due again."""
        await self._settle_all()
        await self._send_all()
        return await self._until_next()

    async def _until_next(self) -> float:
        """The seconds until something is due, at most until it is looked for again."""
        spaces = await self._watches.next_due()
        dues = [due for space, due in spaces.items() if self._shards.mine(space)]
        until_due_s = max(min(dues, default=math.inf) - time.time(), 0.0)
        return min(until_due_s, self._clocks.watch_again_s)

    async def _send_all(self) -> None:
        for id, notices in (await self._watches.due(time.time())).items():
            for at in range(0, len(notices), PAGE_SIZE):
                await self._try(id, notices[at : at + PAGE_SIZE])

    async def _try(self, id: int, notices: Sequence[Notice]) -> None:
        """Send a message with these notices of a watch, or put them off."""
        watch = await self._watches.get(id)
        if watch is not None and not self._shards.mine(watch.space):
            return
        if watch is None or watch.paused:
            await self._writer.drop_notices(notices)
            return
        try:
            await self._send(watch, notices)
        except (GalleryClosed, StoreError):
            raise
        except Exception as error:
            await self._put_off(watch, notices, error)

    async def _put_off(self, watch: Watch, notices: Sequence[Notice], error: Exception) -> None:
        """Try notices again later that could not be sent, unless that was done often enough."""
        expected = isinstance(error, (Refusal, *RequestFailed))
        log.log(
            logging.WARNING if expected else logging.ERROR,
            fields("notice_waits", guild=watch.space, why=repr(error)),
            exc_info=None if expected else error,
        )
        given_up = [notice for notice in notices if self._is_given_up(notice, error)]
        if given_up and is_rejection(error):
            await self._owners.stop(watch, reasons.REFUSED)
            return
        await self._writer.drop_notices(given_up)
        others = [notice for notice in notices if notice not in given_up]
        await self._writer.put_off(others, time.time() + self._clocks.watch_again_s)

    def _is_given_up(self, notice: Notice, error: Exception) -> bool:
        """Note that a notice failed by an error; whether it is not tried again."""
        now = time.monotonic()
        times, since = self._failed.get(notice.id, (0, now))
        passes = isinstance(error, (Refusal, *RequestFailed)) and not is_rejection(error)
        times += not passes
        self._failed[notice.id] = times, since
        return times >= MOST_TRIES or now - since > DAY_S

    # ---- one message

    async def _send(self, watch: Watch, notices: Sequence[Notice]) -> None:
        """raises   Refusal, and what a failed request raises: then it is tried again"""
        now, choices = time.time(), Choices.from_json(watch.settings)
        if (later := choices.after_quiet(now)) > now:  # the bot was away when it was due
            await self._writer.put_off(notices, later)
            return
        sent = await self._watches.sent_since(watch.space, watch.owner, now - DAY_S)
        most = self._limits.notices_a_day
        if len(sent) >= most:
            free_at = choices.after_quiet(sent[-most] + DAY_S)
            await self._writer.put_off(notices, max(free_at, now + self._clocks.notices_s))
            return
        guild = self._client.get_guild(watch.space)
        if guild is None or guild.unavailable:
            await self._writer.put_off(notices, now + self._clocks.watch_again_s)
            return
        asked_at = time.monotonic()
        owner = await self._owners.member(guild, watch.owner)
        if owner is None:
            return
        place = None
        if watch.group is not None:
            place = await place_of(self._client, guild, watch.group)
            if place is None:
                await self._owners.stop(watch, reasons.NO_CHANNEL)
                return
            writes = may_write(place, guild.me) and may_write(place, owner)
            if not writes or not await is_in(self._client, place, owner):
                await self._owners.stop(watch, reasons.MAY_NOT_WRITE)
                return
        page, shown = await self._page(watch.space, notices)
        if not page.shown:
            return
        sight = Sight(self._client, self._clocks, owner, place, asked_at, public=place is not None)
        open_ = await sight.look(await self._links.groups(watch.space))
        page, shown, folded = await self._folded(watch, page, shown, open_)
        if not page.shown:
            await self._writer.drop_notices(folded)
            return
        locale = str(guild.preferred_locale) if place is not None else choices.locale
        is_last = len(sent) + 1 >= most
        again = [*sent, now][-most] + DAY_S if is_last else None
        told = Sent(
            watch,
            secrets.token_hex(NAME_BYTES),
            server="" if place is not None else guild.name,
            again=again,
        )

        def lay_out(open_: ResultPage) -> Card:
            if not open_.shown:
                raise Gone
            with speaking(locale):
                return cards.notice(told, open_)

        goes_on = partial(self._writer.watch_goes_on, watch, asked_at)
        draft = Draft(sight, page, None, goes_on, self._results.now, lay_out)
        await self._deliver(told, owner, place, draft, asked_at, shown, folded)

    async def _page(self, space: int, notices: Sequence[Notice]) -> tuple[ResultPage, list[Notice]]:
        """The pictures of these notices that are still there, as their messages show them now; and
        their notices.

        What is deleted is erased by that, and its notice tells nothing any more. What Discord
        doesn't let be read now is tried again for a day.
        """
        links = await self._links.with_ids(space, [notice.link for notice in notices])
        there = [notice for notice in notices if notice.link in links]
        hits = [hit_of(notice.link, links[notice.link][0]) for notice in there]
        page, shown, unreadable = ResultPage(), list[Notice](), list[Notice]()
        for notice, now in zip(there, await self._results.look_up(hits), strict=True):
            if isinstance(now, ShownHit):
                page.shown.append(now)
                shown.append(notice)
            elif now is Absent.UNREADABLE:
                unreadable.append(notice)
        now_s = time.time()
        given_up = [one for one in unreadable if links[one.link][0].posted_at < now_s - DAY_S]
        await self._writer.drop_notices(given_up)
        again = [one for one in unreadable if one not in given_up]
        await self._writer.put_off(again, now_s + self._clocks.watch_again_s)
        return page, shown

    async def _folded(
        self, watch: Watch, page: ResultPage, notices: Sequence[Notice], open_: Collection[int]
    ) -> tuple[ResultPage, list[Notice], list[Notice]]:
        """The page without copies of what was told, or of what it shows itself; the notices of what
        is left; and the others.

        Copies wait beside each other until here, since one of them may be deleted or closed.
        """
        within = Filter(watch.space, frozenset(open_))
        shown, kept, folded = list[ShownHit](), list[Notice](), list[Notice]()
        for one, notice in zip(page.shown, notices, strict=True):
            try:
                copies = [copy.id for copy in await self._searcher.copies_of(notice.link, within)]
            except LinkGone:
                continue  # its notice went with it
            beside = {other.link for other in kept} & set(copies)
            if beside or await self._watches.told(watch.id, copies):
                folded.append(notice)
            else:
                shown.append(one)
                kept.append(notice)
        return replace(page, shown=shown), kept, folded

    async def _deliver(
        self,
        told: Sent,
        owner: discord.Member,
        place: Place | None,
        draft: Draft,
        asked_at: float,
        notices: Sequence[Notice],
        folded: Sequence[Notice],
    ) -> None:
        """Send the message; name it first, so that it is known after a kill what to look for.

        asked_at  when the watch was there, by the monotonic clock
        notices   of what it shows
        folded    of copies of that, which count as told, too
        """
        every = [*notices, *folded]
        mentions = discord.AllowedMentions(
            everyone=False, roles=False, users=[owner] if place is not None else False
        )
        to: Any = place if place is not None else owner

        def send(card: Card) -> Awaitable[object]:
            sending: Awaitable[object] = to.send(
                view=card, nonce=told.name, allowed_mentions=mentions
            )
            return sending

        await self._writer.sending(every, told.name)
        try:
            await draft.deliver(send)
        except Gone:
            await self._writer.drop_notices(notices)
            await self._writer.sending(folded, "")
            return
        except Refusal:
            await self._writer.sending(every, "")
            raise
        except discord.HTTPException as error:
            if error.status >= 500:
                raise  # it may have been sent
            await self._writer.sending(every, "")
            if (reason := _why_refused(error, place)) is None:
                raise
            await self._owners.stop(told.watch, reason)
            return
        await self._writer.sent(told.watch, told.name, asked_at)
        log.info(fields("notice_sent", guild=told.watch.space, pictures=len(draft.page.shown)))

    # ---- after a kill

    async def _settle_all(self) -> None:
        """Find out of messages whether they were sent that were on their way."""
        for name, notices in (await self._watches.begun()).items():
            looked_at = time.monotonic()
            watch = await self._watches.get(notices[0].watch)
            if watch is None or not self._shards.mine(watch.space):
                continue  # what was to be told of it went with it, or another process looks for it
            try:
                was_sent = await self._is_there(watch, name)
            except RequestFailed as error:
                log.warning(fields("notice_unknown", name=name, why=repr(error)))
                given_up = [self._is_given_up(notice, error) for notice in notices]
                if not any(given_up):
                    continue
                was_sent = True
            if was_sent:
                await self._writer.sent(watch, name, looked_at)
            else:
                await self._writer.sending(notices, "")

    async def _is_there(self, watch: Watch, name: str) -> bool:
        """Whether the message of this name was sent. Where the bot may not look, it counts as sent:
        rather no message than two.

        raises   what a failed request raises
        """
        try:
            if watch.group is None:
                user = await self._client.fetch_user(watch.owner)
                channel: Any = user.dm_channel or await user.create_dm()
            else:
                channel = self._client.get_partial_messageable(watch.group, guild_id=watch.space)
            async for message in channel.history(limit=MOST_LOOKED_AT):
                if any(id.endswith(f":{name}") for id in _custom_ids(message.components)):
                    return True
        except discord.HTTPException as error:
            if error.code in NOWHERE_TO_LOOK or is_refusal(error):
                return True
            raise
        return False


def may_write(place: Place, who: discord.Member | None) -> bool:
    """Whether a member may see a channel or thread and write there."""
    if who is None or who.is_timed_out():
        return False
    try:
        granted = place.permissions_for(who)
    except discord.ClientException:  # a thread whose channel the bot can't see
        return False
    if not isinstance(place, discord.Thread):
        return granted.view_channel and granted.send_messages
    is_open = not place.locked or granted.manage_threads
    return granted.view_channel and granted.send_messages_in_threads and is_open


async def is_in(client: discord.Client, place: Place, who: discord.Member) -> bool:
    """Whether a member belongs to a thread, if it is private. A notice there mentions its member,
    and Discord adds to a private thread who is mentioned in it.

    raises   what a failed request raises
    """
    if not isinstance(place, discord.Thread) or not place.is_private():
        return True
    if place.permissions_for(who).manage_threads:
        return True
    try:
        await client.http.get_thread_member(place.id, who.id)
    except discord.NotFound:
        return False
    return True


def _why_refused(error: discord.HTTPException, place: Place | None) -> str | None:
    """Why a message could not be sent for good; None: it may be sent later."""
    if error.code in BLOCKED_BY_AUTOMOD:
        return reasons.REFUSED
    if place is None:
        return reasons.CLOSED_DMS if error.code == NOT_TO_THIS_USER else None
    if error.code == UNKNOWN_CHANNEL:
        return reasons.NO_CHANNEL
    return reasons.MAY_NOT_WRITE if may_not_write(error) else None


def _custom_ids(components: Sequence[Any]) -> Iterator[str]:
    """The custom_ids of a message's buttons, however deep they lie."""
    for one in components:
        if id := getattr(one, "custom_id", None):
            yield id
        yield from _custom_ids(getattr(one, "children", ()))
