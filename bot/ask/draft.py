"""An answer that is laid out at the moment it leaves, from what its readers may see then.

Between the ranking and that moment lie requests, and Discord may be slow. Meanwhile a channel may
be closed, the asker may lose a role, and a picture may be deleted or put behind a spoiler.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from bot.access.sight import Sight
from bot.ask.layout import Card
from bot.ask.page import ResultPage, ShownHit
from bot.platform import last_moment
from bot.platform.refusal import Refusal
from bot.text import answers as text
from index import Group

T = TypeVar("T")

# How often an answer is laid out, beside once for each picture, which may go: the roles may become
# too old.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Draft:
    """A page that was not sent yet.

    posted_in   where the picture is that was asked with, if that has to be open, too
    is_there    whether the picture that was asked with is still there, as far as is known
    now         a picture as far as is known at this moment; None when it is gone
    lay_out     makes the message; an empty page gets a sentence that says why
    """

    sight: Sight
    page: ResultPage
    posted_in: Group | None
    is_there: Callable[[], bool]
    now: Callable[[ShownHit], ShownHit | None]
    lay_out: Callable[[ResultPage], Card]

    def _open(self) -> list[ShownHit]:
        """The pictures of the page that its readers may see at this moment.

        raises   Refusal if that isn't known, or if the picture that was asked with is closed or
                 gone
        """
        shown = self.page.shown
        if not shown:
            return []
        if self.sight.outage:
            raise Refusal(text.outage)
        open_ = self.sight.open(self._groups())
        if self.posted_in is not None and self.posted_in.id not in open_:
            raise Refusal(text.picture_unavailable)
        if not self.is_there():
            raise Refusal(text.picture_unavailable)
        now = [self.now(one) for one in shown if one.hit.link.group.id in open_]
        return [_without_closed(one, open_) for one in now if one is not None]

    def _groups(self) -> list[Group]:
        groups = {group.id: group for one in self.page.shown for group in one.groups}
        if self.posted_in is not None:
            groups[self.posted_in.id] = self.posted_in
        return list(groups.values())

    async def deliver(self, send: Callable[[Card], Awaitable[T]]) -> T:
        """Send the message. What it shows is checked when the request leaves, at each attempt.

        send     makes one request
        raises   Refusal, and what `send` does
        """
        for _ in range(len(self.page.shown) + ATTEMPTS):
            if self.page.shown and not self.sight.fresh:
                await self.sight.renew(self._groups())
            open_ = self._open()
            with last_moment.only_while(partial(self._still, open_)):
                try:
                    return await send(self.lay_out(replace(self.page, shown=open_)))
                except last_moment.Outdated:
                    continue
        raise Refusal(text.roles_unknown)

    def _still(self, shown: list[ShownHit]) -> bool:
        """Whether all of these may still be sent."""
        if not shown:
            return True
        try:
            return self.sight.fresh and self._open() == shown
        except Refusal:
            return False


def _without_closed(shown: ShownHit, open_: set[int]) -> ShownHit:
    """A picture with those of its copies that are in open groups."""
    copies = tuple(one for one in shown.copies if one.link.group.id in open_)
    return shown if copies == shown.copies else replace(shown, copies=copies)
