"""Where a reindex job stands, as it is kept with the job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from bot.sync.ingest import What
from index import Group

# Added to the pictures of each channel when the share that is done is computed: reading an empty
# channel takes time, too.
LEAST_WEIGHT = 20


class Listed(NamedTuple):
    """A channel or thread that the job reads, as it was when it was listed.

    An archived thread is cached nowhere, so what decides who may read it is kept here. A job that
    an older version saved doesn't have that; its threads count as readable by nobody.
    """

    id: int
    pictures: int  # that were known of it
    parent: int | None = None
    private: bool = True

    @property
    def group(self) -> Group:
        return Group(self.id, self.parent, self.private)


@dataclass
class JobState:
    """Where a job stands, as it is kept in the gallery (JSON)."""

    what: What  # "missing" pictures only, "everything" again, or all for another "model"
    channel: int | None  # a channel or category; None: all that is watched
    groups: list[Listed] | None = None  # None: not listed yet
    unread: list[Listed] = field(default_factory=list)  # channels that were closed at that moment
    deleted: list[int] = field(default_factory=list)  # channels and threads, as Discord told
    at: int = 0  # which group
    newest: int = 0  # the newest message of the group when its reading began
    before: int = 0  # messages with this id or a greater one are done; 0: none
    messages: int = 0
    checked: int = 0  # pictures
    added: int = 0
    removed: int = 0
    failed: int = 0
    closed: int = 0  # channels that could not be read
    elapsed_s: float = 0.0
    message: list[int] | None = None  # channel and id of the progress message
    model: str = ""  # the one that is to take over
    succession: str | None = None  # the id of the re-embedding that this job reads for
    passes: int = 0  # over everything, before this one
    switched: bool = False  # it has taken over
    lost: int = 0  # pictures of this server that it could not get, which were erased

    def __post_init__(self) -> None:
        if self.groups is not None:  # JSON has them as lists
            self.groups = [Listed(*one) for one in self.groups]
        self.unread = [Listed(*one) for one in self.unread]

    @property
    def counted(self) -> list[Group]:
        """The channels and threads that the figures count, without those that were deleted."""
        listed = [*(self.groups or ()), *self.unread]
        deleted = set(self.deleted)
        return [one.group for one in listed if not deleted & {one.id, one.parent}]

    def begin_group(self, at: int) -> None:
        """Go on with this group, from its newest message."""
        self.at, self.newest, self.before = at, 0, 0

    @property
    def fraction(self) -> float:
        """How much is done, by the pictures known of each group and, within one, by time."""
        if self.groups is None:
            return 0.0
        weights = [one.pictures + LEAST_WEIGHT for one in self.groups]
        here = weights[self.at] * self._fraction_here() if self.at < len(weights) else 0.0
        return (sum(weights[: self.at]) + here) / sum(weights) if weights else 1.0

    def _fraction_here(self) -> float:
        assert self.groups is not None
        if not self.before or self.newest <= (start := self.groups[self.at].id):
            return 0.0
        return min(max((self.newest - self.before) / (self.newest - start), 0.0), 1.0)

    @property
    def total_estimate(self) -> int | None:
        """How many pictures there are in all, estimated; None while that is too uncertain."""
        if self.groups is None or self.fraction < 0.05:
            return None
        if self.what != "missing":
            return max(self.checked, sum(one.pictures for one in self.groups))
        return round(self.checked / self.fraction)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at the rate so far; None while that is too uncertain."""
        done = self.fraction
        return self.elapsed_s * (1 - done) / done if done > 0.01 and self.elapsed_s > 1 else None
