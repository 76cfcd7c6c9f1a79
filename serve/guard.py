"""Who may read: whoever knows the token, at this machine, from no other site.

The server listens on 127.0.0.1, which every program and every web page of this machine can reach.

- A *token*, new at each start, is the first part of every path. Without it all paths are the same
  404, so another program or site learns nothing.
- A *ticket* leads to the page once. The browser is started with it, since all accounts of a machine
  can read with what its programs were started; a ticket that was used is worth nothing.
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
HTTP_PORT = 80
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


class Ticket:
    """Leads to the page once, in place of the token."""

    def __init__(self) -> None:
        self.letters = new_token()
        self._used = False

    def use(self, given: str) -> bool:
        """Whether these are its letters, and nobody was quicker."""
        if self._used or not _same(given, self.letters):
            return False
        self._used = True
        return True


def guard(token: str, ticket: Ticket, port: Callable[[], int]) -> Middleware:
    """What stands before every address.

    port   where the server listens
    """

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            given = _first_part(request)
            _check_host(request, port())
            if _same(given, token):
                _check_site(request, port())
                answer = await handler(request)
            elif ticket.use(given):
                answer = web.Response(status=302, headers={hdrs.LOCATION: f"/{token}/"})
            else:
                raise Refused(404, "There is nothing here.")
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


def _first_part(request: web.Request) -> str:
    """What stands in the place of the token; "" where the request has no path, as `OPTIONS *`."""
    return request.raw_path.split("/", 2)[1] if request.raw_path.startswith("/") else ""


def _same(given: str, secret: str) -> bool:
    """The time that it takes doesn't tell how much of it is right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _hosts(port: int) -> tuple[str, ...]:
    """The names of this server; a browser leaves HTTP's own port out."""
    names = ("127.0.0.1", "localhost")
    return (*(f"{name}:{port}" for name in names), *(names if port == HTTP_PORT else ()))


def _check_host(request: web.Request, port: int) -> None:
    """raises   Refused"""
    if request.headers.get(hdrs.HOST, "").lower() not in _hosts(port):
        raise Refused(403, "This server is for the browser of this machine only.")


def _check_site(request: web.Request, port: int) -> None:
    """raises   Refused"""
    origin = request.headers.get(hdrs.ORIGIN)
    origins = [f"http://{host}" for host in _hosts(port)]
    if origin is not None and origin.lower() not in origins:
        raise Refused(403, "Another site asked for this, which only the page itself may.")
    if request.headers.get("Sec-Fetch-Site", "none") not in SAME_SITE:
        raise Refused(403, "Another site asked for this, which only the page itself may.")
