"""How a line may go on: fields and their values, folders, and pictures by the names of files."""

from __future__ import annotations

import os
import re
from typing import Any

from index.cli.question import OF_FILES, here
from index.language import suggestions
from serve.inventory import Inventory

MOST = 12
# What fields ask for in a folder; those of chats are left out.
MEANING = {
    "in:": "a folder",
    "after:": "changed after a day, a month or a year",
    "before:": "changed before a day, a month or a year",
    "on:": "changed on a day, in a month or in a year",
    "since:": "changed on a day or later",
    "until:": "changed on a day or earlier",
    "has:": "a kind of picture",
    "sort:": "the order of the answer",
    "-in:": "a folder to leave out",
    "-has:": "a kind of picture to leave out",
}
_OF_CHATS = ("from:", "-from:", "show:")
# A folder that is being typed: in quotation marks with blanks, else to the next blank.
_FOLDER = re.compile(r"(?<!\S)-?(?:in|from):((?:\"[^\"]*|[^\s\"]*))$", re.IGNORECASE)
_WORD = re.compile(r"\S*$")
LEAST_OF_NAME = 3  # letters of a file's name before it is suggested


def suggested(inventory: Inventory, line: str, cursor: int) -> list[dict[str, Any]]:
    """Suggestions as the page reads them; for a thread, blocks.

    Each replaces the part [start, end) of the line by `text`; one with a `picture` opens that.
    """
    before = line[:cursor]
    if folder := _FOLDER.search(before):
        start = folder.start(1)
        return [
            _one(_quoted(path), start, cursor, path, f"{count:,}")
            for path, count in _folders(inventory, folder[1].lstrip('"'))
        ][:MOST]
    found = []
    for one in suggestions(line, here(), cursor):
        if one.instead in _OF_CHATS:
            continue
        if before[: one.start].endswith("has:") and one.instead not in OF_FILES:
            continue
        meaning = MEANING.get(one.instead, str(one.meaning))
        found.append(_one(one.instead, one.start, one.end, one.instead, meaning))
    return [*found[:MOST], *_pictures(inventory, before, cursor)]


def _one(text: str, start: int, end: int, shown: str, meaning: str) -> dict[str, Any]:
    return {"text": text, "start": start, "end": end, "shown": shown, "meaning": meaning}


def _folders(inventory: Inventory, typed: str) -> list[tuple[str, int]]:
    """Folders whose path has this part: those with a name that begins so come first."""
    typed = typed.casefold()
    counts: dict[str, int] = {}
    for path, count in inventory.folders.items():
        while path:  # and those above it
            counts[path] = counts.get(path, 0) + count
            path = os.path.dirname(path)
    found = [path for path in counts if typed in path.casefold()]
    begins = {path: os.path.basename(path).casefold().startswith(typed) for path in found}
    found.sort(key=lambda path: (not begins[path], path))
    return [(path, counts[path]) for path in found[:MOST]]


def _quoted(path: str) -> str:
    if re.fullmatch(r"[\w./-]+", path):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _pictures(inventory: Inventory, before: str, cursor: int) -> list[dict[str, Any]]:
    word = _WORD.search(before)
    typed = word[0] if word else ""
    if len(typed) < LEAST_OF_NAME:
        return []
    return [
        _one("", cursor - len(typed), cursor, os.path.basename(source), "a picture")
        | {"picture": int(inventory.links[place])}
        for place in inventory.named(typed)
        for source in [inventory.sources[place]]
    ]
