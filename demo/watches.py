"""A scene: three members watch for whales, a fourth posts one in a channel that one of them can't
read, and the two others are told by direct message, each in their own language."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack

import aiohttp

from demo import WORLD
from sandbox.person import Person, everybody

WATCHED = "whale"
ADMIN, MEMBER, OUTSIDER = "wren", "tomas", "pim"
SPOKEN = "de"  # by the member; the others speak English
POSTS, CHANNEL = "mei", "explorers-room"
SAID = "look who came by"
PICTURE_OF = "I have waited nine years"  # the message of the world whose picture is posted again
TOLD_WITHIN_S = 120.0


async def play(session: aiohttp.ClientSession, base: str) -> None:
    """Play the scene in a sandbox with the demo's world, where Magpie has read everything.

    raises   TimeoutError when nobody is told
    """
    tokens = {one["user"]["username"]: one["token"] for one in await everybody(session, base)}
    async with AsyncExitStack() as stack:

        async def enter(name: str) -> Person:
            return await stack.enter_async_context(Person.log_in(session, base, tokens[name]))

        watching = [await enter(name) for name in (ADMIN, MEMBER, OUTSIDER)]
        await watching[1].speak(SPOKEN)
        for one in watching:
            await one.command("watch", "add", query=WATCHED)
        mei = await enter(POSTS)
        await mei.post(mei.channel(CHANNEL), SAID, pictures={"whale.webp": picture()})
        async with asyncio.timeout(TOLD_WITHIN_S):
            while not all(one.direct_messages() for one in watching[:2]):  # noqa: ASYNC110 (it is asked)
                await asyncio.sleep(0.2)


def picture() -> bytes:
    """A picture of a whale, of the demo's world."""
    messages = json.loads(WORLD.read_text(encoding="utf-8"))["guilds"][0]["messages"]
    [shown, *_] = next(one for one in messages if PICTURE_OF in one["content"])["attachments"]
    return (WORLD.parent / str(shown["file"])).read_bytes()
