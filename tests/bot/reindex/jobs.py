"""Begins reindex jobs, holds them, and waits until they have a certain status."""

from __future__ import annotations

from typing import Any

import sandbox as sandbox_package
from bot.app import Magpie
from index import Job
from sandbox.person import Answer, Person
from tests.bot.running import Held, sources, until, watch
from tests.worlds import WorldFile

MESSAGES = 220  # three pages


async def read_all(client: Magpie, world: WorldFile) -> set[str]:
    """Watch #general and read it; the messages that have pictures."""
    await watch(client, world.channels["general"])
    return await sources(client)


async def job(client: Magpie) -> Job:
    """The latest job."""
    return (await client.gallery.bookkeeping.jobs(active=False))[-1]


async def stands(client: Magpie, *statuses: str) -> Job:
    """Wait until the latest job has one of these statuses; the job."""

    async def holds() -> bool:
        return (await job(client)).status in statuses

    await until(holds)
    return await job(client)


def progress_of(person: Person) -> Answer:
    """The progress message, as it was last seen."""
    shown = [e for name, e in person._events if name in ("MESSAGE_CREATE", "MESSAGE_UPDATE")]
    return Answer([e for e in shown if "Reindex" in e["content"] and not e.get("flags", 0)][-1])


async def begin_held(person: Person, held: Held) -> Answer:
    """Begin a job that is held while it embeds its first page."""
    held.hold()
    begun = held.begun
    await begin(person)

    async def embedding() -> bool:
        return held.begun > begun

    await until(embedding)
    return progress_of(person)


async def begin_all_held(client: Magpie, world: WorldFile, person: Person, held: Held) -> str:
    """The same, with all pictures of #general still to come; the id of the progress message."""
    await client.gallery.remove_sources(world.guild_id, list(await read_all(client, world)))
    return str((await begin_held(person, held)).message["id"])


async def struck(sandbox: sandbox_package.Server) -> None:
    """Wait until every fault has hit its request."""

    async def holds() -> bool:
        return not sandbox.faults.waiting()

    await until(holds)


async def one_is_left_and_says_done(person: Person, *channels: int) -> None:
    """Wait until there is one progress message in all these channels, of a job that is done."""

    async def holds() -> bool:
        messages = [one for channel in channels for one in await person.messages(str(channel))]
        left = [message for message in messages if "Reindex" in message["content"]]
        said = [message["content"] for message in left if not message["components"]]
        return len(left) == len(said) == 1 and "Reindexing is done" in said[0]

    await until(holds)


async def begin(person: Person, **options: Any) -> Answer:
    answer = await person.command("reindex", **options)
    assert answer.private
    return answer
