"""The nest with pictures by several members, a category, and somebody who has left."""

from __future__ import annotations

from pathlib import Path

from tests.bot.ask import nest as nests
from tests.bot.ask.nest import Nest
from tests.worlds import VIEW_CHANNEL

# The pictures that are added to those of Olga's, by the place and the member who posted them.
# Birding and mods are closed to finn; the third place is a thread of pets.
POSTS = (
    ("pets", "finn"),
    ("general", "finn"),
    ("old walks", "nora"),
    ("cats", "nora"),
    ("cats", "fiona"),
    ("mods", "mod"),
    ("mods", "finley"),
    ("birding", "ada"),
    ("owls", "ada"),
)


def build(folder: Path) -> Nest:
    """The nest, with the category Animals: #cats, and #owls, which is closed to all but birders.

    Nora has left the server. Mod, finley and ada have posted only where finn can't read; nobody
    called ghost has posted anything.
    """
    nest = nests.build(folder)
    world = nest.world
    for name in ("nora", "fiona", "finley", "ghost"):
        world.person(name)
    animals = world.channel("Animals", 4)
    world.channel("cats", parent_id=str(animals))
    birders = world.roles["Birders"]
    magpies = world.roles["Magpie"]
    world.channel(
        "owls",
        parent_id=str(animals),
        overwrites=[
            (world.guild_id, 0, 0, VIEW_CHANNEL),
            (birders, 0, VIEW_CHANNEL, 0),
            (magpies, 0, VIEW_CHANNEL, 0),
        ],
    )
    for number, (place, name) in enumerate(POSTS):
        picture = world.picture(f"by-{name}-{number}.png", f"#c8{60 + number:02x}1e")
        channel = world.channels[place]
        id = world.message(channel, world.people[name], pictures=[picture])
        nest.messages[f"{name} in {place}"] = id
    nora = str(world.people["nora"])
    world.guild["members"] = [one for one in world.guild["members"] if one["user_id"] != nora]
    return nest
