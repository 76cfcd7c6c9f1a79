"""Faults that can be injected: the failures of Discord that a client must handle.

`PUT /sandbox/faults` takes one fault or a list of them, `GET` lists the pending ones, `DELETE`
removes them. A fault is an object with a `kind` and the parameters of that kind:

on requests (all take `method`, `path` and `who` to narrow them down: a glob such as
`/channels/*/messages`, and `bot` or `user`; and `times`, default 1, or null for always)
    rate_limit   429: `scope` user, shared or global; `retry_after` s; `via` false leaves out the
                 header without which discord.py gives up; `headers` add or replace others
    error        `status` (500, 502, …), with `code` and `message` for a JSON body
    slow         `delay_s` before the request is handled
    hold         the request waits until the faults are removed
    late         `delay_s` between handling the request and answering it
    drop         the connection is closed without an answer; with `after` true, the request is
                 handled first
    headers      the answer is correct, but `headers` are added or replaced, for misleading limits

on files (take `path`, matched against `/attachments/…`, and `times`)
    cdn_error    `status` 403, 404, 500 …
    cdn_slow     `delay_s` between small chunks
    cdn_truncated  the first `bytes`, then the connection is closed
    cdn_expired  as if the link had expired
    cdn_oversized  a body that never ends, announced as `bytes`, or not announced (null)
    cdn_wrong    `body` text with `content_type` in place of the file

on the gateway, at once (take `who`: bot by default)
    gateway_drop       closes the sockets with `close_code` (default 4000)
    gateway_reconnect  op 7
    gateway_invalid    op 9, `resumable` true or false
    gateway_zombie     sockets stay open but send nothing, not even heartbeat answers; for
                       `seconds` or until the client disconnects

on the gateway, for the next events
    gateway_miss       events named `event` are lost, `times`
    gateway_repeat     these events are sent twice

on guilds, at once
    outage       `guild_id` becomes unavailable, for `seconds` or until outage_over
    outage_over  it is available again
    leave        the bot is removed from `guild_id`
    join         the bot is added to it again

on the search, at once
    search_indexing  it answers 202 for `seconds` (default 5), as while Discord is indexing

on the search, for the next answers (take `times`, default 1, or null for always)
    search_short   every second message of the page is missing
    search_totals  `total_results` says `total` (default 0)
    search_gifs    GIFs from before February 24, 2026 are not found
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from typing import Any

from .errors import ApiError, invalid

REQUEST_KINDS = ("rate_limit", "error", "slow", "hold", "late", "drop", "headers")
FILE_KINDS = (
    "cdn_error",
    "cdn_slow",
    "cdn_truncated",
    "cdn_expired",
    "cdn_oversized",
    "cdn_wrong",
)
EVENT_KINDS = ("gateway_miss", "gateway_repeat")
SEARCH_KINDS = ("search_short", "search_totals", "search_gifs")
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
KINDS = (*REQUEST_KINDS, *FILE_KINDS, *EVENT_KINDS, *SEARCH_KINDS, *IMMEDIATE_KINDS)

Headers = dict[str, str]


@dataclass(slots=True)
class Fault:
    """One fault, with the parameters of all kinds; see the module's docstring."""

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
    total: int = 0

    def matches(self, method: str, path: str, who: str) -> bool:
        """Whether it applies to this request."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatch(path, self.path))
            and (self.who is None or self.who == who)
        )


class Faults:
    """The pending faults, in the order in which they were added."""

    def __init__(self) -> None:
        self._pending: list[Fault] = []
        self._cleared = asyncio.Event()
        self.held = 0  # requests that wait now
        self.struck_at = -math.inf  # when a fault struck a request of the bot, by time.monotonic

    def add(self, *faults: Fault) -> None:
        """Add faults that strike the next matching request, file or event."""
        self._pending.extend(faults)

    def clear(self) -> None:
        """Remove all pending faults."""
        self._pending.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    async def hold(self) -> None:
        """Wait until the faults are removed."""
        self.held += 1
        try:
            await self._cleared.wait()
        finally:
            self.held -= 1

    def waiting(self) -> list[dict[str, Any]]:
        """The pending faults as JSON."""
        return [asdict(fault) for fault in self._pending]

    def for_request(self, method: str, path: str, who: str) -> Fault | None:
        """The fault that strikes this request, or None; it counts as used."""
        fault = self._take(
            fault
            for fault in self._pending
            if fault.kind in REQUEST_KINDS and fault.matches(method, path, who)
        )
        if fault is not None and who == "bot":
            self.struck_at = time.monotonic()
        return fault

    def for_file(self, path: str) -> Fault | None:
        """The fault that strikes this download, or None; it counts as used."""
        return self._take(
            fault
            for fault in self._pending
            if fault.kind in FILE_KINDS and fault.matches("GET", path, "file")
        )

    def for_event(self, name: str, who: str) -> Fault | None:
        """The fault that strikes this gateway event, or None; it counts as used."""
        return self._take(
            fault
            for fault in self._pending
            if fault.kind in EVENT_KINDS
            and fault.event in (None, name)
            and (fault.who or "bot") == who
        )

    def for_search(self, kind: str) -> Fault | None:
        """The fault of this kind that strikes an answer of the search, or None; it counts as
        used."""
        return self._take(fault for fault in self._pending if fault.kind == kind)

    def _take(self, matching: Iterable[Fault]) -> Fault | None:
        fault = next(iter(matching), None)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._pending.remove(fault)
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
