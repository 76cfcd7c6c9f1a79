"""Example questions, made from pictures that their readers may see at that moment.

Each of them is asked first, as any question is, and is shown only if it finds something: words only
where the model is sure. It stands for the first picture that it finds. That picture's message is
read again, and an example is shown only for as long as its picture may be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import discord

from bot.access.sight import Sight
from bot.ask.asker import Asker
from bot.ask.draft import Draft
from bot.ask.layout import Card
from bot.ask.members import Members
from bot.ask.names import known_places, narrowed
from bot.ask.page import ResultPage, ShownHit
from bot.ask.rate_limiter import RateLimiter
from bot.ask.results import Results
from bot.ops.tuning import Clocks
from bot.platform.refusal import Refusal
from bot.text import answers as text
from index import Filter, Group, Hit, Links, Query, Searcher, Wish, printed

LOOKED_AT = 40  # of the newest pictures; what the model sees in them takes some 10 ms
MOST = 4  # examples
TRIES = 3  # of each kind; each costs as much as a question
LETTERS = 80  # of an example: it is the label of a button, too
# What is looked for to see whether an example finds something. The first hit stands for it.
HITS = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A question as a line of the query language, and the picture that it found first."""

    line: str
    found: ShownHit

    @property
    def names_nobody(self) -> bool:
        """Whether it is words alone, without a field that names a channel or a member."""
        return ":" not in self.line


@dataclass(frozen=True, slots=True)
class _Wished:
    """What an example would ask, and where its answer comes from."""

    wish: Wish
    filter: Filter


# Makes a message of examples.
LayOut = Callable[[list[Example]], Card]


class Examples:
    """Makes example questions."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        searcher: Searcher,
        members: Members,
        results: Results,
        rate_limiter: RateLimiter,
        clocks: Clocks,
    ) -> None:
        self._client = client
        self._links = links
        self._searcher = searcher
        self._members = members
        self._results = results
        self._rate_limiter = rate_limiter
        self._clocks = clocks

    async def asked_for(self, asker: Asker, lay_out: LayOut) -> Draft:
        """The examples for somebody who asks for them, which counts as a question.

        raises    Refusal, also when the asker asks too often
        """
        self._rate_limiter.take(asker.guild.id, asker.member.id)
        return await self.draft(asker, lay_out)

    async def draft(self, asker: Asker, lay_out: LayOut) -> Draft:
        """The examples, to be laid out when they are sent.

        raises   Refusal during an outage of the server
        """
        sight = asker.sight(self._client, self._clocks)
        if sight.outage:
            raise Refusal(text.outage)
        lines = await self._lines(asker, sight)
        read = await self._results.look_up(list(lines.values()))
        shown = [one for one in read if isinstance(one, ShownHit) and not one.picture.spoiler]
        named = {hit.id: line for line, hit in lines.items()}

        def laid_out(page: ResultPage) -> Card:
            return lay_out([Example(named[one.hit.id], one) for one in page.shown])

        return Draft(
            sight, ResultPage(shown=shown), None, lambda: True, self._results.now, laid_out
        )

    async def _lines(self, asker: Asker, sight: Sight) -> dict[str, Hit]:
        """The questions, each with what it finds first."""
        groups = await self._links.groups(asker.guild.id)
        open_ = await sight.look(groups)
        lines: dict[str, Hit] = {}
        if not open_:
            return lines
        open_groups = [group for group in groups if group.id in open_]
        shown = {one.id: one.shown for one in known_places(asker.guild, groups, sight.open)}
        for kind in await self._kinds(asker, open_groups, shown):
            for wishes in kind:
                if await self._add(wishes, lines):
                    break
        return lines

    # ---- what could be asked

    async def _kinds(
        self, asker: Asker, groups: Sequence[Group], places: dict[int, str]
    ) -> list[list[Iterator[_Wished]]]:
        """For each kind of example what could be asked: the first that finds something is taken.
        Where the model sees nothing in a picture, a channel or a member alone can be asked for.

        places   how channels are written in a line, by their ids
        """
        everywhere = Filter(asker.guild.id, frozenset(group.id for group in groups))
        listing = await self._searcher.embed_query(Query())
        newest = (await self._searcher.search(listing, everywhere, k=LOOKED_AT)).hits
        hits = [hit for hit in newest if hit.kind == "image" and not hit.link.spoiler]
        concepts = await self._searcher.concepts_of([hit.id for hit in hits])
        called = await self._members.called(asker.member, [hit.link.owner for hit in hits])

        def in_place(hit: Hit, words: Collection[str]) -> Iterator[_Wished]:
            channel = hit.link.group.parent or hit.link.group.id
            if channel in places:
                inside = narrowed(asker.guild, groups, (channel,), ())
                filter = replace(everywhere, groups=frozenset(group.id for group in inside))
                yield _Wished(Wish(" ".join(words), places=(places[channel],)), filter)

        def by_owner(hit: Hit, words: Collection[str]) -> Iterator[_Wished]:
            if (owner := called.get(hit.link.owner)) is not None:
                filter = replace(everywhere, owners=frozenset({owner.id}))
                yield _Wished(Wish(" ".join(words), authors=(f"@{owner.username}",)), filter)

        seen = [(hit, concepts[hit.id]) for hit in hits if concepts.get(hit.id)]
        return [
            [(_Wished(Wish(" ".join(words)), everywhere) for _, words in seen if len(words) > 1)],
            [
                (one for hit, words in seen for one in in_place(hit, words[:1])),
                (one for hit in hits for one in in_place(hit, ())),
            ],
            [
                (one for hit, words in seen for one in by_owner(hit, words[:1])),
                (one for hit in hits for one in by_owner(hit, ())),
            ],
            [(_Wished(Wish(words[0]), everywhere) for _, words in seen)],
        ]

    async def _add(self, wishes: Iterable[_Wished], lines: dict[str, Hit]) -> bool:
        """Add the first of the wishes that finds another picture than those before; whether there
        is one."""
        asked = {word for line in lines for word in line.split()}
        taken = {hit.id for hit in lines.values()}
        tried = 0
        for wished in wishes:
            line, words = printed(wished.wish), wished.wish.words
            if asked & set(words.split()) or len(line) > LETTERS:
                continue
            if tried == TRIES:
                break
            tried += 1
            embedding = await self._searcher.embed_query(Query(text=words or None))
            hits = (await self._searcher.search(embedding, wished.filter, k=HITS)).hits
            if hits and hits[0].id not in taken and (hits[0].sure or not words):
                lines[line] = hits[0]
                return True
        return False
