"""Commands that count pictures."""

from __future__ import annotations

import re

from checks.permissions import oracle
from checks.permissions.inquiry import Inquiry

COUNTED = re.compile(r"^\s*- <#(\d+)>: ([\d,]+) picture", re.M)


async def channels_list(inquiry: Inquiry) -> bool:
    return await _counts(inquiry, "channels", "list")


async def status(inquiry: Inquiry) -> bool:
    return await _counts(inquiry, "status")


async def _counts(inquiry: Inquiry, *command: str) -> bool:
    """Check the numbers of pictures that members with Manage Server are shown."""
    server = inquiry.server
    managers = [
        (member, place)
        for member, place in inquiry.writers()
        if oracle.in_place(server, member, place) & oracle.MANAGE_GUILD
    ]
    if not managers:
        return False
    member, place = inquiry.rng.choice(managers)
    answer = await inquiry.client(member.id).command(*command, where=str(place))
    reach = oracle.Reach(server, member)
    expected = {
        id: sum(
            posted.place in reach.reads and server.home(posted.place).id == id
            for posted in inquiry.pictures.values()
        )
        for id, one in server.places.items()
        if one.parent is None and id in reach.views
    }
    told = {int(id): int(n.replace(",", "")) for id, n in COUNTED.findall(answer.text())}
    for id, pictures in told.items():
        if pictures > expected.get(id, -1):
            inquiry.verdict.leaked += 1
            inquiry.blame(f"counted {pictures} pictures of {id} for {member.id}")
        elif pictures < expected[id]:
            inquiry.verdict.withheld += 1
            inquiry.blame(f"counted only {pictures} pictures of {id} for {member.id}")
    total = re.match(r"\*\*([\d,]+) pictures?\*\* indexed", answer.text())
    if total is not None and int(total[1].replace(",", "")) != sum(told.values()):
        inquiry.verdict.told += 1
        inquiry.blame(f"told {total[0]!r} for {told}")
    return True
