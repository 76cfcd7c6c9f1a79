"""Patterns of files and folders that `add` passes over, written as in a .gitignore file."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from console.exits import WrongUse
from console.output import harmless


class Exclusion:
    """Patterns, any of which may fit.

    `*`, `?` and `[…]` stand for characters within a name. A pattern without a slash fits the name
    of a file or folder at any depth. One with a slash fits the path from the folder that `add`
    names, and its part `**` stands for any number of folders. One that ends with a slash fits
    folders only.

    raises   WrongUse for a pattern that begins with "!"
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [_parsed(pattern) for pattern in patterns]

    def fits(self, path: str, *, is_folder: bool) -> bool:
        """Whether the path, relative to the named folder and with "/" between its parts, is to be
        passed over."""
        parts = path.split("/")
        return any(
            (is_folder or not folders_only) and _fits(parts, pattern)
            for pattern, folders_only in self._patterns
        )


def _parsed(pattern: str) -> tuple[list[str], bool]:
    """The parts of a pattern, and whether it fits folders only. raises WrongUse"""
    if pattern.startswith("!"):
        name = harmless(pattern)
        raise WrongUse(
            f"--exclude {name}: a pattern here only passes over, so none can begin with “!” to "
            f"bring something back. For a name that begins so, write \\{name}."
        )
    pattern = pattern.removeprefix("\\")
    name = pattern.rstrip("/")
    parts = name.removeprefix("/").split("/")
    return (parts if "/" in name else ["**", *parts]), name != pattern


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_fits(parts[i:], pattern[1:]) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _fits(parts[1:], pattern[1:])
