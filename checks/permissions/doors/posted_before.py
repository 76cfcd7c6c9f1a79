"""“Posted before?”, about a picture that was posted once more."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator

from bot.text import copies as copy_text
from checks.permissions.doors.messages import say, until_gone
from checks.permissions.given import GO_TO, places_in
from checks.permissions.inquiry import Inquiry
from checks.permissions.oracle import Member
from checks.permissions.testbed import Posted
from index import Filter
from sandbox.person import Answer, Payload


async def for_me(inquiry: Inquiry) -> bool:
    """Apps, Posted before?, about a picture that was posted once more."""
    if (pair := inquiry.somebody(in_history=True)) is None:
        return False
    member, place = pair
    async with _posted_again(inquiry, member, place) as (picture, posted):
        answer = await inquiry.client(member.id).menu("Posted before?", posted)
        await _judge_copies(inquiry, answer, picture, posted, member, public=False)
    return True


async def for_everyone(inquiry: Inquiry) -> bool:
    """`@Magpie posted before?` in reply to such a picture."""
    if (pair := inquiry.somebody(in_history=True)) is None:
        return False
    member, place = pair
    async with _posted_again(inquiry, member, place) as (picture, posted):
        said = f"<@{inquiry.of.bot}> posted before?"
        answer, _ = await say(inquiry, member, place, said, reply_to=posted)
        await _judge_copies(inquiry, answer, picture, posted, member, public=True)
    return True


@contextlib.asynccontextmanager
async def _posted_again(
    inquiry: Inquiry, member: Member, place: int
) -> AsyncIterator[tuple[Posted, Payload]]:
    """A picture of the server, and the message in which it is posted again for a while."""
    picture, client = inquiry.any_picture(), inquiry.client(member.id)
    posted = await client.post(str(place), pictures={picture.file.name: picture.data()})
    inquiry.joined(member, place)
    await inquiry.testbed.indexed(inquiry.of.server, posted["id"])
    try:
        yield picture, posted
    finally:
        await client.request("DELETE", f"/channels/{place}/messages/{posted['id']}")
        await until_gone(inquiry, posted["id"])


async def _judge_copies(
    inquiry: Inquiry,
    answer: Answer,
    picture: Posted,
    posted: Payload,
    member: Member,
    *,
    public: bool,
) -> None:
    """Compare what is told of copies, and how many, with what may be told."""
    place, verdict = int(posted["channel_id"]), inquiry.verdict
    may, must = inquiry.open_to(member.id, place, public=public)
    if not (places := places_in(answer)) <= may:
        verdict.leaked += 1
        inquiry.blame(f"leaked {places - may} to {member.id} in {place} beside a copy")
    copies = re.split(r"\*\*(?:These|What I found) look", answer.text())[0]
    told = {int(message) for _, message in GO_TO.findall(copies)}
    verdict.pictures += len(told)
    verdict.barred += picture.place not in may
    expected = {
        groups: await _copies(inquiry, posted, groups) for groups in map(frozenset, (may, must))
    }
    if not expected[frozenset(must)] <= told <= expected[frozenset(may)]:
        verdict.withheld += 1
        inquiry.blame(f"told copies {told} instead of {expected} in {place}")
    if copy_text.heading(len(told)) not in answer.text() or answer.private == public:
        verdict.told += 1
        inquiry.blame(f"told {answer.text()!r} of {told}")


async def _copies(inquiry: Inquiry, posted: Payload, groups: frozenset[int]) -> set[int]:
    """The messages that show a copy of a message's picture, in these places."""
    gallery = inquiry.testbed.magpie.gallery
    own = await gallery.links.ids_of_source(inquiry.of.server, posted["id"])
    filter = Filter(inquiry.of.server, groups, but_not_source=posted["id"])
    found = [await gallery.copies_of(link, filter) for link in own.values()]
    return {int(copy.link.source) for copies in found for copy in copies}
