"""How a word of the query language may go on, for a shell that completes it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from click.shell_completion import CompletionItem

from index.cli.question import OF_FILES, here
from index.language.fields import DATES

FOLDERS = ("in:", "from:", "-in:", "-from:")
KINDS = ("has:", "-has:")
SORTS = ("best", "new", "old")


def words(incomplete: str) -> list[CompletionItem]:
    """How this word may go on: with a field's name, or with its value."""
    field, colon, value = incomplete.partition(":")
    ways = _values(f"{field}:", value) if colon else _names()
    return [CompletionItem(way) for way in ways if way.startswith(incomplete)]


def _names() -> Iterator[str]:
    yield from (*FOLDERS, *KINDS, *(f"{name}:" for name in DATES), "sort:")


def _values(field: str, typed: str) -> Iterator[str]:
    if field in FOLDERS:
        yield from (f"{field}{folder}" for folder in _folders(typed))
    elif field in KINDS:
        yield from (f"{field}{kind}" for kind in OF_FILES)
    elif field == "sort:":
        yield from (f"{field}{order}" for order in SORTS)
    elif field[:-1] in DATES:
        now = here().now
        days = ("today", "yesterday", f"{now:%Y}", f"{now:%Y-%m}", f"{now:%Y-%m-%d}")
        yield from (f"{field}{day}" for day in days)


def _folders(typed: str) -> Iterator[str]:
    """The folders whose paths begin as it was typed, each with a slash behind it."""
    above, name = os.path.split(typed)
    try:
        entries = sorted(os.scandir(os.path.expanduser(above) or "."), key=lambda one: one.name)
        folders = [one.name for one in entries if one.is_dir()]
    except OSError:
        return
    for folder in folders:
        hidden = folder.startswith(".") and not name.startswith(".")
        if folder.isprintable() and not hidden:
            yield os.path.join(above, folder, "")
