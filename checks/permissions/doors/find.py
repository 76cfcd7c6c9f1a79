"""`/find`, with words, with a picture, and with fields."""

from __future__ import annotations

from checks.permissions import judging
from checks.permissions.doors.messages import say
from checks.permissions.given import Asked, Given
from checks.permissions.inquiry import Inquiry
from checks.permissions.terms import any_terms


async def for_me(inquiry: Inquiry) -> bool:
    return await _in_words(inquiry, "only me")


async def for_everyone(inquiry: Inquiry) -> bool:
    return await _in_words(inquiry, "everyone")


async def _in_words(inquiry: Inquiry, show: str) -> bool:
    if (pair := inquiry.somebody()) is None:
        return False
    (member, place), words = pair, inquiry.any_words()
    client, where = inquiry.client(member.id), str(place)
    answer = await client.command("find", where=where, query=words, show=show)
    asked = Asked(await inquiry.meaning(words))
    await judging.judge(inquiry, Given(answer, asked, member.id, place, show == "everyone"))
    return True


async def with_a_picture(inquiry: Inquiry) -> bool:
    if (pair := inquiry.somebody()) is None:
        return False
    (member, place), picture = pair, inquiry.any_picture()
    client, image = inquiry.client(member.id), (picture.file.name, picture.data())
    answer = await client.command("find", where=str(place), image=image)
    asked = Asked(await inquiry.meaning(picture=picture))
    await judging.judge(inquiry, Given(answer, asked, member.id, place, False))
    return True


async def with_fields(inquiry: Inquiry) -> bool:
    """`/find` and mentions with `in:`, `from:` and `sort:`, by mentions and by names, of open
    places and of closed ones, of members with pictures and of those without."""
    if (pair := inquiry.somebody()) is None:
        return False
    (member, place), terms, words = pair, any_terms(inquiry), inquiry.any_words()
    way = inquiry.rng.choice(("options", "line", "for everyone", "mention"))
    public = way in ("for everyone", "mention")
    client, where, line = inquiry.client(member.id), str(place), terms.behind(words)
    if way == "options":
        answer = await client.command("find", where=where, query=words, **terms.values)
    elif way == "mention":
        answer, _ = await say(inquiry, member, place, f"<@{inquiry.of.bot}> {line}")
    else:
        show = "everyone" if public else "only me"
        answer = await client.command("find", where=where, query=line, show=show)
    asked = Asked(await inquiry.meaning(words), within=terms.within, author=terms.author)
    given = Given(answer, asked, member.id, place, public, sort=terms.sort)
    await judging.judge_named(inquiry, given, named=terms.named)
    return True
