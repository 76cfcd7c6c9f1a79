"""Which pictures of the gallery are surely gone, and which only can't be seen at the moment.

A picture is gone when the folder that it was in was listed, has something in it, and doesn't have
the picture; or when that folder is gone in the same sense. An empty folder may be the place of a
drive that isn't connected, and so may a folder that was a drive when it was last seen.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeAlias

from index.cli.paths import is_under
from index.cli.walk import Listing

Standing: TypeAlias = Literal["here", "away", "gone"]


@dataclass(slots=True)
class Vanished:
    """What became of pictures that a walk did not find.

    gone      the sources that no longer exist
    empty     folders that are empty now, and how many pictures were in them
    mounts    folders where a drive was that isn't there now, and how many pictures it had
    unlisted  folders that could not be listed, and how many pictures they have
    """

    gone: list[str] = field(default_factory=list)
    empty: dict[str, int] = field(default_factory=dict)
    mounts: dict[str, int] = field(default_factory=dict)
    unlisted: dict[str, int] = field(default_factory=dict)


def vanished(
    known: Collection[str], root: str, listing: Listing, mounts: Collection[str]
) -> Vanished:
    """What became of the known files under `root` that are not in the listing.

    mounts   folders where other drives began when they were last seen
    """
    result = Vanished()
    away = _mounts_away(known, listing, mounts)

    @cache
    def keeper(folder: str) -> tuple[dict[str, int], str] | None:
        """Where pictures of this folder count as kept, and by which folder; None: not kept."""
        for mount in away:
            if is_under(folder, mount):
                return result.mounts, mount
        place = _nearest_looked_at(folder, root, listing)
        if place in listing.unlisted:
            return result.unlisted, place
        if not listing.listed.get(place):
            return result.empty, place
        below = _next(place, folder)
        return ({}, below) if below and _is_passed_over(below) else None

    for source in known:
        if source in listing.files or source == root or not is_under(source, root):
            continue
        kept = keeper(os.path.dirname(source))
        if kept:
            counts, place = kept
            counts[place] = counts.get(place, 0) + 1
        elif _is_gone(source):
            result.gone.append(source)
    return result


def _mounts_away(known: Iterable[str], listing: Listing, mounts: Collection[str]) -> list[str]:
    """The mounts that are none now, unless what they had was moved to this drive."""
    missing = [mount for mount in mounts if mount not in listing.mounts]
    seen = [source for source in known if source in listing.files] if missing else []
    return [mount for mount in missing if not any(is_under(source, mount) for source in seen)]


def _nearest_looked_at(folder: str, root: str, listing: Listing) -> str:
    """The folder, or the nearest one above it, that the walk listed or tried to list."""
    while folder != root and folder not in listing.listed and folder not in listing.unlisted:
        folder = os.path.dirname(folder)
    return folder


def _next(place: str, folder: str) -> str | None:
    """The folder below `place` on the way to `folder`; None where they are the same."""
    if folder == place:
        return None
    start = len(place.rstrip(os.sep)) + 1
    end = folder.find(os.sep, start)
    return folder if end < 0 else folder[:end]


def _is_passed_over(folder: str) -> bool:
    """Whether this is there and wasn't listed: it is hidden, excluded, or a link."""
    return not _is_gone(folder) and not os.path.isfile(folder)


def _is_gone(path: str) -> bool:
    """Whether nothing is there; False when the system can't tell."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def standing(path: str, mounts: Collection[str]) -> Standing:
    """Whether a file is there ("here"), is surely gone, or can't be seen now ("away").

    mounts   folders where other drives began when they were last seen
    """
    try:
        os.stat(path)
        return "here"
    except (OSError, ValueError):
        if not _is_gone(path):
            return "away"  # no permission, a drive that fails, a link that leads nowhere
    if any(is_under(path, mount) and not os.path.ismount(mount) for mount in mounts):
        return "away"
    folder = os.path.dirname(path)
    while _is_gone(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    try:
        with os.scandir(folder) as entries:
            return "gone" if next(entries, None) else "away"
    except NotADirectoryError:
        return "gone"
    except OSError:
        return "away"
