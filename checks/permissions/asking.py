"""Deals in one server, and the questions and clicks after each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from checks.permissions import controls
from checks.permissions.doors import DOORS
from checks.permissions.given import BACK, FORWARD, Given, arrow
from checks.permissions.inquiry import Inquiry
from checks.permissions.random_servers import deal
from sandbox.person import Refused, Unanswered

QUESTIONS = 3  # after each deal, beside the clicks that follow
CHANGES = ("pages", "order", "narrow")  # of an answer of one's own


class Asking:
    """Asks in one server in every way that members have."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        self._rng = inquiry.rng
        self._doors: list[str] = []  # that come next

    async def after_a_deal(self, world: int) -> None:
        """Change the server's permissions at random, and ask in it."""
        inquiry = self._inquiry
        server = deal(self._rng, inquiry.of)
        await inquiry.testbed.become(server)
        inquiry.begin(world, server)
        await self._earlier()
        for _ in range(QUESTIONS):
            name = self._next_door()
            await self._through(name, DOORS[name](inquiry))
        await self._follow()
        for person in inquiry.testbed.people.values():
            person.forget()

    def _next_door(self) -> str:
        """A door at random, but none again before all others, so that a few worlds try each."""
        if not self._doors:
            self._doors = self._rng.sample(tuple(DOORS), len(DOORS))
        return self._doors.pop()

    async def _through(self, door: str, asking: Awaitable[bool]) -> None:
        """Ask in one way. Not every way is possible after every deal."""
        inquiry = self._inquiry
        inquiry.door = door
        try:
            asked = await asking
        except (Refused, Unanswered) as refusal:
            inquiry.verdict.refused += 1
            inquiry.blame(f"refused: {refusal!r}")
            asked = True
        inquiry.verdict.asked[door] += asked

    # ---- clicks

    async def _follow(self) -> None:
        """Use the controls of the answers since the last deal."""
        for given in list(self._inquiry.given):
            if given.public and self._rng.random() < 0.5:
                await self._use("a button, by somebody else", controls.only_for_me, given)
            elif given.public or self._rng.random() < 0.4:
                await self._use("the menu of an answer", controls.look, given)
            else:
                await self._change(given)

    async def _change(self, given: Given) -> None:
        """Change an answer in one of its ways, and perhaps once more."""
        way = self._rng.choice(CHANGES)
        if await self._use("guesses", controls.guesses, given):
            given = self._inquiry.given[-1]
        if way == "pages":
            await self._page_through(given)
        elif way == "narrow":
            await self._use("narrowing", controls.narrow, given)
        else:
            for _ in range(2):
                change = self._rng.choice((controls.resort, controls.steer))
                await self._use("another order, or more and less", change, given)
                given = self._inquiry.given[-1]

    async def _page_through(self, given: Given) -> None:
        """Go forward up to four pages, or to the end, and then back."""
        forward = 0
        for _ in range(self._rng.randint(1, 4)):
            if arrow(given, FORWARD) is None:
                break
            await self._use("a button: forward", controls.forward, given)
            given, forward = self._inquiry.given[-1], forward + 1
        for _ in range(self._rng.randint(0, forward)):
            if arrow(given, BACK) is None:
                break
            await self._use("a button: back", controls.back, given)
            given = self._inquiry.given[-1]

    async def _earlier(self) -> None:
        """Use the controls of answers from before the last deal."""
        before = self._inquiry.before
        for given in self._rng.sample(before, min(2, len(before))):
            if given.public and self._rng.random() < 0.5:
                await self._use("an old button, by somebody else", controls.only_for_me, given)
            elif given.public or self._rng.random() < 0.5:
                await self._use("the menu of an old answer", controls.look, given)
            else:
                way = self._rng.choice(OF_A_PAGE)
                await self._use("an old control of a page", way, given)

    async def _use(
        self, name: str, control: Callable[[Inquiry, Given], Awaitable[bool]], given: Given
    ) -> bool:
        """Use a control. -> whether it was there"""
        before = self._inquiry.verdict.asked[name]
        await self._through(name, control(self._inquiry, given))
        return self._inquiry.verdict.asked[name] > before


OF_A_PAGE = (
    controls.forward,
    controls.back,
    controls.resort,
    controls.steer,
    controls.narrow,
    controls.guesses,
)
