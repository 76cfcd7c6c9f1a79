"""What the cards of an answer say and offer: a page of pictures, one of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.ask import buttons, layout
from bot.ask.buttons import PageOf, Steering
from bot.ask.page import ResultPage
from bot.platform.links import message_link
from bot.text import answers as text
from bot.text import lines as line_text
from index import SavedSearch, Sort, Verdict

# A message may show more pictures than there is room for buttons.
MAX_CHOICES = 9
STEERING: tuple[Steering, Steering] = ("more", "less")


def results(
    search: SavedSearch, page: ResultPage, notes: Sequence[str], *, public: bool
) -> layout.Card:
    """A page of pictures with its controls, if the search is saved.

    public   everybody sees it: its controls open a private answer
    """
    last = page.first + len(page.shown)
    asked = _asked(search)
    heading = text.heading(asked, _says(search), first=page.first == 0, guesses=page.guesses)
    if name := search.asked.cluster:
        heading = text.cluster(name, first=page.first == 0)
    limits = line_text.limits(search.asked, exact=bool(asked))
    span = text.span(page.first + 1, last, page.more, _order(search))
    if page.verdict is Verdict.UNSURE and not page.guesses:
        span = text.in_turn(span, text.not_sure(len(page.shown)))
    menu = None
    if search.id:
        orders = [] if public else buttons.orders(_order(search))
        menu = buttons.menu(_here(search, page), [*layout.options(page), *orders])
    return layout.card(
        "\n-# ".join(filter(None, [f"### {heading}", limits, span])),
        *layout.rows(page, public=public),
        notes=notes,
        menu=menu,
        buttons=_buttons(search, page, public=public),
        stills=layout.NO_STILLS if public else layout.stills(page),
    )


def nothing(
    search: SavedSearch, page: ResultPage, sentence: str, notes: Sequence[str], *, public: bool
) -> layout.Card:
    """Why there is nothing to show, and what can be done about it."""
    return layout.card(sentence, notes=notes, buttons=_buttons(search, page, public=public))


def nothing_found(search: SavedSearch, *, public: bool) -> str:
    """The sentence for a search that found nothing at all: the exact words that no picture says,
    and what else it was limited to."""
    if not (says := _says(search)):
        return text.nothing_shared() if public else text.nothing_found()
    sentence = text.nothing_says(says, public=public)
    limits = line_text.limits(search.asked, exact=False)
    return f"{sentence}\n-# {limits}" if limits else sentence


def nothing_like(search: SavedSearch) -> str:
    """The sentence for a search that no picture fits, and what it was limited to."""
    sentence, limits = text.nothing_like(_asked(search)), line_text.limits(search.asked)
    return f"{sentence}\n-# {limits}" if limits else sentence


def closer(search: SavedSearch, page: ResultPage) -> layout.Card:
    """One picture of a page, and what can be done with it."""
    if not page.shown:  # it was closed until now
        return layout.card(text.picture_unavailable(), buttons=[_to_results(search, page)])
    [shown] = page.shown
    link, copies = shown.hit.id, len(shown.copies)
    offered: list[layout.Control] = [buttons.message(shown.message.jump_url)]
    if search.asked.words or search.asked.with_picture:  # else there is nothing to steer
        offered += [buttons.steer(search.id, to, link) for to in STEERING]
    offered.append(buttons.similar(link))
    if copies:
        offered.append(buttons.places(_here(search, page), link, copies))
    name = search.asked.cluster
    heading = text.one_of_cluster(name) if name else text.one_for(_asked(search), _says(search))
    return layout.card(
        f"### {heading}",
        *layout.large(page),
        buttons=[*offered, _to_results(search, page)],
        stills=layout.stills(page),
    )


def places(search: SavedSearch, page: ResultPage) -> layout.Card:
    """Where a picture and its near-copies were posted."""
    back = _to_results(search, page)
    if not page.shown:
        return layout.card(text.picture_unavailable(), buttons=[back])
    heading = text.places(len(page.shown), more=page.more)
    return layout.card(f"### {heading}", layout.places(page), buttons=[back])


def _here(search: SavedSearch, page: ResultPage) -> PageOf:
    return PageOf(search.id, page.start, page.guesses)


def _to_results(search: SavedSearch, page: ResultPage) -> layout.Control:
    """Back from one picture to its page; from a public answer, to one's own."""
    label = text.only_for_me() if search.asked.public else text.to_results()
    return buttons.to_page(_here(search, page), label)


def _order(search: SavedSearch) -> Sort:
    """The order of the answer: one that asks for nothing lists pictures by date."""
    asked = search.asked
    listed = not asked.words and not asked.with_picture and asked.sort is Sort.BEST
    return Sort.NEWEST if listed else asked.sort


def _says(search: SavedSearch) -> tuple[str, ...]:
    """The exact words that were asked for."""
    return search.asked.filter.says if search.asked.filter else ()


def _asked(search: SavedSearch) -> str:
    """What was asked, as a heading says it."""
    asked = search.asked
    url = None
    if asked.shown_by:
        url = message_link(search.space, asked.shown_by.group, asked.shown_by.source)
    return text.asked(asked.words, asked.with_picture, url=url)


def _buttons(search: SavedSearch, page: ResultPage, *, public: bool) -> list[layout.Control]:
    """Back and forth; guesses; to undo what steers; and the other pictures of the message that the
    question was asked with.

    A public answer always has the button for a private one, so the button tells nothing about what
    was left out.
    """
    if not search.id:
        return []
    if public:
        offered: list[layout.Control] = [buttons.to_page(PageOf(search.id), text.only_for_me())]
    else:
        offered = [*_arrows(_here(search, page), page), *_narrow(search), *_undo(search)]
        if page.verdict is Verdict.NOTHING and page.any and not page.shown and not page.guesses:
            offered.insert(0, buttons.to_page(PageOf(search.id, guesses=True), text.guess()))
    if shown_by := search.asked.shown_by:
        others = [n for n in range(shown_by.count) if n != shown_by.chosen]
        offered += [buttons.instead(search.id, n) for n in others[:MAX_CHOICES]]
    return offered


def _arrows(here: PageOf, page: ResultPage) -> list[layout.Control]:
    """Both or none, so that each keeps its place from page to page."""
    if not page.start and not page.more:
        return []
    following = replace(here, after=page.end)
    return [
        buttons.back(here if page.start else None),
        buttons.more(following if page.more else None),
    ]


def _narrow(search: SavedSearch) -> list[layout.Control]:
    """Whether the question can be asked again with another line: a picture that was attached to it
    isn't kept."""
    asked = search.asked
    kept = not asked.with_picture or asked.shown_by is not None
    return [buttons.narrow(search.id)] if kept and len(asked.line) <= buttons.MAX_LINE else []


def _undo(search: SavedSearch) -> list[layout.Control]:
    links = dict(zip(STEERING, (search.asked.more, search.asked.less), strict=True))
    return [buttons.undo(search.id, to, len(links[to])) for to in STEERING if links[to]]
