"""Faults that can be asked for: what goes wrong with Discord on a bad day.

`PUT /sandbox/faults` takes one fault or a list of them; `GET` lists those still to come,
`DELETE` clears them. A fault is an object with a `kind` and what that kind takes:

on requests (all take `method`, `path` and `who` to narrow them down: a glob such as
`/channels/*/messages`, and `bot` or `user`; and `times`, default 1, or null for always)
    rate_limit   429: `scope` user, shared or global; `retry_after` s; `via` false leaves out the
                 header without which discord.py gives up; `headers` add or replace others
    error        `status` (500, 502, …), with `code` and `message` for a JSON body
    slow         `delay_s` before the request is handled
    late         `delay_s` after it was handled, before it is answered
    drop         the connection is cut without an answer; with `after` true once it was handled
    headers      the answer is right, but `headers` are added or replaced: misleading limits

on files (take `path`, matched against `/attachments/…`, and `times`)
    cdn_error    `status` 403, 404, 500 …
    cdn_slow     `delay_s` between small pieces
    cdn_truncated  `bytes` of it, then the connection is cut
    cdn_expired  as if the link had expired
    cdn_oversized  a body that never ends, announced as `bytes`, or not announced (null)
    cdn_wrong    `body` text with `content_type` in place of the file

on the gateway, at once (take `who`: bot by default)
    gateway_drop       closes the sockets with `close_code` (default 4000)
    gateway_reconnect  op 7
    gateway_invalid    op 9, `resumable` true or false
    gateway_zombie     sockets stay open and are silent, also to heartbeats; for `seconds`
                       or until the client goes

on the gateway, for the next events
    gateway_miss       events named `event` are lost, `times`
    gateway_repeat     … are sent twice

on guilds, at once
    outage       `guild_id` becomes unavailable, for `seconds` or until outage_over
    outage_over  it is back
    leave        the bot is removed from `guild_id`
    join         … and let in again

on the search, at once
    search_indexing  it answers 202 for `seconds` (default 5): Discord is still indexing
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from typing import Any

from .errors import ApiError, invalid

REQUEST_KINDS = ("rate_limit", "error", "slow", "late", "drop", "headers")
FILE_KINDS = (
    "cdn_error",
    "cdn_slow",
    "cdn_truncated",
    "cdn_expired",
    "cdn_oversized",
    "cdn_wrong",
)
EVENT_KINDS = ("gateway_miss", "gateway_repeat")
IMMEDIATE_KINDS = (
    "gateway_drop",
    "gateway_reconnect",
    "gateway_invalid",
    "gateway_zombie",
    "outage",
    "outage_over",
    "leave",
    "join",
    "search_indexing",
)
KINDS = (*REQUEST_KINDS, *FILE_KINDS, *EVENT_KINDS, *IMMEDIATE_KINDS)

Headers = dict[str, str]


@dataclass(slots=True)
class Fault:
    """One fault, with every kind's parameters; see the module's text for which kind takes what."""

    kind: str
    method: str | None = None
    path: str | None = None
    who: str | None = None
    event: str | None = None
    times: int | None = 1
    status: int = 500
    code: int = 0
    message: str = "500: Internal Server Error"
    scope: str = "user"
    retry_after: float = 0.5
    via: bool = True
    headers: Headers = field(default_factory=dict)
    delay_s: float = 1.0
    after: bool = False
    bytes: int | None = 1024
    body: str = "<html>not a picture</html>"
    content_type: str = "text/html"
    close_code: int = 4000
    resumable: bool = False
    seconds: float | None = None
    guild_id: str | None = None

    def matches(self, method: str, path: str, who: str) -> bool:
        """Whether it applies to such a request."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatch(path, self.path))
            and (self.who is None or self.who == who)
        )


class Faults:
    """The faults still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Ask for faults that wait for their request, file or event."""
        self._waiting.extend(faults)

    def clear(self) -> None:
        """Forget all that wait."""
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """Those still to come."""
        return [asdict(fault) for fault in self._waiting]

    def for_request(self, method: str, path: str, who: str) -> Fault | None:
        """The fault that hits this request, if any; counts it as used."""
        return self._take(
            one
            for one in self._waiting
            if one.kind in REQUEST_KINDS and one.matches(method, path, who)
        )

    def for_file(self, path: str) -> Fault | None:
        """The fault that hits this download, if any."""
        return self._take(
            one
            for one in self._waiting
            if one.kind in FILE_KINDS and one.matches("GET", path, "file")
        )

    def for_event(self, name: str, who: str) -> Fault | None:
        """The fault that hits this gateway event, if any."""
        return self._take(
            one
            for one in self._waiting
            if one.kind in EVENT_KINDS and one.event in (None, name) and (one.who or "bot") == who
        )

    def _take(self, matching: Iterable[Fault]) -> Fault | None:
        fault = next(iter(matching), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._waiting.remove(fault)
        return fault


def read(value: Any) -> list[Fault]:
    """The faults of a request body: an object or a list of them.

    raises  ApiError 50035 that names the field
    """
    listed = value if isinstance(value, list) else [value]
    return [_read_one(one, n) for n, one in enumerate(listed)]


def _read_one(value: Any, n: int) -> Fault:
    if not isinstance(value, dict):
        raise invalid(str(n), "DICT_TYPE_CONVERT", "A fault is an object.")
    if value.get("kind") not in KINDS:
        raise invalid(f"{n}.kind", "BASE_TYPE_CHOICES", f"Value must be one of {KINDS}.")
    known = set(Fault.__dataclass_fields__)
    if odd := sorted(set(value) - known):
        raise invalid(f"{n}.{odd[0]}", "UNKNOWN_FIELD", f"Known are {', '.join(sorted(known))}.")
    return Fault(**value)


def rate_limited(fault: Fault) -> tuple[ApiError, dict[str, Any], Headers]:
    """The 429 of a fault: error, body and headers."""
    error = ApiError(429, 0, "You are being rate limited.")
    body = {
        "message": error.message,
        "retry_after": fault.retry_after,
        "global": fault.scope == "global",
        "code": 0,
    }
    headers = {
        "Retry-After": str(max(1, round(fault.retry_after))),
        "X-RateLimit-Scope": fault.scope,
        "X-RateLimit-Reset-After": f"{fault.retry_after:.3f}",
        "X-RateLimit-Remaining": "0",
    }
    if fault.scope == "global":
        headers["X-RateLimit-Global"] = "true"
    if fault.via:
        headers["Via"] = "1.1 sandbox"
    return error, body, {**headers, **fault.headers}
