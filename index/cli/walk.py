"""Lists the pictures under some paths, and says what it could not look at.

A folder that can't be listed, and an entry that can't be looked at, are named and passed over. They
never end the walk, and nothing is concluded from what is not seen there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from index.cli.exclusion import Exclusion
from index.cli.paths import absolute, odd_kind, why

# Endings of the files in a folder that count as pictures. A file named on the command line is taken
# whatever its ending. Kinds that can't be read are in the list too, so that the summary says so.
READ = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif"),
    *(".avif", ".avifs", ".heic", ".heif", ".hif", ".bmp", ".mpo"),
)
RARELY_USED = (
    *(".dib", ".tif", ".tiff", ".ico", ".jp2", ".j2k", ".j2c", ".jpc"),
    *(".jpf", ".jpx", ".pbm", ".pgm", ".ppm", ".pnm", ".pfm", ".psd"),
    *(".qoi", ".tga"),
)
VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".3gp", ".ogv", ".wmv"),
    *(".flv", ".mts", ".m2ts"),
)
NOT_READ = (
    *(".jxl", ".svg", ".svgz", ".heics", ".psb", ".xcf", ".kra", ".cur"),
    *(".icns", ".jxr", ".wdp", ".hdp", ".dds", ".exr", ".hdr", ".eps"),
    *(".pcx", ".sgi", ".mng", ".jng", ".emf", ".wmf", ".dng", ".cr2"),
    *(".cr3", ".crw", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef"),
    *(".srw",),
)
ENDINGS = READ + RARELY_USED + VIDEOS + NOT_READ


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was when its folder was walked."""

    path: Path
    size: int
    mtime_ns: int

    @property
    def stamp(self) -> dict[str, int]:
        """Size and time of last change, which show whether the file has changed."""
        return {"size": self.size, "mtime_ns": self.mtime_ns}


@dataclass(slots=True)
class Listing:
    """What was seen under some paths, all of them absolute.

    files      the pictures, by path, in the order of their names
    listed     folders that were listed to their end, and whether anything was in them
    unlisted   folders that could not be listed, and why
    unseen     entries that could not be looked at or are no files, and why, as a sentence
    mounts     folders where another drive begins
    links      links to folders, which are not followed
    """

    files: dict[str, File] = field(default_factory=dict)
    listed: dict[str, bool] = field(default_factory=dict)
    unlisted: dict[str, str] = field(default_factory=dict)
    unseen: dict[str, str] = field(default_factory=dict)
    mounts: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)


def walk(
    paths: Sequence[str],
    exclude: Sequence[str] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> Listing:
    """The pictures under these paths, each once.

    Hidden files and folders are skipped, and links to folders are not followed.

    exclude   patterns of files and folders to pass over, see `exclusion`; a path that is named
              itself is taken all the same
    stopped   asked before each folder; True ends the walk
    """
    listing = Listing()
    exclusion = Exclusion(exclude)
    for path in paths:
        root = absolute(path)
        if os.path.isdir(root):
            _walk(root, exclusion, listing, stopped)
        else:
            _look_at(root, listing)
    return listing


def _walk(root: str, exclusion: Exclusion, listing: Listing, stopped: Callable[[], bool]) -> None:
    if os.path.ismount(root):
        listing.mounts.add(root)
    waiting = [root]
    while waiting and not stopped():
        folder = waiting.pop()
        if folder not in listing.listed and folder not in listing.unlisted:
            waiting += reversed(_list(folder, root, exclusion, listing))


def _list(folder: str, root: str, exclusion: Exclusion, listing: Listing) -> list[str]:
    """Take the pictures of one folder; returns its folders."""
    folders = []
    for entry in _entries(folder, listing):
        if entry.name.startswith("."):
            continue
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if exclusion.fits(_relative(entry.path, root), is_folder=is_folder):
                continue
            if is_folder:
                folders.append(entry.path)
                if entry.stat(follow_symlinks=False).st_dev != os.stat(folder).st_dev:
                    listing.mounts.add(entry.path)
                continue
        except OSError as exc:
            listing.unseen[entry.path] = _sentence(exc)
            continue
        if _leads_to_folder(entry):
            listing.links.append(entry.path)
        elif entry.name.lower().endswith(ENDINGS):
            _look_at(entry.path, listing)
    return folders


def _entries(folder: str, listing: Listing) -> list[os.DirEntry[str]]:
    """The entries of a folder by name; as many as came, if a drive fails in the middle."""
    entries: list[os.DirEntry[str]] = []
    try:
        with os.scandir(folder) as found:
            entries += found
        listing.listed[folder] = bool(entries)
    except (OSError, ValueError) as exc:
        listing.unlisted[folder] = why(exc)
    return sorted(entries, key=lambda entry: entry.name)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:
        return False


def _relative(path: str, root: str) -> str:
    return path[len(root.rstrip(os.sep)) + 1 :].replace(os.sep, "/")


def _look_at(path: str, listing: Listing) -> None:
    """Take the file if it is one; a link stands for the file that it leads to."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            listing.unseen[path] = "It is a link, and what it leads to is not there."
        return  # else the file was removed a moment ago
    except (OSError, ValueError) as exc:
        listing.unseen[path] = _sentence(exc)
        return
    if stat.S_ISREG(status.st_mode):
        listing.files.setdefault(path, File(Path(path), status.st_size, status.st_mtime_ns))
    elif kind := odd_kind(status.st_mode):
        listing.unseen[path] = f"It is {kind}, not a file."


def _sentence(exc: OSError | ValueError) -> str:
    return f"It can't be read ({why(exc)})."
