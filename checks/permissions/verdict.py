"""How much was asked, and what was wrong with the answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

KEPT_FAILURES = 20


@dataclass
class Verdict:
    """How much was asked, and what was wrong with the answers."""

    worlds: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    leaked: int = 0
    withheld: int = 0
    told: int = 0
    refused: int = 0
    pictures: int = 0  # shown
    barred: int = 0  # pictures that ranked high enough for a page and were kept off it
    failures: list[str] = field(default_factory=list)

    def note(self, failure: str) -> None:
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(failure)
