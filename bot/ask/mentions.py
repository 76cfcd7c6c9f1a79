"""Finds out whether a message asks Magpie something, and what. `messages` answers it.

- a reply with a picture attached, to any of Magpie's messages
- a reply to somebody's picture with @Magpie, perhaps with words
- a picture posted with @Magpie, perhaps with words
- @Magpie with words alone
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.ask.phrases import without_joining
from bot.media import pictures

_ONE = r"<(?:@[!&]?|#)\d+>"
# Mentions, and the field that they are the values of: "from:<@1>", "-in: <#2>, <#3>".
_MENTIONS = re.compile(rf"(?P<field>(?<![^\s(])-?[^\W\d]+:\s*)?{_ONE}(?:\s*,\s*{_ONE})*")
_EMOJI = re.compile(r"<a?:(\w+):\d+>")
_LINK = re.compile(r"<?https?://\S+")


@dataclass(frozen=True, slots=True)
class Mention:
    """What a message asks: a line, the pictures of the message `pictured`, or both."""

    line: str = ""
    pictured: discord.Message | None = None
    link_only: bool = False  # the text had a link and no words

    @property
    def empty(self) -> bool:
        return not self.line and self.pictured is None


def read(message: discord.Message, me: discord.Member) -> Mention | None:
    """What `message` asks of `me`; None if it asks nothing.

    Only a mention in the text counts: `message.mentions` also has the author of the message that
    was replied to.
    """
    if message.author.bot or message.webhook_id is not None:
        return None
    replied_to = _replied_to(message)
    pictured = bool(pictures.from_message(message))
    addressed = _is_addressed(message.content, me)
    answers_me = replied_to is not None and replied_to.author.id == me.id
    if not addressed and not (answers_me and pictured):
        return None
    said = line(message.content)
    if pictured:
        return Mention(without_joining(said), message)
    # An answer of Magpie's shows many pictures, and a reply to it doesn't say which one is meant.
    if replied_to is not None and not answers_me and pictures.from_message(replied_to):
        return Mention(without_joining(said), replied_to)
    return Mention(said, link_only=is_only_links(message.content))


def line(text: str) -> str:
    """A text as a line of the query language: without links, with the names of emoji in their
    place, and with mentions only where a field such as `from:` names somebody by them."""
    text = _EMOJI.sub(lambda emoji: emoji[1].replace("_", " "), text)
    text = _MENTIONS.sub(lambda named: named[0] if named["field"] else " ", text)
    return " ".join(_LINK.sub(" ", text).split())


def is_only_links(text: str) -> bool:
    """Whether a text has links and no words."""
    return not line(text) and bool(_LINK.search(text))


def _is_addressed(text: str, me: discord.Member) -> bool:
    """Whether the text mentions Magpie, or the role that Discord made for it."""
    names = {f"<@{me.id}>", f"<@!{me.id}>"}
    if me.guild.self_role is not None:
        names.add(f"<@&{me.guild.self_role.id}>")
    return any(name in text for name in names)


def _replied_to(message: discord.Message) -> discord.Message | None:
    """The message that this one replies to, if Discord sent it along; a forward has none."""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.default:
        return None
    return reference.resolved if isinstance(reference.resolved, discord.Message) else None
