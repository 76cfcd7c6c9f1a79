"""How a command ends: its exit code, and the error of one that was used wrongly."""

from __future__ import annotations

DONE = 0
NOTHING_FOUND = 1
REFUSED = 2  # wrong use, or a refusal; the message says why
# Stopped by Ctrl-C. What was finished is kept, and the same command continues from there.
INTERRUPTED = 130


class WrongUse(Exception):
    """A command can't be run as it was given; the message says what to do instead."""
