"""How a command ends: its exit code, and the error of one that was used wrongly."""

from __future__ import annotations

DONE = 0
NOTHING_FOUND = 1  # the command was right, and there is nothing of that kind
# Wrong use, or a refusal; the message says why. Also where nothing could be read of what was named.
REFUSED = 2
# Stopped by Ctrl-C. What was finished is kept, and the same command continues from there.
INTERRUPTED = 130


class WrongUse(Exception):
    """A command can't be run as it was given; the message says what to do instead."""
