"""A folder of photographs as a gallery: what is new, changed or vanished since the last `add`.

A file's path is the source of its link, in space 0 and group 0. The link's details have the file's
size and the time of its last change. A text file has one link for each line.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.cli import notes
from index.cli.contents import contents
from index.cli.paths import is_under, refuse_odd, why
from index.cli.place import GROUP, SPACE
from index.cli.vanished import Vanished, vanished
from index.cli.walk import File, Listing
from index.gallery import Gallery
from index.types.errors import PictureError
from index.types.records import EmbeddedPicture, Link

# Files that are processed at the same time: enough to keep the decoders and the model busy, and few
# enough for memory.
CONCURRENCY = 32
# A commit comes after this many pictures or this long. When the process is killed, at most these
# are lost.
COMMIT_ITEMS = 200
COMMIT_S = 2.0
NOT_UTF8 = "Its name is not valid UTF-8; rename it."


@dataclass(slots=True)
class Tally:
    """How far an `add` has come, and what it has found.

    broken          files that couldn't be read, each with the reason as a sentence
    partial         files of which only a part could be read, and is searched
    broken_before   files that an earlier `add` couldn't read, and that haven't changed since
    gone_meanwhile  files that were gone when their turn came
    vanished        what became of pictures that were not found again, a report for each path
    """

    total: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)
    broken_before: set[str] = field(default_factory=set)
    gone_meanwhile: int = 0
    vanished: list[Vanished] = field(default_factory=list)
    stopped: bool = False

    @property
    def done(self) -> int:
        """Files that are finished."""
        return self.worked + self.unchanged + len(self.broken_before)

    @property
    def worked(self) -> int:
        """Files that took work; speed is measured by them."""
        return self.added + self.changed + len(self.broken) + self.gone_meanwhile

    @property
    def gone(self) -> int:
        """Pictures that were removed, since their files no longer exist."""
        return sum(len(report.gone) for report in self.vanished)


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of texts: its lines that aren't empty, by their number."""

    file: File
    lines: Mapping[int, str]


class Adding:
    """One `add`. It commits in batches, so a stop or a kill leaves only complete batches.

    stop   when it is set, no further file is begun; those that were begun are committed
    """

    def __init__(self, gallery: Gallery, listing: Listing, stop: threading.Event) -> None:
        self.tally = Tally()
        self._gallery = gallery
        self._listing = listing
        self._stop = stop
        self._progress: Callable[[Tally], None] = lambda tally: None
        self._batch: list[tuple[EmbeddedPicture, Link]] = []
        self._known: dict[str, Mapping[str, Any]] = {}
        self._notes = notes.Notes()
        self._roots: list[str] = []
        self._new: list[File] = []
        self._lacking: list[File] = []  # unchanged, but added by a Magpie that made less of them
        self._new_texts: list[TextFile] = []
        self._next_commit = time.monotonic() + COMMIT_S

    @property
    def needs_model(self) -> bool:
        """Whether there is something to embed."""
        return bool(self._new or self._new_texts)

    async def plan(
        self, paths: Sequence[str], texts: Sequence[str] = (), *, again: bool = False
    ) -> None:
        """Compare what was listed with what the gallery has.

        paths   that were walked, absolute; a file among them is read also where it failed before
        texts   files whose lines are entries, absolute
        again   read all files again that failed before
        """
        self._known = dict(await self._gallery.links.details(SPACE, GROUP.id))
        self._notes = await notes.load(self._gallery)
        self._roots = list(paths)
        self.tally.broken |= self._listing.unseen
        self.tally.total = len(self._listing.files) + len(self._listing.unseen)
        lacking = await self._gallery.sources_pending(SPACE)
        failed_before = {} if again else self._notes.unreadable
        for source, file in self._listing.files.items():
            if not _is_text(source):
                self.tally.broken[source] = NOT_UTF8
            elif _is_same(self._known.get(source), file):
                if source in lacking:
                    self._lacking.append(file)
                else:
                    self.tally.unchanged += 1
            elif failed_before.get(source) == file.stamp and source not in self._roots:
                self.tally.broken_before.add(source)
            else:
                self._new.append(file)
        for source in texts:
            await self._plan_text(source)

    async def _plan_text(self, source: str) -> None:
        if not _is_text(source):
            self.tally.broken[source] = NOT_UTF8
            self.tally.total += 1
            return
        try:
            text = await asyncio.to_thread(_text_file, Path(source))
        except OSError as exc:
            self.tally.broken[source] = f"It can't be read ({why(exc)})."
            self.tally.total += 1
            return
        self.tally.total += len(text.lines)
        if await self._has_lines(text):
            self.tally.unchanged += len(text.lines)
        else:
            self._new_texts.append(text)

    async def _has_lines(self, text: TextFile) -> bool:
        """Whether the gallery has all lines of this file; after a kill it may have half of them."""
        source = str(text.file.path)
        return _is_same(self._known.get(source), text.file) and await self._gallery.links.slots(
            SPACE, source
        ) == set(map(str, text.lines))

    async def run(self, progress: Callable[[Tally], None]) -> Tally:
        """Bring the gallery to what was planned.

        progress   called after each picture
        raises     ModelError, StoreError
        """
        self._progress = progress
        self._progress(self.tally)
        remaining = iter(self._new)
        await _run_all(self._work(remaining) for _ in range(CONCURRENCY))
        remaining = iter(self._lacking)
        await _run_all(self._complete(remaining) for _ in range(CONCURRENCY))
        await self._commit()
        for text in self._new_texts:
            await self._add_lines(text)
        self.tally.stopped = self._stop.is_set() and self.tally.done < self.tally.total
        if not self._stop.is_set():
            await self._remove_vanished()
        await notes.save(self._gallery, self._notes)
        return self.tally

    async def _work(self, files: Iterator[File]) -> None:
        """Add files one by one, from an iterator that all workers share."""
        for file in files:
            if self._stop.is_set():
                return
            await self._add(file)
            self._progress(self.tally)
            await self._commit_when_due()

    async def _complete(self, files: Iterator[File]) -> None:
        """Make what these lack; that needs no model, since they are in the gallery already."""
        for file in files:
            if self._stop.is_set():
                return
            with contextlib.suppress(OSError, PictureError):
                data = await contents(file.path, self._gallery)
                picture = await self._gallery.embed_picture(data)
                self._batch.append((picture, _link(file, "", file.stamp)))
            self.tally.unchanged += 1
            self._progress(self.tally)
            await self._commit_when_due()

    async def _add(self, file: File) -> None:
        source = str(file.path)
        try:
            picture = await self._gallery.embed_picture(await contents(file.path, self._gallery))
        except FileNotFoundError:
            self.tally.gone_meanwhile += 1
            return
        except OSError as exc:
            self.tally.broken[source] = f"It can't be read ({why(exc)})."
            return
        except PictureError as exc:
            self.tally.broken[source] = str(exc)
            self._notes.unreadable[source] = file.stamp
            if source in self._known:
                await self._gallery.remove_sources(SPACE, [source])  # the old picture
            return
        self._batch.append((picture, _link(file, "", file.stamp)))
        if picture.partial:
            self.tally.partial.add(source)
        self._notes.unreadable.pop(source, None)
        if source in self._known:
            self.tally.changed += 1
        else:
            self.tally.added += 1

    async def _commit_when_due(self) -> None:
        if len(self._batch) >= COMMIT_ITEMS or time.monotonic() > self._next_commit:
            await self._commit()

    async def _commit(self) -> None:
        batch, self._batch = self._batch, []
        self._next_commit = time.monotonic() + COMMIT_S
        if batch:
            await self._gallery.commit(batch)

    async def _add_lines(self, text: TextFile) -> None:
        """Add each line as an entry, and remove the entries of lines that are gone."""
        remaining = iter(text.lines.items())
        await _run_all(self._work_lines(text.file, remaining) for _ in range(CONCURRENCY))
        await self._commit()
        if not self._stop.is_set():
            slots = list(map(str, text.lines))
            await self._gallery.keep_slots(SPACE, str(text.file.path), slots)

    async def _work_lines(self, file: File, lines: Iterator[tuple[int, str]]) -> None:
        for number, text in lines:
            if self._stop.is_set():
                return
            entry = await self._gallery.embed_text(text)
            self._batch.append((entry, _link(file, str(number), file.stamp | {"line": number})))
            self.tally.added += 1
            self._progress(self.tally)
            await self._commit_when_due()

    async def _remove_vanished(self) -> None:
        """Remove the entries of files that surely no longer exist, and what is noted of them."""
        for root in self._roots:
            report = await asyncio.to_thread(
                vanished, self._known, root, self._listing, self._notes.mounts
            )
            self.tally.vanished.append(report)
            if report.gone:
                await self._gallery.remove_sources(SPACE, report.gone)
                for source in report.gone:
                    del self._known[source]
        self._update_notes()

    def _update_notes(self) -> None:
        """Forget what is noted of files that are gone, and of drives that were not away."""
        remembered = self._notes
        for root in self._roots:
            report = vanished(remembered.unreadable, root, self._listing, remembered.mounts)
            for source in report.gone:
                del remembered.unreadable[source]
        away = {mount for report in self.tally.vanished for mount in report.mounts}
        remembered.mounts = self._listing.mounts | {
            mount
            for mount in remembered.mounts
            if mount in away or not any(is_under(mount, root) for root in self._roots)
        }


def _is_same(details: Mapping[str, Any] | None, file: File) -> bool:
    """Whether the details of a link tell of this file as it is now."""
    return details is not None and all(details.get(name) == n for name, n in file.stamp.items())


def _text_file(path: Path) -> TextFile:
    """The file and its lines. raises OSError"""
    status = path.stat()
    refuse_odd(status)
    lines = (" ".join(line.split()) for line in path.read_text("utf-8", "replace").splitlines())
    numbered = {number: line for number, line in enumerate(lines, start=1) if line}
    return TextFile(File(path, status.st_size, status.st_mtime_ns), numbered)


def _is_text(path: str) -> bool:
    """Whether a path can be stored as text: Linux allows names of any bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


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


async def _run_all(work: Iterator[Any]) -> None:
    """Run all of them; the first error cancels the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
