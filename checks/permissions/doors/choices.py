"""What is offered while somebody types."""

from __future__ import annotations

import re

from checks.permissions import judging
from checks.permissions.inquiry import Inquiry


async def choices(inquiry: Inquiry) -> bool:
    """What is offered while somebody types."""
    if (pair := inquiry.somebody()) is None:
        return False
    (member, place), rng = pair, inquiry.rng
    option, typed = rng.choice(
        (
            ("in", ""),
            ("in", "pl"),
            ("from", ""),
            ("from", "person"),
            ("query", "x from:"),
            ("query", "x in:"),
        )
    )
    client = inquiry.client(member.id)
    offered = await client.suggestions("find", option, typed, where=str(place))
    values = " ".join(str(one["value"]) for one in offered)
    ids = {int(id) for id in re.findall(r"\d{15,}", values)}
    ids |= {inquiry.of.places[int(n)].id for n in re.findall(r"place-(\d\d)\b", values)}
    judging.judge_offered(inquiry, ids, member, place, people="from" in (option, typed[2:6]))
    return True
