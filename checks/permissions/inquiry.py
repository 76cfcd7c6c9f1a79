"""One server that is asked about, as it is now."""

from __future__ import annotations

import random
from collections.abc import Collection
from pathlib import Path

from checks.permissions import oracle
from checks.permissions.given import Given
from checks.permissions.oracle import Audience, Member, Server
from checks.permissions.random_servers import Layout
from checks.permissions.testbed import Posted, Testbed
from checks.permissions.verdict import Verdict
from index import Query, QueryEmbedding
from sandbox.person import Person

# Where words are judged, some of them fit some pictures, and the last fit none.
WORDS = (
    "a red circle",
    "something blue",
    "green and yellow",
    "a dark picture",
    "pink shapes",
    "quantum chromodynamics",
)


class Inquiry:
    """Knows who may ask where in a server, what was asked, and what was wrong.

    given    the answers since the last deal
    before   those from before it
    """

    def __init__(self, on: Testbed, of: Layout, rng: random.Random, verdict: Verdict) -> None:
        self.testbed = on
        self.of = of
        self.rng = rng
        self.verdict = verdict
        self.pictures = {posted.message: posted for posted in on.pictures[of.server]}
        self.messages: dict[int, int] = {}  # by link, of copies
        self.before: list[Given] = []
        self.given: list[Given] = []
        self.server: Server
        self.audience: Audience
        self.world = 0
        self.door = ""
        self._meanings: dict[tuple[str, Path | None], QueryEmbedding] = {}

    def begin(self, world: int, server: Server) -> None:
        """Go on with the server as it is after a deal."""
        self.world, self.server, self.audience = world, server, Audience(server)
        self.before, self.given = self.given, []
        self.verdict.worlds += 1

    def joined(self, member: Member, place: int) -> None:
        """Take note that somebody wrote in a place: in a thread, that joins it."""
        if self.server.places[place].parent is not None:
            self.server.places[place].joined.add(member.id)
            self.audience = Audience(self.server)

    def blame(self, failure: str) -> None:
        self.verdict.note(f"world {self.world}, {self.door}: {failure}")

    def writers(self, *, in_history: bool = False) -> list[tuple[Member, int]]:
        """Who may ask in which place; with `in_history`, only where they may read the history."""
        core = self.testbed.discord.core
        pairs = []
        for id in self.server.places:
            channel = core.world.channel(id)
            assert channel is not None
            archived = channel.thread is not None and channel.thread.archived
            if not channel.holds_messages or archived:
                continue
            may = oracle.reads if in_history else oracle.follows
            for member in self.server.members.values():
                if may_write(self.server, member) and may(self.server, member, id):
                    pairs.append((member, id))
        return pairs

    def somebody(self, *, in_history: bool = False) -> tuple[Member, int] | None:
        pairs = self.writers(in_history=in_history)
        return self.rng.choice(pairs) if pairs else None

    def client(self, member: int) -> Person:
        return self.testbed.people[member]

    async def meaning(self, words: str = "", picture: Posted | None = None) -> QueryEmbedding:
        """Words, a picture, or both, as a question."""
        key = words, None if picture is None else picture.file
        if key not in self._meanings:
            query = Query(text=words or None, image=None if picture is None else picture.data())
            self._meanings[key] = await self.testbed.magpie.gallery.embed_query(query)
        return self._meanings[key]

    def any_words(self) -> str:
        return self.rng.choice(WORDS)

    def any_picture(self) -> Posted:
        return self.rng.choice(list(self.pictures.values()))

    def open_to(self, asker: int, place: int, *, public: bool) -> tuple[set[int], set[int]]:
        """The places whose pictures an answer may show, and those whose it must."""
        may = oracle.readable(self.server, self.server.members[asker], place)
        if not public:
            return may, may
        return may & self.audience.may_show(place), may & self.audience.must_show(place)

    def pictured(self, places: Collection[int]) -> set[int]:
        """Those of the places that have pictures."""
        return {one.place for one in self.pictures.values()}.intersection(places)

    def authors(self, places: Collection[int]) -> set[int]:
        """Whose pictures are in these places."""
        return {one.author for one in self.pictures.values() if one.place in places}

    def may_click(self, member: int, place: int) -> bool:
        """Whether the member sees the message with the button, in a timeout or not."""
        there = self.server.members.get(member)
        return there is not None and oracle.follows(self.server, there, place)


def may_write(server: Server, member: Member) -> bool:
    above = member.id == server.owner or oracle.in_server(server, member) == oracle.EVERYTHING
    return above or not member.timed_out
