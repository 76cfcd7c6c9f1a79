"""An overview that is drawn at the moment it leaves, from what its readers may see then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bot.access.sight import Sight
from bot.ask.layout import Card
from bot.ask.page import ShownHit
from bot.platform import last_moment
from bot.platform.refusal import Refusal
from bot.text import answers as answer_text
from bot.text import overview as text
from index import Group

T = TypeVar("T")

# How often it is sent, beside once for each picture, which may go: the roles may become too old.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class OverviewDraft:
    """An overview that was not sent yet.

    groups     whose pictures it counts: all of them have to be open when it leaves
    shown      the pictures that are drawn on it
    now        a picture as far as is known at this moment; None when it is gone or hidden
    lay_out    makes the message, with those pictures
    """

    sight: Sight
    groups: Sequence[Group]
    shown: Sequence[ShownHit]
    now: Callable[[ShownHit], ShownHit | None]
    lay_out: Callable[[Sequence[ShownHit]], Awaitable[Card]]

    def _there(self) -> list[ShownHit]:
        """The pictures that may be shown at this moment.

        raises   Refusal if that isn't known, or if the overview counts what is closed now
        """
        if self.sight.outage:
            raise Refusal(answer_text.outage)
        if self.sight.open(self.groups) != {group.id for group in self.groups}:
            raise Refusal(text.changed_meanwhile)
        return [one for one in map(self.now, self.shown) if one is not None]

    async def deliver(self, send: Callable[[Card], Awaitable[T]]) -> T:
        """Send the message. What it shows is checked when the request leaves, at each attempt.

        send     makes one request
        raises   Refusal, and what `send` does
        """
        drawn: list[ShownHit] | None = None
        for _ in range(len(self.shown) + ATTEMPTS):
            if not self.sight.fresh:
                await self.sight.renew(self.groups)
            there = self._there()
            if there != drawn:
                card, drawn = await self.lay_out(there), there
                continue  # drawing takes a while: it is looked again
            with last_moment.only_while(partial(self._still, there)):
                try:
                    return await send(card)
                except last_moment.Outdated:
                    continue
        raise Refusal(answer_text.roles_unknown)

    def _still(self, shown: list[ShownHit]) -> bool:
        """Whether all of these may still be sent, and nothing is counted that is closed."""
        try:
            return self.sight.fresh and self._there() == shown
        except Refusal:
            return False
