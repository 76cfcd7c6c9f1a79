"""Fields of a question: a channel or a member, open to the asker or closed, and an order."""

from __future__ import annotations

from dataclasses import dataclass

from checks.permissions.inquiry import Inquiry
from index import Sort


@dataclass(frozen=True, slots=True)
class Terms:
    """`in:`, `from:` and `sort:`, by the values that are typed behind them.

    named   by names; else by mentions
    """

    values: dict[str, str]
    within: int | None
    author: int | None
    sort: Sort
    named: bool

    def behind(self, words: str) -> str:
        """The words as a line with these fields."""
        return " ".join([words, *(f"{name}:{value}" for name, value in self.values.items())])


NO_TERMS = Terms({}, None, None, Sort.BEST, named=False)


def any_terms(inquiry: Inquiry) -> Terms:
    """A channel, a member, or both, by names or mentions; and perhaps an order."""
    rng = inquiry.rng
    within = rng.choice(list(inquiry.server.places)) if rng.random() < 0.8 else None
    author = rng.choice(inquiry.of.people) if within is None or rng.random() < 0.4 else None
    sort = rng.choice((Sort.BEST, Sort.BEST, Sort.NEWEST, Sort.OLDEST))
    named, values = rng.random() < 0.5, {"sort": sort.value}
    if within is not None:
        values["in"] = f"#{inquiry.of.name(within)}" if named else f"<#{within}>"
    if author is not None:
        values["from"] = f"@person{author}" if named else f"<@{author}>"
    return Terms(values, within, author, sort, named)
