"""The error whose text a member reads."""

from __future__ import annotations


class Refusal(Exception):
    """What was asked cannot be had; its text is the sentence to answer with."""
