"""Logs: one line for each event on stderr, as `time=… level=… name=value …` (logfmt)."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

# Whose lines an operator asks for with a level. Of libraries only warnings are shown: what they do
# step by step says nothing to an operator.
OURS = ("bot", "index", "__main__")


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
    """Send our log to stderr, from `level` ("debug", "info", "warning", "error") upwards."""
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(OneLine())
    least = logging.getLevelName(level.upper())
    logging.basicConfig(level=max(least, logging.WARNING), handlers=[to_stderr], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(least)
    logging.captureWarnings(True)
    if least <= logging.DEBUG:
        logging.getLogger("discord").setLevel(least)
    else:  # Python's warnings are for those who write programs
        logging.getLogger("py.warnings").setLevel(logging.ERROR)
