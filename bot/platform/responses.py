"""Answers to discord.py's requests, in the forms that other servers give them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import aiohttp
from discord.http import MultipartParameters, Route
from discord.webhook.async_ import AsyncWebhookAdapter, async_context
from multidict import CIMultiDict, CIMultiDictProxy

JSON = "application/json"


async def name_plain_json(
    _: aiohttp.ClientSession, __: SimpleNamespace, ended: aiohttp.TraceRequestEndParams
) -> None:
    """Shorten the content type of an answer that is JSON and names a charset, too.

    discord.py compares the header with "application/json" letter by letter, and takes any other
    body for a text. This is for `aiohttp.TraceConfig.on_request_end`, which comes before that.
    """
    answer = ended.response
    if answer.content_type == JSON and answer.headers["Content-Type"] != JSON:
        headers = CIMultiDict(answer.headers)
        headers["Content-Type"] = JSON
        answer._headers = CIMultiDictProxy(headers)
        answer._cache.pop("headers", None)


class _Adapter(AsyncWebhookAdapter):
    """Sends what discord.py answers to commands and buttons."""

    async def create_interaction_response(
        self, interaction_id: int, token: str, *, params: MultipartParameters, **how: Any
    ) -> Any:
        """Send an answer. discord.py asks for the whole message that it becomes, and fails where a
        server sends none. Nobody reads that message here, so it is not asked for. Whatever a server
        says, the answer is shown."""
        route = Route(
            "POST",
            "/interactions/{webhook_id}/{webhook_token}/callback",
            webhook_id=interaction_id,
            webhook_token=token,
        )
        if params.files:
            await self.request(route, multipart=params.multipart, files=params.files, **how)
        else:
            await self.request(route, payload=params.payload, **how)
        return {"interaction": {"id": interaction_id}}


def accept_empty_callbacks() -> None:
    """Count answers to commands and buttons as sent, whatever the server's response says of them.

    It holds for the tasks that are started from here on.
    """
    async_context.set(_Adapter())  # type: ignore[no-untyped-call]
