"""The buttons below an answer. Each custom_id holds all that a click needs, so that buttons work
after a restart; `bot.commands.find` answers to them."""

from __future__ import annotations

import re
from typing import Any

from discord import ui

from bot.platform.interactions import button
from index import Position

# A page of a search: its id, and where the page before ended.
MORE = r"m:(?P<search>[\w-]+):(?P<rank>\d+)(?::(?P<link>\d+):(?P<score>-?\d\.\d+))?"
GREATEST = 2**53  # of ranks and links
# Pictures similar to one that was found: the id of its link.
SIMILAR = r"s:(?P<link>\d+)"
# The same question with another picture of the same message.
INSTEAD = r"i:(?P<search>[\w-]+):(?P<n>\d+)"


def more(search: str, after: Position | None, label: str = "More") -> ui.Button[Any]:
    place = f"{after.rank}:{after.link}:{after.score:.9f}" if after else "0"
    return button(f"m:{search}:{place}", label)


def position_of(match: re.Match[str]) -> Position | None:
    """Where the page of a MORE button begins; None: at the beginning.

    A forged button with numbers that no page has begins there, too.
    """
    if match["link"] is None:
        return None
    rank, link = int(match["rank"]), int(match["link"])
    if max(rank, link) > GREATEST:
        return None
    return Position(rank, float(match["score"]), link, 0.0)


def similar(link: int) -> ui.Button[Any]:
    return button(f"s:{link}", "Similar")


def instead(search: str, n: int) -> ui.Button[Any]:
    return button(f"i:{search}:{n}", f"Picture {n + 1}")
