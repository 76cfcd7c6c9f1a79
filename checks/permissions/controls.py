"""Uses the controls of answers, and has what comes of it judged.

Each returns whether it was possible.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from bot.text import answers as answer_text
from checks.permissions import judging
from checks.permissions.given import (
    BACK,
    FORWARD,
    Asked,
    Given,
    arrow,
    control,
    page_named,
    places_in,
    start,
)
from checks.permissions.inquiry import Inquiry
from checks.permissions.terms import NO_TERMS, any_terms
from index import Query, Sort
from sandbox.person import Answer


async def forward(inquiry: Inquiry, given: Given) -> bool:
    button = arrow(given, FORWARD)
    if button is None or not inquiry.may_click(given.asker, given.place):
        return False
    answer = await inquiry.client(given.asker).click(given.answer, button)
    page = replace(given, answer=answer, after=page_named(button).after)
    await judging.judge_click(inquiry, page)
    return True


async def back(inquiry: Inquiry, given: Given) -> bool:
    button = arrow(given, BACK)
    if button is None or not inquiry.may_click(given.asker, given.place):
        return False
    answer = await inquiry.client(given.asker).click(given.answer, button)
    await judging.judge_click(inquiry, replace(given, answer=answer, after=start(answer)))
    return True


async def only_for_me(inquiry: Inquiry, given: Given) -> bool:
    """The button of a public answer shows each member who clicks what they may see."""
    clickers = [id for id in inquiry.server.members if inquiry.may_click(id, given.place)]
    if not clickers:
        return False
    clicker = inquiry.rng.choice(clickers)
    button = given.answer.button(answer_text.only_for_me())
    answer = await inquiry.client(clicker).click(given.answer, button)
    await judging.judge_click(inquiry, Given(answer, given.asked, clicker, given.place, False))
    return True


async def guesses(inquiry: Inquiry, given: Given) -> bool:
    """What is nearest to words that no picture fits."""
    labels = [button.get("label") for button in given.answer.buttons()]
    if answer_text.guess() not in labels or not inquiry.may_click(given.asker, given.place):
        return False
    button = given.answer.button(answer_text.guess())
    answer = await inquiry.client(given.asker).click(given.answer, button)
    await judging.judge_click(inquiry, replace(given, answer=answer, guesses=True))
    return True


async def narrow(inquiry: Inquiry, given: Given) -> bool:
    """The form below an answer, with other words and perhaps a channel, a member and an order."""
    button = control(given.answer, "n:")
    if button is None or not inquiry.may_click(given.asker, given.place):
        return False
    client, words = inquiry.client(given.asker), inquiry.any_words()
    terms = any_terms(inquiry) if inquiry.rng.random() < 0.8 else NO_TERMS
    form = await client.open_form(given.answer, button)
    answer = await client.submit(given.answer, form, line=terms.behind(words))
    source = given.asked.source
    picture = None if source is None else inquiry.pictures.get(source)
    meaning = await inquiry.meaning(words, picture)
    asked = Asked(meaning, source, terms.within, terms.author)
    judge = functools.partial(judging.judge_named, named=terms.named)
    narrowed = Given(answer, asked, given.asker, given.place, False, sort=terms.sort)
    await judging.judge_click(inquiry, narrowed, judge)
    return True


async def look(inquiry: Inquiry, given: Given) -> bool:
    """A closer look at a picture whose channel may have been closed meanwhile; what is similar
    to it; where its copies are; and back to its page."""
    clickers = [id for id in inquiry.server.members if inquiry.may_click(id, given.place)]
    if not given.public:
        clickers = [id for id in clickers if id == given.asker]
    if not given.shown or not clickers:
        return False
    clicker, number = inquiry.rng.choice(clickers), inquiry.rng.randrange(len(given.shown))
    menu, client, message = given.answer.menu(), inquiry.client(clicker), given.shown[number]
    link = menu["options"][number]["value"]
    looked = await client.choose(given.answer, menu, link)
    if not judging.judge_closer(inquiry, looked, message, clicker, given):
        return True
    alike = await client.click(looked, looked.button("Only similar"))
    embedding = await inquiry.testbed.magpie.gallery.embed_query(Query(like=int(link)))
    asked = Asked(embedding, message)
    await judging.judge_click(inquiry, Given(alike, asked, clicker, given.place, False))
    last = await _places(inquiry, looked, clicker, given)
    to_page = control(last, "m:")
    assert to_page is not None
    answer = await client.click(last, to_page)
    page = replace(given, answer=answer, asker=clicker, public=False, after=start(answer))
    await judging.judge_click(inquiry, page)
    return True


async def _places(inquiry: Inquiry, looked: Answer, clicker: int, given: Given) -> Answer:
    """Where the copies of a picture are, if a closer look at it says that there are some."""
    button = control(looked, "w:")
    if button is None:
        return looked
    places = await inquiry.client(clicker).click(looked, button)
    may, _ = inquiry.open_to(clicker, given.place, public=given.public)
    told = places_in(places)
    if not told <= may:
        inquiry.verdict.leaked += 1
        inquiry.blame(f"leaked places {told - may} of copies to {clicker} in {given.place}")
    inquiry.verdict.asked["the places of copies"] += 1
    return places


async def resort(inquiry: Inquiry, given: Given) -> bool:
    """Another order."""
    if not given.shown or not inquiry.may_click(given.asker, given.place):
        return False
    sort = inquiry.rng.choice([sort for sort in Sort if sort is not given.sort])
    client, menu = inquiry.client(given.asker), given.answer.menu()
    answer = await client.choose(given.answer, menu, sort.value)
    resorted = replace(given, answer=answer, after=None, sort=sort)
    await judging.judge_click(inquiry, resorted)
    return True


async def steer(inquiry: Inquiry, given: Given) -> bool:
    """More, or less, like one of the pictures; or that undone."""
    if not given.shown or not inquiry.may_click(given.asker, given.place):
        return False
    client, wishes = inquiry.client(given.asker), {"more": given.more, "less": given.less}
    undo = [b for b in given.answer.buttons() if b.get("custom_id", "")[:2] == "u:"]
    if undo and inquiry.rng.random() < 0.5:
        button = inquiry.rng.choice(undo)
        to = button["custom_id"].split(":")[2]
        wishes[to] = wishes[to][:-1]
        answer = await client.click(given.answer, button)
    else:
        menu = given.answer.menu()
        pictures = [o["value"] for o in menu["options"] if o["value"].isdecimal()]
        link, to = inquiry.rng.choice(pictures), inquiry.rng.choice(("more", "less"))
        looked = await client.choose(given.answer, menu, link)
        steering = [b for b in looked.buttons() if f":{to}:" in b.get("custom_id", "")]
        if not steering:  # it is closed by now, which `look` judges
            return True
        wishes = {
            name: (*(id for id in ids if id != int(link)), *([int(link)] * (name == to)))
            for name, ids in wishes.items()
        }
        answer = await client.click(looked, steering[0])
    steered = replace(
        given,
        answer=answer,
        after=None,
        guesses=False,
        more=wishes["more"],
        less=wishes["less"],
    )
    await judging.judge_click(inquiry, steered)
    return True
