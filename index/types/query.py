"""A query, before and after the model has read it."""

from __future__ import annotations

from dataclasses import dataclass

from index.types.records import Floats


@dataclass(frozen=True, slots=True)
class Query:
    """Words, a picture, a picture already in the gallery, or any combination of them."""

    text: str | None = None
    image: bytes | None = None
    like: int | None = None  # the id of a link

    @property
    def words(self) -> str:
        """The text with its blanks tidied; "" when there is none."""
        return tidy(self.text or "")

    @property
    def empty(self) -> bool:
        return not self.words and self.image is None and self.like is None


@dataclass(frozen=True, slots=True, eq=False)
class QueryEmbedding:
    """One unit vector that stands for a query."""

    vector: Floats  # (d,) float32
    truncated: str | None = None  # the words that were read, where the text was too long
    revision: str = ""  # of the model that read it; "": the one the gallery has


def tidy(text: str) -> str:
    """The text as a model reads it: with single blanks, and without lone surrogates, which JSON
    allows."""
    return " ".join(text.encode(errors="replace").decode().split())
