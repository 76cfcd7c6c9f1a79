"""What an `add` remembers beside the pictures, kept in the gallery as the state of a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from index.cli.paths import is_under
from index.cli.place import SPACE
from index.gallery import Gallery
from index.types.records import Job

KIND = "folder"


@dataclass(slots=True)
class Notes:
    """What earlier runs of `add` found out.

    unreadable   files that are no pictures, by path, each with its stamp: such a file isn't read
                 again until it changes
    mounts       folders where other drives began when they were last seen
    """

    unreadable: dict[str, Mapping[str, int]] = field(default_factory=dict)
    mounts: set[str] = field(default_factory=set)

    def forget(self, path: str) -> None:
        """Drop what is remembered of a file, or of all below a folder."""
        self.unreadable = {
            file: stamp for file, stamp in self.unreadable.items() if not is_under(file, path)
        }
        self.mounts = {mount for mount in self.mounts if not is_under(mount, path)}

    def state(self) -> dict[str, Any]:
        """All of it, as JSON holds it."""
        return {"unreadable": self.unreadable, "mounts": sorted(self.mounts)}


async def load(gallery: Gallery) -> Notes:
    """What is remembered in a gallery."""
    job = await _job(gallery)
    if job is None:
        return Notes()
    return Notes(dict(job.state.get("unreadable", {})), set(job.state.get("mounts", ())))


async def save(gallery: Gallery, notes: Notes) -> None:
    """Remember this. raises StoreError"""
    state, job = notes.state(), await _job(gallery)
    if job is None:
        if notes == Notes():
            return
        job = await gallery.bookkeeping.new_job(SPACE, KIND, {})
    if job.state != state:
        await gallery.commit([], jobs=[replace(job, status="done", state=state)])


async def _job(gallery: Gallery) -> Job | None:
    jobs = await gallery.bookkeeping.jobs(SPACE, active=False)
    return next((job for job in jobs if job.kind == KIND), None)
