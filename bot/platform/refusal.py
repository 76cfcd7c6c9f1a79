"""The error whose text is the answer to a member."""

from __future__ import annotations


class Refusal(Exception):
    """A question or a command can't be answered; the text is the sentence that says why."""
