"""`/overview`, which counts pictures, shows some of them, and names what they are about."""

from __future__ import annotations

import re

from bot.overview.cards import links_in
from bot.text import overview as text
from checks.permissions import judging
from checks.permissions.given import PLACE_SHOWN, Asked, Given
from checks.permissions.inquiry import Inquiry
from index import Query
from sandbox.person import Answer

TOTAL = re.compile(r"^-# ([\d,]+) pictures? ·", re.M)
OF_A_CLUSTER = re.compile(r"^\*\*\d+ · .+?\*\* · ([\d,]+) pictures?", re.M)


async def for_me(inquiry: Inquiry) -> bool:
    return await _overview(inquiry, "only me")


async def for_everyone(inquiry: Inquiry) -> bool:
    return await _overview(inquiry, "everyone")


async def _overview(inquiry: Inquiry, show: str) -> bool:
    if (pair := inquiry.somebody()) is None:
        return False
    member, place = pair
    public, client = show == "everyone", inquiry.client(member.id)
    answer = await client.command("overview", where=str(place), show=show)
    may, must = inquiry.open_to(member.id, place, public=public)
    _judge_counts(inquiry, answer, member.id, may, must, public=public)
    menus = [part for part in answer.parts() if part.get("options")]
    if not menus:
        return True
    links = [links_in(option["value"]) for option in menus[0]["options"]]
    await _judge_links(inquiry, answer, {one for cluster in links for one in cluster}, may)
    chosen = inquiry.rng.randrange(len(links))
    page = await client.choose(answer, menus[0], menus[0]["options"][chosen]["value"])
    first, *others = links[chosen]
    gallery = inquiry.testbed.magpie.gallery
    link = await gallery.links.link(inquiry.of.server, first)
    assert link is not None
    asked = Asked(await gallery.embed_query(Query(like=first)), int(link.source))
    given = Given(page, asked, member.id, place, public=False, more=tuple(others))
    await judging.judge_click(inquiry, given)
    return True


def _judge_counts(
    inquiry: Inquiry, answer: Answer, asker: int, may: set[int], must: set[int], *, public: bool
) -> None:
    """The pictures that are counted are those that may be told of, each in one cluster."""
    most, least = (
        sum(posted.place in places for posted in inquiry.pictures.values())
        for places in (may, must)
    )
    found = TOTAL.search(answer.text())
    told = int(found[1].replace(",", "")) if found else 0
    parts = [int(count.replace(",", "")) for count in OF_A_CLUSTER.findall(answer.text())]
    if told > most:
        inquiry.verdict.leaked += 1
        inquiry.blame(f"an overview of {told} pictures instead of {most} for {asker}")
    elif told < least:
        inquiry.verdict.withheld += 1
        inquiry.blame(f"an overview of {told} pictures instead of {least} for {asker}")
    nothing = text.nothing_to_tell(public=public) in answer.text()
    if sum(parts) != told or nothing == bool(told) or (told and answer.private == public):
        inquiry.verdict.told += 1
        inquiry.blame(f"told {answer.text()!r}")


async def _judge_links(inquiry: Inquiry, answer: Answer, links: set[int], may: set[int]) -> None:
    """The pictures that stand for clusters, and those that are shown, are of open places."""
    known = inquiry.testbed.magpie.gallery.links
    found = await known.with_ids(inquiry.of.server, sorted(links))
    places = {link.group.id for link, _, _ in found.values()}
    shown = [PLACE_SHOWN.search(str(url)) for url in answer.pictures()]
    places |= {int(one[1]) for one in shown if one}
    inquiry.verdict.pictures += len(found)
    if not places <= may:
        inquiry.verdict.leaked += 1
        inquiry.blame(f"an overview with pictures of {places - may}")
