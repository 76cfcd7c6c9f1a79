"""The three steps by which an admin sets Magpie up: their menus, their cards, what was chosen.

Only the first menu stands in the message for all. The other steps are a message that the admin
alone sees. It holds all that was chosen, in the custom_ids of its controls and in the defaults of
the menu with channels; so a click works after a restart, and two admins don't disturb each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import ui
from discord.abc import GuildChannel

from bot.access.permissions import sees
from bot.ask import layout
from bot.platform.interactions import button
from bot.platform.places import inside, missing_permissions
from bot.sync.choosing import why_not_watched
from bot.sync.watched import Watched
from bot.text import welcome as text
from index import Languages

# The menu in the message for all.
CHOOSE = "setup"
# A control of the private steps: which one, and what is chosen so far beside the channels. Messages
# of earlier versions lack the days that held before.
STEP = (
    r"setup:(?P<control>channels|days|notes|start):(?P<days>\d{1,4}):(?P<notes>[01])"
    r"(?::(?P<before>\d{1,4}))?"
)
# The button below a message that shows examples to whoever clicks.
EXAMPLES = "examples"

DAYS = (0, 30, 90, 365)  # for which pictures may stay; 0: as long as their message
MOST = 25  # channels of a menu: Discord's limit
KINDS = (
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.category,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What an admin has chosen so far.

    channels   ids of channels and categories that are to be read
    days       how long pictures stay; 0: as long as their message
    notes      whether pictures there get a note that were posted before
    before     how long they stayed when the steps were opened; another admin may change it since
    """

    channels: tuple[int, ...] = ()
    days: int = 0
    notes: bool = False
    before: int = 0

    def changed(self, match: re.Match[str], values: Sequence[str]) -> Plan:
        """The plan after a menu was used."""
        if match["control"] == "channels":
            return replace(self, channels=ids_in(values))
        if match["control"] == "days":
            return replace(self, days=next(iter(ids_in(values)), self.days))
        return replace(self, notes="1" in values) if match["control"] == "notes" else self


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of this Magpie, which its operator decides.

    model       whose languages these are; None: not known yet
    words_read  whether the words in pictures are read
    """

    model: str
    languages: Languages | None
    words_read: bool


def plan_of(match: re.Match[str], message: discord.Message | None) -> Plan:
    """What was chosen before a click, from the message with the control that was clicked."""
    days, notes = int(match["days"]), match["notes"] == "1"
    menus = _menus(message.components if message else ())
    # discord.py leaves these ids as text, whatever its types say.
    chosen = ids_in(str(value.id) for menu in menus for value in menu.default_values)
    return Plan(chosen, days, notes, before=int(match["before"] or 0))


def _menus(parts: Iterable[Any]) -> list[discord.SelectMenu]:
    found: list[discord.SelectMenu] = []
    for part in parts:
        if isinstance(part, discord.SelectMenu):
            found.append(part)
        found += _menus(getattr(part, "children", ()))
    return found


def ids_in(values: Iterable[str]) -> tuple[int, ...]:
    """The numbers that were chosen in a menu."""
    return tuple(int(one) for one in values if one.isascii() and one.isdecimal() and len(one) < 21)


def channels_in(plan: Plan, member: discord.Member) -> list[GuildChannel]:
    """The chosen channels that the member sees, categories first: they cover others."""
    found = [member.guild.get_channel(id) for id in plan.channels]
    seen = [one for one in found if one is not None and one.type in KINDS and sees(member, one)]
    return sorted(seen, key=lambda one: not isinstance(one, discord.CategoryChannel))


def channels_to_choose(
    custom_id: str = CHOOSE, chosen: Sequence[int] = ()
) -> ui.ChannelSelect[Any]:
    """The menu with channels."""
    return ui.ChannelSelect(
        custom_id=custom_id,
        channel_types=list(KINDS),
        placeholder=text.which_channels(),
        max_values=MOST,
        default_values=[
            discord.SelectDefaultValue(id=id, type=discord.SelectDefaultValueType.channel)
            for id in chosen
        ],
    )


def examples_button() -> ui.Button[Any]:
    return button(EXAMPLES, text.show_examples())


def hello() -> layout.Card:
    """The message with which Magpie comes to a server."""
    menu = channels_to_choose()
    return layout.card(f"### {text.hello()}", ui.TextDisplay(text.first_step()), ui.ActionRow(menu))


def steps(plan: Plan, member: discord.Member, watched: Watched, facts: Facts) -> layout.Card:
    """The steps after the first, for the one who chose."""
    channels = channels_in(plan, member)
    problems = {one: why for one in channels if (why := why_not_watched(watched, one)) is not None}
    readable = [one for one in channels if one not in problems]
    closed = {
        place: missing
        for one in readable
        for place in inside(one)
        if place not in problems
        if sees(member, place) and (missing := missing_permissions(place))
    }
    ids = [one.id for one in channels]
    begin = ui.Button[Any](
        label=text.start(),
        custom_id=_step("start", plan),
        style=discord.ButtonStyle.primary,
        disabled=not readable,
    )
    return layout.card(
        f"### {text.second_step()}",
        ui.TextDisplay(text.chosen(readable, problems.values(), closed)),
        ui.ActionRow(channels_to_choose(_step("channels", plan), ids)),
        ui.TextDisplay(text.kept(words_read=facts.words_read)),
        ui.ActionRow(_menu_of_days(plan)),
        ui.ActionRow(_menu_of_notes(plan)),
        ui.TextDisplay(f"### {text.third_step()}"),
        ui.TextDisplay(
            text.model(facts.model, facts.languages, str(member.guild.preferred_locale))
        ),
        buttons=[begin],
    )


def begun(lines: Sequence[str]) -> layout.Card:
    """What has begun, for the one who started it."""
    return layout.card(
        f"### {text.started()}", ui.TextDisplay("\n".join(lines)), buttons=[examples_button()]
    )


def _menu_of_days(plan: Plan) -> ui.Select[Any]:
    options = [
        discord.SelectOption(label=text.how_long(days), value=str(days), default=days == plan.days)
        for days in sorted({*DAYS, plan.days})
    ]
    return ui.Select(custom_id=_step("days", plan), options=options)


def _menu_of_notes(plan: Plan) -> ui.Select[Any]:
    options = [
        discord.SelectOption(label=text.notes(on), value=str(int(on)), default=on == plan.notes)
        for on in (False, True)
    ]
    return ui.Select(custom_id=_step("notes", plan), options=options)


def _step(control: str, plan: Plan) -> str:
    return f"setup:{control}:{plan.days}:{int(plan.notes)}:{plan.before}"
