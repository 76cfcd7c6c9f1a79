"""How a word of the query language may go on, for a shell that completes it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from click.shell_completion import CompletionItem

from index.cli.question import OF_FILES, here
from index.language.fields import DATES

FOLDERS = ("in:", "from:", "-in:", "-from:")
KINDS = ("has:", "-has:")
SORTS = ("best", "new", "old")


def words(incomplete: str) -> list[CompletionItem[str]]:
    """How this word may go on: with a field's name, or with its value."""
    field, colon, value = incomplete.partition(":")
    field += colon
    if field in FOLDERS:
        return [CompletionItem(field + folder, folder=True) for folder in _folders(value)]
    ways = [field + way for way in _values(field)] if colon else _names()
    return [CompletionItem(way) for way in ways if way.startswith(incomplete)]


def _names() -> list[str]:
    return [*FOLDERS, *KINDS, *(f"{name}:" for name in DATES), "sort:"]


def _values(field: str) -> Sequence[str]:
    if field in KINDS:
        return OF_FILES
    if field == "sort:":
        return SORTS
    if field[:-1] not in DATES:
        return ()
    now = here().now
    return "today", "yesterday", f"{now:%Y}", f"{now:%Y-%m}", f"{now:%Y-%m-%d}"


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
        if folder.startswith(name) and folder.isprintable() and not hidden:
            yield os.path.join(above, folder, "")
