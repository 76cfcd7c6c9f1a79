"""Questions that are messages: mentions, replies and pictures; and the menu of a message."""

from __future__ import annotations

import asyncio
import time

from checks.permissions import judging
from checks.permissions.given import Asked, Given
from checks.permissions.inquiry import Inquiry
from checks.permissions.oracle import Member
from checks.permissions.testbed import Posted
from sandbox.person import Answer, Payload


async def mention(inquiry: Inquiry) -> bool:
    """`@Magpie words`, answered in the channel."""
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    words = inquiry.any_words()
    answer, _ = await say(inquiry, member, place, f"<@{inquiry.of.bot}> {words}")
    asked = Asked(await inquiry.meaning(words))
    await judging.judge(inquiry, Given(answer, asked, member.id, place, True))
    return True


async def reply_to_a_picture(inquiry: Inquiry) -> bool:
    """`@Magpie` in reply to somebody's picture."""
    if (found := _a_picture(inquiry)) is None:
        return False
    member, posted = found
    replied = {"id": str(posted.message), "channel_id": str(posted.place)}
    text = f"<@{inquiry.of.bot}>"
    answer, _ = await say(inquiry, member, posted.place, text, reply_to=replied)
    asked = Asked(await inquiry.meaning(picture=posted), posted.message)
    await judging.judge(inquiry, Given(answer, asked, member.id, posted.place, True))
    return True


async def post_a_picture(inquiry: Inquiry) -> bool:
    """A picture posted with `@Magpie`."""
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    return await _post(inquiry, member, place, f"<@{inquiry.of.bot}>", None)


async def reply_with_a_picture(inquiry: Inquiry) -> bool:
    """A picture in reply to one of Magpie's answers."""
    pairs = {(member.id, place): member for member, place in inquiry.writers(in_history=True)}
    answers = [
        (member, given)
        for given in inquiry.given
        for (_, place), member in pairs.items()
        if given.public and given.place == place
    ]
    if not answers:
        return False
    member, given = inquiry.rng.choice(answers)
    return await _post(inquiry, member, given.place, "", given.answer.message)


async def _post(
    inquiry: Inquiry, member: Member, place: int, text: str, reply_to: Payload | None
) -> bool:
    picture = inquiry.any_picture()
    files = {picture.file.name: picture.data()}
    answer, posted = await say(inquiry, member, place, text, reply_to=reply_to, pictures=files)
    asked = Asked(await inquiry.meaning(picture=picture), int(posted["id"]))
    # until it is deleted, the question's own picture is one of the channel's pictures
    await inquiry.client(member.id).request("DELETE", f"/channels/{place}/messages/{posted['id']}")
    await until_gone(inquiry, posted["id"])
    await judging.judge(inquiry, Given(answer, asked, member.id, place, True))
    return True


async def until_gone(inquiry: Inquiry, message: str) -> None:
    """Wait until the pictures of a message that was deleted have left the gallery."""
    gallery = inquiry.testbed.magpie.gallery
    await inquiry.testbed.settled()
    while await gallery.links.slots(inquiry.of.server, message):  # noqa: ASYNC110 (there is no event for it)
        await asyncio.sleep(0.01)


async def say(
    inquiry: Inquiry,
    member: Member,
    place: int,
    text: str,
    *,
    reply_to: Payload | None = None,
    pictures: dict[str, bytes] | None = None,
) -> tuple[Answer, Payload]:
    """Write a message, and wait for Magpie's reply. Writing in a thread joins it."""
    client = inquiry.client(member.id)
    began = time.perf_counter()
    posted = await client.post(str(place), text, reply_to=reply_to, pictures=pictures)
    inquiry.joined(member, place)

    def answers(message: Payload) -> bool:
        return bool((message.get("message_reference") or {}).get("message_id") == posted["id"])

    message = await client.event("MESSAGE_CREATE", where=answers)
    return Answer(message, time.perf_counter() - began), posted


async def menu(inquiry: Inquiry) -> bool:
    """Apps, Find similar."""
    if (found := _a_picture(inquiry)) is None:
        return False
    member, posted = found
    target = {"id": str(posted.message), "channel_id": str(posted.place)}
    answer = await inquiry.client(member.id).menu("Find similar", target)
    asked = Asked(await inquiry.meaning(picture=posted), posted.message)
    await judging.judge(inquiry, Given(answer, asked, member.id, posted.place, False))
    return True


def _a_picture(inquiry: Inquiry) -> tuple[Member, Posted] | None:
    """A picture, and a member who sees it and may write there."""
    pairs = inquiry.writers(in_history=True)
    found = [(m, p) for m, place in pairs for p in inquiry.pictures.values() if p.place == place]
    return inquiry.rng.choice(found) if found else None
