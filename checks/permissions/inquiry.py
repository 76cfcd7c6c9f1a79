"""Asks in random servers in every way that members have, and judges each answer."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import math
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.options import Options
from bench.report import Report, Target
from bot.ask import buttons
from bot.ask.buttons import PageOf
from bot.ask.page import PAGE_SIZE
from bot.text import answers as answer_text
from bot.text import copies as copy_text
from checks.permissions import oracle, side_channels, testbed
from checks.permissions.oracle import Audience, Member, Server
from checks.permissions.random_servers import Layout, deal, layout
from checks.permissions.testbed import Posted, Scene, Testbed, open_testbed
from index import Filter, Hit, Position, Query, QueryEmbedding, Sort
from pocket import MODEL
from sandbox.person import Answer, Payload, Person, Refused, Unanswered

WORLDS = 2_000
SERVERS = 8
PICTURES = 40  # files; each server shows most of them
IN_A_PLACE = (1, 3)
COPIED = 0.5  # of the places have a copy of a picture of any place
QUESTIONS = 3  # after each deal, beside the clicks that follow
ROLES, PEOPLE = 4, 5
WORDS = ("a red circle", "something blue", "green and yellow", "a dark picture", "pink shapes")
NEAR = 1e-4  # in similarity; two pictures that are nearer may be ranked either way
KEPT_FAILURES = 20

FORWARD, BACK = "▶", "◀"
GO_TO = re.compile(r"go to message\]\(https?://[^)]*/(\d+)/(\d+)\)")
AND_MORE = re.compile(r"and (\d+) more like it")
SECTION = 9
PLACE_SHOWN = re.compile(r"/attachments/(\d+)/\d+/")
SPAN = re.compile(r"Pictures? (\d+)(?:–(\d+))?, \w+ first(; that is all)?")
COUNTED = re.compile(r"^\s*- <#(\d+)>: ([\d,]+) picture", re.M)


@dataclass
class Verdict:
    """How much was asked, and what was wrong with the answers."""

    worlds: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    leaked: int = 0
    withheld: int = 0
    told: int = 0
    refused: int = 0
    pictures: int = 0  # shown
    barred: int = 0  # pictures that ranked high enough for a page and were kept off it
    failures: list[str] = field(default_factory=list)

    def note(self, failure: str) -> None:
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(failure)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a vector, the message whose picture it asks with, and what limits it.

    within   a channel, with its threads, or a thread
    author   whose pictures are asked for
    """

    embedding: QueryEmbedding
    source: int | None = None
    within: int | None = None
    author: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer, as a member sees it in a channel.

    after        where the page before ended; None for a first page
    more, less   links by which it is steered
    """

    answer: Answer
    asked: Asked
    asker: int
    place: int
    public: bool
    after: Position | None = None
    sort: Sort = Sort.BEST
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """How many pictures come before it."""
        return self.after.rank if self.after else 0

    def key(self, of: Hit | Position) -> float:
        """What the answer is sorted by, the greatest first."""
        posted = of.link.posted_at if isinstance(of, Hit) else of.posted_at
        return {Sort.BEST: of.score, Sort.NEWEST: posted, Sort.OLDEST: -posted}[self.sort]


# ---- one server, asked about


class Inquiry:
    """Asks in one server as it is now, and judges the answers."""

    def __init__(self, on: Testbed, of: Layout, rng: random.Random, verdict: Verdict) -> None:
        self.testbed = on
        self.of = of
        self.rng = rng
        self.verdict = verdict
        self.pictures = {posted.message: posted for posted in on.pictures[of.server]}
        self.meanings: dict[str | Path, QueryEmbedding] = {}
        self.messages: dict[int, int] = {}  # by link, of copies
        self.before: list[Given] = []  # answers from before the last deal
        self.given: list[Given] = []
        self.server: Server
        self.audience: Audience
        self.world = 0
        self.doors: list[str] = []  # that come next
        self.door = ""

    async def world_after(self, world: int) -> None:
        """Change the server's permissions at random, and ask in it."""
        self.world, self.server = world, deal(self.rng, self.of)
        await self.testbed.become(self.server)
        self.audience = Audience(self.server)
        self.before, self.given = self.given, []
        self.verdict.worlds += 1
        await self._earlier()
        for _ in range(QUESTIONS):
            name = self._next_door()
            await self._through(name, DOORS[name](self))
        await self._follow()
        for person in self.testbed.people.values():
            person.forget()

    def _next_door(self) -> str:
        """A door at random, but none again before all others, so that a few worlds try each."""
        if not self.doors:
            self.doors = self.rng.sample(tuple(DOORS), len(DOORS))
        return self.doors.pop()

    async def _through(self, door: str, asking: Awaitable[bool]) -> None:
        """Ask in one way. Not every way is possible after every deal."""
        self.door = door
        try:
            asked = await asking
        except (Refused, Unanswered) as refusal:
            self.verdict.refused += 1
            self._blame(f"refused: {refusal!r}")
            asked = True
        self.verdict.asked[door] += asked

    def _blame(self, failure: str) -> None:
        self.verdict.note(f"world {self.world}, {self.door}: {failure}")

    # ---- who may ask where

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
                if _may_write(self.server, member) and may(self.server, member, id):
                    pairs.append((member, id))
        return pairs

    def somebody(self, *, in_history: bool = False) -> tuple[Member, int] | None:
        pairs = self.writers(in_history=in_history)
        return self.rng.choice(pairs) if pairs else None

    def client(self, member: int) -> Person:
        return self.testbed.people[member]

    async def meaning(self, of: str | Posted) -> QueryEmbedding:
        key = of if isinstance(of, str) else of.file
        if key not in self.meanings:
            query = Query(text=of) if isinstance(of, str) else Query(image=of.data())
            self.meanings[key] = await self.testbed.magpie.gallery.embed_query(query)
        return self.meanings[key]

    def any_picture(self) -> Posted:
        return self.rng.choice(list(self.pictures.values()))

    # ---- judging

    async def judge(self, given: Given) -> None:
        """Compare an answer with what the oracle allows at this moment."""
        member = self.server.members[given.asker]
        may = oracle.readable(self.server, member, given.place)
        must = may
        if given.public:
            may = may & self.audience.may_show(given.place)
            must = must & self.audience.must_show(given.place)
        shown = [int(message) for _, message in GO_TO.findall(given.answer.text())]
        places = {int(place) for place, _ in GO_TO.findall(given.answer.text())}
        for item in given.answer.pictures():
            places |= {int(found) for found in PLACE_SHOWN.findall(item["media"]["url"])}
        self.verdict.pictures += len(shown)
        if not places <= may:
            self.verdict.leaked += 1
            self._blame(f"leaked {places - may} to {given.asker} in {given.place}")
        ranking = self._rest(given, await self._ranking(given, may), shown)
        self._missing(given, must, shown, ranking)
        self._saying(given, shown, ranking)
        unlimited = self._rest(given, await self._ranking(given, set(self.server.places)), shown)
        page = unlimited[:PAGE_SIZE]
        self.verdict.barred += sum(hit.link.group.id not in may for hit in page)
        id = given.answer.message["id"]  # a page may have taken the place of another
        self.given = [one for one in self.given if one.answer.message["id"] != id]
        self.given.append(given)

    async def _ranking(self, given: Given, groups: set[int]) -> list[Hit]:
        gallery, source = self.testbed.magpie.gallery, given.asked.source
        asked = given.asked
        filter = Filter(
            self.of.server,
            frozenset(self._within(asked, groups)),
            owners=None if asked.author is None else frozenset({asked.author}),
            but_not_source=str(source) if source else None,
        )
        steering = await gallery.links.with_ids([*given.more, *given.less])
        open_ = {id for id, (link, _, _) in steering.items() if link.group.id in groups}
        embedding = await gallery.steered(
            given.asked.embedding,
            [id for id in given.more if id in open_],
            [id for id in given.less if id in open_],
        )
        answer = await gallery.search(embedding, filter, k=1_000, sort=given.sort)
        copies = await gallery.links.with_ids([id for hit in answer.hits for id in hit.copies])
        self.messages |= {id: int(link.source) for id, (link, _, _) in copies.items()}
        return answer.hits

    def _within(self, asked: Asked, groups: set[int]) -> set[int]:
        """Those of the places in which is looked: a channel's threads with it."""
        if asked.within is None:
            return groups
        return {id for id in groups if asked.within in (id, self.server.home(id).id)}

    def _rest(self, given: Given, ranking: list[Hit], shown: Collection[int]) -> list[Hit]:
        """The hits that come after the page before.

        The query was embedded by itself here, so scores differ a little from the bot's: of hits as
        good as the last one of that page, those that are shown come after it.
        """
        if given.after is None:
            return ranking
        end = given.key(given.after)
        return [
            hit
            for hit in ranking
            if given.key(hit) < end - NEAR
            or (abs(given.key(hit) - end) <= NEAR and not set(self._fold(hit)).isdisjoint(shown))
        ]

    def is_unknown(self, given: Given, *, named: bool) -> bool:
        """Whether the answer says that a name means nothing; it must exactly if the channel is
        closed, or if somebody was named who has no picture that may be shown.

        A closed channel's answer is compared with that of one that doesn't exist in
        `side_channels`.
        """
        asked, text = given.asked, given.answer.text()
        may, must = self._open_to(given.asker, given.place, public=given.public)
        unknown = text.startswith(("I know no channel", "I know nobody"))
        known, allowed = True, True
        if asked.within is not None:
            one = self.server.places[asked.within]
            # Discord doesn't tell of archived threads; a thread is known by its pictures, too.
            certain = one.parent is None or self._pictured(asked.within)
            certain &= not (one.archived and named)
            known, allowed = asked.within in must and certain, asked.within in may
        if asked.author is not None and named:
            known &= asked.author in self._authors(must)
            allowed &= asked.author in self._authors(may)
        if unknown and known:
            self.verdict.withheld += 1
            self._blame(f"withheld a name from {given.asker} in {given.place}: {text!r}")
        if not unknown and not allowed:
            self.verdict.told += 1
            self._blame(f"told of a name to {given.asker} in {given.place}: {text!r}")
        return unknown

    def _open_to(self, asker: int, place: int, *, public: bool) -> tuple[set[int], set[int]]:
        """The places whose pictures an answer may show, and those whose it must."""
        may = oracle.readable(self.server, self.server.members[asker], place)
        if not public:
            return may, may
        return may & self.audience.may_show(place), may & self.audience.must_show(place)

    def _pictured(self, place: int) -> bool:
        return any(posted.place == place for posted in self.pictures.values())

    def _authors(self, places: Collection[int]) -> set[int]:
        """Whose pictures are in these places."""
        return {one.author for one in self.pictures.values() if one.place in places}

    def judge_offered(self, ids: set[int], member: Member, place: int, *, people: bool) -> None:
        """Compare what was offered while somebody typed with what they may read.

        Private threads in which they don't ask need not be offered, and archived ones have no name.
        """
        may, server = oracle.readable(self.server, member, place), self.server
        pictured = {id for id in may if self._pictured(id)}
        manages = {
            id for id in pictured if oracle.in_place(server, member, id) & oracle.MANAGE_THREADS
        }
        must = {
            id for id in pictured if not server.places[id].private or id == place or id in manages
        }
        if people:
            may, must = self._authors(pictured), self._authors(must)
        else:
            must = {server.home(id).id for id in must} | {
                id for id in must if not server.places[id].archived
            }
            may = pictured | {server.home(id).id for id in pictured}
            may |= {self.of.category} if pictured else set()
        if not ids <= may:
            self.verdict.leaked += 1
            self._blame(f"offered {ids - may} to {member.id} in {place}")
        if not must <= ids:
            self.verdict.withheld += 1
            self._blame(f"did not offer {must - ids} to {member.id} in {place}")

    def _missing(
        self, given: Given, must: Collection[int], shown: list[int], ranking: list[Hit]
    ) -> None:
        """Note each picture of the `must` groups that is not on the page, itself or by a copy,
        unless better ones fill it; and whether the copies of each are counted."""
        folds = [(given.key(hit), self._fold(hit)) for hit in ranking]
        scores = {message: score for score, fold in folds for message in fold}
        full = len(shown) == PAGE_SIZE
        last = min((scores.get(message, -math.inf) for message in shown), default=math.inf)
        told = dict(zip(shown, _counts_of_copies(given.answer), strict=True))
        for score, fold in folds:
            due = [message for message in fold if self.pictures[message].place in must]
            better = not full or score > last + NEAR
            on_page = [message for message in fold if message in told]
            if due and better and not on_page:
                if given.after is not None and abs(score - given.key(given.after)) < NEAR:
                    continue
                self.verdict.withheld += 1
                self._blame(f"withheld {due} in {given.place}")
            for message in on_page:
                if told[message] > len(fold) - 1:
                    self.verdict.leaked += 1
                    self._blame(f"counted {told[message]} copies of {message} in {given.place}")
                elif told[message] < len({*due, message}) - 1:
                    self.verdict.withheld += 1
                    self._blame(f"counted {told[message]} copies of {message}, not {due}")

    def _fold(self, hit: Hit) -> list[int]:
        """The messages of a hit and of its copies."""
        return [int(hit.link.source), *(self.messages[link] for link in hit.copies)]

    def _saying(self, given: Given, shown: list[int], ranking: list[Hit]) -> None:
        """Check the heading, the buttons and the sentences of the page."""
        text = given.answer.text()
        left = len(ranking) - len(shown)
        labels = [str(button.get("label")) for button in given.answer.buttons()]
        wrong = given.answer.private == given.public
        if given.public:
            wrong |= answer_text.ONLY_SHARED not in text or answer_text.ONLY_FOR_ME not in labels
        elif shown:
            wrong |= (_arrow(given, FORWARD) is not None) != (left > 0)
            wrong |= (_arrow(given, BACK) is not None) != (given.first > 0)
        if shown:
            span = SPAN.search(text)
            first, last = given.first + 1, given.first + len(shown)
            wrong |= span is None or (int(span[1]), int(span[2] or span[1])) != (first, last)
            if not given.public and span is not None and len(shown) > 1:
                wrong |= (span[3] is not None) != (left <= 0)
        else:
            wrong |= self._empty(given) not in text
        if wrong:
            self.verdict.told += 1
            self._blame(f"told {text!r} with {labels}, {left} left")

    def _empty(self, given: Given) -> str:
        if given.public:
            return answer_text.NOTHING_SHARED
        if given.first:
            return answer_text.NOTHING_MORE
        member = self.server.members[given.asker]
        readable = oracle.readable(self.server, member, given.place)
        pictured = {posted.place for posted in self.pictures.values()}
        if readable & pictured:
            return answer_text.NOTHING_FOUND
        return answer_text.NOT_INDEXED_YET if readable else answer_text.NOTHING_READABLE

    # ---- clicks

    async def _follow(self) -> None:
        """Use the controls of the answers since the last deal."""
        for given in list(self.given):
            if given.public and self.rng.random() < 0.5:
                await self._through("a button, by somebody else", self.more_for_me(given))
            elif given.public or self.rng.random() < 0.5:
                await self._through("the menu of an answer", self.look(given))
            elif self.rng.random() < 0.5:
                await self._page_through(given)
            else:
                for _ in range(2):
                    change = self.rng.choice((self.resort, self.steer))
                    await self._through("another order, or more and less", change(given))
                    given = self.given[-1]

    async def _page_through(self, given: Given) -> None:
        """Go forward up to four pages, or to the end, and then back."""
        forward = 0
        for _ in range(self.rng.randint(1, 4)):
            if _arrow(given, FORWARD) is None:
                break
            await self._through("a button: forward", self.forward(given))
            given, forward = self.given[-1], forward + 1
        for _ in range(self.rng.randint(0, forward)):
            if _arrow(given, BACK) is None:
                break
            await self._through("a button: back", self.back(given))
            given = self.given[-1]

    async def _earlier(self) -> None:
        """Use the controls of answers from before the last deal."""
        for given in self.rng.sample(self.before, min(2, len(self.before))):
            if given.public and self.rng.random() < 0.5:
                await self._through("an old button, by somebody else", self.more_for_me(given))
            elif given.public or self.rng.random() < 0.5:
                await self._through("the menu of an old answer", self.look(given))
            else:
                go = self.rng.choice((self.forward, self.back, self.resort, self.steer))
                await self._through("an old control of a page", go(given))

    async def forward(self, given: Given) -> bool:
        button = _arrow(given, FORWARD)
        if button is None or not self._clicks(given.asker, given.place):
            return False
        answer = await self.client(given.asker).click(given.answer, button)
        await self._judge_click(
            dataclasses.replace(given, answer=answer, after=_page(button).after)
        )
        return True

    async def back(self, given: Given) -> bool:
        button = _arrow(given, BACK)
        if button is None or not self._clicks(given.asker, given.place):
            return False
        answer = await self.client(given.asker).click(given.answer, button)
        await self._judge_click(dataclasses.replace(given, answer=answer, after=_start(answer)))
        return True

    async def more_for_me(self, given: Given) -> bool:
        """The button of a public answer shows each member who clicks what they may see."""
        clickers = [id for id in self.server.members if self._clicks(id, given.place)]
        if not clickers:
            return False
        clicker = self.rng.choice(clickers)
        button = given.answer.button(answer_text.ONLY_FOR_ME)
        answer = await self.client(clicker).click(given.answer, button)
        await self._judge_click(Given(answer, given.asked, clicker, given.place, False))
        return True

    async def look(self, given: Given) -> bool:
        """A closer look at a picture whose channel may have been closed meanwhile; what is similar
        to it; and back to its page."""
        shown = GO_TO.findall(given.answer.text())
        clickers = [id for id in self.server.members if self._clicks(id, given.place)]
        if not given.public:
            clickers = [id for id in clickers if id == given.asker]
        if not shown or not clickers:
            return False
        clicker, number = self.rng.choice(clickers), self.rng.randrange(len(shown))
        menu, client = given.answer.menu(), self.client(clicker)
        link = menu["options"][number]["value"]
        looked = await client.choose(given.answer, menu, link)
        if not self._is_open(looked, int(shown[number][1]), clicker, given):
            return True
        alike = await client.click(looked, looked.button("Only similar"))
        embedding = await self.testbed.magpie.gallery.embed_query(Query(like=int(link)))
        asked = Asked(embedding, int(shown[number][1]))
        await self._judge_click(Given(alike, asked, clicker, given.place, False))
        last = await self._places(looked, clicker, given)
        back = next(b for b in last.buttons() if b.get("custom_id", "").startswith("m:"))
        answer = await client.click(last, back)
        page = dataclasses.replace(
            given, answer=answer, asker=clicker, public=False, after=_start(answer)
        )
        await self._judge_click(page)
        return True

    async def _places(self, looked: Answer, clicker: int, given: Given) -> Answer:
        """Where the copies of a picture are, if a closer look at it says that there are some."""
        button = next((b for b in looked.buttons() if b.get("custom_id", "")[:2] == "w:"), None)
        if button is None:
            return looked
        client = self.client(clicker)
        places = await client.click(looked, button)
        member = self.server.members[clicker]
        may = oracle.readable(self.server, member, given.place)
        if given.public:
            may = may & self.audience.may_show(given.place)
        told = {int(place) for place, _ in GO_TO.findall(places.text())}
        if not told <= may:
            self.verdict.leaked += 1
            self._blame(f"leaked places {told - may} of copies to {clicker} in {given.place}")
        self.verdict.asked["the places of copies"] += 1
        return places

    async def resort(self, given: Given) -> bool:
        """Another order."""
        if not GO_TO.search(given.answer.text()) or not self._clicks(given.asker, given.place):
            return False
        sort = self.rng.choice([sort for sort in Sort if sort is not given.sort])
        client, menu = self.client(given.asker), given.answer.menu()
        answer = await client.choose(given.answer, menu, sort.value)
        await self._judge_click(dataclasses.replace(given, answer=answer, after=None, sort=sort))
        return True

    async def steer(self, given: Given) -> bool:
        """More, or less, like one of the pictures; or that undone."""
        if not GO_TO.search(given.answer.text()) or not self._clicks(given.asker, given.place):
            return False
        client, wishes = self.client(given.asker), {"more": given.more, "less": given.less}
        undo = [b for b in given.answer.buttons() if b.get("custom_id", "")[:2] == "u:"]
        if undo and self.rng.random() < 0.5:
            button = self.rng.choice(undo)
            to = button["custom_id"].split(":")[2]
            wishes[to] = wishes[to][:-1]
            answer = await client.click(given.answer, button)
        else:
            menu = given.answer.menu()
            pictures = [o["value"] for o in menu["options"] if o["value"].isdecimal()]
            link, to = self.rng.choice(pictures), self.rng.choice(("more", "less"))
            looked = await client.choose(given.answer, menu, link)
            steering = [b for b in looked.buttons() if f":{to}:" in b.get("custom_id", "")]
            if not steering:  # it is closed by now, which `look` judges
                return True
            wishes = {
                name: (*(id for id in ids if id != int(link)), *([int(link)] * (name == to)))
                for name, ids in wishes.items()
            }
            answer = await client.click(looked, steering[0])
        steered = dataclasses.replace(
            given, answer=answer, after=None, more=wishes["more"], less=wishes["less"]
        )
        await self._judge_click(steered)
        return True

    def _is_open(self, looked: Answer, message: int, clicker: int, given: Given) -> bool:
        """Whether the picture was shown; it must be exactly if the clicker may see it."""
        member = self.server.members[clicker]
        may = oracle.readable(self.server, member, given.place)
        must = may
        if given.public:
            may = may & self.audience.may_show(given.place)
            must = must & self.audience.must_show(given.place)
        if given.asked.source is not None:
            asked_with = self.pictures.get(given.asked.source)
            if asked_with is None or asked_with.place not in may:  # deleted, or closed
                may = set()
            if asked_with is None or asked_with.place not in must:
                must = set()
        place = self.pictures[message].place
        shown = {
            int(p) for item in looked.pictures() for p in PLACE_SHOWN.findall(item["media"]["url"])
        }
        if not shown <= may:
            self.verdict.leaked += 1
            self._blame(f"leaked {shown - may} to {clicker} in {given.place} by a closer look")
        elif not shown and looked.text() != answer_text.PICTURE_UNAVAILABLE:
            self.verdict.told += 1
            self._blame(f"told {looked.text()!r} instead of a closer look")
        elif not shown and place in must:
            self.verdict.withheld += 1
            self._blame(f"withheld a closer look at {message} of {place} in {given.place}")
        return bool(shown)

    async def _judge_click(self, given: Given) -> None:
        """Judge the answer to a click.

        A click asks again. With the picture of a message it may do so only if the message is still
        there and open to the asker.
        """
        source = given.asked.source
        posted = self.pictures.get(source) if source is not None else None
        member = self.server.members[given.asker]
        readable = oracle.readable(self.server, member, given.place)
        if source is None or (posted is not None and posted.place in readable):
            await self.judge(given)
        elif given.answer.text() != answer_text.PICTURE_UNAVAILABLE:
            self.verdict.leaked += 1
            self._blame(f"asked with message {source} again: {given.answer.text()!r}")

    def _clicks(self, member: int, place: int) -> bool:
        """Whether the member sees the message with the button, in a timeout or not."""
        there = self.server.members.get(member)
        return there is not None and oracle.follows(self.server, there, place)


def _arrow(given: Given, label: str) -> Payload | None:
    """The button that leads to the next page, or the one before, if there is one."""
    found = given.answer.buttons()
    return next((b for b in found if b.get("label") == label and not b["disabled"]), None)


def _page(control: Payload) -> PageOf:
    """The page that the custom_id of a button or menu names."""
    match = re.fullmatch(rf"\w:{buttons.PAGE.partition(':')[2]}", control["custom_id"])
    assert match is not None
    return buttons.page_of(match)


def _start(answer: Answer) -> Position | None:
    """Where the page of an answer begins, if it shows pictures."""
    return _page(answer.menu()).after if GO_TO.search(answer.text()) else None


def _counts_of_copies(answer: Answer) -> list[int]:
    """How many copies stand behind each picture of a page, in order."""
    sections = [part for part in answer.parts() if part["type"] == SECTION]
    texts = ["".join(part["content"] for part in one["components"]) for one in sections]
    return [int(found[1]) if (found := AND_MORE.search(text)) else 0 for text in texts]


def _may_write(server: Server, member: Member) -> bool:
    above = member.id == server.owner or oracle.in_server(server, member) == oracle.EVERYTHING
    return above or not member.timed_out


# ---- the ways to ask


async def find_for_me(inquiry: Inquiry) -> bool:
    return await _find(inquiry, inquiry.rng.choice(WORDS), "only me")


async def find_with_a_picture(inquiry: Inquiry) -> bool:
    return await _find(inquiry, inquiry.any_picture(), "only me")


async def find_for_everyone(inquiry: Inquiry) -> bool:
    return await _find(inquiry, inquiry.rng.choice(WORDS), "everyone")


async def _find(inquiry: Inquiry, what: str | Posted, show: str) -> bool:
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    client, where = inquiry.client(member.id), str(place)
    if isinstance(what, str):
        answer = await client.command("find", where=where, query=what, show=show)
    else:
        image = (what.file.name, what.data())
        answer = await client.command("find", where=where, image=image, show=show)
    asked = Asked(await inquiry.meaning(what))
    await inquiry.judge(Given(answer, asked, member.id, place, show == "everyone"))
    return True


async def find_with_filters(inquiry: Inquiry) -> bool:
    """`/find` and mentions with `in:` and `from:`, by mentions and by names, of open places and
    of closed ones, of members with pictures and of those without."""
    if (pair := inquiry.somebody()) is None:
        return False
    (member, place), rng, words = pair, inquiry.rng, inquiry.rng.choice(WORDS)
    within = rng.choice(list(inquiry.server.places)) if rng.random() < 0.7 else None
    author = rng.choice(inquiry.of.people) if within is None or rng.random() < 0.4 else None
    named = rng.random() < 0.5
    terms = {}
    if within is not None:
        terms["in"] = f"#{inquiry.of.name(within)}" if named else f"<#{within}>"
    if author is not None:
        terms["from"] = f"@person{author}" if named else f"<@{author}>"
    line = " ".join([words, *(f"{name}:{value}" for name, value in terms.items())])
    way = rng.choice(("options", "line", "for everyone", "mention"))
    client, where, public = (
        inquiry.client(member.id),
        str(place),
        way in ("for everyone", "mention"),
    )
    if way == "options":
        answer = await client.command("find", where=where, query=words, **terms)
    elif way == "mention":
        answer, _ = await _say(inquiry, member, place, f"<@{inquiry.of.bot}> {line}")
    else:
        show = "everyone" if public else "only me"
        answer = await client.command("find", where=where, query=line, show=show)
    asked = Asked(await inquiry.meaning(words), within=within, author=author)
    given = Given(answer, asked, member.id, place, public)
    if not inquiry.is_unknown(given, named=named):
        await inquiry.judge(given)
    return True


async def typing(inquiry: Inquiry) -> bool:
    """What is offered while somebody types."""
    if (pair := inquiry.somebody()) is None:
        return False
    (member, place), rng = pair, inquiry.rng
    option, typed = rng.choice(
        (
            ("in", ""),
            ("in", "pl"),
            ("from", ""),
            ("from", "person"),
            ("query", "x from:"),
            ("query", "x in:"),
        )
    )
    client = inquiry.client(member.id)
    offered = await client.suggestions("find", option, typed, where=str(place))
    values = " ".join(str(one["value"]) for one in offered)
    ids = {int(id) for id in re.findall(r"\d{15,}", values)}
    ids |= {inquiry.of.places[int(n)].id for n in re.findall(r"place-(\d\d)\b", values)}
    inquiry.judge_offered(ids, member, place, people="from" in (option, typed[2:6]))
    return True


async def mention(inquiry: Inquiry) -> bool:
    """`@Magpie words`, answered in the channel."""
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    words = inquiry.rng.choice(WORDS)
    answer, _ = await _say(inquiry, member, place, f"<@{inquiry.of.bot}> {words}")
    asked = Asked(await inquiry.meaning(words))
    await inquiry.judge(Given(answer, asked, member.id, place, True))
    return True


async def reply_to_a_picture(inquiry: Inquiry) -> bool:
    """`@Magpie` in reply to somebody's picture."""
    if (found := _a_picture(inquiry)) is None:
        return False
    member, posted = found
    replied = {"id": str(posted.message), "channel_id": str(posted.place)}
    text = f"<@{inquiry.of.bot}>"
    answer, _ = await _say(inquiry, member, posted.place, text, reply_to=replied)
    asked = Asked(await inquiry.meaning(posted), posted.message)
    await inquiry.judge(Given(answer, asked, member.id, posted.place, True))
    return True


async def post_a_picture(inquiry: Inquiry) -> bool:
    """A picture posted with `@Magpie`."""
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    return await _post(inquiry, member, place, f"<@{inquiry.of.bot}>", None)


async def reply_with_a_picture(inquiry: Inquiry) -> bool:
    """A picture in reply to one of Magpie's answers."""
    pairs = {(member.id, place): member for member, place in inquiry.writers(in_history=True)}
    answers = [
        (member, given)
        for given in inquiry.given
        for (_, place), member in pairs.items()
        if given.public and given.place == place
    ]
    if not answers:
        return False
    member, given = inquiry.rng.choice(answers)
    return await _post(inquiry, member, given.place, "", given.answer.message)


async def _post(
    inquiry: Inquiry, member: Member, place: int, text: str, reply_to: Payload | None
) -> bool:
    picture = inquiry.any_picture()
    files = {picture.file.name: picture.data()}
    answer, posted = await _say(inquiry, member, place, text, reply_to=reply_to, pictures=files)
    asked = Asked(await inquiry.meaning(picture), int(posted["id"]))
    # until it is deleted, the question's own picture is one of the channel's pictures
    await inquiry.client(member.id).request("DELETE", f"/channels/{place}/messages/{posted['id']}")
    await _until_gone(inquiry, posted["id"])
    await inquiry.judge(Given(answer, asked, member.id, place, True))
    return True


async def _until_gone(inquiry: Inquiry, message: str) -> None:
    gallery = inquiry.testbed.magpie.gallery
    await inquiry.testbed.settled()
    while await gallery.links.slots(inquiry.of.server, message):  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.01)


async def _say(
    inquiry: Inquiry,
    member: Member,
    place: int,
    text: str,
    *,
    reply_to: Payload | None = None,
    pictures: dict[str, bytes] | None = None,
) -> tuple[Answer, Payload]:
    """Write a message, and wait for Magpie's reply. Writing in a thread joins it."""
    client = inquiry.client(member.id)
    began = time.perf_counter()
    posted = await client.post(str(place), text, reply_to=reply_to, pictures=pictures)
    if inquiry.server.places[place].parent is not None:
        inquiry.server.places[place].joined.add(member.id)
        inquiry.audience = Audience(inquiry.server)

    def answers(message: Payload) -> bool:
        return bool((message.get("message_reference") or {}).get("message_id") == posted["id"])

    message = await client.event("MESSAGE_CREATE", where=answers)
    return Answer(message, time.perf_counter() - began), posted


async def menu(inquiry: Inquiry) -> bool:
    """Apps, Find similar."""
    if (found := _a_picture(inquiry)) is None:
        return False
    member, posted = found
    target = {"id": str(posted.message), "channel_id": str(posted.place)}
    answer = await inquiry.client(member.id).menu("Find similar", target)
    asked = Asked(await inquiry.meaning(posted), posted.message)
    await inquiry.judge(Given(answer, asked, member.id, posted.place, False))
    return True


async def posted_before(inquiry: Inquiry) -> bool:
    """Apps, Posted before?, about a picture that was posted once more."""
    if (pair := inquiry.somebody(in_history=True)) is None:
        return False
    member, place = pair
    async with _posted_again(inquiry, member, place) as (picture, posted):
        answer = await inquiry.client(member.id).menu("Posted before?", posted)
        await _judge_copies(inquiry, answer, picture, posted, member, public=False)
    return True


async def posted_before_for_everyone(inquiry: Inquiry) -> bool:
    """`@Magpie posted before?` in reply to such a picture."""
    if (pair := inquiry.somebody(in_history=True)) is None:
        return False
    member, place = pair
    async with _posted_again(inquiry, member, place) as (picture, posted):
        said = f"<@{inquiry.of.bot}> posted before?"
        answer, _ = await _say(inquiry, member, place, said, reply_to=posted)
        await _judge_copies(inquiry, answer, picture, posted, member, public=True)
    return True


@contextlib.asynccontextmanager
async def _posted_again(
    inquiry: Inquiry, member: Member, place: int
) -> AsyncIterator[tuple[Posted, Payload]]:
    """A picture of the server, and the message in which it is posted again for a while."""
    picture, client = inquiry.any_picture(), inquiry.client(member.id)
    posted = await client.post(str(place), pictures={picture.file.name: picture.data()})
    if inquiry.server.places[place].parent is not None:
        inquiry.server.places[place].joined.add(member.id)
        inquiry.audience = Audience(inquiry.server)
    await inquiry.testbed.indexed(inquiry.of.server, posted["id"])
    try:
        yield picture, posted
    finally:
        await client.request("DELETE", f"/channels/{place}/messages/{posted['id']}")
        await _until_gone(inquiry, posted["id"])


async def _judge_copies(
    inquiry: Inquiry,
    answer: Answer,
    picture: Posted,
    posted: Payload,
    member: Member,
    *,
    public: bool,
) -> None:
    """Compare what is told of copies, and how many, with what may be told."""
    place, verdict = int(posted["channel_id"]), inquiry.verdict
    may = must = oracle.readable(inquiry.server, member, place)
    if public:
        may = may & inquiry.audience.may_show(place)
        must = must & inquiry.audience.must_show(place)
    places = {int(found) for found, _ in GO_TO.findall(answer.text())}
    for item in answer.pictures():
        places |= {int(found) for found in PLACE_SHOWN.findall(item["media"]["url"])}
    if not places <= may:
        verdict.leaked += 1
        inquiry._blame(f"leaked {places - may} to {member.id} in {place} beside a copy")
    copies = re.split(r"\*\*(?:These|What I found) look", answer.text())[0]
    told = {int(message) for _, message in GO_TO.findall(copies)}
    verdict.pictures += len(told)
    verdict.barred += picture.place not in may
    expected = {
        groups: await _copies(inquiry, posted, groups) for groups in map(frozenset, (may, must))
    }
    if not expected[frozenset(must)] <= told <= expected[frozenset(may)]:
        verdict.withheld += 1
        inquiry._blame(f"told copies {told} instead of {expected} in {place}")
    if copy_text.heading(len(told)) not in answer.text() or answer.private == public:
        verdict.told += 1
        inquiry._blame(f"told {answer.text()!r} of {told}")


async def _copies(inquiry: Inquiry, posted: Payload, groups: frozenset[int]) -> set[int]:
    """The messages that show a copy of a message's picture, in these places."""
    gallery = inquiry.testbed.magpie.gallery
    own = await gallery.links.ids_of_source(inquiry.of.server, posted["id"])
    filter = Filter(inquiry.of.server, groups, but_not_source=posted["id"])
    found = [await gallery.copies_of(link, filter) for link in own.values()]
    return {int(copy.link.source) for copies in found for copy in copies}


def _a_picture(inquiry: Inquiry) -> tuple[Member, Posted] | None:
    """A picture, and a member who sees it and may write there."""
    pairs = inquiry.writers(in_history=True)
    found = [(m, p) for m, place in pairs for p in inquiry.pictures.values() if p.place == place]
    return inquiry.rng.choice(found) if found else None


async def channels_list(inquiry: Inquiry) -> bool:
    return await _counts(inquiry, "channels", "list")


async def status(inquiry: Inquiry) -> bool:
    return await _counts(inquiry, "status")


async def _counts(inquiry: Inquiry, *command: str) -> bool:
    """Check the numbers of pictures that members with Manage Server are shown."""
    server = inquiry.server
    managers = [
        (member, place)
        for member, place in inquiry.writers()
        if oracle.in_place(server, member, place) & oracle.MANAGE_GUILD
    ]
    if not managers:
        return False
    member, place = inquiry.rng.choice(managers)
    answer = await inquiry.client(member.id).command(*command, where=str(place))
    reach = oracle.Reach(server, member)
    expected = {
        id: sum(
            posted.place in reach.reads and server.home(posted.place).id == id
            for posted in inquiry.pictures.values()
        )
        for id, one in server.places.items()
        if one.parent is None and id in reach.views
    }
    told = {int(id): int(n.replace(",", "")) for id, n in COUNTED.findall(answer.text())}
    for id, pictures in told.items():
        if pictures > expected.get(id, -1):
            inquiry.verdict.leaked += 1
            inquiry._blame(f"counted {pictures} pictures of {id} for {member.id}")
        elif pictures < expected[id]:
            inquiry.verdict.withheld += 1
            inquiry._blame(f"counted only {pictures} pictures of {id} for {member.id}")
    total = re.match(r"\*\*([\d,]+) pictures?\*\* indexed", answer.text())
    if total is not None and int(total[1].replace(",", "")) != sum(told.values()):
        inquiry.verdict.told += 1
        inquiry._blame(f"told {total[0]!r} for {told}")
    return True


DOORS: dict[str, Callable[[Inquiry], Awaitable[bool]]] = {
    "/find": find_for_me,
    "/find with a picture": find_with_a_picture,
    "/find for everyone": find_for_everyone,
    "/find with filters": find_with_filters,
    "what is offered while typing": typing,
    "a mention with words": mention,
    "a mention in reply to a picture": reply_to_a_picture,
    "a picture with a mention": post_a_picture,
    "a picture in reply to an answer": reply_with_a_picture,
    "the menu": menu,
    "posted before": posted_before,
    "posted before, for everyone": posted_before_for_everyone,
    "/channels list": channels_list,
    "/status": status,
}


# ---- the run


async def inquire(
    seed: int, worlds: int, folder: Path, model: testbed.Model, *, servers: int = SERVERS
) -> Verdict:
    """Ask after each of `worlds` deals, which follow from the seed."""
    verdict = Verdict()
    rng, ids = random.Random(seed), testbed.ids()
    bot = next(ids)
    layouts = [layout(rng, ids, bot, roles=ROLES, people=PEOPLE) for _ in range(servers)]
    scene = Scene(folder, bot)
    files = testbed.draw(folder, PICTURES)
    for of in layouts:
        scene.build(of, _shown(rng, of, files))
    people = [id for of in layouts for id in of.people]
    async with open_testbed(scene, people, folder / "magpie.db", model) as on:
        for of in layouts:
            await on.watch(of)
        inquiries = [Inquiry(on, of, random.Random(rng.random()), verdict) for of in layouts]
        for world in range(worlds):
            await inquiries[world % servers].world_after(world)
    return verdict


def _shown(rng: random.Random, of: Layout, files: list[Path]) -> dict[int, list[Path]]:
    """Which files each channel or thread shows. Some of them are shown in others, too."""
    left: Iterator[Path] = iter(rng.sample(files, len(files)))
    shown: dict[int, list[Path]] = {}
    for place in of.places:
        many = rng.randint(*IN_A_PLACE)
        shown[place.id] = [file for _, file in zip(range(many), left, strict=False)]
    for place in of.places:
        others = [file for files in shown.values() for file in files]
        if others and rng.random() < COPIED:
            shown[place.id].append(rng.choice(others))
    return shown


def run(options: Options) -> Report:
    logging.basicConfig(level=logging.WARNING)  # discord.py logs as warnings what it could not do
    seed, worlds = options.seed, WORLDS if options.worlds is None else options.worlds
    began, spent = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="permissions-") as folder:
        verdict = asyncio.run(inquire(seed, worlds, Path(folder), str(MODEL)))
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - spent
    with tempfile.TemporaryDirectory(prefix="side-channels-") as folder:
        twins = asyncio.run(side_channels.compare(Path(folder), str(MODEL)))
    questions = sum(verdict.asked.values())
    counts = {"leaked", "withheld", "told", "refused"}
    figures = {name: getattr(verdict, name) for name in sorted(counts)}
    figures |= {
        "seed": seed,
        "worlds": verdict.worlds,
        "questions": questions,
        "pictures shown": verdict.pictures,
        "pictures kept off a page": verdict.barred,
        "seconds, of processor": f"{wall_s:.0f}, {cpu_s:.0f}",
    }
    figures |= {f"asked by {door}": n for door, n in sorted(verdict.asked.items())}
    figures |= {f"failure {n}": text for n, text in enumerate(verdict.failures, start=1)}
    targets = {name: Target(getattr(verdict, name), 0, at_least=False) for name in sorted(counts)}
    return Report(figures | twins.figures(), {}, targets | twins.targets())
