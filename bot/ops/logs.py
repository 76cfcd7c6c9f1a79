"""Logs: one line for each event on stderr, as `time=… level=… name=value …` (logfmt)."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

# Libraries that log every request or step at the level `debug`.
CHATTY = ("aiosqlite", "asyncio", "filelock", "httpcore", "httpx", "huggingface_hub", "PIL")


def fields(event: str, **values: object) -> str:
    """`event=NAME name=value …` on one line; values are quoted where necessary."""
    return " ".join([f"event={event}", *(f"{name}={_piece(v)}" for name, v in values.items())])


def _piece(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = str(value)
    if text and text.isprintable() and not any(letter in ' "=' for letter in text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{"".join(map(_visible, escaped))}"'


def _visible(letter: str) -> str:
    """The letter, escaped if a terminal would obey it: names come from strangers."""
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


class OneLine(logging.Formatter):
    """Formats a record as one line; a traceback becomes one field of it."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        message = record.getMessage()
        if not message.startswith("event="):  # a library's
            message = fields("log", source=record.name, message=message)
        line = f"time={moment} level={record.levelname.lower()} {message}"
        if record.exc_info and record.exc_info[0] is not None:
            line += f" traceback={_piece(self.formatException(record.exc_info))}"
        return line.replace("\r", "\\r").replace("\n", "\\n")


def set_up(level: str) -> None:
    """Send the log to stderr, from `level` ("debug", "info", "warning", "error") upwards."""
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(OneLine())
    logging.basicConfig(level=level.upper(), handlers=[to_stderr], force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("discord").setLevel("DEBUG" if level == "debug" else "WARNING")
