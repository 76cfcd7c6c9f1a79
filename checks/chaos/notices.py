"""What watches told while it happened: nothing twice, nothing to who can't read it then, nothing
that is gone, and nothing is left out.

A picture is told too much when its message could not be read for more than `NEWS_S` when the
request arrived that brought the notice, or since the bot had asked for the member's roles. What
changed while the bot was cut off, or while it had missed an event, is excused.

A picture is left out when its member could read it all the time since it was posted, the bot, too,
and no notice of it was sent or waits. Its channel must have been read before: history brings no
notice. The watch must have been there all the time, too: it goes when its member has everything
erased. Pictures that come later than with their message don't count, such as those of edits and
links. While the bot has missed an event about permissions, it can't know who may be told.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from checks.chaos import truth
from checks.chaos.clock import Clock
from checks.chaos.reading import Place, rows
from checks.chaos.servers import NEST
from checks.chaos.truth import Owned, Wishes
from checks.chaos.witness import MEMBER, NEWS_S, Sight, Witness, age_restricted, sights_of
from index.types.watches import MOST_PENDING
from sandbox import Server
from sandbox.person import Answer, Payload, Person
from sandbox.snowflakes import at_time
from sandbox.world import Channel, Message

SECTION = 9  # Discord's type of a text with a picture beside it
NEW_S = 6 * 3600.0  # after which a picture is not new for the bot
# A clock that is ahead by so much makes a picture of now an old one.
AHEAD_S = NEW_S - 600.0

# What a watch for every picture asks for: `has:image` would leave out those that move.
EVERYTHING = "since:2015-01-01"

_LINK = re.compile(r"\[go to message\]\(https?://[^)]*/(\d+)\)")
_PAUSE = re.compile(r"wp:(\d+):[0-9a-f]+")
_DIRECT = re.compile(r"/channels/(\d+)/messages")


async def watch_everything(person: Person, where: int) -> Answer:
    """Let a member be told of every picture."""
    return await person.command("watch", "add", where=str(where), query=EVERYTHING)


class NoticeWitness:
    """Records what each of these members can read, at each change of the world, and looks at each
    notice to them when it comes.

    covered  channels and threads of which the bot has read something; what is read for the first
             time brings no notice
    leaked   what was told to who could not read it
    gone     what was told when it was deleted
    excused  how many notices are not judged
    """

    def __init__(
        self,
        server: Server,
        witness: Witness,
        members: Collection[int],
        wishes: Wishes,
        clock: Clock,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._core = core = server.core
        self._witness = witness
        self._wishes = wishes
        self._clock = clock
        self._now = now
        self._since = at_time(time.time() - NEW_S)
        self._began = at_time(time.time())
        self._open: dict[int, set[Sight]] = {member: set() for member in members}
        self._last: dict[int, dict[Sight, float]] = {member: {} for member in members}
        self._steady: dict[int, dict[int, frozenset[bytes]]] = {member: {} for member in members}
        self._known: set[int] = set()  # messages that were seen when they were new
        self._judged: set[int] = set()  # notices
        self._roles_told: dict[int, float] = {}
        self._cut_off = -math.inf  # when the bot was so for the last time
        # By channel of direct messages: what could be told when the last request arrived.
        self._allowed: dict[int, set[Sight] | None] = {}
        self.covered: set[int] = set()
        self.told: defaultdict[int, set[bytes]] = defaultdict(set)  # by member, keys
        self.leaked: list[str] = []
        self.gone: list[str] = []
        self.excused = 0
        core.gateway.watchers.append(self._look)
        server.doorway.arrivals.append(self._arrived)
        self._look()

    def left_out(self, required: Collection[Owned], gallery: Place) -> list[str]:
        """What should have been told and neither was nor waits, in words.

        required   what must be in the gallery
        """
        waits, full = _waiting(gallery), _full(gallery)
        return [
            f"{self._core.world.users[member].username} was not told of {key.hex()[:12]} "
            f"of message {message}"
            for member, message, key in self._due(required)
            if key not in self.told[member] | waits and member not in full
        ]

    def count_due(self, required: Collection[Owned]) -> int:
        """How many pictures had to be told, each to a member."""
        return len(self._due(required))

    def _due(self, required: Collection[Owned]) -> list[tuple[int, int, bytes]]:
        return [
            (member, message, key)
            for member, messages in self._steady.items()
            if member in self._wishes.watching
            for message, keys in messages.items()
            for key in keys
            if (message, key) in required
        ]

    # ---- what happens in the sandbox

    def _arrived(self, who: str, method: str, path: str) -> None:
        if who != "bot":
            return
        if (asked := MEMBER.fullmatch(path)) and method == "GET":
            self._roles_told[int(asked["id"])] = self._now()
        posted = _DIRECT.fullmatch(path)
        channel = self._core.world.home.channels.get(int(posted[1])) if posted else None
        if channel is None or method != "POST":
            return
        [member] = set(channel.recipients) & self._open.keys() or [0]
        if not member:
            return
        now = self._now()
        since = min(now - NEWS_S, self._roles_told.get(member, now))
        if self._witness.bot_is_in_the_dark() or self._is_cut_off(now) >= since:
            self._allowed[channel.id] = None
        else:
            recent = {sight for sight, last in self._last[member].items() if last >= since}
            self._allowed[channel.id] = self._open[member] | recent

    def _is_cut_off(self, now: float) -> float:
        """When the bot was cut off for the last time."""
        if self._witness.bot_is_cut_off():
            self._cut_off = now
        return self._cut_off

    def _look(self) -> None:
        now = self._now()
        self._is_cut_off(now)
        guild = self._core.world.guilds[NEST]
        bot = self._core.world.bot.id
        new = [(c, message) for c in guild.channels.values() for message in self._new_in(c)]
        by_message = {
            message.id: {(message.id, medium) for medium in truth.shown(self._core, message)}
            for _, message in new
        }
        by_bot = {
            channel.id
            for channel in guild.channels.values()
            if truth.reads_back(self._core, guild, bot, channel)
            and truth.watched(guild, channel, self._wishes)
        }
        for member, before in self._open.items():
            self._last[member] |= dict.fromkeys(before, now)
            readable = {
                channel.id
                for channel in guild.channels.values()
                if truth.reads_back(self._core, guild, member, channel)
                and not age_restricted(guild, channel)
            }
            open_ = [message for channel, message in new if channel.id in readable]
            self._open[member] = set().union(*(by_message[one.id] for one in open_))
            steady = {one.id: one for one in open_ if one.channel_id in by_bot}
            self._follow(member, steady)
        self._known |= {message.id for _, message in new}
        for channel in self._core.world.home.channels.values():
            for message in _from_bot(self._core.world.messages(channel.id), bot):
                self._judge(channel, message)

    def _new_in(self, channel: Channel) -> list[Message]:
        messages = self._core.world.messages(channel.id)
        return [message for message in messages if message.id > self._since]

    def _follow(self, member: int, readable: dict[int, Message]) -> None:
        """Remember which messages this member and the bot could read all the time."""
        steady = self._steady[member]
        is_told = member in self._wishes.watching and not self._witness.bot_is_in_the_dark()
        if self._clock.ahead_s > AHEAD_S or not is_told:
            steady.clear()
            return
        for id in [id for id in steady if id not in readable or steady[id] != _keys(readable[id])]:
            del steady[id]
        for id, message in readable.items():
            is_new = id >= self._began and id not in self._known
            if (
                is_new
                and message.channel_id in self.covered
                and message.author_id != member
                and message.attachments
            ):
                steady[id] = _keys(message)

    def _judge(self, channel: Channel, message: Message) -> None:
        """Look at a message of the bot to a member, once."""
        if message.id in self._judged or not told_in(message):
            return
        self._judged.add(message.id)
        [member] = set(channel.recipients) & self._open.keys() or [0]
        allowed = self._allowed.get(channel.id, set())
        if allowed is None:
            self.excused += 1
        for sight in sights_of(Answer({"components": message.components})):
            of = self._core.world
            posted = next(
                (m for c in of.guilds[NEST].channels if (m := of.message(c, sight[0]))), None
            )
            if posted is not None:
                shown = truth.shown(self._core, posted)
                self.told[member] |= {shown[sight[1]]} if sight[1] in shown else set()
            if allowed is not None and sight not in allowed:
                who = of.users[member].username if member else "somebody"
                fault = f"{who} was told of {sight[1]} of message {sight[0]}"
                (self.gone if posted is None else self.leaked).append(fault)


def told_twice(server: Server) -> list[str]:
    """What one watch has told of more than once, in words."""
    told = Counter(one for message in _direct(server) for one in told_in(message))
    return [
        f"watch {watch} told {times} times of {picture} of message {message}"
        for (watch, message, picture), times in told.items()
        if times > 1
    ]


def count(server: Server) -> int:
    """How many direct messages with notices were sent."""
    return sum(1 for message in _direct(server) if told_in(message))


def _direct(server: Server) -> Iterator[Message]:
    """The direct messages of the bot."""
    world = server.world
    for channel in world.home.channels.values():
        yield from _from_bot(world.messages(channel.id), world.bot.id)


def _from_bot(messages: Iterable[Message], bot: int) -> list[Message]:
    return [one for one in messages if one.author_id == bot]


def _keys(message: Message) -> frozenset[bytes]:
    """The keys of the pictures that were uploaded with a message."""
    return frozenset(
        truth.key_of(Path(one.path))
        for one in message.attachments
        if one.content_type.startswith("image/")
    )


def told_in(message: Message) -> list[tuple[str, str, str]]:
    """The pictures that a notice shows: each with the watch that told of it, and its message, which
    may have several."""
    answer = Answer({"components": message.components})
    watches = [
        found[1] for one in answer.buttons() if (found := _PAUSE.match(one.get("custom_id", "")))
    ]
    rows = [part for part in answer.parts() if part["type"] == SECTION]
    return [(watch, *_shown(row)) for watch in watches for row in rows]


def _shown(row: Payload) -> tuple[str, str]:
    """The message that a row leads to, and where its picture is, without the signature."""
    [message] = _LINK.findall(row["components"][0]["content"])
    beside = row["accessory"]
    url: str = beside["media"]["url"] if "media" in beside else beside["url"]
    return message, url.partition("?")[0]


def _waiting(gallery: Place) -> set[bytes]:
    """The keys of what is still to be judged, or to be told."""
    [found] = rows(
        gallery,
        """SELECT key FROM links JOIN items ON items.id = links.item WHERE links.id IN (
        SELECT link FROM unjudged UNION SELECT link FROM notices WHERE sent_at IS NULL)""",
    )
    return {truth.whole(bytes(key)) for (key,) in found}


def _full(gallery: Place) -> set[int]:
    """The owners of watches of which so many pictures wait that older ones have given way."""
    [found] = rows(
        gallery,
        f"""SELECT owner FROM watches JOIN notices ON watch = watches.id
        WHERE sent_at IS NULL GROUP BY watches.id HAVING COUNT(*) >= {MOST_PENDING}""",
    )
    return {owner for (owner,) in found}
