"""The interface of a kind of hostile input: it makes inputs and gives them to the product."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Unsound(Exception):
    """The product answered, and the answer breaks a promise."""


class FuzzTarget(Protocol, Generic[T]):
    """A kind of input: made once in a process, with a folder of its own, and closed at its end."""

    limit_s: float  # processor time that one input may take, that of decoding it included
    memory_bytes: int | None  # limit of the process, where the product sets one itself

    def make(self, rng: random.Random) -> T:
        """An input, the same for the same `rng`."""

    def run(self, subject: T) -> str:
        """Give it to the product. -> what came of it, in a word

        raises   any error that the product doesn't expect, and Unsound
        """

    def kept(self, subject: T) -> bytes:
        """The input as a file to keep when it fails."""

    def close(self) -> None: ...


def rng_of(seed: int, kind: str, number: int) -> random.Random:
    """The random numbers that decide everything about one input."""
    return random.Random(f"{seed} {kind} {number}")


def file_of(folder: Path, seed: int, kind: str, number: int) -> Path:
    """Where an input that failed is kept."""
    return folder / f"{kind}-{seed}-{number}"
