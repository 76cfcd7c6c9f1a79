"""What people wish of what is kept about them: to be left out, to be let in again, to be erased."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from checks.chaos import servers
from checks.chaos.bot import Bot
from checks.chaos.candidates import Candidates, pick
from checks.chaos.servers import NEST
from checks.chaos.truth import Wishes
from sandbox import Server
from sandbox.person import Refused, Unanswered

WISH_S = 20.0  # for an answer to a wish about privacy


@dataclass
class Privacy:
    """Each method is a step of the schedule, and says what it came to."""

    server: Server
    candidates: Candidates
    wishes: Wishes
    bot: Bot
    later: Callable[[Coroutine[Any, Any, None]], None]  # does what outlasts a step

    async def opt_out(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-out", who)

    async def opt_in(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-in", who)

    async def erase(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("erase", who)

    def _wish(self, what: str, who: float) -> str:
        user = pick([servers.BO, servers.CY, servers.DI], who)
        self.later(self._wished(what, user))
        return servers.PEOPLE[user]

    async def _wished(self, what: str, user: int) -> None:
        """Ask; only an answer makes it certain."""
        member = (NEST, user)
        if what == "erase":
            self.wishes.erased[member] = self.server.world.snowflakes.next()
        else:
            self.wishes.unsure.add(member)
        deaths = self.bot.deaths
        try:
            async with asyncio.timeout(WISH_S):
                person, where = self.candidates.people[user], str(servers.GENERAL)
                answer = await person.command("privacy", what, where=where)
        except (Refused, Unanswered, TimeoutError, KeyError):
            return
        if "could not" in answer.text() or "went wrong" in answer.text():  # on a full disk
            return
        if what != "opt-out":  # what was posted before comes again with a reindex only
            self.wishes.erased[member] = self.server.world.snowflakes.next()
        if what != "erase" and self.bot.deaths == deaths:
            self.wishes.unsure.discard(member)
            (self.wishes.out.add if what == "opt-out" else self.wishes.out.discard)(member)
