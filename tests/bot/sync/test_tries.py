"""What failed is tried again after waits that grow, and not for ever."""

from __future__ import annotations

from bot.sync.tries import MOST, Tries


def test_tries_are_bounded_and_begin_anew_when_they_are_forgotten() -> None:
    tries = Tries()
    for _ in range(MOST):
        assert tries.wait_s(1) <= 0
        tries.failed(1, first_wait_s=0.0)
    assert tries.wait_s(1) > 0
    assert tries.wait_s(2) <= 0
    assert tries.ids() == {1}
    tries.forget()
    assert tries.wait_s(1) <= 0
    assert tries.ids() == set()


def test_each_wait_is_twice_as_long_as_the_one_before() -> None:
    tries, ends = Tries(), []
    for _ in range(MOST - 1):
        tries.failed(1, first_wait_s=1_000.0)
        ends.append(tries.wait_s(1))
    assert [round(end, -2) for end in ends] == [1_000.0 * 2**n for n in range(MOST - 1)]


def test_what_is_gone_is_forgotten() -> None:
    tries = Tries()
    for id in (1, 2):
        tries.failed(id, first_wait_s=1_000.0)
    tries.forget_others({2, 3})
    assert tries.ids() == {2}
