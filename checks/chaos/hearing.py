"""Whether the bot could hear a question and answer it, by what was done to it meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass

from checks.chaos.bot import Bot
from sandbox import Server

# For so long a fault that struck a request may hold up others: a limit on all of them, or an answer
# that comes late.
STRUCK_S = 6.0


@dataclass(frozen=True, slots=True)
class Moment:
    """How the bot was connected at a moment: ids of its sessions with a socket, and the sockets
    that work."""

    at_s: float
    deaths: int
    sessions: frozenset[str]
    sockets: frozenset[int]


class Hearing:
    """Looks at the bot from outside: at its process, its sockets, and faults."""

    def __init__(self, server: Server, bot: Bot) -> None:
        self._server = server
        self._bot = bot

    def now(self) -> Moment:
        all_ = self._server.gateway.sessions.values()
        sessions = [one for one in all_ if one.user.bot and one.socket is not None]
        sockets = [one.socket for one in sessions if one.socket and not one.socket.zombie]
        return Moment(
            time.monotonic(),
            self._bot.deaths,
            frozenset(one.id for one in sessions),
            frozenset(map(id, sockets)),
        )

    def lost(self, asked: Moment) -> bool:
        """Whether the bot will never hear, or never answer, what was asked then."""
        return self._bot.deaths != asked.deaths or not self._server.gateway.sessions.keys() >= (
            asked.sessions
        )

    def excuse(self, asked: Moment) -> str | None:
        """What kept the bot from answering what was asked then; None when nothing did."""
        if self.lost(asked):
            return "its process or its session ended"
        if not asked.sockets or self.now().sockets != asked.sockets:
            return "it was not connected all the time"
        if self._server.faults.struck_at > asked.at_s - STRUCK_S:
            return "a fault struck one of its requests"
        return None
