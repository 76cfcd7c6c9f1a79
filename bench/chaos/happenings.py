"""What the steps of a schedule do: people's deeds, and faults."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bench.chaos.bot import Bot
from bench.chaos.machine import Machine
from bench.chaos.outages import Outages
from bench.chaos.pictures import Pictures
from bench.chaos.places import Places
from bench.chaos.posts import Posts
from bench.chaos.privacy import Privacy
from bench.chaos.schedule import Step
from bench.chaos.truth import Wishes
from bench.chaos.whom import Nothing, Whom
from sandbox import Server
from sandbox.person import Person, Refused

KINDS = (Posts, Places, Privacy, Machine, Outages)  # each step is a method of one of them


class Happenings:
    """Does steps.

    people   members' clients, by user id
    ballast  a file that fills the disk; None: the disk is too large for that
    """

    def __init__(
        self,
        server: Server,
        people: dict[int, Person],
        bot: Bot,
        pictures: Pictures,
        wishes: Wishes,
        ballast: Path | None,
    ) -> None:
        whom = Whom(server, people, wishes)
        self._places = Places(server, whom, pictures, wishes)
        self._machine = Machine(bot, ballast, self._later)
        self._outages = Outages(server)
        self._kinds = (
            Posts(server, whom, pictures),
            self._places,
            Privacy(server, whom, wishes, bot, self._later),
            self._machine,
            self._outages,
        )
        self._pending: set[asyncio.Task[None]] = set()

    async def do(self, step: Step) -> str:
        """Do a step; what it came to, in a few words."""
        (kind,) = (one for one in self._kinds if hasattr(one, step.what))
        try:
            said = await getattr(kind, step.what)(*step.dice)
        except Nothing:
            return "nothing to do it to"
        except Refused as refusal:
            return f"refused: {refusal}"
        return str(said or "")

    async def calm(self) -> None:
        """All faults end, and the bot may see everything again."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        self._machine.calm()
        self._outages.calm()
        self._places.calm()

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
