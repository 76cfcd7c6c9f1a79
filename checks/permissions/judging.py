"""Holds an answer against what the oracle allows at this moment."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Collection, Sequence

from bot.ask.page import PAGE_SIZE
from bot.text import answers as answer_text
from checks.permissions import oracle
from checks.permissions.given import (
    BACK,
    FORWARD,
    Asked,
    Given,
    arrow,
    counts_of_copies,
    places_in,
    places_of_pictures,
)
from checks.permissions.inquiry import Inquiry
from checks.permissions.oracle import Member
from index import Answer as Found
from index import Filter, Hit, Verdict
from sandbox.person import Answer

NEAR = 1e-4  # in similarity; two pictures that are nearer may be ranked either way
NOTHING_LIKE = answer_text.nothing_like("").rstrip(" .")
SPAN = re.compile(r"Pictures? (\d+)(?:–(\d+))?, \w+ first(; that is all)?")


async def judge(inquiry: Inquiry, given: Given) -> None:
    """Compare an answer with what may be shown at this moment."""
    may, must = inquiry.open_to(given.asker, given.place, public=given.public)
    shown, places = given.shown, places_in(given.answer)
    inquiry.verdict.pictures += len(shown)
    if not places <= may:
        inquiry.verdict.leaked += 1
        inquiry.blame(f"leaked {places - may} to {given.asker} in {given.place}")
    truth = await _truth(inquiry, given, may)
    ranking = _rest(inquiry, given, truth.hits, shown)
    # Which words fit depends on all pictures that may answer, so these must be known.
    if not inquiry.testbed.judges or inquiry.pictured(may) == inquiry.pictured(must):
        _missing(inquiry, given, must, shown, ranking)
        _saying(inquiry, given, truth, len(ranking) - len(shown))
    unlimited = (await _truth(inquiry, given, set(inquiry.server.places))).hits
    page = _rest(inquiry, given, unlimited, shown)[:PAGE_SIZE]
    inquiry.verdict.barred += sum(hit.link.group.id not in may for hit in page)
    id = given.answer.message["id"]  # a page may have taken the place of another
    inquiry.given = [one for one in inquiry.given if one.answer.message["id"] != id]
    inquiry.given.append(given)


async def judge_click(
    inquiry: Inquiry, given: Given, judge: Callable[[Inquiry, Given], Awaitable[None]] = judge
) -> None:
    """Judge the answer to a click.

    A click asks again. With the picture of a message it may do so only if the message is still
    there and open to the asker.
    """
    source = given.asked.source
    posted = inquiry.pictures.get(source) if source is not None else None
    readable, _ = inquiry.open_to(given.asker, given.place, public=False)
    if source is None or (posted is not None and posted.place in readable):
        await judge(inquiry, given)
    elif given.answer.text() != answer_text.picture_unavailable():
        inquiry.verdict.leaked += 1
        inquiry.blame(f"asked with message {source} again: {given.answer.text()!r}")


async def judge_named(inquiry: Inquiry, given: Given, *, named: bool) -> None:
    """Judge the answer to a question with a channel or a member.

    named   by a name; else by a mention
    """
    if not _is_unknown(inquiry, given, named=named):
        await judge(inquiry, given)


async def _truth(inquiry: Inquiry, given: Given, groups: set[int]) -> Found:
    """The whole answer to the question, as the gallery has it for these places."""
    gallery, asked, source = inquiry.testbed.magpie.gallery, given.asked, given.asked.source
    filter = Filter(
        inquiry.of.server,
        frozenset(_within(inquiry, asked, groups)),
        owners=None if asked.author is None else frozenset({asked.author}),
        says=asked.says,
        but_not_source=str(source) if source else None,
    )
    steering = await gallery.links.with_ids(filter.space, [*given.more, *given.less])
    open_ = {id for id, (link, _, _) in steering.items() if link.group.id in groups}
    embedding = await gallery.steered(
        asked.embedding,
        [id for id in given.more if id in open_],
        [id for id in given.less if id in open_],
    )
    truth = await gallery.search(embedding, filter, k=1_000, sort=given.sort, guesses=given.guesses)
    similar = [id for hit in truth.hits for id in hit.copies]
    copies = await gallery.links.with_ids(filter.space, similar)
    inquiry.messages |= {id: int(link.source) for id, (link, _, _) in copies.items()}
    return truth


def _within(inquiry: Inquiry, asked: Asked, groups: set[int]) -> set[int]:
    """Those of the places in which is looked: a channel's threads with it."""
    if asked.within is None:
        return groups
    return {id for id in groups if asked.within in (id, inquiry.server.home(id).id)}


def _rest(inquiry: Inquiry, given: Given, ranking: list[Hit], shown: Collection[int]) -> list[Hit]:
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
        or (abs(given.key(hit) - end) <= NEAR and not set(_fold(inquiry, hit)).isdisjoint(shown))
    ]


def _missing(
    inquiry: Inquiry, given: Given, must: Collection[int], shown: list[int], ranking: list[Hit]
) -> None:
    """Note each picture of the `must` groups that is not on the page, itself or by a copy,
    unless better ones fill it; and whether the copies of each are counted."""
    folds = [(given.key(hit), _fold(inquiry, hit)) for hit in ranking]
    scores = {message: score for score, fold in folds for message in fold}
    full = len(shown) == PAGE_SIZE
    last = min((scores.get(message, -math.inf) for message in shown), default=math.inf)
    told = dict(zip(shown, counts_of_copies(given.answer), strict=True))
    for score, fold in folds:
        due = [message for message in fold if inquiry.pictures[message].place in must]
        better = not full or score > last + NEAR
        on_page = [message for message in fold if message in told]
        if due and better and not on_page:
            if given.after is not None and abs(score - given.key(given.after)) < NEAR:
                continue
            inquiry.verdict.withheld += 1
            inquiry.blame(f"withheld {due} in {given.place}")
        for message in on_page:
            if told[message] > len(fold) - 1:
                inquiry.verdict.leaked += 1
                inquiry.blame(f"counted {told[message]} copies of {message} in {given.place}")
            elif told[message] < len({*due, message}) - 1:
                inquiry.verdict.withheld += 1
                inquiry.blame(f"counted {told[message]} copies of {message}, not {due}")


def _fold(inquiry: Inquiry, hit: Hit) -> list[int]:
    """The messages of a hit and of its copies."""
    return [int(hit.link.source), *(inquiry.messages[link] for link in hit.copies)]


def _saying(inquiry: Inquiry, given: Given, truth: Found, left: int) -> None:
    """Check the heading, the buttons and the sentences of the page.

    left   how many hits come after the page
    """
    text, shown = given.answer.text(), given.shown
    labels = [str(button.get("label")) for button in given.answer.buttons()]
    nothing = not shown and _fits_nothing(given, truth)
    wrong = given.answer.private == given.public
    wrong |= (answer_text.guess() in labels) != (nothing and not given.public)
    if given.public:
        wrong |= answer_text.only_shared() not in text or answer_text.only_for_me() not in labels
    elif shown:
        wrong |= (arrow(given, FORWARD) is not None) != (left > 0)
        wrong |= (arrow(given, BACK) is not None) != (given.first > 0)
    if shown:
        span = SPAN.search(text)
        first, last = given.first + 1, given.first + len(shown)
        wrong |= span is None or (int(span[1]), int(span[2] or span[1])) != (first, last)
        if not given.public and span is not None and len(shown) > 1:
            wrong |= (span[3] is not None) != (left <= 0)
    else:
        wrong |= (NOTHING_LIKE if nothing else _empty(inquiry, given)) not in text
    if wrong:
        inquiry.verdict.told += 1
        inquiry.blame(f"told {text!r} with {labels}, {left} left")


def _fits_nothing(given: Given, truth: Found) -> bool:
    """Whether there are pictures that may answer, and none of them fits."""
    is_first = not given.first and not given.guesses
    return is_first and truth.verdict is Verdict.NOTHING and truth.searched > 0


def _empty(inquiry: Inquiry, given: Given) -> str:
    says = given.asked.says
    if given.public:
        return _nothing(answer_text.nothing_shared(), says, public=True)
    if given.first:
        return answer_text.nothing_more()
    readable, _ = inquiry.open_to(given.asker, given.place, public=False)
    if inquiry.pictured(readable):
        return _nothing(answer_text.nothing_found(), says, public=False)
    return answer_text.not_indexed_yet() if readable else answer_text.nothing_readable()


def _nothing(sentence: str, says: Sequence[str], *, public: bool) -> str:
    """The sentence of an answer without a picture, which names the exact words."""
    return answer_text.nothing_says(says, public=public) if says else sentence


def _is_unknown(inquiry: Inquiry, given: Given, *, named: bool) -> bool:
    """Whether the answer says that a name means nothing; it must exactly if the channel is
    closed, or if somebody was named who has no picture that may be shown.

    A closed channel's answer is compared with that of one that doesn't exist in
    `side_channels`.
    """
    asked, text = given.asked, given.answer.text()
    may, must = inquiry.open_to(given.asker, given.place, public=given.public)
    unknown = text.startswith(("I know no channel", "I know nobody"))
    known, allowed = True, True
    if asked.within is not None:
        one = inquiry.server.places[asked.within]
        # Discord doesn't tell of archived threads; a thread is known by its pictures, too.
        certain = one.parent is None or bool(inquiry.pictured({asked.within}))
        certain &= not (one.archived and named)
        known, allowed = asked.within in must and certain, asked.within in may
    if asked.author is not None and named:
        known &= asked.author in inquiry.authors(must)
        allowed &= asked.author in inquiry.authors(may)
    if unknown and known:
        inquiry.verdict.withheld += 1
        inquiry.blame(f"withheld a name from {given.asker} in {given.place}: {text!r}")
    if not unknown and not allowed:
        inquiry.verdict.told += 1
        inquiry.blame(f"told of a name to {given.asker} in {given.place}: {text!r}")
    return unknown


def judge_closer(
    inquiry: Inquiry, looked: Answer, message: int, clicker: int, given: Given
) -> bool:
    """Whether a closer look shows the picture; it must exactly if the clicker may see it."""
    may, must = inquiry.open_to(clicker, given.place, public=given.public)
    if given.asked.source is not None:
        asked_with = inquiry.pictures.get(given.asked.source)
        if asked_with is None or asked_with.place not in may:  # deleted, or closed
            may = set()
        if asked_with is None or asked_with.place not in must:
            must = set()
    place, shown = inquiry.pictures[message].place, places_of_pictures(looked)
    if not shown <= may:
        inquiry.verdict.leaked += 1
        inquiry.blame(f"leaked {shown - may} to {clicker} in {given.place} by a closer look")
    elif not shown and looked.text() != answer_text.picture_unavailable():
        inquiry.verdict.told += 1
        inquiry.blame(f"told {looked.text()!r} instead of a closer look")
    elif not shown and place in must and not inquiry.testbed.judges:
        inquiry.verdict.withheld += 1
        inquiry.blame(f"withheld a closer look at {message} of {place} in {given.place}")
    return bool(shown)


def judge_offered(
    inquiry: Inquiry, ids: set[int], member: Member, place: int, *, people: bool
) -> None:
    """Compare what was offered while somebody typed with what they may read.

    Private threads in which they don't ask need not be offered, and archived ones have no name.
    """
    may, server = oracle.readable(inquiry.server, member, place), inquiry.server
    pictured = inquiry.pictured(may)
    manages = {id for id in pictured if oracle.in_place(server, member, id) & oracle.MANAGE_THREADS}
    must = {id for id in pictured if not server.places[id].private or id == place or id in manages}
    if people:
        may, must = inquiry.authors(pictured), inquiry.authors(must)
    else:
        must = {server.home(id).id for id in must} | {
            id for id in must if not server.places[id].archived
        }
        may = pictured | {server.home(id).id for id in pictured}
        may |= {inquiry.of.category} if pictured else set()
    if not ids <= may:
        inquiry.verdict.leaked += 1
        inquiry.blame(f"offered {ids - may} to {member.id} in {place}")
    if not must <= ids:
        inquiry.verdict.withheld += 1
        inquiry.blame(f"did not offer {must - ids} to {member.id} in {place}")
