"""Faults of Discord: dropped connections, missed events, limits, slow and wrong files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checks.chaos.candidates import NoCandidate, pick
from checks.chaos.servers import NEST, ROCK
from checks.chaos.witness import ABOUT_PERMISSIONS
from sandbox import Server

MISSABLE = (
    "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_DELETE_BULK",
    "THREAD_CREATE", "THREAD_DELETE",
)  # fmt: skip
REPEATABLE = (*MISSABLE, "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE")
ROUTES = (
    None, "/channels/*/messages", "/channels/*/messages/*", "/channels/*", "/webhooks/*",
    "/guilds/*/messages/search",
)  # fmt: skip
SEARCH_FAULTS = ("search_short", "search_totals", "search_gifs")


@dataclass
class Outages:
    """Each method is a step of the schedule. It returns what came of it, for the log."""

    server: Server

    def calm(self) -> None:
        """End all these faults."""
        self.server.faults.clear()
        self.server.core.search_ready_at = 0.0
        for guild in self.server.world.guilds.values():
            self.server.core.outage(guild, False)
        self._strike("join", guild_id=str(ROCK))

    def _strike(self, kind: str, **how: Any) -> str:
        self.server.strike(kind, **how)
        return " ".join(f"{name}={value}" for name, value in how.items())

    async def gateway_drop(self, code: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_drop", close_code=pick([1001, 4000, 4009], code))

    async def gateway_reconnect(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("gateway_reconnect")

    async def gateway_invalid(self, how: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_invalid", resumable=how < 0.3)

    async def gateway_zombie(self, how_long: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_zombie", seconds=round(2 + how_long * 13, 1))

    async def miss_event(self, which: float, many: float, _: float, __: float) -> str:
        event, times = pick(MISSABLE, which), 1 + int(many * 3)
        return self._strike("gateway_miss", event=event, times=times)

    async def miss_permission(self, which: float, _: float, __: float, ___: float) -> str:
        return self._strike("gateway_miss", event=pick(ABOUT_PERMISSIONS, which))

    async def repeat_event(self, which: float, many: float, _: float, __: float) -> str:
        event, times = pick(REPEATABLE, which), 1 + int(many * 5)
        return self._strike("gateway_repeat", event=event, times=times)

    def _limit(self, scope: str, where: float, wait: float, **more: Any) -> str:
        path = pick(ROUTES, where) if scope != "global" else None
        after = round(0.1 + wait * 2, 2)
        return self._strike(
            "rate_limit", who="bot", scope=scope, path=path, retry_after=after, **more
        )

    async def limit_user(self, where: float, wait: float, many: float, _: float) -> str:
        return self._limit("user", where, wait, times=1 + int(many * 3))

    async def limit_shared(self, where: float, wait: float, many: float, _: float) -> str:
        return self._limit("shared", where, wait, times=1 + int(many * 3))

    async def limit_global(self, where: float, wait: float, _: float, __: float) -> str:
        return self._limit("global", where, wait)

    async def limit_plain(self, where: float, wait: float, many: float, _: float) -> str:
        """A limit without the header `Via`, as a proxy in front of Discord sends it."""
        return self._limit("user", where, wait, via=False, times=1 + int(many * 2))

    async def limit_misleading(self, where: float, wait: float, which: float, _: float) -> str:
        headers = pick(
            [
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": f"{wait * 3:.2f}"},
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "0"},
                {"X-RateLimit-Remaining": "1000000", "X-RateLimit-Limit": "1"},
                {"X-RateLimit-Bucket": "another"},
                {"X-RateLimit-Reset": "0", "X-RateLimit-Remaining": "0"},
            ],
            which,
        )
        return self._strike("headers", who="bot", path=pick(ROUTES, where), headers=headers)

    async def error(self, where: float, status: float, many: float, _: float) -> str:
        code = pick([500, 502, 503, 504], status)
        path, times = pick(ROUTES, where), 1 + int(many * 4)
        return self._strike("error", who="bot", path=path, status=code, times=times)

    async def slow(self, where: float, how: float, _: float, __: float) -> str:
        path = pick(ROUTES, where)
        return self._strike("slow", who="bot", path=path, delay_s=round(how * 4, 1))

    async def late(self, where: float, how: float, _: float, __: float) -> str:
        path = pick(ROUTES, where)
        return self._strike("late", who="bot", path=path, delay_s=round(how * 4, 1))

    async def cut(self, where: float, after: float, many: float, __: float) -> str:
        path, times = pick(ROUTES, where), 1 + int(many * 3)
        return self._strike("drop", who="bot", path=path, after=after < 0.5, times=times)

    async def search_indexing(self, how_long: float, _: float, __: float, ___: float) -> str:
        return self._strike("search_indexing", seconds=round(1 + how_long * 9, 1))

    async def search_lacks(self, which: float, many: float, total: float, _: float) -> str:
        """Answers of the search that lack messages, or say a wrong number of them."""
        kind, times = pick(SEARCH_FAULTS, which), 1 + int(many * 10)
        return self._strike(kind, times=times, total=pick([0, 7, 1_000_000], total))

    async def search_refused(self, status: float, many: float, _: float, __: float) -> str:
        code, path = pick([403, 404], status), "/guilds/*/messages/search"
        return self._strike("error", who="bot", path=path, status=code, times=1 + int(many * 3))

    async def file_error(self, status: float, many: float, _: float, __: float) -> str:
        code = pick([403, 404, 429, 500, 503], status)
        if code in (403, 404):
            return self._refuse_files("cdn_error", times=1 + int(many * 2), status=code)
        times = 1 + int(many**2 * 12)
        return self._strike("cdn_error", status=code, times=times, path="/attachments/*")

    async def file_slow(self, how: float, many: float, _: float, __: float) -> str:
        return self._strike("cdn_slow", delay_s=round(how * 0.4, 2), times=1 + int(many * 3))

    async def file_stalled(self, how: float, _: float, __: float, ___: float) -> str:
        return self._strike("cdn_slow", delay_s=round(5 + how * 20, 1))

    async def file_truncated(self, size: float, many: float, _: float, __: float) -> str:
        times = 1 + int(many**2 * 8)
        path = "/attachments/*"
        return self._strike("cdn_truncated", bytes=int(size * 600), times=times, path=path)

    async def file_expired(self, many: float, _: float, __: float, ___: float) -> str:
        return self._refuse_files("cdn_expired", times=1 + int(many * 3))

    def _refuse_files(self, kind: str, times: int, **how: Any) -> str:
        """Refuse files, but only when no other refusal is waiting.

        The bot gives up a file that is refused four times in a row.
        """
        refusals = {("cdn_expired", 500), ("cdn_error", 403), ("cdn_error", 404)}
        if any((one["kind"], one["status"]) in refusals for one in self.server.faults.waiting()):
            raise NoCandidate
        return self._strike(kind, times=times, **how)

    async def file_wrong(self, kind: float, many: float, _: float, __: float) -> str:
        content_type = pick(["text/html", "application/json", "image/png"], kind)
        path = "/attachments/*"  # the right size of other sites' files isn't known
        return self._strike(
            "cdn_wrong", content_type=content_type, times=1 + int(many * 2), path=path
        )

    async def file_endless(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("cdn_oversized", bytes=None)

    async def outage(self, which: float, how: float, _: float, __: float) -> str:
        guild = str(pick([NEST, ROCK], which))
        return self._strike("outage", guild_id=guild, seconds=round(1 + how * 8, 1))

    async def leave_server(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("leave", guild_id=str(ROCK))

    async def come_back(self, _: float, __: float, ___: float, ____: float) -> str:
        return self._strike("join", guild_id=str(ROCK))
