"""Examples made from pictures: those of `/help`, and those of the message that greets a server."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

from checks.permissions.given import places_in
from checks.permissions.inquiry import Inquiry
from index import Filter, Reader, Wish, parse
from sandbox.person import Answer
from sandbox.world import Message

LINE = re.compile(r"`/find query:([^`]+)`")
GENERAL = "dog in snow"  # is in every answer of /help, and of no picture
PATIENCE_S = 60.0


async def help_(inquiry: Inquiry) -> bool:
    """The examples of `/help`, one of which is asked."""
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    client = inquiry.client(member.id)
    answer = await client.command("help", where=str(place))
    may, must = inquiry.open_to(member.id, place, public=False)
    lines = _lines(answer)
    await _judge(inquiry, lines, may)
    if bool(lines) != bool(inquiry.pictured(must)):
        inquiry.verdict.withheld += 1
        inquiry.blame(f"gave {member.id} in {place} the examples {lines}")
    if lines:
        line = inquiry.rng.choice(lines)
        found = await client.click(answer, answer.button(line))
        if not found.pictures() or not places_in(found) <= may:
            inquiry.verdict.told += 1
            inquiry.blame(f"the example {line!r} found {places_in(found)}, of {may}")
    return True


async def first_message(inquiry: Inquiry) -> bool:
    """The examples in the message that all see who see its channel."""
    magpie, server = inquiry.testbed.magpie, inquiry.of.server
    (kept,) = (one for one in await magpie.gallery.bookkeeping.welcomes() if one.space == server)
    before = _message(inquiry, kept.group, int(kept.source)).edited_at
    await magpie.welcomes.on_set_up(server)
    async with asyncio.timeout(PATIENCE_S):
        while any(one.reading for one in await magpie.gallery.bookkeeping.welcomes()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    message = _message(inquiry, kept.group, int(kept.source))
    if message.edited_at == before:  # its channel is closed to Magpie now
        return False
    answer = Answer({"components": message.components})
    await _judge(inquiry, _lines(answer), inquiry.audience.may_show(kept.group))
    return True


def _message(inquiry: Inquiry, place: int, id: int) -> Message:
    message = inquiry.testbed.discord.world.message(place, id)
    assert message is not None
    return message


def _lines(answer: Answer) -> list[str]:
    return [line for line in LINE.findall(answer.text()) if line != GENERAL]


async def _judge(inquiry: Inquiry, lines: list[str], may: set[int]) -> None:
    """Check that examples tell of nothing but the pictures of places that may be shown."""
    pictured = inquiry.pictured(may)
    homes = {inquiry.server.home(id).id for id in pictured}
    names = {f"#{inquiry.of.name(id)}" for id in homes} | {f"<#{id}>" for id in homes}
    people = {f"@person{id}" for id in inquiry.authors(pictured)}
    for line in lines:
        wish = parse(line, Reader(datetime.now(UTC), "en"))
        known = set(wish.places) <= names and set(wish.authors) <= people
        if not known or not await _finds(inquiry, wish, pictured):
            inquiry.verdict.leaked += 1
            inquiry.blame(f"gave the example {line!r}, where {pictured} may be shown")


async def _finds(inquiry: Inquiry, wish: Wish, places: set[int]) -> bool:
    """Whether the words surely fit a picture of these places."""
    if not wish.words:
        return bool(places)
    gallery, filter = inquiry.testbed.magpie.gallery, Filter(inquiry.of.server, frozenset(places))
    meaning = await inquiry.meaning(wish.words)
    return any(hit.sure for hit in (await gallery.search(meaning, filter, k=10)).hits)
