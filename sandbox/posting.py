"""A request body → a message, for all routes that post or edit one.

It checks the parts of a message as Discord does: lengths, counts, Components V2 together with
content or embeds, and empty messages. The routes check who may post.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import components, mentions, permissions, polls, uploads
from .core import Core
from .errors import ApiError, invalid, missing_permissions, required, too_long, unknown
from .uploads import Body, Upload
from .world import (
    COMPONENTS_V2,
    EPHEMERAL,
    FORWARDED,
    LOADING,
    REPLY,
    SUPPRESS_EMBEDS,
    Attachment,
    Channel,
    Message,
    Reference,
    User,
    snapshot_of,
)

MAX_CONTENT = 2000
MAX_EMBEDS = 10
MAX_EMBED_TEXT = 6000  # over all embeds of a message
MAX_STICKERS = 3
EMBED_LIMITS = {
    ("title",): 256,
    ("description",): 4096,
    ("author", "name"): 256,
    ("footer", "text"): 2048,
}
FIELD_LIMITS = {"name": 256, "value": 1024}
MAX_FIELDS = 25

EMPTY = ApiError(400, 50006, "Cannot send an empty message")
REPLY_WITHOUT_HISTORY = ApiError(
    403, 160002, "Cannot reply without permission to read message history"
)
V2_ALONE = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"

# the last two are "suppress notifications" and "is a voice message"
SETTABLE_FLAGS = SUPPRESS_EMBEDS | COMPONENTS_V2 | 1 << 12 | 1 << 13


@dataclass(frozen=True, slots=True)
class Author:
    """The author: the user, their permissions in the channel, and a bot's application."""

    user: User
    permissions: int
    application_id: int | None = None
    for_interaction: bool = False  # answers to interactions need no permissions


async def new(core: Core, author: Author, channel: Channel, body: Body) -> Message:
    """The message that a body describes, with a new id; not posted yet.

    raises  ApiError 50035, 50006, 50013, 40005 …
    """
    wanted = body.json
    flags = int(wanted.get("flags") or 0) & SETTABLE_FLAGS
    if author.for_interaction:
        flags |= int(wanted.get("flags") or 0) & EPHEMERAL
    message = Message(
        id=core.next_id(),
        channel_id=channel.id,
        author_id=author.user.id,
        flags=flags,
        tts=bool(wanted.get("tts", False)),
        application_id=author.application_id,
    )
    await fill(core, message, body)
    if wanted.get("poll") is not None:
        message.poll = polls.read(wanted["poll"])
    _check_v2(message)
    _check_permissions(author, message)
    _stickers(core, message, wanted, channel)
    _refer(core, message, wanted, author)
    _mention(core, message, wanted, channel, author)
    if not _holds_anything(message):
        raise EMPTY
    return message


async def fill(core: Core, message: Message, body: Body) -> None:
    """Set the parts of a new or edited message that the body names, with its files."""
    wanted = body.json
    if "content" in wanted:
        message.content = _content(wanted["content"])
    if "embeds" in wanted:
        message.embeds = _embeds(wanted["embeds"] or [])
    if "components" in wanted:
        v2 = bool(message.flags & COMPONENTS_V2)
        message.components = components.clean(wanted["components"] or [], v2=v2)
    before = message.attachments
    if "attachments" in wanted or body.uploads:
        message.attachments = await _attachments(core, message, body)
    dropped = [one for one in before if one.id not in {kept.id for kept in message.attachments}]
    _use_uploads(core, message, dropped)
    core.world.hide_files(dropped, message.id)


async def edit(core: Core, message: Message, body: Body, author: Author) -> None:
    """Change a message as the body says; the caller then saves it and sends the event."""
    wanted = body.json
    edited = replace(message)
    if "flags" in wanted and wanted["flags"] is not None:
        asked = int(wanted["flags"]) & SETTABLE_FLAGS
        if message.flags & COMPONENTS_V2:
            asked |= COMPONENTS_V2  # this flag can't be removed
        edited.flags = message.flags & ~SETTABLE_FLAGS | asked
    edited.flags &= ~LOADING
    await fill(core, edited, body)
    _check_v2(edited)
    if "content" in wanted and "embeds" not in wanted:
        edited.embeds = [one for one in edited.embeds if _still_linked(one, edited.content)]
    if edited.flags & SUPPRESS_EMBEDS:
        edited.embeds = []
    if not _holds_anything(edited):
        raise EMPTY
    channel = core.world.channel(message.channel_id)
    if channel is not None and "content" in wanted:
        _mention(core, edited, wanted, channel, author)
    if not message.flags & LOADING:
        edited.edited_at = time.time()
    for name in Message.__dataclass_fields__:
        setattr(message, name, getattr(edited, name))


def _still_linked(embed: dict[str, Any], content: str) -> bool:
    """Whether an embed stays after an edit: a link's embed only while the link is there."""
    return embed.get("type", "rich") == "rich" or str(embed.get("url")) in content


def _content(content: Any) -> str:
    if content is None:
        return ""
    text = str(content)
    if len(text) > MAX_CONTENT:
        raise too_long("content", MAX_CONTENT)
    return text.strip()


def _embeds(embeds: Any) -> list[dict[str, Any]]:
    if not isinstance(embeds, list) or len(embeds) > MAX_EMBEDS:
        message = f"Must be {MAX_EMBEDS} or fewer in length."
        raise invalid("embeds", "BASE_TYPE_MAX_LENGTH", message)
    for n, embed in enumerate(embeds):
        for path, limit in EMBED_LIMITS.items():
            held = embed.get(path[0])
            text = held.get(path[1]) if held and len(path) == 2 else held
            if len(text or "") > limit:
                raise too_long(f"embeds.{n}.{'.'.join(path)}", limit)
        for key in ("image", "thumbnail"):
            url = embed[key]["url"] if embed.get(key) else "attachment://"
            if not (components.is_link(url) or url.startswith("attachment://")):
                message = "Not a well formed URL."
                raise invalid(f"embeds.{n}.{key}.url", "URL_TYPE_INVALID_URL", message)
        _check_fields(embed.get("fields") or [], f"embeds.{n}.fields")
    if sum(map(_embed_text, embeds)) > MAX_EMBED_TEXT:
        message = f"Embed size exceeds maximum size of {MAX_EMBED_TEXT}"
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", message)
    return [_posted_embed(embed) for embed in embeds]


def _check_fields(fields: list[dict[str, Any]], path: str) -> None:
    if len(fields) > MAX_FIELDS:
        message = f"Must be {MAX_FIELDS} or fewer in length."
        raise invalid(path, "BASE_TYPE_MAX_LENGTH", message)
    for n, one in enumerate(fields):
        for key, limit in FIELD_LIMITS.items():
            if not one.get(key):
                raise required(f"{path}.{n}.{key}")
            if len(one[key]) > limit:
                raise too_long(f"{path}.{n}.{key}", limit)


def _embed_text(embed: dict[str, Any]) -> int:
    fields = embed.get("fields") or []
    parts = [embed.get("title"), embed.get("description")]
    parts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    parts += [text for field in fields for text in (field.get("name"), field.get("value"))]
    return sum(len(part) for part in parts if part)


def _posted_embed(embed: dict[str, Any]) -> dict[str, Any]:
    """The fields that Discord keeps of a posted embed: type "rich", no sizes, no proxied links."""
    kept = {
        key: value
        for key, value in embed.items()
        if key not in ("type", "provider", "video", "flags") and value is not None
    }
    for key in ("image", "thumbnail"):
        if key in kept:
            kept[key] = {"url": kept[key]["url"]}
    return {"type": "rich", **kept}


def _check_v2(message: Message) -> None:
    if not message.flags & COMPONENTS_V2:
        return
    code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    if message.content:
        raise invalid("content", code, V2_ALONE)
    if message.embeds:
        raise invalid("embeds", code, V2_ALONE.replace("content", "embeds"))
    if message.poll is not None:
        raise invalid("poll", code, V2_ALONE.replace("content", "poll"))


async def _attachments(core: Core, message: Message, body: Body) -> list[Attachment]:
    """The attachments after this body: those that it keeps, then those that it uploads."""
    listed = body.json.get("attachments")
    by_index = {upload.index: upload for upload in body.uploads}
    if listed is None:
        kept = list(message.attachments)
        return kept + [await _keep(core, message, one, {}) for one in body.uploads]
    result = []
    have = {str(one.id): one for one in message.attachments}
    for n, entry in enumerate(listed):
        id = str(entry.get("id"))
        if id in have:
            described = entry.get("description", have[id].description)
            result.append(replace(have[id], description=described))
        elif id in by_index:
            result.append(await _keep(core, message, by_index[id], entry))
        else:
            raise invalid(f"attachments.{n}.id", "ATTACHMENT_NOT_FOUND", f"Unknown file {id}")
    if len(result) > uploads.MAX_FILES:
        text = f"Must be {uploads.MAX_FILES} or fewer in length."
        raise invalid("attachments", "BASE_TYPE_MAX_LENGTH", text)
    return result


async def _keep(core: Core, message: Message, upload: Upload, entry: dict[str, Any]) -> Attachment:
    return await uploads.keep(
        upload,
        core.uploads,
        id=core.next_id(),
        channel_id=message.channel_id,
        listed=entry,
        ephemeral=message.only_for is not None or bool(message.flags & EPHEMERAL),
    )


def _use_uploads(core: Core, message: Message, dropped: list[Attachment]) -> None:
    """Replace the addresses of files in embeds and components by `attachment:ID`.

    These are `attachment://name` for the message's own files, and addresses of the CDN, whose
    signature expires.

    raises  ApiError 50035 for a file that doesn't exist, or no longer
    """
    by_name = {one.filename: one for one in message.attachments}
    gone = {f"attachment:{one.id}" for one in dropped}
    for item, key in components.addresses(message.embeds, message.components):
        url = item[key]
        name = url.removeprefix("attachment://")
        known = by_name.get(name) if name != url else core.links.attachment_at(url)
        if known is not None:
            format = parse_qs(urlsplit(url).query).get("format")
            item[key] = f"attachment:{known.id}" + (f"?format={format[0]}" if format else "")
        if url in gone or (known is None and name != url):
            text = f"The referenced attachment '{name}' was not found."
            raise invalid("components", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", text)


def _check_permissions(author: Author, message: Message) -> None:
    if author.for_interaction:
        return
    needed = permissions.ATTACH_FILES if message.attachments else 0
    needed |= permissions.SEND_POLLS if message.poll is not None else 0
    if author.permissions & needed != needed:
        raise missing_permissions()
    if message.embeds and not author.permissions & permissions.EMBED_LINKS:
        message.embeds = []


def _stickers(core: Core, message: Message, wanted: dict[str, Any], channel: Channel) -> None:
    ids = [int(id) for id in wanted.get("sticker_ids") or []]
    if len(ids) > MAX_STICKERS:
        raise too_long("sticker_ids", MAX_STICKERS)
    if any(id not in core.guild_of(channel).stickers for id in ids):
        raise unknown("Sticker")
    message.sticker_ids = ids


def _refer(core: Core, message: Message, wanted: dict[str, Any], author: Author) -> None:
    """Make the message a reply or a forward, if the body refers to another message."""
    reference = wanted.get("message_reference")
    if not reference:
        return
    kind = int(reference.get("type") or 0)
    may_reply = author.for_interaction or author.permissions & permissions.READ_MESSAGE_HISTORY
    if kind == 0 and not may_reply:
        raise REPLY_WITHOUT_HISTORY
    channel_id = int(reference.get("channel_id") or message.channel_id)
    channel = core.world.channel(channel_id)
    original = core.world.message(channel_id, int(reference.get("message_id") or 0))
    if channel is None or original is None or not core.world.reads(author.user.id, channel):
        if reference.get("fail_if_not_exists", True) or kind == 1:
            code = "REPLIES_UNKNOWN_MESSAGE" if kind == 0 else "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"
            raise invalid("message_reference", code, "Unknown message")
        return
    message.reference = Reference(kind, channel.id, original.id, channel.guild_id)
    if kind == 1:
        message.snapshot = snapshot_of(original)
        message.flags |= FORWARDED
    else:
        message.type = REPLY


def _mention(
    core: Core, message: Message, wanted: dict[str, Any], channel: Channel, author: Author
) -> None:
    allowed = wanted.get("allowed_mentions")
    everyone = bool(author.permissions & permissions.MENTION_EVERYONE)
    guild = core.guild_of(channel)
    mentions.note(message, guild, allowed=allowed, may_mention_everyone=everyone)
    if message.type == REPLY and message.reference is not None:
        replied = core.world.message(message.reference.channel_id, message.reference.message_id)
        if replied is not None:
            mentions.note_reply(message, replied.author_id, allowed)


def _holds_anything(message: Message) -> bool:
    parts = (
        message.content,
        message.embeds,
        message.components,
        message.attachments,
        message.sticker_ids,
        message.snapshot,
        message.poll,
    )
    return any(parts)


def same_nonce(wanted: dict[str, Any]) -> str | int | None:
    """The nonce by which a client recognises its message: text, number or None."""
    nonce = wanted.get("nonce")
    return nonce if isinstance(nonce, str | int) else json.dumps(nonce) if nonce else None
