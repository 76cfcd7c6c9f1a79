"""Where Discord's search for the pictures of a server's history stands.

History has 100 messages a request, of which most are words alone. Discord's search has 25 messages
a request that all show something. So once the newest page of each channel is read, the pictures of
all that is older come by search, the newest first, and then the rest of the history.

The search may leave pictures out, and it proves nothing: no cursor moves by it. It is kept in
memory only. After a restart it begins anew, where history has not been read, and what it finds
again is not downloaded again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

# What messages with pictures have, by Discord's words. Each is asked for alone: nothing documents
# whether several are alternatives.
KINDS = ("image", "video", "sticker", "embed", "snapshot")
# Channels named in one request. Discord takes 500, but servers between take no address of more
# than 8 KiB.
CHANNELS = 200
PAGE = 25  # messages, the most that Discord gives
EMPTY_PAGES = 4  # in a row, with more said to come, after which nothing more is expected


@dataclass(eq=False)
class Front:
    """How far back one kind of thing was looked for in some channels.

    channels   their ids; empty for the whole server
    before     the id of a message; everything from it on was looked through
    """

    kind: str
    channels: tuple[int, ...]
    before: int
    skipped: int = 0  # of the messages before `before`, since their pages came empty
    over: bool = False

    def advance(self, ids: list[int], total: int) -> None:
        """Go on below a page of messages with these ids.

        A page may lack messages, even all of them, so an empty one is the end only if no more are
        said to be there, or after some in a row: what is said may be wrong, too.
        """
        older = [id for id in ids if id < self.before]
        if older:
            self.before, self.skipped = min(older), 0
            return
        self.skipped += PAGE
        self.over = self.skipped >= min(total, EMPTY_PAGES * PAGE)


@dataclass(eq=False)
class HistorySearch:
    """The search in one server.

    groups   the channels and threads for whose sake it was begun
    tops     these, with the channels of threads in the place of threads
    """

    guild_id: int
    groups: frozenset[int]
    tops: frozenset[int]
    fronts: list[Front]
    busy: bool = False
    resting: bool = False  # it waits for Discord, and history goes on meanwhile
    over: bool = False
    refused: bool = False  # Discord has none for this bot in this server
    failures: int = 0  # consecutive ones
    requests: int = 0
    found: Counter[int] = field(default_factory=Counter)  # pictures, by channel or thread

    @property
    def whole(self) -> bool:
        """Whether it looks through the whole server."""
        return not self.fronts[0].channels

    def is_for_any_of(self, groups: Container[int]) -> bool:
        """Whether it goes on, for the sake of one of these channels and threads."""
        return not self.over and any(group in groups for group in self.groups)

    def found_in(self, groups: Container[int]) -> int:
        """How many pictures it brought of these channels and threads."""
        return sum(count for group, count in self.found.items() if group in groups)

    def front(self) -> Front:
        """The front that comes next: the one that is least far back, so that the newest pictures
        come first."""
        return max((one for one in self.fronts if not one.over), key=lambda one: one.before)

    def advance(self, front: Front, ids: list[int], total: int) -> None:
        """Note a page of a front."""
        self.failures = 0
        self.requests += 1
        front.advance(ids, total)
        self.over = all(one.over for one in self.fronts)

    def end(self, *, refused: bool = False) -> None:
        self.over, self.refused = True, refused


def begun(
    guild_id: int, groups: Iterable[int], tops: Iterable[int], before: int, *, whole: bool
) -> HistorySearch:
    """A search for the pictures of messages that are older than the message `before`.

    whole   in the whole server: that finds archived threads, too, whose ids are not known yet
    """
    ids = sorted(groups)
    some = [ids[at : at + CHANNELS] for at in range(0, len(ids), CHANNELS)]
    named = [()] if whole else [tuple(channels) for channels in some]
    fronts = [Front(kind, channels, before) for channels in named for kind in KINDS]
    return HistorySearch(guild_id, frozenset(ids), frozenset(tops), fronts)
