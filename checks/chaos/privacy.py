"""Members' wishes about what is kept of them: opt out, opt in again, erase."""

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

WISH_S = 20.0  # to wait for the answer to a wish


@dataclass
class Privacy:
    """Each method is a step of the schedule. It returns what came of it, for the log."""

    server: Server
    candidates: Candidates
    wishes: Wishes
    bot: Bot
    later: Callable[[Coroutine[Any, Any, None]], None]  # runs what lasts longer than the step

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
        """Ask for it. Whether the wish holds is certain only once there is an answer."""
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
        if "could not" in answer.text() or "went wrong" in answer.text():  # the disk is full
            return
        if what != "opt-out":  # earlier pictures come back only with a /reindex
            self.wishes.erased[member] = self.server.world.snowflakes.next()
        if what != "erase" and self.bot.deaths == deaths:
            self.wishes.unsure.discard(member)
            (self.wishes.out.add if what == "opt-out" else self.wishes.out.discard)(member)
