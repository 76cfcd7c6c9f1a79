"""The cursor never covers a message that was not handled."""

from __future__ import annotations

from bot.sync.coverage import Coverage, Move
from index import Cursor

SPACE, GROUP = 1, 2


def caught_up(newest: int = 100) -> Coverage:
    coverage = Coverage(SPACE, GROUP, Cursor(SPACE, GROUP, newest, 0, complete=True))
    assert coverage.catch_up(coverage.gaps)
    return coverage


def newest(coverage: Coverage, move: Move | None = None) -> int:
    cursor = coverage.cursor(move)
    assert cursor is not None
    return cursor.newest


def test_message_without_pictures_moves_the_cursor() -> None:
    coverage = caught_up(100)
    coverage.observe(120)
    assert newest(coverage) == 120


def test_cursor_stays_before_a_picture_on_its_way() -> None:
    coverage = caught_up(100)
    for message in (110, 120, 130):
        coverage.observe(message)
    coverage.take(120)
    assert newest(coverage) == 119
    coverage.done(120)
    assert newest(coverage) == 130


def test_commit_of_a_picture_lets_the_cursor_pass_it() -> None:
    coverage = caught_up(100)
    coverage.observe(120)
    coverage.take(120)
    assert newest(coverage, Move(coverage, finishing=120)) == 120


def test_later_picture_does_not_move_the_cursor_past_an_earlier_one() -> None:
    coverage = caught_up(100)
    for message in (110, 120):
        coverage.observe(message)
        coverage.take(message)
    assert newest(coverage, Move(coverage, finishing=120)) == 109


def test_live_messages_do_not_bridge_a_gap() -> None:
    coverage = caught_up(100)
    coverage.fall_behind()
    coverage.observe(150)
    assert newest(coverage) == 100
    assert coverage.catch_up(coverage.gaps)
    assert newest(coverage) == 150


def test_gap_that_opened_during_the_last_page_is_not_closed_by_it() -> None:
    coverage = caught_up(100)
    coverage.fall_behind()
    gaps = coverage.gaps
    coverage.fall_behind()  # another new session, while the page was on its way
    coverage.observe(150)
    assert not coverage.catch_up(gaps)
    assert newest(coverage) == 100


def test_page_is_covered_only_once_it_is_saved() -> None:
    coverage = caught_up(100)
    coverage.complete, coverage.oldest = False, 50
    move = Move(coverage, oldest=20)
    planned = coverage.cursor(move)
    assert coverage.cursor() == Cursor(SPACE, GROUP, 100, 50)
    assert planned == Cursor(SPACE, GROUP, 100, 20)
    coverage.saved(planned, move)
    assert coverage.cursor() == planned


def test_page_past_a_live_picture_leaves_the_cursor_before_it() -> None:
    coverage = caught_up(100)
    coverage.fall_behind()
    coverage.observe(120)
    coverage.take(120)
    move = Move(coverage, newest=140)
    planned = coverage.cursor(move)
    assert planned is not None
    assert planned.newest == 119
    coverage.saved(planned, move)
    coverage.done(120)
    assert newest(coverage) == 140


def test_no_cursor_is_written_before_the_first_message_or_after_release() -> None:
    coverage = Coverage(SPACE, GROUP)
    coverage.observe(120)
    assert coverage.cursor() is None
    dropped = caught_up()
    dropped.dropped = True
    assert dropped.cursor() is None


def test_only_a_cursor_that_moved_is_written_again() -> None:
    coverage = caught_up(100)
    assert coverage.unsaved() is None
    coverage.observe(120)
    cursor = coverage.unsaved()
    assert cursor is not None
    coverage.saved(cursor)
    assert coverage.unsaved() is None
