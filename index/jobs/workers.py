"""Those who work for a gallery, as it sees them: they are asked, and some pictures are given up."""

from __future__ import annotations

import asyncio

from index.jobs.asker import WORDS, Asker
from index.jobs.dead_letters import DeadLetters
from index.jobs.packing import lines_of
from index.types.records import NOWHERE, Link


class Workers:
    """The workers that one database leads to.

    again   set when an operator wants something to be tried again that was given up
    """

    def __init__(self, url: str) -> None:
        self.again = asyncio.Event()
        self.asker = Asker(url, self.again.set)
        self.dead_letters = DeadLetters(url)

    async def start(self) -> None:
        """raises   JobsUnreachable when the database can't be used now"""
        await self.asker.start()

    async def close(self) -> None:
        """Take all jobs back; who waits for one gets GalleryClosed."""
        await self.asker.close()
        await self.dead_letters.close()


class AskingTranscriber:
    """Has the words in pictures read by workers; of the same use as `Transcriber`.

    revision   of the reader that they must have
    """

    def __init__(self, workers: Workers, revision: str) -> None:
        self.revision = revision
        self._workers = workers

    async def read(self, data: bytes, link: Link = NOWHERE) -> tuple[str, ...]:
        """The lines of words in the picture, as `Transcriber.read`.

        link     where it is shown, by which it is listed if it is given up
        raises   PictureError, GalleryClosed
        """
        need = f"words:{self.revision}"
        outcomes = await self._workers.asker.ask(data, [need], link, priority=WORDS)
        return lines_of(await outcomes[need].result())

    async def rest(self) -> None:
        """Nothing here takes memory."""

    async def close(self) -> None:
        """Nothing is left here."""
