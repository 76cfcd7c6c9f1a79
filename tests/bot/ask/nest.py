"""A small server to ask questions in, whose members may see different things."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.worlds import (
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    MEMBER,
    READ_MESSAGE_HISTORY,
    VIEW_CHANNEL,
    WorldFile,
)

PRIVATE_THREAD, VOICE = 12, 2

# The places that everyone may read, and those that each member may read, when they ask in an
# ordinary channel. Members in a timeout can't read the text of a voice channel.
EVERYBODYS = {"general", "pets", "old walks"}
READERS = {
    "finn": EVERYBODYS | {"lounge", "whispers"},
    "ada": EVERYBODYS | {"lounge", "birding"},
    "mod": EVERYBODYS | {"lounge", "mods", "old mod talk", "whispers"},
    "olga": EVERYBODYS | {"lounge", "birding", "mods", "old mod talk", "whispers", "no history"},
}


@dataclass
class Nest:
    """The world, and in each place one message with a picture, all nearly the same red."""

    world: WorldFile
    messages: dict[str, int] = field(default_factory=dict)  # by the place's name
    _drawn: int = 0

    def post(self, place: str, colour: str, **more: object) -> int:
        """A message of the owner's with a picture of this colour."""
        self._drawn += 1
        picture = self.world.picture(f"{self._drawn}.png", colour)
        return self.world.message(
            self.world.channels[place],
            self.world.people["olga"],
            pictures=[picture],
            **more,
        )

    def place_of(self, message: int) -> str:
        return next(place for place, id in self.messages.items() if id == message)


def build(folder: Path) -> Nest:
    """Olga owns it; mod is a moderator, ada a birder, finn an ordinary member.

    channels  general, pets, lounge (voice); mods and birding, for their roles; after dark
              (age-restricted); no history (live messages only)
    threads   whispers (private: finn), old walks and old mod talk (archived)
    """
    world = WorldFile(folder)
    moderators = world.role("Moderators", MANAGE_THREADS | MANAGE_MESSAGES)
    birders = world.role("Birders")
    magpies = world.role("Magpie", MEMBER | MANAGE_THREADS, managed=True)
    olga = world.person("olga")
    world.person("mod", moderators)
    world.person("ada", birders)
    finn = world.person("finn")
    world.member(world.bot_id, magpies)
    everyone = world.guild_id

    def only_for(role: int) -> list[tuple[int, int, int, int]]:
        opened = [(who, 0, VIEW_CHANNEL, 0) for who in (role, magpies)]
        return [(everyone, 0, 0, VIEW_CHANNEL), *opened]

    general = world.channel("general")
    pets = world.channel("pets")
    mods = world.channel("mods", overwrites=only_for(moderators))
    world.channel("birding", overwrites=only_for(birders))
    world.channel("after dark", nsfw=True)
    live_only = [(everyone, 0, 0, READ_MESSAGE_HISTORY), (magpies, 0, READ_MESSAGE_HISTORY, 0)]
    world.channel("no history", overwrites=live_only)
    world.channel("lounge", VOICE)
    members = [str(finn), str(world.bot_id)]
    world.thread("whispers", general, finn, PRIVATE_THREAD, members=members)
    world.thread("old walks", pets, olga, archived=True)
    world.thread("old mod talk", mods, olga, archived=True)
    nest = Nest(world)
    for number, place in enumerate(world.channels):
        nest.messages[place] = nest.post(place, f"#c8{30 + number:02x}1e")
    return nest
