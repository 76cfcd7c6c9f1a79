"""How a search goes back, whatever its pages lack."""

from __future__ import annotations

from bot.sync.history_search import CHANNELS, EMPTY_PAGES, KINDS, PAGE, Front, begun


def test_the_newest_front_comes_first() -> None:
    search = begun(1, [10], [10], 1_000, whole=True)
    asked = []
    for oldest in (900, 950, 800, 700, 990):
        front = search.front()
        asked.append(front.kind)
        search.advance(front, [oldest], 100)
    assert sorted(asked) == sorted(KINDS)
    assert search.front().before == 990


def test_a_search_names_some_channels_at_a_time() -> None:
    search = begun(1, range(CHANNELS + 1), [1], 1_000, whole=False)
    assert len(search.fronts) == 2 * len(KINDS)
    assert {len(front.channels) for front in search.fronts} == {CHANNELS, 1}


def test_a_short_page_is_followed_by_what_is_below_it() -> None:
    front = Front("image", (), 1_000)
    front.advance([990, 980], 50)
    assert (front.before, front.skipped, front.over) == (980, 0, False)


def test_an_empty_page_is_skipped_while_there_is_more() -> None:
    front = Front("image", (), 1_000)
    front.advance([], 40)
    assert (front.before, front.skipped, front.over) == (1_000, PAGE, False)
    front.advance([900], 40)
    assert (front.before, front.skipped) == (900, 0)
    front.advance([], 0)
    assert front.over


def test_empty_pages_end_a_search_whatever_the_total_says() -> None:
    """So does a server that gives the same page again and again."""
    for page in ([], [1_000, 1_001]):
        front = Front("image", (), 1_000)
        for _ in range(EMPTY_PAGES):
            assert not front.over
            front.advance(page, 1_000_000)
        assert front.over
