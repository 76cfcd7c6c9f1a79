"""What a program prints: each line harmless to a terminal, in any encoding.

Names of files and texts come from anywhere. All lines of the command line pass through here, so
that no name can move the cursor, take a second line or end a command with a traceback. JSON and
bare paths stay exact.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from console.reasons import reason_of

# What a terminal obeys, or what changes the direction or the lines of what it shows: control
# characters, marks of direction, separators of lines. Lone surrogates stand for bytes that are no
# UTF-8 and can't be printed.
_INVISIBLE = "\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_UNSAFE = re.compile(f"[\x00-\x1f{_INVISIBLE}]")
_UNSAFE_IN_JSON = re.compile(f"[{_INVISIBLE}]")  # JSON escapes the others itself
_SHORT_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

# What our own sentences say in place of characters that an old encoding lacks.
_PLAIN = {"“": '"', "”": '"', "’": "'", "·": "-", "–": "-", "×": "x", "…": "..."}


class OutputLost(Exception):
    """Standard output takes nothing more: its reader has gone, or its disk is full.

    reason   None: the reader has gone, as in `… | head`
    """

    def __init__(self, reason: str | None) -> None:
        super().__init__(reason)
        self.reason = reason


def prepare() -> None:
    """Let the standard streams take every character, and stand in for those that are closed."""
    codecs.register_error("plain", _in_plain_letters)
    # A file that is opened where a closed stream was would get what is printed.
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def _in_plain_letters(error: UnicodeError) -> tuple[str | bytes, int]:
    """What stands for characters that an encoding lacks; an error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    if all(character in _PLAIN for character in missing):
        return "".join(_PLAIN[character] for character in missing), error.end
    return codecs.backslashreplace_errors(error)


def harmless(text: str) -> str:
    """The text with what a terminal would obey written as an escape, such as `\\x1b`."""
    return _UNSAFE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a name that isn't UTF-8
        code -= 0xDC00
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: "1 text", "2,000 texts"; a plural without an s is handed in."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


# ---- printing


def say(line: str) -> None:
    """Print one line. raises OutputLost"""
    with losing():
        print(harmless(line))


def say_error(line: str) -> None:
    """Print one line on the standard error; when that takes nothing either, nobody is told."""
    with contextlib.suppress(OSError):
        print(harmless(line), file=sys.stderr, flush=True)


def say_sentence(sentence: str) -> None:
    """Print the lines of a sentence of ours on the standard error, the hint below it with it."""
    for line in sentence.split("\n"):
        say_error(line)


def say_exact(text: str) -> None:
    """Print what a program reads, as it is. raises OutputLost"""
    with losing():
        print(text)


def say_json(value: Any) -> None:
    """Print as JSON, which a program reads back exactly. raises OutputLost"""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    text = _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2)
    with losing():
        print(text)


def say_paths(paths: Sequence[str], *, zeros: bool) -> None:
    """Print bare paths for another program, a line each or with a zero byte behind each.

    A terminal that reads lines gets them harmless.
    raises   OutputLost
    """
    if not zeros and sys.stdout.isatty():
        for path in paths:
            say(path)
        return
    end = b"\0" if zeros else b"\n"
    with losing():
        sys.stdout.flush()
        sys.stdout.buffer.write(b"".join(os.fsencode(path) + end for path in paths))


def flush() -> None:
    """Write what is still kept back. raises OutputLost"""
    with losing():
        sys.stdout.flush()


def discard() -> None:
    """Drop what can't be written, so that the end of the process doesn't try once more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_lines(text: str) -> None:
    """Print a text of ours that has lines, such as a help. raises OutputLost"""
    for line in text.split("\n"):
        say(line)


@contextlib.contextmanager
def losing() -> Iterator[None]:
    """Raise the errors of what prints in the block as OutputLost."""
    try:
        yield
    except BrokenPipeError as exc:
        raise OutputLost(None) from exc
    except OSError as exc:
        raise OutputLost(reason_of(exc)) from exc
