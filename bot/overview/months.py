"""The months of an overview, one after another."""

from __future__ import annotations

from index import Month, Overview


def span(overview: Overview) -> tuple[Month, Month]:
    """The first and the last month; of an overview of something."""
    months = sorted(overview.months)
    return months[0], months[-1]


def last_months(overview: Overview, most: int) -> list[Month]:
    """All months from the first to the last, those without pictures too; at most the last ones."""
    (first_year, first), (last_year, last) = span(overview)
    begin, end = 12 * first_year + first - 1, 12 * last_year + last - 1
    begin = max(begin, end - most + 1)
    return [(month // 12, month % 12 + 1) for month in range(begin, end + 1)]
