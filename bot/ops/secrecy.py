"""The token and the passwords of databases stay within this process once they have been read."""

from __future__ import annotations

import ctypes
import os
import sys

SECRETS = ("DISCORD_TOKEN", "MAGPIE_DB", "MAGPIE_WORKERS")
_PR_SET_DUMPABLE = 4  # linux/prctl.h


def hide_secrets() -> None:
    """Let no child inherit a secret, and no other process of the same user read one from this one.

    A program's first environment stays in its memory, where `/proc` shows it to every process of
    the same user. On Linux, a process that isn't dumpable is shown to root alone, memory and all.
    So it leaves no core dump, and debuggers need root.
    """
    for name in SECRETS:
        os.environ.pop(name, None)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
