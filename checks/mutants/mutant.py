"""A change that breaks a promise, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]  # the checkout


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken copy."""

    promise: str  # what it breaks, in a few words; no two have the same
    file: str  # below the checkout
    old: str  # a text that stands there once
    new: str
    tests: tuple[str, ...]  # files or single tests, as pytest names them

    def broken(self, text: str) -> str:
        """The file's text with the change.

        raises   ValueError when `old` doesn't stand there exactly once
        """
        found = text.count(self.old)
        if found != 1:
            raise ValueError(f"{self.file} has the text to change {found} times")
        return text.replace(self.old, self.new)
