"""Does the steps of a schedule: what people do, and faults."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from checks.chaos.bot import Bot
from checks.chaos.candidates import Candidates, NoCandidate
from checks.chaos.machine import Machine
from checks.chaos.outages import Outages
from checks.chaos.pictures import Pictures
from checks.chaos.places import Places
from checks.chaos.posts import Posts
from checks.chaos.privacy import Privacy
from checks.chaos.schedule import Step
from checks.chaos.stores import Store
from checks.chaos.truth import Wishes
from sandbox import Server
from sandbox.person import Person, Refused

KINDS = (Posts, Places, Privacy, Machine, Outages)  # each step is a method of one of them


class Steps:
    """Finds the method of a step and calls it.

    people   members' clients, by user id
    store    what keeps the gallery
    """

    def __init__(
        self,
        server: Server,
        people: dict[int, Person],
        bot: Bot,
        pictures: Pictures,
        wishes: Wishes,
        store: Store,
    ) -> None:
        candidates = Candidates(server, people, wishes)
        self._places = Places(server, candidates, pictures, wishes)
        self._machine = Machine(bot, store, self._later)
        self._outages = Outages(server)
        self._kinds = (
            Posts(server, candidates, pictures),
            self._places,
            Privacy(server, candidates, wishes, self._later),
            self._machine,
            self._outages,
        )
        self._pending: set[asyncio.Task[object]] = set()

    async def do(self, step: Step) -> str:
        """Do a step. -> what came of it, in a few words for the log"""
        (kind,) = (one for one in self._kinds if hasattr(one, step.what))
        try:
            said = await getattr(kind, step.what)(*step.dice)
        except NoCandidate:
            return "nothing to do it to"
        except Refused as refusal:
            return f"refused: {refusal}"
        return str(said or "")

    async def calm(self) -> None:
        """End all faults, and open to the bot what was closed to it."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        self._machine.calm()
        self._outages.calm()
        self._places.calm()

    async def finish(self) -> None:
        """Wait for what lasts longer than its step."""
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
