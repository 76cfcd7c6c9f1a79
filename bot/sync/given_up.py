"""Pictures that workers gave up, and that an operator wants to be tried again.

Nothing is kept of such a picture but where it was posted. So its message is read again, and the
picture goes the way of every other one.
"""

from __future__ import annotations

import asyncio
import logging

import discord

from bot.ops.logs import fields
from bot.ops.tuning import Clocks
from bot.sync.ingest import Ingest, Post
from bot.sync.transcribing import Transcribing
from bot.sync.watched import Watched
from bot.sync.worker import Worker
from bot.sync.writer import Writer
from index import DeadLetter, Group, Workers

log = logging.getLogger(__name__)


class GivenUp:
    """Looks again at the messages of what is to be tried again.

    workers   None: this process embeds its pictures itself, and nothing is given up
    """

    def __init__(
        self,
        client: discord.Client,
        workers: Workers | None,
        watched: Watched,
        ingest: Ingest,
        transcribing: Transcribing,
        writer: Writer,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._workers = workers
        self._watched = watched
        self._ingest = ingest
        self._transcribing = transcribing
        self._writer = writer
        again = workers.again if workers is not None else asyncio.Event()
        self._worker = Worker("given_up", self._try_all, again, lambda: clocks.write_retry_s)
        self._clocks = clocks

    def start(self) -> None:
        if self._workers is not None:
            self._worker.start()

    async def close(self) -> None:
        await self._worker.close()

    async def _try_all(self) -> float:
        """Try all of this process's servers once; returns when to look again, though nobody says
        that there is more."""
        assert self._workers is not None
        letters = self._workers.dead_letters
        for letter in await letters.again():
            guild = self._client.get_guild(letter.space)
            if guild is None or guild.unavailable:
                continue
            await self._try(guild, letter)
            await letters.tried_again(letter.id)
        return self._clocks.expire_s

    async def _try(self, guild: discord.Guild, letter: DeadLetter) -> None:
        """Try one again. If it fails again, it is listed again."""
        place = guild.get_channel_or_thread(letter.group)
        if place is None and letter.parent is not None:  # a thread that is archived
            place = guild.get_channel(letter.parent)
        if place is None or not self._watched.covers(place):
            return
        log.info(fields("tried_again", guild=guild.id, channel=letter.group, message=letter.source))
        if letter.of_words:  # of which picture is known only for some
            await self._transcribing.redo(guild.id, {letter.group})
            return
        group, as_of = Group(letter.group, letter.parent), self._writer.now
        message = await self._ingest.fetch_message(guild.id, group, int(letter.source))
        picture = self._ingest.shown(message).get(letter.slot) if message is not None else None
        if message is None or picture is None:
            return
        post = Post(guild.id, group, message.id, (picture,), as_of, patient=False)
        await self._writer.commit(await self._ingest.take(post))
