"""A folder of photographs as a gallery: what is new, changed or vanished since the last `add`.

A file's path is the source of its link, in space 0 and group 0. The link's details have the file's
size and the time of its last change. A text file has one link for each line.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.gallery import Gallery
from index.images.decode import LIMITS
from index.types.errors import PictureError, PictureTooLarge
from index.types.records import EmbeddedPicture, Group, Link

SPACE = 0
GROUP = Group(0)

# Endings of the files in a folder that count as pictures. A file named on the command line is taken
# whatever its ending. Kinds that can't be read are in the list too, so that the summary says so.
READ = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif", ".bmp")
RARELY_USED = (".dib", ".tif", ".tiff")
NOT_READ = (".heic", ".heif", ".jxl", ".jp2", ".svg", ".psd", ".ico")
ENDINGS = READ + RARELY_USED + NOT_READ

# Files that are processed at the same time: enough to keep the decoders and the model busy, and few
# enough for memory.
CONCURRENCY = 32
# A commit comes after this many pictures or this long. When the process is killed, at most these
# are lost.
COMMIT_ITEMS = 200
COMMIT_S = 2.0


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
class Tally:
    """How far an `add` has come, and what it has found."""

    total: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    vanished: int = 0
    broken: list[tuple[str, str]] = field(default_factory=list)  # path and reason
    missing_folders: list[tuple[Path, int]] = field(default_factory=list)  # with their counts
    stopped: bool = False

    @property
    def done(self) -> int:
        """Files that are finished."""
        return self.added + self.changed + self.unchanged + len(self.broken)

    @property
    def worked(self) -> int:
        """Files that took work; speed is measured by them."""
        return self.added + self.changed + len(self.broken)


def walk(paths: Sequence[Path]) -> list[File]:
    """The pictures under these paths, each once, in the order of their names.

    Hidden files and folders are skipped, and links to folders are not followed.
    """
    found: dict[Path, File] = {}
    for path in paths:
        for file in _under(Path(os.path.abspath(path))):
            found.setdefault(file.path, file)
    return list(found.values())


def _under(path: Path) -> Iterator[File]:
    if path.is_file():
        yield _file(path, path.stat())
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.lower().endswith(ENDINGS):
                file = Path(folder, name)
                try:
                    yield _file(file, file.stat())
                except FileNotFoundError:
                    continue  # a broken link, or a file that was just removed


def _file(path: Path, stat: os.stat_result) -> File:
    return File(path, stat.st_size, stat.st_mtime_ns)


class Adding:
    """One `add`. It commits in batches, so a stop or a kill leaves only complete batches."""

    def __init__(self, gallery: Gallery, progress: Callable[[Tally], None]) -> None:
        self.tally = Tally()
        self._gallery = gallery
        self._progress = progress
        self._stop = False
        self._batch: list[tuple[EmbeddedPicture, Link]] = []
        self._known: dict[str, Mapping[str, Any]] = {}
        self._next_commit = time.monotonic() + COMMIT_S

    def stop(self) -> None:
        """Begin no further file; those that were begun are finished and committed."""
        self._stop = True

    async def run(self, paths: Sequence[Path], texts: Sequence[Path] = ()) -> Tally:
        """Update the gallery to the pictures under `paths` and the lines of `texts`.

        raises   ModelError, StoreError
        """
        self._known = dict(await self._gallery.links.details(SPACE, GROUP.id))
        files = await asyncio.to_thread(walk, paths)
        self.tally.total = len(files)
        self._progress(self.tally)
        remaining = iter([file for file in files if not self._is_unchanged(file)])
        self._progress(self.tally)
        await _run_all(self._work(remaining) for _ in range(CONCURRENCY))
        await self._commit()
        for path in texts:
            await self._add_lines(path)
        self.tally.stopped = self._stop and self.tally.done < self.tally.total
        if not self._stop:
            await self._remove_vanished(paths, {str(file.path) for file in files})
        return self.tally

    def _is_unchanged(self, file: File) -> bool:
        unchanged = self._known.get(str(file.path)) == file.stamp
        self.tally.unchanged += unchanged
        return unchanged

    async def _work(self, files: Iterator[File]) -> None:
        """Add files one by one, from an iterator that all workers share."""
        for file in files:
            if self._stop:
                return
            await self._add(file)
            self._progress(self.tally)
            if len(self._batch) >= COMMIT_ITEMS or time.monotonic() > self._next_commit:
                await self._commit()

    async def _add(self, file: File) -> None:
        source = str(file.path)
        if not _is_text(source):
            self.tally.broken.append((source, "Its name is not valid UTF-8; rename it."))
            return
        try:
            picture = await self._gallery.embed_picture(await asyncio.to_thread(_read, file))
        except (PictureError, OSError) as exc:
            self.tally.broken.append((source, _reason(exc)))
            if source in self._known and isinstance(exc, PictureError):
                await self._gallery.remove_sources(SPACE, [source])  # the old picture
            return
        self._batch.append((picture, _link(file, "", file.stamp)))
        if source in self._known:
            self.tally.changed += 1
        else:
            self.tally.added += 1

    async def _commit(self) -> None:
        batch, self._batch = self._batch, []
        self._next_commit = time.monotonic() + COMMIT_S
        if batch:
            await self._gallery.commit(batch)

    async def _add_lines(self, path: Path) -> None:
        """Add each line as an entry, and remove the entries of lines that are gone."""
        file, lines = await asyncio.to_thread(_text_file, path)
        source = str(file.path)
        self.tally.total += len(lines)
        if await self._has_lines(file, lines):
            self.tally.unchanged += len(lines)
            return
        remaining = iter(lines.items())
        await _run_all(self._work_lines(file, remaining) for _ in range(CONCURRENCY))
        await self._commit()
        if not self._stop:
            await self._gallery.keep_slots(SPACE, source, list(map(str, lines)))

    async def _has_lines(self, file: File, lines: Mapping[int, str]) -> bool:
        """Whether the gallery has all lines of this file; after a kill it may have half of them."""
        before = self._known.get(str(file.path), {})
        same = all(before.get(name) == value for name, value in file.stamp.items())
        return same and await self._gallery.links.slots(SPACE, str(file.path)) == set(
            map(str, lines)
        )

    async def _work_lines(self, file: File, lines: Iterator[tuple[int, str]]) -> None:
        for number, text in lines:
            if self._stop:
                return
            entry = await self._gallery.embed_text(text)
            self._batch.append((entry, _link(file, str(number), file.stamp | {"line": number})))
            self.tally.added += 1
            self._progress(self.tally)
            if len(self._batch) >= COMMIT_ITEMS or time.monotonic() > self._next_commit:
                await self._commit()

    async def _remove_vanished(self, paths: Sequence[Path], seen: Collection[str]) -> None:
        """Remove the entries of files under these paths that no longer exist."""
        for path in paths:
            missing, is_empty = await asyncio.to_thread(_vanished, self._known, path, seen)
            if is_empty:
                self.tally.missing_folders.append((path, len(missing)))
            elif missing:
                await self._gallery.remove_sources(SPACE, missing)
                self.tally.vanished += len(missing)


def _vanished(known: Collection[str], path: Path, seen: Collection[str]) -> tuple[list[str], bool]:
    """The known files under the path that no longer exist; and whether the path is an empty folder,
    which may mean that a drive isn't connected."""
    root = os.path.abspath(path)
    missing = [s for s in known if _is_under(s, root) and s not in seen and not os.path.lexists(s)]
    return missing, bool(missing) and os.path.isdir(root) and not os.listdir(root)


def _text_file(path: Path) -> tuple[File, dict[int, str]]:
    """The file, and its lines by their numbers."""
    file = _file(Path(os.path.abspath(path)), path.stat())
    return file, _lines(path.read_text("utf-8", "replace"))


def _is_under(source: str, path: str) -> bool:
    return source == path or source.startswith(path.rstrip(os.sep) + os.sep)


def _is_text(path: str) -> bool:
    """Whether a path can be stored as text: Linux allows names of any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(file: File) -> bytes:
    if file.size > LIMITS.bytes:
        raise PictureTooLarge(file.size, LIMITS.bytes, "bytes")
    return file.path.read_bytes()


def _lines(text: str) -> dict[int, str]:
    """The lines that aren't empty, by their number."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return {number: line for number, line in enumerate(lines, start=1) if line}


def _link(file: File, slot: str, details: Mapping[str, Any]) -> Link:
    return Link(
        space=SPACE,
        group=GROUP,
        source=str(file.path),
        slot=slot,
        posted_at=file.mtime_ns / 1e9,
        name=file.path.name,
        details=details,
    )


def _reason(exc: Exception) -> str:
    if isinstance(exc, OSError):
        return f"It can't be read ({(exc.strerror or str(exc)).lower()})."
    return str(exc)


async def _run_all(work: Iterator[Any]) -> None:
    """Run all of them; the first error cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
