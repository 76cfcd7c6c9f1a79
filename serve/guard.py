"""Who may read: whoever knows the token, at this machine, from no other site.

The server listens on 127.0.0.1, which every program and every web page of this machine can reach.

- A *token*, new at each start, is the first part of every path. Without it all paths are the same
  404, so another program or site learns nothing.
- The *Host* header must name this server. A site whose name was pointed at 127.0.0.1 ("DNS
  rebinding") sends its own.
- A browser says from which site a request comes (`Sec-Fetch-Site`, `Origin`); another one's is
  refused, also to read.
- Headers forbid the page to load or send anything elsewhere, and other pages to frame it, to read
  its answers or to hold its window.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

TOKEN_BYTES = 24  # 32 letters
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-DNS-Prefetch-Control": "off",
}
SAME_SITE = ("same-origin", "none")  # none: a person typed the address, or a program opened it


class Refused(Exception):
    """An answer that isn't what was asked for, with a sentence that says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence

    @property
    def answer(self) -> web.Response:
        """It, as the page reads it."""
        return web.json_response({"sentence": self.sentence}, status=self.status)


def new_token() -> str:
    """32 letters that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def guard(token: str, port: Callable[[], int]) -> Middleware:
    """What stands before every address.

    port   where the server listens
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check(request, token, port())
            answer = await handler(request)
        except Refused as refused:
            answer = refused.answer
        except web.HTTPException as error:
            answer = Refused(error.status, "There is nothing here.").answer
        if not answer.prepared:
            _put_headers(answer)
        return answer

    return guarded


async def put_headers(request: web.Request, answer: web.StreamResponse) -> None:
    """For `on_response_prepare`: answers that are sent piece by piece have them, too."""
    _put_headers(answer)


def _put_headers(answer: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    answer.headers.popall(hdrs.SERVER, None)


def _check(request: web.Request, token: str, port: int) -> None:
    """raises   Refused"""
    hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
    if request.headers.get(hdrs.HOST, "").lower() not in hosts:
        raise Refused(403, "This server is for the browser of this machine only.")
    given = request.raw_path.split("/", 2)[1]
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        raise Refused(404, "There is nothing here.")
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and origin.lower() not in [f"http://{host}" for host in hosts]:
        raise Refused(403, "Another site asked for this, which only the page itself may.")
    if request.headers.get("Sec-Fetch-Site", "none") not in SAME_SITE:
        raise Refused(403, "Another site asked for this, which only the page itself may.")
