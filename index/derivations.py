"""What the pipeline makes from each picture and text beside its embedding."""

from __future__ import annotations

from typing import Protocol


class Derivation(Protocol):
    """Makes one thing, as bytes, from each picture and text.

    The pipeline runs it on new pictures and on those that are embedded a second time; the store
    keeps its results for a derivation of this name and revision that has begun, see
    `Derivations.begin`.
    """

    @property
    def name(self) -> str:
        """Part of a table's name: a-z and _ only."""

    @property
    def revision(self) -> str:
        """What was made by another revision is of no use."""

    @property
    def required(self) -> bool:
        """Whether a picture is refused if this fails on it; else its work there stays pending."""

    async def of_picture(self, data: bytes) -> bytes:
        """What is made from the picture with these bytes. raises PictureError"""

    async def of_text(self, text: str) -> bytes:
        """What is made from the text, which has only single blanks."""
