"""A member's watches: what `/watch` adds, lists, pauses and removes."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from functools import partial

import discord

from bot.ask import lines, mentions
from bot.ask.asker import Asker
from bot.ask.embedding import QuestionEmbedder
from bot.ask.layout import Card
from bot.ask.phrases import without_joining
from bot.ask.questions import Question, Questions
from bot.ask.rate_limiter import RateLimiter
from bot.media.pictures import Picture
from bot.ops.tuning import Clocks, Limits
from bot.platform.places import Place
from bot.platform.refusal import Refusal
from bot.sync.writer import Writer
from bot.text import lines as line_text
from bot.text import watches as text
from bot.watches import cards, reasons, zones
from bot.watches.choices import UTC_ZONE, Choices, Digest, hours
from bot.watches.deliveries import is_in, may_write
from index import Unreadable, Watch, WatchReader, Wish

SAME_PICTURE = 0.999  # how like each other two embeddings of the same picture are, at least


class Watches:
    """Adds, lists, pauses and removes watches."""

    def __init__(
        self,
        client: discord.Client,
        watches: WatchReader,
        writer: Writer,
        questions: Questions,
        embedder: QuestionEmbedder,
        rate_limiter: RateLimiter,
        clocks: Clocks,
        limits: Limits,
    ) -> None:
        self._client = client
        self._watches = watches
        self._writer = writer
        self._questions = questions
        self._embedder = embedder
        self._rate_limiter = rate_limiter
        self._clocks = clocks
        self._limits = limits
        self._adding = asyncio.Lock()

    async def add(
        self,
        asker: Asker,
        typed: str,
        picture: Picture | Sequence[str] | None,
        place: Place | None,
        choices: Choices,
    ) -> str:
        """Keep a watch; the sentence that says so.

        typed     the question as a line of the query language
        picture   that is watched with, or its addresses
        place     where notices go; None: to the member alone
        raises    Refusal, DownloadError, GalleryError
        """
        self._rate_limiter.take(asker.guild.id, asker.member.id)
        await self._check_limits(asker)
        if place is not None:
            await _check_place(self._client, place, asker.member)
        wish = await _read(typed, choices.locale, with_picture=picture is not None)
        if wish.until is not None and wish.until <= time.time():
            raise Refusal(text.is_over)
        if not picture and wish.empty:
            raise Refusal(text.nothing_to_watch)
        sight = asker.sight(self._client, self._clocks)
        question = await self._questions.wished(asker, sight, Question(picture=picture), wish)
        embedding = await self._embedder.embed(asker, question)
        watch = Watch(
            id=0,
            space=asker.guild.id,
            owner=asker.member.id,
            asked=question.asked(public=place is not None),
            group=None if place is None else place.id,
            settings=choices.to_json(),
            embedding=embedding,
            revision=embedding.revision,
            made_at=time.time(),
        )
        async with self._adding:  # of several that are added at once, each counts those before it
            await self._check_limits(asker)
            await self._check_new(watch)
            if not await self._writer.add_watch(watch, asker.asked_at):
                raise Refusal(text.not_kept)
        is_used = choices.uses_zone or choices.zone == UTC_ZONE
        return text.added(
            text.wish(watch.asked),
            channel=place.mention if place is not None else "",
            when=cards.when(choices),
            unused_zone="" if is_used else zones.said(choices.zone),
            a_day=self._limits.notices_a_day,
        )

    async def _check_limits(self, asker: Asker) -> None:
        """raises   Refusal if the member, or the server, has as many watches as allowed"""
        mine = await self._watches.of_owner(asker.guild.id, asker.member.id)
        if len(mine) >= self._limits.watches_of_member:
            raise Refusal(partial(text.too_many_of_member, self._limits.watches_of_member))
        if await self._watches.count(asker.guild.id) >= self._limits.watches_of_server:
            raise Refusal(partial(text.too_many_of_server, self._limits.watches_of_server))

    async def _check_new(self, watch: Watch) -> None:
        """raises   Refusal if its owner has the same watch already"""
        for one in await self._watches.of_owner(watch.space, watch.owner):
            if one.group == watch.group and _same_wish(one, watch):
                channel = f"<#{one.group}>" if one.group else ""
                raise Refusal(partial(text.there_already, text.wish(one.asked), channel))

    async def listing(self, space: int, owner: int) -> Card:
        """All watches of a member, with their controls."""
        watches = await self._watches.of_owner(space, owner)
        waiting = await self._watches.pending_of(space, owner)
        return cards.listing(watches, waiting, self._limits.watches_of_member)

    async def named(self, space: int, owner: int, id: int) -> Watch:
        """A watch of this member. raises   Refusal where it is no watch of theirs"""
        watch = await self._watches.get(id)
        if watch is None or (watch.space, watch.owner) != (space, owner):
            raise Refusal(text.no_such_watch)
        return watch

    async def of_notice(self, owner: int, id: int) -> Watch:
        """The watch that a notice is of. raises   Refusal where it is not this member's"""
        watch = await self._watches.get(id)
        if watch is None or watch.owner != owner:
            raise Refusal(text.no_such_watch)
        return watch

    async def pause(self, watch: Watch) -> str:
        """Pause a watch."""
        await self._writer.pause_watch(watch.id, reasons.BY_OWNER)
        return text.paused(text.wish(watch.asked))

    async def toggle(self, watch: Watch) -> str:
        """Pause a watch, or let a paused one go on."""
        if not watch.paused:
            return await self.pause(watch)
        if watch.paused == reasons.OTHER_MODEL:
            raise Refusal(text.other_model)
        await self._writer.pause_watch(watch.id, "")
        return text.goes_on(text.wish(watch.asked))

    async def stopped(self, space: int, owner: int) -> str:
        """That some watches of a member have stopped by themselves; "": none has."""
        mine = await self._watches.of_owner(space, owner)
        count = sum(watch.paused not in ("", reasons.BY_OWNER) for watch in mine)
        return text.have_stopped(count) if count else ""

    async def remove(self, watch: Watch) -> str:
        """Remove a watch, and what waits to be told of it."""
        await self._writer.remove_watches([watch.id])
        return text.removed(text.wish(watch.asked))

    async def choices(self, space: int, owner: int, typed: str) -> list[tuple[str, int]]:
        """A member's watches whose line has this in it, each in plain text with its id."""
        part = typed.strip().casefold()
        mine = await self._watches.of_owner(space, owner)
        named = [(text.wish_in_plain(watch.asked), watch.id) for watch in mine]
        return [(name, id) for name, id in named if part in name.casefold()]


def chosen(locale: str, quiet: str | None, zone: str | None, digest: Digest) -> Choices:
    """What a member chose, from what they typed. raises   Refusal where it can't be read"""
    choices = Choices(locale, digest=digest)
    if zone is not None:
        if (named := zones.named(zone)) is None:
            raise Refusal(text.no_such_zone)
        choices = dataclasses.replace(choices, zone=named)
    if quiet is not None:
        if (read := hours(quiet)) is None:
            raise Refusal(text.no_such_hours)
        choices = dataclasses.replace(choices, quiet=read)
    return choices


def _same_wish(one: Watch, other: Watch) -> bool:
    """Whether two watches ask for the same, however it was typed."""
    asked, too = (
        dataclasses.replace(watch.asked, words=watch.asked.words.casefold(), line="", understood=())
        for watch in (one, other)
    )
    if asked != too:
        return False
    if not asked.with_picture:
        return True
    if one.embedding is None or other.embedding is None or one.revision != other.revision:
        return False
    first, second = one.embedding.picture, other.embedding.picture
    return first is not None and second is not None and float(first @ second) > SAME_PICTURE


async def _check_place(client: discord.Client, place: Place, asker: discord.Member) -> None:
    """raises   Refusal unless both the member and the bot may write there, and what a failed
    request raises"""
    if not may_write(place, asker) or not await is_in(client, place, asker):
        raise Refusal(partial(text.you_may_not_write, place.mention))
    if not may_write(place, place.guild.me):
        raise Refusal(partial(text.i_may_not_write, place.mention))


async def _read(typed: str, locale: str, *, with_picture: bool) -> Wish:
    """What a line asks for, without an order and without who sees it: a watch has neither.

    raises   Refusal where it can't be read
    """
    line = mentions.line(typed)
    if with_picture:
        line = without_joining(line)
    try:
        wish = await lines.read(line, lines.reader(locale))
    except Unreadable as error:
        raise Refusal(partial(line_text.unreadable, error)) from error
    return dataclasses.replace(wish, sort=None, show=None)
