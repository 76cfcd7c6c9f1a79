"""Which servers are this process's own, where several processes serve one gallery."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_SHARDS = 10_000  # far above what Discord asks of its largest bots
_SHARDS = re.compile(r"(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?/(?P<count>\d{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of one process. The default is all of them, as many as Discord asks for.

    ids    counted from 0, as Discord counts them
    count  of all processes together; 0: as many as Discord asks for
    """

    ids: tuple[int, ...] = ()
    count: int = 0

    @property
    def whole(self) -> bool:
        """Whether this process serves all servers."""
        return len(self.ids) == self.count

    @property
    def first(self) -> bool:
        """Whether this process has shard 0, to which Discord sends direct messages."""
        return self.whole or 0 in self.ids

    def mine(self, space: int) -> bool:
        """Whether a server is this process's own.

        source   Discord's documentation of sharding: shard_id = (guild_id >> 22) % num_shards
        """
        return self.whole or (space >> 22) % self.count in self.ids

    def __str__(self) -> str:
        if not self.count:
            return "all"
        first, last = self.ids[0], self.ids[-1]
        return f"{first}/{self.count}" if first == last else f"{first}-{last}/{self.count}"


def parsed(value: str) -> Shards:
    """The shards that a setting such as `2/16` or `0-3/16` names; "": all.

    raises   ValueError with a sentence
    """
    if not value:
        return Shards()
    match = _SHARDS.fullmatch(value)
    if match is None:
        raise ValueError(
            "must be a shard and how many there are in all, such as 2/16; or several, such as "
            "0-3/16; or nothing, for all of them in one process."
        )
    first, count = int(match["first"]), int(match["count"])
    last = int(match["last"] or first)
    if not 0 < count <= MOST_SHARDS:
        raise ValueError(f"there must be from 1 to {MOST_SHARDS} shards in all.")
    if last < first:
        raise ValueError(f"the smaller number comes first: {last}-{first}/{count}.")
    if last >= count:
        raise ValueError(
            "shards are counted from 0, as Discord counts them: "
            f"the last of {count} is {count - 1}."
        )
    return Shards(tuple(range(first, last + 1)), count)
