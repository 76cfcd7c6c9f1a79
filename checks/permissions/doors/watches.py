"""A watch: pictures that are posted afterwards bring a notice to whoever may read them."""

from __future__ import annotations

import io

from PIL import Image

from checks.permissions import oracle
from checks.permissions.doors.messages import until_gone
from checks.permissions.given import GO_TO
from checks.permissions.inquiry import Inquiry
from checks.permissions.oracle import Member
from sandbox.person import Answer, Payload

POSTS = 4  # after which the notices are judged
SIDE = 48


async def for_me(inquiry: Inquiry) -> bool:
    """`/watch add`, with notices by direct message."""
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    may = {
        id
        for id in oracle.readable(inquiry.server, member, place)
        if not member.guest and not inquiry.server.home(id).age_restricted
    }
    await _watch(inquiry, member, place, may, may, public=False)
    return True


async def for_everyone(inquiry: Inquiry) -> bool:
    """`/watch add` with a channel for the notices."""
    pairs = [pair for pair in inquiry.writers() if not inquiry.server.places[pair[1]].is_voice]
    if not pairs:
        return False
    member, place = inquiry.rng.choice(pairs)
    inquiry.joined(member, place)
    may, must = inquiry.open_to(member.id, place, public=True)
    await _watch(inquiry, member, place, may, must, public=True)
    return True


async def _watch(
    inquiry: Inquiry, member: Member, place: int, may: set[int], must: set[int], *, public: bool
) -> None:
    """Add a watch for all pictures, post some, and compare what is told with what may be told.

    may, must   the places whose pictures may be told of, and those whose must
    """
    client, verdict = inquiry.client(member.id), inquiry.verdict
    options = {"channel": str(place)} if public else {}
    await client.command("watch", "add", where=str(place), query="has:image", **options)
    since = client.seen()
    posted = await _post(inquiry, member)
    await inquiry.testbed.told()
    told = _told(inquiry, client.since(since), place if public else None)
    leaked = {posted[message] for message in told & posted.keys()} - may
    verdict.pictures += len(told)
    verdict.barred += sum(at not in may for at in posted.values())
    if leaked or not told <= posted.keys():
        verdict.leaked += 1
        inquiry.blame(f"leaked {leaked or told} to {member.id} by a notice in {place}")
    missed = {message for message, at in posted.items() if at in must} - told
    if missed:
        verdict.withheld += 1
        inquiry.blame(f"missed {missed} for {member.id}, by a notice in {place}")
    await _end(inquiry, member, place, posted)


async def _post(inquiry: Inquiry, member: Member) -> dict[int, int]:
    """Post a few pictures, none like another, as others than this member.

    returns  where each message stands, by its id
    """
    pairs = [pair for pair in inquiry.writers() if pair[0].id != member.id]
    chosen = inquiry.rng.sample(pairs, min(POSTS, len(pairs)))
    posted = {}
    for author, place in chosen:
        noise = Image.frombytes("RGB", (SIDE, SIDE), inquiry.rng.randbytes(3 * SIDE * SIDE))
        file = io.BytesIO()
        noise.save(file, "PNG")
        client = inquiry.client(author.id)
        message = await client.post(str(place), pictures={"noise.png": file.getvalue()})
        inquiry.joined(author, place)
        await inquiry.testbed.indexed(inquiry.of.server, message["id"])
        posted[int(message["id"])] = place
    return posted


def _told(inquiry: Inquiry, events: list[tuple[str, Payload]], place: int | None) -> set[int]:
    """The messages that notices lead to, in a channel, or in private."""
    notices = [
        Answer(message)
        for name, message in events
        if name == "MESSAGE_CREATE"
        and int(message["author"]["id"]) == inquiry.of.bot
        and (message["channel_id"] == str(place) if place else "guild_id" not in message)
    ]
    return {int(id) for notice in notices for _, id in GO_TO.findall(notice.text())}


async def _end(inquiry: Inquiry, member: Member, place: int, posted: dict[int, int]) -> None:
    """Remove the watch, and the pictures."""
    watches = inquiry.testbed.magpie.gallery.watches
    mine = await watches.of_owner(inquiry.of.server, member.id)
    await inquiry.testbed.magpie.writer.remove_watches([watch.id for watch in mine])
    owner = inquiry.client(inquiry.server.owner)
    for message, at in posted.items():
        await owner.request("DELETE", f"/channels/{at}/messages/{message}")
        await until_gone(inquiry, str(message))
