"""The bytes of a picture that is in the gallery already, from a message that shows it."""

from __future__ import annotations

import logging

import discord

from bot.media.contents import Contents
from bot.media.download import DownloadError
from bot.ops.logs import fields
from bot.platform.places import missing_permissions
from bot.sync.ingest import Ingest
from bot.sync.watched import Watched
from index import Link, Links, PictureError

log = logging.getLogger(__name__)


class Refetcher:
    """Downloads again what a link shows."""

    def __init__(
        self,
        client: discord.Client,
        links: Links,
        watched: Watched,
        ingest: Ingest,
        contents: Contents,
    ) -> None:
        self._client = client
        self._links = links
        self._watched = watched
        self._ingest = ingest
        self._contents = contents

    def may_read(self, link: Link) -> bool:
        """Whether the link's channel is watched and can be read. Asks Discord nothing."""
        guild = self._client.get_guild(link.space)
        if guild is None or guild.unavailable:
            return False
        place = guild.get_channel_or_thread(link.group.id)
        if place is None and link.group.parent is not None:  # a thread that is archived
            place = guild.get_channel(link.group.parent)
        return place is not None and self._watched.covers(place) and not missing_permissions(place)

    async def fetch(self, id: int, link: Link) -> bytes | None:
        """The bytes of what the link with this id shows; None where they can't be had now."""
        message = await self._ingest.fetch_message(link.space, link.group, int(link.source))
        picture = self._ingest.shown(message).get(link.slot) if message is not None else None
        if picture is None:
            return None
        try:
            data = await self._contents.fetch(picture)
        except (DownloadError, PictureError) as error:
            log.info(fields("not_had_again", guild=link.space, message=link.source, why=error))
            return None
        # Another site may have another picture there now, which must not be taken for this one.
        return data if id in await self._links.links_of_picture(data) else None
