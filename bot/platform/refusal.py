"""The error whose text is the answer to a member."""

from __future__ import annotations

from collections.abc import Callable

from bot.languages.speech import ENGLISH, speaking


class Refusal(Exception):
    """A question or a command can't be answered.

    sentence   says why; called when it is told, it speaks the language of who reads it then

    `str(error)` is English, for the log.
    """

    def __init__(self, sentence: Callable[[], str]) -> None:
        super().__init__()
        self.sentence = sentence

    def __str__(self) -> str:
        with speaking(ENGLISH):
            return self.sentence()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"
