"""The mentions of a message: `<@id>`, `<@&id>`, `@everyone`, if they are allowed.

They count in the content and in text displays.
"""

from __future__ import annotations

import re
from typing import Any

from . import components
from .world import Guild, Message

USER = re.compile(r"<@!?([0-9]{1,20})>")
ROLE = re.compile(r"<@&([0-9]{1,20})>")
EVERYONE = re.compile(r"@(everyone|here)\b")


def note(
    message: Message,
    guild: Guild,
    *,
    allowed: dict[str, Any] | None = None,
    may_mention_everyone: bool = False,
) -> None:
    """Set the message's mentions from what is written in it.

    allowed  an `allowed_mentions` object; None allows all mentions
    """
    written = "\n".join([message.content, *components.text_displays(message.components)])
    users = [id for id in _ids(USER, written) if id in guild.members]
    roles = [id for id in _ids(ROLE, written) if id in guild.roles]
    everyone = may_mention_everyone and bool(EVERYONE.search(written))
    if allowed is not None:
        parse = allowed.get("parse") or []
        if "users" not in parse:
            users = [id for id in users if str(id) in _strings(allowed.get("users"))]
        if "roles" not in parse:
            roles = [id for id in roles if str(id) in _strings(allowed.get("roles"))]
        everyone = everyone and "everyone" in parse
    message.mentions = users
    message.mention_roles = roles
    message.mention_everyone = everyone


def note_reply(message: Message, replied_to: int, allowed: dict[str, Any] | None) -> None:
    """Mention the author of the message that is replied to, unless `allowed` turns it off."""
    wanted = True if allowed is None else bool(allowed.get("replied_user", False))
    if wanted and replied_to not in message.mentions:
        message.mentions.append(replied_to)


def _ids(pattern: re.Pattern[str], content: str) -> list[int]:
    return list(dict.fromkeys(int(id) for id in pattern.findall(content)))


def _strings(ids: Any) -> set[str]:
    return {str(id) for id in ids or []}
