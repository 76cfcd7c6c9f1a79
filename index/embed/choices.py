"""The number formats that were chosen on this machine, so that each start computes in the same one.

They are a small file in the user's cache folder. Where that can't be written, each start chooses
anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path

log = logging.getLogger(__name__)

FILE = "number-formats.json"
MAX_CHOICES = 100  # the newest are kept


def key_of(*parts: object) -> str:
    """A short name of what a choice depends on."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]


def remembered(key: str) -> str | None:
    """What was chosen; None when nothing is known."""
    return _read().get(key)


def remember(key: str, choice: str) -> None:
    """Keep what was chosen."""
    kept = {other: made for other, made in _read().items() if other != key} | {key: choice}
    newest = dict(list(kept.items())[-MAX_CHOICES:])
    try:
        folder = cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written under another name first: two starts at once must not leave half a file.
        number, made = tempfile.mkstemp(dir=folder, prefix=FILE)
        with open(number, "w", encoding="ascii") as file:
            json.dump(newest, file, indent=1)
        os.replace(made, folder / FILE)
    except (OSError, RuntimeError) as exc:
        log.debug("the number format is not remembered: %s", exc)


def _read() -> dict[str, str]:
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        kept = json.loads((cache_folder() / FILE).read_bytes())
        if isinstance(kept, dict):
            return {key: made for key, made in kept.items() if isinstance(made, str)}
    return {}


def cache_folder() -> Path:
    """raises   RuntimeError for a user without a home"""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "magpie"
