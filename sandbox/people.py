"""Routes of the sandbox itself: the chat page, the people, faults, the log, health."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from . import faults, rest, uploads
from .core import Core
from .errors import ApiError, unknown
from .faults import IMMEDIATE_KINDS, Fault
from .rest import Doorway, Exchange
from .world import Guild, Member, User

PAGE = Path(__file__).parent / "page"
MAX_LOG = 200
SEARCH_WAIT_S = 5.0


class PeopleRoutes:
    """/sandbox/… and the page at /."""

    def __init__(self, core: Core, doorway: Doorway) -> None:
        self.core = core
        self.doorway = doorway
        self.started = time.monotonic()

    def table(self) -> list[web.RouteDef]:
        """The routes."""
        return [
            web.get("/sandbox/people", self.people),
            web.get("/sandbox/faults", self.list_faults),
            web.put("/sandbox/faults", self.add_faults),
            web.delete("/sandbox/faults", self.clear_faults),
            web.get("/sandbox/log", self.log),
            web.get("/sandbox/health", self.health),
            web.get("/{path:(?!api/).*}", self.page),
        ]

    async def people(self, _: web.Request) -> web.Response:
        """The people to log in as, with their tokens, guilds and roles."""
        people = [user for user in self.core.world.users.values() if not user.bot and user.token]
        return rest.answer([self._person(user) for user in people])

    def _person(self, user: User) -> dict[str, Any]:
        guilds = [one for one in self.core.world.guilds.values() if user.id in one.members]
        return {
            "user": self.core.payloads.user(user),
            "token": user.token,
            "about": user.about,
            "guilds": [
                {"id": str(one.id), "name": one.name, "roles": _roles(one, user.id)}
                for one in guilds
            ],
        }

    async def list_faults(self, _: web.Request) -> web.Response:
        """The pending faults."""
        return rest.answer(self.core.faults.waiting())

    async def add_faults(self, request: web.Request) -> web.Response:
        """Add one or several faults. Those that strike at once do so before the answer."""
        try:
            for fault in faults.read(await uploads.read_any(request)):
                self.strike(fault)
        except ApiError as error:
            return rest.answer(error.body(), error.status)
        return rest.answer(self.core.faults.waiting())

    async def clear_faults(self, _: web.Request) -> web.Response:
        """Remove the pending faults."""
        self.core.faults.clear()
        return rest.nothing()

    def strike(self, fault: Fault) -> None:
        """Let a fault strike now, or add it to the pending ones.

        raises  ApiError 10004 for an unknown guild
        """
        if fault.kind not in IMMEDIATE_KINDS:
            self.core.faults.add(fault)
        elif fault.kind.startswith("gateway"):
            self.core.gateway.break_now(fault)
        elif fault.kind == "search_indexing":
            self.core.search_ready_at = time.monotonic() + (fault.seconds or SEARCH_WAIT_S)
        else:
            self._strike_guild(fault, self._guild(fault))

    def _guild(self, fault: Fault) -> Guild:
        if fault.guild_id is None:
            return next(iter(self.core.world.guilds.values()))
        guild = self.core.world.guilds.get(int(fault.guild_id))
        if guild is None:
            raise unknown("Guild")
        return guild

    def _strike_guild(self, fault: Fault, guild: Guild) -> None:
        bot = self.core.world.application.bot_user_id
        if fault.kind == "leave" and bot in guild.members:
            self.core.member_gone(guild, bot)
        elif fault.kind == "join" and bot not in guild.members:
            self.core.member_came(Member(guild.id, bot, [], None, time.time()))
        elif fault.kind in ("outage", "outage_over"):
            self.core.outage(guild, fault.kind == "outage")
            if fault.kind == "outage" and fault.seconds is not None:
                self.core.spawn(self._end_outage(guild, fault.seconds))

    async def _end_outage(self, guild: Guild, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.core.outage(guild, False)

    async def log(self, request: web.Request) -> web.Response:
        """The last requests without bodies, the newest last."""
        last = list(self.doorway.exchanges)[-MAX_LOG:]
        return rest.answer([_line(one) for one in last])

    async def health(self, _: web.Request) -> web.Response:
        """That the sandbox is running, since when, and who is connected."""
        sessions = [one for one in self.core.gateway.sessions.values() if one.socket is not None]
        body = {
            "ready": True,
            "up_s": round(time.monotonic() - self.started, 1),
            "bot_connected": self.core.gateway.bot_is_connected(),
            "sessions": len(sessions),
            "guilds": len(self.core.world.guilds),
            "commands": len(self.core.world.commands),
        }
        return rest.answer(body)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """A file of the chat page; the addresses of channels return the page itself."""
        name = request.match_info["path"] or "index.html"
        path = (PAGE / name).resolve()
        if path.is_relative_to(PAGE) and path.is_file():
            return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
        index = PAGE / "index.html"
        if name.startswith("channels") and index.is_file():
            return web.FileResponse(index, headers={"Cache-Control": "no-cache"})
        return web.Response(status=404, text=f"There is nothing at /{name}.\n")


def _roles(guild: Guild, user_id: int) -> list[str]:
    owner = ["owner"] if guild.owner_id == user_id else []
    roles = [guild.roles[id] for id in guild.members[user_id].roles]
    return owner + [one.name for one in sorted(roles, key=lambda one: -one.position)]


def _line(exchange: Exchange) -> dict[str, Any]:
    return {
        "at": exchange.at,
        "who": exchange.who,
        "method": exchange.method,
        "path": exchange.path,
        "status": exchange.status,
    }
