"""Answers to discord.py's requests, in the forms that other servers give them."""

from __future__ import annotations

from types import SimpleNamespace

import aiohttp
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
