"""A question that was asked, and its answer as the member who asked sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.ask import buttons
from bot.ask.buttons import PageOf
from index import Hit, Position, QueryEmbedding, Sort
from sandbox.person import Answer, Payload

FORWARD, BACK = "▶", "◀"
GO_TO = re.compile(r"go to message\]\(https?://[^)]*/(\d+)/(\d+)\)")
AND_MORE = re.compile(r"and (\d+) more like it")
SECTION = 9
PLACE_SHOWN = re.compile(r"/attachments/(\d+)/\d+/")


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
    guesses      whether it also shows what doesn't fit
    more, less   links by which it is steered
    """

    answer: Answer
    asked: Asked
    asker: int
    place: int
    public: bool
    after: Position | None = None
    guesses: bool = False
    sort: Sort = Sort.BEST
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """How many pictures come before it."""
        return self.after.rank if self.after else 0

    @property
    def shown(self) -> list[int]:
        """The messages whose pictures it shows, in order."""
        return [int(message) for _, message in GO_TO.findall(self.answer.text())]

    def key(self, of: Hit | Position) -> float:
        """What the answer is sorted by, the greatest first."""
        posted = of.link.posted_at if isinstance(of, Hit) else of.posted_at
        return {Sort.BEST: of.score, Sort.NEWEST: posted, Sort.OLDEST: -posted}[self.sort]


def places_in(answer: Answer) -> set[int]:
    """The channels and threads of the messages and pictures that an answer leads to."""
    places = {int(place) for place, _ in GO_TO.findall(answer.text())}
    return places | places_of_pictures(answer)


def places_of_pictures(answer: Answer) -> set[int]:
    """The channels and threads whose pictures an answer shows."""
    urls = [item["media"]["url"] for item in answer.pictures()]
    return {int(place) for url in urls for place in PLACE_SHOWN.findall(url)}


def control(answer: Answer, of: str) -> Payload | None:
    """The first button whose custom_id begins so, if there is one."""
    return next((b for b in answer.buttons() if b.get("custom_id", "").startswith(of)), None)


def arrow(given: Given, label: str) -> Payload | None:
    """The button that leads to the next page, or the one before, if there is one."""
    found = given.answer.buttons()
    return next((b for b in found if b.get("label") == label and not b["disabled"]), None)


def page_named(control: Payload) -> PageOf:
    """The page that the custom_id of a button or menu names."""
    match = re.fullmatch(rf"\w:{buttons.PAGE.partition(':')[2]}", control["custom_id"])
    assert match is not None
    return buttons.page_of(match)


def start(answer: Answer) -> Position | None:
    """Where the page of an answer begins, if it shows pictures."""
    return page_named(answer.menu()).after if GO_TO.search(answer.text()) else None


def counts_of_copies(answer: Answer) -> list[int]:
    """How many copies stand behind each picture of a page, in order."""
    sections = [part for part in answer.parts() if part["type"] == SECTION]
    texts = ["".join(part["content"] for part in one["components"]) for one in sections]
    return [int(found[1]) if (found := AND_MORE.search(text)) else 0 for text in texts]
