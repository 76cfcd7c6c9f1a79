"""The objects of the world as Discord's JSON.

Each builder is annotated with discord.py's own payload types, so strict mypy checks that the
sandbox sends what the client expects. Where Discord's published schema has keys that these types
don't have, a class below adds them. The types are imported for type checking only, since they can't
be imported at run time.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from . import permissions
from .components import addresses
from .links import Links
from .snowflakes import iso, unix_time
from .world import (
    FORUM,
    MENU_ANSWER,
    REPLY,
    THREAD_STARTER,
    Attachment,
    Channel,
    Guild,
    Member,
    Message,
    Poll,
    PollAnswer,
    Reaction,
    Reference,
    Role,
    Snapshot,
    Sticker,
    Tag,
    User,
    World,
)

if TYPE_CHECKING:
    from discord.types.appinfo import AppInfo
    from discord.types.channel import (
        CategoryChannel,
        DefaultReaction,
        DMChannel,
        ForumChannel,
        ForumTag,
        GuildChannel,
        NewsChannel,
        PermissionOverwrite,
        StageChannel,
        TextChannel,
        VoiceChannel,
        _BaseGuildChannel,
        _BaseTextChannel,
    )
    from discord.types.components import ComponentBase, UnfurledMediaItem
    from discord.types.embed import Embed, EmbedMedia
    from discord.types.emoji import PartialEmoji
    from discord.types.guild import Guild as GuildType
    from discord.types.guild import UnavailableGuild
    from discord.types.interactions import (
        MessageInteraction,
        MessageInteractionMetadata,
    )
    from discord.types.member import Member as MemberType
    from discord.types.member import MemberWithUser, UserWithMember, _OptionalMemberWithUser
    from discord.types.message import Attachment as AttachmentType
    from discord.types.message import Message as MessageType
    from discord.types.message import MessageReference, MessageSnapshot
    from discord.types.message import Reaction as ReactionType
    from discord.types.poll import Poll as PollType
    from discord.types.poll import PollMedia
    from discord.types.role import Role as RoleType
    from discord.types.sticker import GuildSticker, StickerItem
    from discord.types.threads import Thread as ThreadType
    from discord.types.threads import ThreadMember
    from discord.types.user import User as UserType


REGION = "europe"


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user that a payload is made for. `content` is False for a bot without that intent."""

    user_id: int
    content: bool = True


class Payloads:
    """Builds the payloads of one world, with freshly signed links."""

    def __init__(self, world: World, links: Links) -> None:
        self.world = world
        self.links = links

    # people

    def user(self, user: User) -> UserType:
        """A user; `primary_guild` is always null."""
        payload: UserType = {
            "id": str(user.id),
            "username": user.username,
            "discriminator": "0000" if user.bot else "0",
            "avatar": asset_hash(user.avatar),
            "global_name": user.global_name,
            "bot": user.bot,
            "flags": 0,
            "public_flags": 0,
        }
        return cast("UserType", {**payload, "primary_guild": None})

    def user_by_id(self, id: int) -> UserType:
        """A user, or the placeholder that Discord shows for a deleted account."""
        return self.user(self.world.users.get(id) or User(id, "deleted_user"))

    def _mentioned(self, id: int) -> UserWithMember:
        return cast("UserWithMember", self.user_by_id(id))

    def me(self, user: User) -> UserType:
        """A user's own account, with the fields that only they get."""
        return {
            **self.user(user),
            "locale": user.locale,
            "mfa_enabled": False,
            "verified": True,
            "email": None,
            "premium_type": 0,
        }

    def application(self) -> AppInfo:
        """The bot's application, for `GET /oauth2/applications/@me`."""
        application = self.world.application
        payload: AppInfo = {
            "id": str(application.id),
            "name": application.name,
            "description": application.description,
            "summary": "",
            "icon": None,
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": self.user(self._owner()),
            "flags": self.application_flags(),
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "redirect_uris": [],
        }
        more: dict[str, Any] = {
            "bot": self.user(self.world.bot),
            "team": None,
            "type": None,
            "flags_new": str(self.application_flags()),
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "approximate_guild_count": len(self.world.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
        }
        return cast("AppInfo", {**payload, **more})

    def application_flags(self) -> int:
        """Flags of the privileged intents that are turned on, in a small bot's form (LIMITED)."""
        bits = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}
        return sum(bits[name] for name in self.world.application.privileged)

    def _owner(self) -> User:
        people = (user for user in self.world.users.values() if not user.bot)
        return next(people, self.world.bot)

    def member(self, member: Member) -> MemberWithUser:
        """A member, with their user."""
        payload: MemberWithUser = {**self.bare_member(member), "user": self._user_of(member)}
        return payload

    def bare_member(self, member: Member) -> _OptionalMemberWithUser:
        """A member without the user, as in messages."""
        payload: _OptionalMemberWithUser = {
            "roles": [str(role) for role in member.roles],
            "joined_at": iso(member.joined_at),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
        }
        nulls = {"nick": member.nick, "avatar": None, "banner": None}
        until = member.timed_out_until
        nulls["communication_disabled_until"] = iso(until) if until else None
        return cast("_OptionalMemberWithUser", {**payload, **nulls})

    def _user_of(self, member: Member) -> UserType:
        return self.user_by_id(member.user_id)

    # guilds

    def role(self, guild: Guild, role: Role) -> RoleType:
        """A role; a managed one belongs to the bot."""
        payload: RoleType = {
            "id": str(role.id),
            "name": role.name,
            "color": role.color,
            "colors": {
                "primary_color": role.color,
                "secondary_color": role.secondary_color,
                "tertiary_color": role.tertiary_color,
            },
            "hoist": role.hoist,
            "position": role.position,
            "permissions": str(role.permissions),
            "managed": role.managed,
            "mentionable": role.mentionable,
            "flags": 0,
            "icon": None,
            "unicode_emoji": role.unicode_emoji,
        }
        if role.managed:
            payload["tags"] = {"bot_id": str(self.world.application.bot_user_id)}
        return payload

    def guild(self, guild: Guild) -> GuildType:
        """A guild as REST returns it."""
        payload: GuildType = {
            "id": str(guild.id),
            "name": guild.name,
            "icon": asset_hash(guild.icon),
            "splash": None,
            "discovery_splash": None,
            "description": None,
            "emojis": [],
            "stickers": [self.guild_sticker(sticker) for sticker in guild.stickers.values()],
            "features": ["COMMUNITY"] if guild.public_updates_channel_id else [],
            "incidents_data": None,
            "owner_id": str(guild.owner_id),
            "region": REGION,
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "roles": [self.role(guild, role) for role in guild.roles.values()],
            "mfa_level": 0,
            "nsfw_level": 0,
            "application_id": None,
            "system_channel_id": _id_or_none(guild.system_channel_id),
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "vanity_url_code": None,
            "banner": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": guild.preferred_locale,
            "public_updates_channel_id": _id_or_none(guild.public_updates_channel_id),
            "widget_enabled": False,
            "widget_channel_id": None,
            "max_presences": None,
            "max_members": 500_000,
            "max_video_channel_users": 25,
            "stage_instances": [],
            "guild_scheduled_events": [],
        }
        more = {
            "home_header": None,
            "max_stage_video_channel_users": 50,
            "nsfw": False,
            "premium_progress_bar_enabled": False,
            "safety_alerts_channel_id": None,
        }
        return cast("GuildType", {**payload, **more})

    def guild_create(
        self, guild: Guild, viewer: User, *, members: list[Member], everything: bool
    ) -> GuildType:
        """A guild as the gateway sends it, with channels, threads and members.

        everything  with hidden channels, as bots get them; else only those the viewer can see
        """
        seen = [one for one in guild.channels.values() if self.world.sees(viewer.id, one)]
        listed = list(guild.channels.values()) if everything else seen
        mine = guild.members[viewer.id]
        return {
            **self.guild(guild),
            "unavailable": False,
            "joined_at": iso(mine.joined_at),
            "large": len(guild.members) > 250,
            "member_count": len(guild.members),
            "members": [cast("MemberType", self.member(member)) for member in members],
            "channels": [self.channel(one) for one in listed if one.thread is None],
            "threads": [
                self.thread(one, viewer.id)
                for one in seen
                if one.thread is not None and not one.thread.archived
            ],
            "presences": [],
            "voice_states": [],
            "soundboard_sounds": [],
        }

    def unavailable(self, guild: Guild) -> UnavailableGuild:
        """A guild that is not sent yet, or that has an outage."""
        return {"id": str(guild.id), "unavailable": True}

    def guild_sticker(self, sticker: Sticker) -> GuildSticker:
        """A guild's sticker in full."""
        return {
            "id": str(sticker.id),
            "name": sticker.name,
            "description": "",
            "tags": "picture",
            "format_type": sticker.format_type,
            "type": 2,
            "available": True,
            "guild_id": str(sticker.guild_id),
        }

    # channels

    def any_channel(self, channel: Channel, viewer_id: int) -> GuildChannel | ThreadType:
        """A channel or a thread."""
        if channel.is_direct:
            return cast("GuildChannel", self.direct(channel, viewer_id))
        if channel.thread is not None:
            return self.thread(channel, viewer_id)
        return self.channel(channel)

    def direct(self, channel: Channel, viewer_id: int) -> DMChannel:
        """A channel of direct messages: `recipients` are the others than the viewer."""
        others = [id for id in channel.recipients if id != viewer_id]
        payload = {
            "id": str(channel.id),
            "type": channel.type,
            "last_message_id": _text(self.world.messages(channel.id).last_id),
            "flags": channel.flags,
            "recipients": [self.user_by_id(id) for id in others],
        }
        return cast("DMChannel", payload)

    def channel(self, channel: Channel) -> GuildChannel:
        """A channel or category (not a thread)."""
        more: dict[str, Any] = {"flags": channel.flags}
        if channel.holds_messages:
            more["last_pin_timestamp"] = self.last_pin(channel)
        if channel.default_auto_archive_duration is not None:
            more["default_auto_archive_duration"] = channel.default_auto_archive_duration
        return cast("GuildChannel", {**self._by_kind(channel), **more})

    def last_pin(self, channel: Channel) -> str | None:
        """When a message of the channel was last pinned."""
        return iso(channel.last_pin_at) if channel.last_pin_at else None

    def _by_kind(self, channel: Channel) -> GuildChannel:
        base = self._text_channel(channel)
        match channel.type:
            case 4:
                return self._category(channel)
            case 2:
                voice: VoiceChannel = {
                    **base,
                    "type": 2,
                    "bitrate": channel.bitrate,
                    "user_limit": channel.user_limit,
                    "rtc_region": channel.rtc_region,
                    "video_quality_mode": channel.video_quality_mode,
                }
                return voice
            case 13:
                return self._stage(channel)
            case 15:
                forum: ForumChannel = {
                    **base,
                    "type": 15,
                    "available_tags": [self.tag(one) for one in channel.tags],
                    "default_reaction_emoji": self._reaction_emoji(channel),
                    "default_sort_order": channel.default_sort_order,
                    "default_forum_layout": channel.default_forum_layout,
                    "flags": channel.flags,
                }
                return forum
            case 5:
                news: NewsChannel = {**base, "type": 5}
                return news
            case _:
                text: TextChannel = {**base, "type": 0}
                return text

    def tag(self, tag: Tag) -> ForumTag:
        """A tag of a forum."""
        return {
            "id": str(tag.id),
            "name": tag.name,
            "moderated": tag.moderated,
            "emoji_id": _text(tag.emoji_id),
            "emoji_name": tag.emoji_name,
        }

    def _reaction_emoji(self, forum: Channel) -> DefaultReaction | None:
        emoji = forum.default_reaction_emoji
        if emoji is None:
            return None
        return {"emoji_id": emoji.get("emoji_id"), "emoji_name": emoji.get("emoji_name")}

    def _category(self, channel: Channel) -> CategoryChannel:
        return {**self._guild_channel(channel), "type": 4}

    def _stage(self, channel: Channel) -> StageChannel:
        return {
            **self._guild_channel(channel),
            "type": 13,
            "bitrate": channel.bitrate,
            "user_limit": channel.user_limit,
            "rtc_region": channel.rtc_region,
            "topic": channel.topic or "",
        }

    def _guild_channel(self, channel: Channel) -> _BaseGuildChannel:
        return {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "name": channel.name,
            "position": channel.position,
            "parent_id": _text(channel.parent_id),
            "nsfw": channel.nsfw,
            "permission_overwrites": self.overwrites(channel),
        }

    def _text_channel(self, channel: Channel) -> _BaseTextChannel:
        base: _BaseTextChannel = {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "name": channel.name,
            "position": channel.position,
            "parent_id": _text(channel.parent_id),
            "nsfw": channel.nsfw,
            "permission_overwrites": self.overwrites(channel),
            "rate_limit_per_user": channel.rate_limit_per_user,
            "default_thread_rate_limit_per_user": channel.default_thread_rate_limit_per_user,
            "last_message_id": _text(self._last_message(channel)),
        }
        # Without a topic Discord sends null.
        return cast("_BaseTextChannel", {**base, "topic": channel.topic})

    def _last_message(self, channel: Channel) -> int | None:
        if channel.type != FORUM:
            return self.world.messages(channel.id).last_id
        guild = self.world.guilds[channel.guild_id]
        posts = [one.id for one in guild.threads() if one.parent_id == channel.id]
        return max(posts, default=None)

    def overwrites(self, channel: Channel) -> list[PermissionOverwrite]:
        """A channel's permission overwrites."""
        return [
            {
                "id": str(one.id),
                "type": one.type,
                "allow": str(one.allow),
                "deny": str(one.deny),
            }
            for one in channel.overwrites
        ]

    def thread(self, channel: Channel, viewer_id: int) -> ThreadType:
        """A thread; it has `member` when the viewer has joined it."""
        thread = channel.thread
        if thread is None:
            raise ValueError(f"channel {channel.id} is no thread")
        messages = self.world.messages(channel.id)
        count = messages.count_replies(channel.id)
        payload: ThreadType = {
            "id": str(channel.id),
            "guild_id": str(channel.guild_id),
            "parent_id": str(channel.parent_id),
            "owner_id": str(thread.owner_id),
            "name": channel.name,
            "type": cast("Any", channel.type),
            "member_count": min(50, len(thread.members)),
            "message_count": count,
            "total_message_sent": count + thread.deleted_messages,
            "rate_limit_per_user": channel.rate_limit_per_user,
            "last_message_id": _text(messages.last_id),
            "last_pin_timestamp": self.last_pin(channel),
            "flags": channel.flags,
            "thread_metadata": {
                "archived": thread.archived,
                "auto_archive_duration": thread.auto_archive_duration,
                "archive_timestamp": iso(thread.archived_at or unix_time(channel.id)),
                "locked": thread.locked,
                "create_timestamp": iso(unix_time(channel.id)),
            },
        }
        parent = self.world.channel(channel.parent_id or 0)
        if parent is not None and parent.type == FORUM:
            payload["applied_tags"] = [str(tag) for tag in thread.applied_tags]
        if channel.is_private_thread:
            payload["thread_metadata"]["invitable"] = thread.invitable
        if viewer_id in thread.members:
            payload["member"] = self.thread_member(channel, viewer_id)
        return payload

    def thread_member(self, channel: Channel, user_id: int) -> ThreadMember:
        """A user's membership in a thread."""
        joined = channel.thread.members[user_id] if channel.thread is not None else 0.0
        return {
            "id": str(channel.id),
            "user_id": str(user_id),
            "join_timestamp": iso(joined),
            "flags": 0,
        }

    def interaction_channel(self, channel: Channel, user_id: int) -> GuildChannel:
        """The channel of an interaction, with the person's permissions in it."""
        allowed = {"permissions": str(self.world.permissions(user_id, channel))}
        return cast("GuildChannel", {**self.any_channel(channel, user_id), **allowed})

    # messages

    def message(self, message: Message, viewer: Viewer) -> MessageType:
        """A message as REST returns it to this viewer."""
        payload = self._plain_message(message, viewer)
        if message.type in (REPLY, THREAD_STARTER, MENU_ANSWER) and message.reference is not None:
            self._add_original(message.reference, viewer, payload)
        return payload

    def _add_original(self, reference: Reference, viewer: Viewer, payload: MessageType) -> None:
        """Add the message that this one answers: null for a deleted one, nothing for one that only
        somebody else can see."""
        place = (reference.channel_id, reference.message_id)
        original = self.world.message(*place) or self.world.ephemeral_message(*place)
        if original is None:
            payload["referenced_message"] = None
        elif original.only_for in (None, viewer.user_id) or original.author_id == viewer.user_id:
            payload["referenced_message"] = self._plain_message(original, viewer)

    def message_event(self, message: Message, viewer: Viewer) -> MessageType:
        """A message as the gateway sends it, with guild and member."""
        payload = self.message(message, viewer)
        channel = self.world.channel(message.channel_id)
        if channel is None:
            return payload
        if channel.is_direct:
            return payload
        payload["guild_id"] = str(channel.guild_id)
        if member := self.world.member(channel.guild_id, message.author_id):
            payload["member"] = cast("MemberType", self.bare_member(member))
        for mention in payload["mentions"]:
            if mentioned := self.world.member(channel.guild_id, int(mention["id"])):
                mention["member"] = self.bare_member(mentioned)
        return payload

    def _plain_message(self, message: Message, viewer: Viewer) -> MessageType:
        readable = viewer.content or self._content_anyway(message, viewer)
        payload: MessageType = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "author": self.user_by_id(message.author_id),
            "type": message.type,
            "content": message.content if readable else "",
            "timestamp": iso(unix_time(message.id)),
            "edited_timestamp": iso(message.edited_at) if message.edited_at else None,
            "tts": message.tts,
            "mention_everyone": message.mention_everyone,
            "mentions": [self._mentioned(id) for id in message.mentions],
            "mention_roles": [str(id) for id in message.mention_roles],
            "attachments": self.attachments(message) if readable else [],
            "embeds": self.embeds(message.embeds) if readable else [],
            "components": self.components(message.components, message) if readable else [],
            "pinned": message.pinned_at is not None,
            "flags": message.flags,
        }
        self._add_what_some_have(message, viewer, payload, readable)
        return payload

    def _add_what_some_have(
        self, message: Message, viewer: Viewer, payload: MessageType, readable: bool
    ) -> None:
        if message.reactions:
            payload["reactions"] = [
                self.reaction(one, viewer.user_id) for one in message.reactions if one.count
            ]
        if message.sticker_ids:
            payload["sticker_items"] = self.sticker_items(message.sticker_ids)
        if message.poll is not None and readable:
            payload["poll"] = self.poll(message.poll, viewer.user_id)
        if reference := message.reference:
            payload["message_reference"] = self._reference(message)
            if reference.type == 1 and message.snapshot is not None:
                carried = [{"message": self.snapshot(message.snapshot)}] if readable else []
                payload.update(cast("Any", {"message_snapshots": carried}))
        if message.application_id is not None:
            payload["application_id"] = str(message.application_id)
            if message.interaction is not None:
                payload["webhook_id"] = str(message.application_id)
        if message.interaction is not None:
            payload["interaction_metadata"] = self._interaction_metadata(message.interaction)
            if message.interaction["type"] == 2:
                payload["interaction"] = self._interaction(message.interaction)
        started = self.world.channel(message.id)
        if started is not None and started.thread is not None and started.id != message.channel_id:
            payload["thread"] = self.thread(started, viewer.user_id)

    def _content_anyway(self, message: Message, viewer: Viewer) -> bool:
        """Whether a bot without the message content intent gets this message's content."""
        return message.author_id == viewer.user_id or viewer.user_id in message.mentions

    def _reference(self, message: Message) -> MessageReference:
        reference = message.reference
        if reference is None:
            raise ValueError(f"message {message.id} refers to nothing")
        payload: MessageReference = {
            "type": 1 if reference.type == 1 else 0,
            "channel_id": str(reference.channel_id),
            "message_id": str(reference.message_id),
        }
        if reference.guild_id:
            payload["guild_id"] = str(reference.guild_id)
        return payload

    def snapshot(self, snapshot: Snapshot) -> MessageSnapshot:
        """The content of a forward: a message without its author."""
        payload: MessageSnapshot = {
            "type": snapshot.type,
            "content": snapshot.content,
            "timestamp": iso(snapshot.timestamp),
            "edited_timestamp": iso(snapshot.edited_at) if snapshot.edited_at else None,
            "flags": snapshot.flags,
            "attachments": [self.attachment(one) for one in self._uploads(snapshot)],
            "embeds": self.embeds(snapshot.embeds),
            "components": self.components(snapshot.components, snapshot),
            "mentions": [self._mentioned(id) for id in snapshot.mentions],
            "mention_roles": [str(id) for id in snapshot.mention_roles],
        }
        if snapshot.sticker_ids:
            payload["sticker_items"] = self.sticker_items(snapshot.sticker_ids)
        return payload

    def attachments(self, message: Message) -> list[AttachmentType]:
        """A message's attachments, without the files that its embeds or components show."""
        return [self.attachment(one) for one in self._uploads(message)]

    def _uploads(self, message: Message | Snapshot) -> list[Attachment]:
        used = {item[key] for item, key in addresses(message.embeds, message.components)}
        return [one for one in message.attachments if f"attachment:{one.id}" not in used]

    def attachment(self, attachment: Attachment) -> AttachmentType:
        """An uploaded file with freshly signed links."""
        url, proxy_url = self.links.attachment(attachment)
        payload: AttachmentType = {
            "id": str(attachment.id),
            "filename": attachment.filename,
            "size": attachment.size,
            "url": url,
            "proxy_url": proxy_url,
            "content_type": attachment.content_type,
        }
        if attachment.width is not None and attachment.height is not None:
            payload["width"] = attachment.width
            payload["height"] = attachment.height
        if attachment.description is not None:
            payload["description"] = attachment.description
        if attachment.duration_secs is not None:
            payload["duration_secs"] = attachment.duration_secs
        if attachment.waveform is not None:
            payload["waveform"] = attachment.waveform
        if attachment.flags:
            payload["flags"] = attachment.flags
        if attachment.ephemeral:
            payload["ephemeral"] = True
        return payload

    def embeds(self, embeds: list[dict[str, Any]]) -> list[Embed]:
        """Embeds, with the links and sizes of their pictures filled in."""
        return [self._embed(embed) for embed in embeds]

    def _embed(self, embed: dict[str, Any]) -> Embed:
        shown: dict[str, Any] = {"type": "rich", **embed}
        for key in ("image", "thumbnail", "video"):
            if key in embed:
                shown[key] = self._embed_media(embed[key])
        if "fields" in embed:
            shown["fields"] = [{"inline": False, **one} for one in embed["fields"]]
        for key in ("author", "footer"):
            if "icon_url" in embed.get(key, {}):
                icon = self.links.shown(embed[key]["icon_url"])
                icons = {"icon_url": icon.url, "proxy_icon_url": icon.proxy_url}
                shown[key] = {**embed[key], **icons}
        if str(embed.get("url", "")).startswith("media:"):
            shown["url"] = self.links.shown(embed["url"]).url
        return cast("Embed", shown)

    def _embed_media(self, item: dict[str, Any]) -> EmbedMedia:
        shown = self.links.shown(item["url"])
        media: EmbedMedia = {"url": shown.url, "proxy_url": shown.proxy_url}
        if shown.width is None or shown.height is None:
            return cast("EmbedMedia", {**item, **media})
        media |= {"width": shown.width, "height": shown.height, "flags": 0}
        return cast("EmbedMedia", {**item, **media, "content_type": shown.content_type})

    def components(
        self, components: list[dict[str, Any]], holder: Message | Snapshot
    ) -> list[ComponentBase]:
        """Components, with the links and sizes of their media filled in."""
        own = {attachment.id for attachment in holder.attachments}
        return [cast("ComponentBase", self._component(one, own)) for one in components]

    def _component(self, component: dict[str, Any], own: set[int]) -> dict[str, Any]:
        shown = dict(component)
        for key in ("media", "file"):
            if key in shown:
                shown[key] = self._component_media(shown[key]["url"], own)
        if "items" in shown:
            shown["items"] = [
                {**item, "media": self._component_media(item["media"]["url"], own)}
                for item in shown["items"]
            ]
        if "components" in shown:
            shown["components"] = [self._component(one, own) for one in shown["components"]]
        if "accessory" in shown:
            shown["accessory"] = self._component(shown["accessory"], own)
        if shown["type"] == 13:
            attachment = self.links.attachment_at(component["file"]["url"])
            shown["name"] = attachment.filename if attachment is not None else None
            shown["size"] = attachment.size if attachment is not None else None
        return shown

    def _component_media(self, url: str, own: set[int]) -> UnfurledMediaItem:
        shown = self.links.shown(url)
        media: UnfurledMediaItem = {
            "url": shown.url,
            "proxy_url": shown.proxy_url,
            "width": shown.width,
            "height": shown.height,
            "placeholder": "",
            "loading_state": 2 if shown.width is not None else 3,
            "flags": 0,
        }
        if shown.content_type is not None:
            media["content_type"] = shown.content_type
        ids = {"id": str(shown.attachment.id if shown.attachment is not None else 0)}
        if shown.attachment is not None and shown.attachment.id in own:
            ids["attachment_id"] = ids["id"]
        return cast("UnfurledMediaItem", {**media, **ids})

    def sticker_items(self, ids: list[int]) -> list[StickerItem]:
        """Stickers in the form that messages have."""
        stickers = (self.world.sticker(id) for id in ids)
        return [
            {"id": str(one.id), "name": one.name, "format_type": one.format_type}
            for one in stickers
            if one is not None
        ]

    def reaction(self, reaction: Reaction, viewer_id: int) -> ReactionType:
        """The count of one emoji below a message."""
        return {
            "count": reaction.count,
            "me": viewer_id in reaction.users,
            "emoji": partial_emoji(reaction.emoji),
            "me_burst": False,
            "count_details": {"burst": 0, "normal": reaction.count},
            "burst_colors": [],
        }

    def poll(self, poll: Poll, viewer_id: int) -> PollType:
        """A poll with its votes so far. Answers without votes have no entry in the results."""
        votes = {id: poll.voters(id) for id in poll.answer_ids}
        return {
            "question": {"text": poll.question},
            "answers": [
                {"answer_id": id, "poll_media": _poll_media(answer)}
                for id, answer in zip(poll.answer_ids, poll.answers, strict=True)
            ],
            "expiry": iso(poll.ends_at),
            "allow_multiselect": poll.allow_multiselect,
            "layout_type": 1,
            "results": {
                "is_finalized": poll.is_over,
                "answer_counts": [
                    {"id": id, "count": len(voters), "me_voted": viewer_id in voters}
                    for id, voters in votes.items()
                    if voters
                ],
            },
        }

    def _interaction_metadata(self, interaction: dict[str, Any]) -> MessageInteractionMetadata:
        kept = {key: value for key, value in interaction.items() if key not in ("name", "user_id")}
        kept["user"] = self.user_by_id(interaction["user_id"])
        if "triggering_interaction_metadata" in kept:  # of a form: what opened it
            before = self._interaction_metadata(kept["triggering_interaction_metadata"])
            kept["triggering_interaction_metadata"] = before
        return cast("MessageInteractionMetadata", kept)

    def _interaction(self, interaction: dict[str, Any]) -> MessageInteraction:
        return {
            "id": interaction["id"],
            "type": 2,
            "name": interaction["name"],
            "user": self.user_by_id(interaction["user_id"]),
        }


def partial_emoji(text: str) -> PartialEmoji:
    """A reaction's emoji: a character, or `name:id` of a custom one."""
    name, _, id = text.partition(":")
    return {"id": id or None, "name": name}


def _poll_media(answer: PollAnswer) -> PollMedia:
    media: PollMedia = {"text": answer.text}
    if answer.emoji is not None:
        media["emoji"] = partial_emoji(answer.emoji)
    return media


def asset_hash(file: str | None) -> str | None:
    """The 32 hexadecimal digits in the address of an avatar or icon."""
    if file is None:
        return None
    return hashlib.md5(file.encode(), usedforsecurity=False).hexdigest()


def everybody(guild: Guild) -> list[Member]:
    """A guild's members, in the order of their ids."""
    return sorted(guild.members.values(), key=lambda member: member.user_id)


def base_permissions(guild: Guild, member: Member) -> str:
    """A member's permissions in the guild, in Discord's format."""
    return str(permissions.in_guild(guild, member))


def _text(id: int | None) -> str | None:
    return None if id is None else str(id)


def _id_or_none(id: int | None) -> str | None:
    return None if id is None else str(id)
