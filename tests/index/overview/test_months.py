"""The months whose pictures an overview shows as bars."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from index.types.overview import Month, Overview

NONE = np.zeros(0, np.int64)
USUAL = {(2024, 11): 40, (2025, 2): 60}
SHOWN = [(2024, 11), (2024, 12), (2025, 1), (2025, 2)]


def last_months(months: Mapping[Month, int], most: int = 12) -> list[Month]:
    places = np.zeros((0, 2), np.float32)
    return Overview(sum(months.values()), months, (), NONE, places, NONE).last_months(most)


def test_months_without_pictures_are_among_them() -> None:
    assert last_months(USUAL) == SHOWN


def test_the_last_ones_are_shown() -> None:
    assert last_months(USUAL, 2) == [(2025, 1), (2025, 2)]
    assert last_months({}) == []


@pytest.mark.parametrize("strange", [(1970, 1), (2004, 12), (2099, 3), (9000, 1)])
def test_a_few_pictures_with_strange_dates_are_left_out(strange: Month) -> None:
    assert last_months(USUAL | {strange: 2}) == SHOWN
    assert last_months(USUAL | {strange: 2, (1980, 1): 1}) == SHOWN


def test_many_pictures_of_another_time_are_not_strange() -> None:
    assert last_months(USUAL | {(2040, 5): 30})[-1] == (2040, 5)
    assert last_months({(1970, 1): 3}) == [(1970, 1)]


def test_a_few_pictures_of_last_month_are_not_strange() -> None:
    assert last_months(USUAL | {(2025, 9): 1})[-1] == (2025, 9)
