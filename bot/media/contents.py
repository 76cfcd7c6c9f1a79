"""What is searched of a picture: its bytes; of a video, a few frames as an animation.

Of a video, only parts are downloaded: those that its index names.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.media.download import Downloader, DownloadError
from bot.media.pictures import Picture
from index import ClipLimits, PictureEmbedder, PictureError


class Contents:
    """Downloads what is searched.

    limits   of one video
    """

    def __init__(
        self, downloader: Downloader, embedder: PictureEmbedder, limits: ClipLimits
    ) -> None:
        self._downloader = downloader
        self._embedder = embedder
        self._limits = limits

    async def fetch(self, picture: Picture | Sequence[str], *, asked: bool = False) -> bytes:
        """The bytes with which a picture, or a video, is embedded.

        asked    for a question
        raises   DownloadError, PictureError, DecoderUnusable
        """
        if not isinstance(picture, Picture) or not picture.video:
            return await self._downloader.fetch(picture)
        try:
            return await self._scenes(picture, asked)
        except (DownloadError, PictureError):
            if picture.kind != "embed" or not picture.poster:
                raise
            # A site may not give its video to Discord. Its still is there all the same.
            return await self._downloader.fetch(picture.poster)

    async def _scenes(self, picture: Picture, asked: bool) -> bytes:
        clip = await self._downloader.opened(picture, max_bytes=self._limits.bytes)
        return await self._embedder.scenes(clip, self._limits, asked=asked)
