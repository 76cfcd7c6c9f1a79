"""Members' wishes about what is kept of them, and the reindex that must not go against them."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from checks.chaos import servers
from checks.chaos.candidates import Candidates, pick
from checks.chaos.notices import EVERYTHING
from checks.chaos.servers import NEST
from checks.chaos.truth import LeftOut, Wishes
from sandbox import Server
from sandbox.person import Refused, Unanswered

WISH_S = 20.0  # to wait for the answer to a wish
ENDS_WATCHES = ("erase", "opt-out")


@dataclass
class Privacy:
    """Each method is a step of the schedule. It returns what came of it, for the log."""

    server: Server
    candidates: Candidates
    wishes: Wishes
    later: Callable[[Coroutine[Any, Any, object]], None]  # runs what lasts longer than the step
    _turns: defaultdict[int, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    async def opt_out(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-out", who)

    async def opt_in(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-in", who)

    async def opt_in_earlier(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("opt-in", who, earlier=True)

    async def erase(self, who: float, _: float, __: float, ___: float) -> str:
        return self._wish("erase", who)

    async def reindex(self, everything: float, _: float, __: float, ___: float) -> str:
        what = "everything" if everything < 0.5 else "missing"
        self.later(self._asked(servers.ADA, "reindex", what=what))
        return what

    def _wish(self, what: str, who: float, **options: Any) -> str:
        user = pick([servers.BO, servers.CY, servers.DI], who)
        self.later(self._wished(what, user, **options))
        return servers.PEOPLE[user]

    async def _wished(self, what: str, user: int, **options: Any) -> None:
        """Ask for it, and note what must hold from then on. A member wishes one thing at a time."""
        async with self._turns[user]:
            asked, certain = self.server.world.snowflakes.next(), False
            watched = user in self.wishes.watching
            if what in ENDS_WATCHES:
                self.wishes.watching.discard(user)
            try:
                certain = await self._granted(what, user, **options)
            finally:
                done = self.server.world.snowflakes.next()
                out = self.wishes.left_out[NEST, user]
                wish = f"{what} earlier" if options else what
                self.wishes.left_out[NEST, user] = after(out, wish, asked, done, certain=certain)
            if watched and what in ENDS_WATCHES and certain:
                await self._watch_again(user)

    async def _watch_again(self, user: int) -> None:
        """Let a member whose watch was erased be told of every picture once more."""
        said = await self._asked(user, "watch", "add", query=EVERYTHING)
        if said is not None and "I watch for" in said:
            self.wishes.watching.add(user)

    async def _granted(self, what: str, user: int, **options: Any) -> bool:
        """Whether the bot said that it has done it. If not, it may have done it or not."""
        said = await self._asked(user, "privacy", what, **options)
        return said is not None and "could not" not in said and "went wrong" not in said

    async def _asked(self, user: int, *command: str, **options: Any) -> str | None:
        """What the bot answered to a command; None when there was no answer in time."""
        person, where = self.candidates.people[user], str(servers.GENERAL)
        try:
            async with asyncio.timeout(WISH_S):
                return (await person.command(*command, where=where, **options)).text()
        except (Refused, Unanswered, TimeoutError, KeyError):
            return None


def after(out: LeftOut, wish: str, asked: int, done: int, *, certain: bool) -> LeftOut:
    """What a member wants left out after a wish, which took effect between two ids of messages.

    certain   the bot did it; else it may have done it or not
    """
    may_be_out = math.inf in (out.surely, out.maybe)
    if wish == "erase":
        surely = max(out.surely, asked) if certain else out.surely
        return LeftOut(surely, max(out.maybe, done))
    if wish == "opt-out":
        return LeftOut(math.inf if certain else out.surely, math.inf)
    if wish == "opt-in":  # what was posted before stays out
        return LeftOut(
            asked if out.surely == math.inf else out.surely,
            (done if certain else math.inf) if may_be_out else out.maybe,
        )
    return LeftOut(0, done if certain or not may_be_out else math.inf)
