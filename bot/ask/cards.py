"""What the cards of an answer say and offer: a page of pictures, one of them, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from discord import ui

from bot.ask import buttons, layout
from bot.ask.buttons import PageOf
from bot.ask.page import ResultPage
from bot.platform.links import message_link
from bot.text import answers as text
from bot.text import lines as line_text
from index import SavedSearch

# A message may show more pictures than there is room for buttons.
MAX_CHOICES = 9


def results(
    search: SavedSearch, page: ResultPage, notes: Sequence[str], *, public: bool
) -> ui.LayoutView:
    """A page of pictures with its controls, if the search is saved.

    public   everybody sees it: its controls open a private answer
    """
    numbered = page.numbered
    last = page.first + len(numbered)
    span = text.span(page.first + 1, last, page.more, search.asked.sort)
    limits = line_text.limits(search.asked)
    heading = "\n-# ".join(filter(None, [f"### {_title(search, page)}", limits, span]))
    menu = None
    if search.id:
        menu = buttons.menu(PageOf(search.id, page.start), layout.options(numbered))
    return layout.card(
        heading,
        *layout.rows(numbered),
        notes=notes,
        menu=menu,
        buttons=_buttons(search, page, public=public),
    )


def nothing(
    search: SavedSearch, page: ResultPage, sentence: str, notes: Sequence[str], *, public: bool
) -> ui.LayoutView:
    """Why there is nothing to show, and what can be done about it."""
    return layout.card(sentence, notes=notes, buttons=_buttons(search, page, public=public))


def closer(search: SavedSearch, page: ResultPage) -> ui.LayoutView:
    """One picture of a page, and what can be done with it."""
    if not page.shown:  # it was closed until now
        return layout.card(text.PICTURE_UNAVAILABLE, buttons=[_to_results(search, page)])
    [shown] = page.shown
    return layout.card(
        f"### {text.one_for(_asked(search))}",
        *layout.large(shown),
        buttons=[
            buttons.message(shown.message.jump_url),
            buttons.similar(shown.hit.id),
            _to_results(search, page),
        ],
    )


def _to_results(search: SavedSearch, page: ResultPage) -> layout.Control:
    """Back from one picture to its page; from a public answer, to one's own."""
    label = text.ONLY_FOR_ME if search.asked.public else text.TO_RESULTS
    return buttons.to_page(PageOf(search.id, page.start), label)


def _title(search: SavedSearch, page: ResultPage) -> str:
    return text.heading(_asked(search), first=page.first == 0)


def _asked(search: SavedSearch) -> str:
    """What was asked, as a heading says it."""
    asked = search.asked
    url = None
    if asked.shown_by:
        url = message_link(search.space, asked.shown_by.group, asked.shown_by.source)
    return text.asked(asked.words, asked.with_picture, url=url)


def _buttons(search: SavedSearch, page: ResultPage, *, public: bool) -> list[layout.Control]:
    """Back and forth, and the other pictures of the message that the question was asked with.

    A public answer always has the button for a private one, so the button tells nothing about what
    was left out.
    """
    if not search.id:
        return []
    offered: list[layout.Control] = []
    if public:
        offered.append(buttons.to_page(PageOf(search.id), text.ONLY_FOR_ME))
    elif page.start or page.more:
        here = PageOf(search.id, page.start)
        offered.append(buttons.back(here if page.start else None))
        offered.append(buttons.more(replace(here, after=page.end) if page.more else None))
    if shown_by := search.asked.shown_by:
        others = [n for n in range(shown_by.count) if n != shown_by.chosen]
        offered += [buttons.instead(search.id, n) for n in others[:MAX_CHOICES]]
    return offered
