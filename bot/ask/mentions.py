"""Which messages ask Magpie something, and what. Pure; `messages` answers them.

- a reply with a picture attached, to any of Magpie's messages
- a reply to somebody's picture with @Magpie, perhaps with words
- a picture posted with @Magpie, perhaps with words
- @Magpie with words alone
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.media import pictures

_MENTION = re.compile(r"<(?:@[!&]?|#)\d+>")
_EMOJI = re.compile(r"<a?:(\w+):\d+>")
_JOINING = re.compile(r"^(?:and|but|just|only)\b[\s,]*", re.IGNORECASE)
_LINK = re.compile(r"<?https?://\S+")


@dataclass(frozen=True, slots=True)
class Mention:
    """What a message asks: with words, with the pictures of `pictured`, or with both."""

    words: str = ""
    pictured: discord.Message | None = None
    link_only: bool = False  # a link was all it had

    @property
    def empty(self) -> bool:
        return not self.words and self.pictured is None


def read(message: discord.Message, me: discord.Member) -> Mention | None:
    """What `message` asks of `me`, or None for ordinary chat.

    A reply pings its author by default, so `message.mentions` says nothing: only a mention
    written into the text counts.
    """
    if message.author.bot or message.webhook_id is not None:
        return None
    replied_to = _replied_to(message)
    pictured = bool(pictures.from_message(message))
    addressed = _is_addressed(message.content, me)
    answers_me = replied_to is not None and replied_to.author.id == me.id
    if not addressed and not (answers_me and pictured):
        return None
    said = words(message.content)
    if pictured:
        return Mention(beside_a_picture(said), message)
    # Magpie's own answers show many pictures: a reply to one is about none in particular
    if replied_to is not None and not answers_me and pictures.from_message(replied_to):
        return Mention(beside_a_picture(said), replied_to)
    return Mention(said, link_only=is_only_links(message.content))


def words(text: str) -> str:
    """What a text says, without mentions and links; an emoji by its name."""
    text = _EMOJI.sub(lambda emoji: emoji[1].replace("_", " "), text)
    return " ".join(_LINK.sub(" ", _MENTION.sub(" ", text)).split())


def beside_a_picture(said: str) -> str:
    """What is asked for beside a picture, without the word that joins the two: “but at night”."""
    return _JOINING.sub("", said) or said


def is_only_links(text: str) -> bool:
    """Whether a text has links and says nothing beside them."""
    return not words(text) and bool(_LINK.search(text))


def _is_addressed(text: str, me: discord.Member) -> bool:
    """Whether the text mentions Magpie, or the role that Discord gave it at its invitation."""
    names = {f"<@{me.id}>", f"<@!{me.id}>"}
    if me.guild.self_role is not None:
        names.add(f"<@&{me.guild.self_role.id}>")
    return any(name in text for name in names)


def _replied_to(message: discord.Message) -> discord.Message | None:
    """The message that this one replies to, as Discord sent it along; a forward has none."""
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.default:
        return None
    return reference.resolved if isinstance(reference.resolved, discord.Message) else None
