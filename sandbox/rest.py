"""What all routes of the API share: the caller, errors, rate limits, faults, the log.

The steps of a request: it is recorded → a fault may strike → it counts against its rate limit → it
is handled, and errors become Discord's bodies → the journal is written → it is answered.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler

from . import permissions, uploads
from .core import Core
from .errors import ApiError, invalid, missing_access, missing_permissions, unauthorized, unknown
from .faults import Fault, rate_limited
from .payloads import Viewer
from .uploads import Body
from .world import Channel, Guild, Member, User

log = logging.getLogger(__name__)

API = "/api/v10"
KEPT_EXCHANGES = 2000
KEPT_UNEXPECTED = 20
MAX_BUCKETS = 1000  # beyond it, buckets whose time is over are dropped
MAX_KEPT_BODY = 1 << 20  # bytes; a longer answer is recorded without its body

OTHER_VERSION = ApiError(400, 50041, "Invalid API version provided")

BODY: web.RequestKey[Body] = web.RequestKey("body", Body)
JSON: web.RequestKey[list[Any]] = web.RequestKey("json", list)


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, from the Authorization header."""

    user: User

    def viewer(self, core: Core) -> Viewer:
        """The viewer for payloads. REST uses the application's setting for message content."""
        content = not self.user.bot or "message_content" in core.world.application.privileged
        return Viewer(self.user.id, content)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, for the log and the schema check.

    route          the template, such as /channels/{channel_id}/messages
    request        the JSON body, or the `payload_json` of a multipart one; None without a body
    """

    at: float
    who: str
    method: str
    route: str
    path: str
    query: dict[str, str]
    request: Any
    multipart: bool
    status: int
    response: bytes

    def answer(self) -> Any:
        """The answer's JSON; None when it has no body."""
        return json.loads(self.response) if self.response else None


@dataclass
class Limit:
    """The state of a rate limit bucket."""

    limit: int
    per_s: float
    used: int = 0
    resets_at: float = 0.0

    def count(self, now: float) -> bool:
        """Count a request; False when it is over the limit."""
        if now >= self.resets_at:
            self.used, self.resets_at = 0, now + self.per_s
        self.used += 1
        return self.used <= self.limit


# (requests, seconds)
GENEROUS = (1000, 1.0)
STRICT = {  # by method and route, as observed on Discord
    ("GET", "/channels/{channel_id}/messages"): (5, 5.0),
    ("POST", "/channels/{channel_id}/messages"): (5, 5.0),
    ("PATCH", "/channels/{channel_id}/messages/{message_id}"): (5, 5.0),
    ("DELETE", "/channels/{channel_id}/messages/{message_id}"): (5, 1.0),
    ("POST", "/webhooks/{webhook_id}/{webhook_token}"): (5, 2.0),
}


# Discord counts answers to interactions against no bucket and sends no headers with them.
UNCOUNTED = ("POST", "/interactions/{interaction_id}/{interaction_token}/callback")


@dataclass
class Limits:
    """All buckets. With `strict` the limits are about those of Discord, else they are high."""

    strict: bool = False
    _buckets: dict[str, Limit] = field(default_factory=dict)

    def headers(self, method: str, route: str, major: str) -> tuple[bool, dict[str, str]]:
        """Count a request; returns whether it is allowed, and its rate limit headers."""
        if (method, route) == UNCOUNTED:
            return True, {}
        bucket = hashlib.md5(f"{method} {route}".encode(), usedforsecurity=False).hexdigest()
        limit, per_s = GENEROUS
        if self.strict:
            limit, per_s = STRICT.get((method, route), (50, 1.0))
        now = time.time()
        if len(self._buckets) > MAX_BUCKETS:
            self._buckets = {k: one for k, one in self._buckets.items() if one.resets_at > now}
        state = self._buckets.setdefault(f"{bucket}:{major}", Limit(limit, per_s))
        passed = state.count(now)
        left = max(0.0, state.resets_at - now)
        return passed, {
            "X-RateLimit-Bucket": bucket,
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - state.used)),
            "X-RateLimit-Reset": f"{state.resets_at:.3f}",
            "X-RateLimit-Reset-After": f"{left:.3f}",
        }


class Doorway:
    """The middleware around all API routes.

    arrivals   called with (bot or user, method, path) of each request, before a fault may strike
    """

    def __init__(self, core: Core, *, strict: bool = False, keep_bodies: bool = True) -> None:
        self.core = core
        self.limits = Limits(strict)
        self.keep_bodies = keep_bodies
        self.exchanges: deque[Exchange] = deque(maxlen=KEPT_EXCHANGES)
        self.arrivals: list[Callable[[str, str, str], None]] = []
        self.unexpected: deque[str] = deque(maxlen=KEPT_UNEXPECTED)

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle an API request; other paths are passed on unchanged."""
        if request.path != API and not request.path.startswith(f"{API}/"):
            return await _elsewhere(request, handler)
        await self._keep_body(request)
        who, path = _who(self.core, request), request.path.removeprefix(API)
        for note in self.arrivals:
            note(who, request.method, path)
        fault = self.core.faults.for_request(request.method, path, who)
        if fault is not None and fault.kind in ("rate_limit", "error"):
            response = faulty_answer(fault)
        else:
            response = await self._handle(request, handler, fault)
        self._record(request, who, response)
        return response

    async def _keep_body(self, request: web.Request) -> None:
        """Read a JSON body first, so that the log has it even when the route fails."""
        if request.content_type != "application/json" or not request.can_read_body:
            return
        text = await request.text()
        try:
            request[JSON] = [json.loads(text)] if text.strip() else []
        except ValueError:
            request[JSON] = []

    async def _handle(
        self, request: web.Request, handler: Handler, fault: Fault | None
    ) -> web.Response:
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.kind == "hold":
            await self.core.faults.hold()
        if fault is not None and fault.kind == "drop" and not fault.after:
            cut(request)
        passed, headers = self.limits.headers(request.method, template(request), major(request))
        if not passed:
            response = too_many(float(headers["X-RateLimit-Reset-After"]))
        else:
            response = await self._guarded(request, handler)
        response.headers.update(headers)
        await self.core.journal.flush()
        if fault is not None and fault.kind == "drop":
            cut(request)
        if fault is not None and fault.kind == "late":
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.kind == "headers":
            response.headers.update(fault.headers)
        return response

    async def _guarded(self, request: web.Request, handler: Handler) -> web.Response:
        try:
            response = await handler(request)
            if not isinstance(response, web.Response):
                raise TypeError(f"{request.path} answered with a {type(response).__name__}")
            return response
        except ApiError as error:
            return answer(error.body(), error.status)
        except web.HTTPException as exc:  # 404 for an unknown path, 405 for an unknown method
            return answer({"message": f"{exc.status}: {exc.reason}", "code": 0}, exc.status)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            # A body of the wrong shape, or a bug of the sandbox. It is recorded as unexpected.
            log.warning("%s %s could not be handled", request.method, request.path, exc_info=True)
            self.unexpected.append(f"{request.method} {request.path}: {exc!r}")
            return answer({"message": "Invalid Form Body", "code": 50035, "errors": {}}, 400)

    def _record(self, request: web.Request, who: str, response: web.Response) -> None:
        body = response.body if isinstance(response.body, bytes) else b""
        kept = request.get(BODY)
        listed = request.get(JSON)
        wanted = kept.json if kept is not None else listed[0] if listed else None
        recorded = self.keep_bodies and len(body) <= MAX_KEPT_BODY
        self.exchanges.append(
            Exchange(
                at=time.time(),
                who=who,
                method=request.method,
                route=template(request),
                path=request.path.removeprefix(API),
                query=dict(request.query),
                request=wanted if self.keep_bodies else None,
                multipart=request.content_type == "multipart/form-data",
                status=response.status,
                response=body if recorded else b"",
            )
        )


async def _elsewhere(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is not of this version of the API."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    return answer(OTHER_VERSION.body(), OTHER_VERSION.status)


def faulty_answer(fault: Fault) -> web.Response:
    """The answer that a fault gives in place of the real one."""
    if fault.kind == "rate_limit":
        _, body, headers = rate_limited(fault)
        response = answer(body, 429)
        response.headers.update(headers)
        return response
    response = answer({"message": fault.message, "code": fault.code}, fault.status)
    response.headers.update(fault.headers)
    return response


def too_many(retry_after_s: float) -> web.Response:
    """The 429 of a bucket that is used up."""
    fault = Fault("rate_limit", retry_after=math.ceil(retry_after_s * 1000) / 1000)
    return faulty_answer(fault)


def cut(request: web.Request) -> NoReturn:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("cut by a fault")


def template(request: web.Request) -> str:
    """The template of the route, below /api/v10; empty for an unknown path."""
    resource = request.match_info.route.resource
    return resource.canonical.removeprefix(API) if resource is not None else ""


def major(request: web.Request) -> str:
    """The part of a bucket's key besides the route: channel, guild or webhook, and the caller."""
    names = ("channel_id", "guild_id", "webhook_id", "webhook_token")
    found = [request.match_info[name] for name in names if name in request.match_info]
    return "+".join([*found, request.headers.get("Authorization", "")])


def _who(core: Core, request: web.Request) -> str:
    header = request.headers.get("Authorization", "")
    if header.startswith("Bot ") or not header:
        return "bot"  # interaction callbacks have no Authorization header
    return "user"


def caller(core: Core, request: web.Request) -> Caller:
    """The caller. raises ApiError 401 without a valid token"""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bot "):
        if header.removeprefix("Bot ") != core.world.application.token:
            raise unauthorized()
        return Caller(core.world.bot)
    user = core.world.person(header) if header else None
    if user is None:
        raise unauthorized()
    return Caller(user)


def answer(data: Any, status: int = 200) -> web.Response:
    """A JSON answer. The content type is exactly application/json: discord.py compares it."""
    return web.Response(
        body=json.dumps(data).encode(), status=status, content_type="application/json"
    )


def nothing() -> web.Response:
    """204 without a body."""
    return web.Response(status=204)


async def body_of(request: web.Request) -> Body:
    """The request's body, which is also kept for the log."""
    body = await uploads.read(request)
    request[BODY] = body
    return body


def id_in(request: web.Request, name: str) -> int:
    """An id in the path. raises ApiError 50035 when it isn't an id"""
    return _snowflake(request.match_info[name], name)


def id_asked(request: web.Request, name: str) -> int | None:
    """An id in the query, or None."""
    value = request.query.get(name)
    return None if value is None else _snowflake(value, name)


def _snowflake(value: str, name: str) -> int:
    if not value.isdecimal():
        raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
    return int(value)


def number_asked(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """A number in the query within its limits. raises ApiError 50035."""
    value = request.query.get(name, str(default))
    if not value.isdecimal():
        raise invalid(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
    if not least <= int(value) <= most:
        code = "NUMBER_TYPE_MIN" if int(value) < least else "NUMBER_TYPE_MAX"
        raise invalid(name, code, f"int value should be between {least} and {most}.")
    return int(value)


def flag_asked(request: web.Request, name: str) -> bool:
    """Whether the query turns something on."""
    return request.query.get(name) in ("1", "true", "True")


def order_asked(request: web.Request) -> list[tuple[int, dict[str, Any]]]:
    """The ids and their entries in a body that orders roles or channels.

    raises  ApiError 50035 when the body is no list of objects with ids
    """
    listed = request[JSON][0] if request.get(JSON) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise invalid("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return [(_snowflake(str(one.get("id")), f"{n}.id"), one) for n, one in enumerate(listed)]


def guild_seen(core: Core, who: Caller, guild_id: int) -> tuple[Guild, Member]:
    """A guild and the caller's membership. raises ApiError 10004, 50001"""
    guild = core.world.guilds.get(guild_id)
    if guild is None:
        raise unknown("Guild")
    member = guild.members.get(who.user.id)
    if member is None:
        raise missing_access()
    return guild, member


def guild_allowed(core: Core, who: Caller, guild_id: int, permission: int) -> Guild:
    """A guild where the caller has a permission. raises ApiError 10004, 50001, 50013"""
    guild, member = guild_seen(core, who, guild_id)
    if not permissions.in_guild(guild, member) & permission:
        raise missing_permissions()
    return guild


def channel_seen(core: Core, who: Caller, channel_id: int) -> Channel:
    """A channel that the caller can see. raises ApiError 10003, 50001"""
    channel = core.world.channel(channel_id)
    if channel is None:
        raise unknown("Channel")
    if not core.world.sees(who.user.id, channel):
        raise missing_access()
    return channel


def may(core: Core, who: Caller, channel: Channel, permission: int) -> bool:
    """Whether the caller has all these permissions in the channel."""
    return core.world.permissions(who.user.id, channel) & permission == permission
