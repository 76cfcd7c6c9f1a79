"""The sandbox as one server: world, routes and gateway on one port."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from aiohttp import web

from . import lacking, worldfile
from .cdn import Cdn
from .channels import ChannelRoutes
from .commands import CommandRoutes
from .core import Clocks, Core
from .faults import Fault, Faults
from .gateway import Gateway
from .guilds import GuildRoutes
from .interactions import InteractionRoutes
from .journal import Journal
from .links import LINK_LIFE_S, Links
from .messages import MessageRoutes
from .payloads import Payloads
from .people import PeopleRoutes
from .polls import PollRoutes
from .rest import API, Doorway, Exchange
from .search import SearchRoutes
from .world import World

MAX_BODY_BYTES = 110 * 1024 * 1024  # ten files of the largest size, and the multipart headers
MAX_LINE_BYTES = 32 * 1024  # a search in 500 channels has them all in its address


class Server:
    """A running sandbox.

    url        its base URL, without a slash at the end
    world      its state; tests may change it
    exchanges  the last requests to the API with their answers
    """

    def __init__(self, core: Core, *, strict_limits: bool = False, record: bool = True) -> None:
        self.core = core
        self.doorway = Doorway(core, strict=strict_limits, keep_bodies=record)
        self.guilds = GuildRoutes(core)
        self.people = PeopleRoutes(core, self.doorway)
        self.interactions = InteractionRoutes(core)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL, http://host:port."""
        return self.core.links.base

    @property
    def world(self) -> World:
        """The state: users, guilds, channels, messages."""
        return self.core.world

    @property
    def faults(self) -> Faults:
        """The pending faults."""
        return self.core.faults

    @property
    def gateway(self) -> Gateway:
        """The gateway and its sessions."""
        return self.core.gateway

    @property
    def clocks(self) -> Clocks:
        """The time limits; they can be changed at any time."""
        return self.core.clocks

    @property
    def exchanges(self) -> list[Exchange]:
        """The last requests to the API with their answers, the oldest first."""
        return list(self.doorway.exchanges)

    @property
    def unexpected(self) -> list[str]:
        """Requests with an unexpected error: a body of the wrong shape, or a bug of the sandbox."""
        return list(self.doorway.unexpected)

    def strike(self, kind: str, **parameters: Any) -> None:
        """Add a fault, as PUT /sandbox/faults does; see `faults.py` for the kinds."""
        self.people.strike(Fault(kind, **parameters))

    def application(self) -> web.Application:
        """The aiohttp application with all routes."""
        app = web.Application(
            middlewares=[self.doorway.pass_through], client_max_size=MAX_BODY_BYTES
        )
        subjects = (
            MessageRoutes(self.core),
            PollRoutes(self.core),
            ChannelRoutes(self.core),
            self.guilds,
            SearchRoutes(self.core),
            CommandRoutes(self.core),
            self.interactions,
        )
        tables = [*(subject.table() for subject in subjects), lacking.table()]
        for route in chain.from_iterable(tables):
            app.router.add_route(route.method, API + route.path, route.handler)
        app.router.add_get("/gateway", self.core.gateway.serve)
        app.add_routes(Cdn(self.core).table())
        app.add_routes(self.people.table())
        return app

    async def start(self, host: str, port: int) -> None:
        """Listen. raises OSError when the port is in use"""
        # A handler is cancelled when its client disconnects, so a slow fault doesn't outlive its
        # client.
        self._runner = web.AppRunner(
            self.application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=2.0,
            max_line_size=MAX_LINE_BYTES,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
        self.core.links.base = f"http://{shown}:{bound}"

    async def stop(self) -> None:
        """Close the gateway's sockets, write the journal, stop listening."""
        await self.core.close()
        if self._runner is not None:
            await self._runner.cleanup()


@asynccontextmanager
async def serve(
    world: Path | dict[str, Any] | World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    data: Path | None = None,
    clocks: Clocks | None = None,
    link_life_s: float = LINK_LIFE_S,
    strict_limits: bool = False,
    record: bool = True,
    shards: int = 1,
) -> AsyncIterator[Server]:
    """A running sandbox for an `async with`.

    world   a world file, its content, or a loaded World
    port    0: any free port
    data    a folder that saves what is posted over a restart; None: nothing is saved
    record  keep the bodies of the last requests and answers in `exchanges`
    shards  the number of shards that the bot is told to use

    raises  WorldError for a bad world or data folder; FolderInUse for one that another process
            uses; OSError for a port that is in use
    """
    with tempfile.TemporaryDirectory(prefix="sandbox-") as scratch:
        folder = data or Path(scratch)
        core = await asyncio.to_thread(_assemble, world, data, folder)
        core.clocks = clocks or Clocks()
        core.shards = shards
        core.links.life_s = link_life_s
        server = Server(core, strict_limits=strict_limits, record=record)
        try:
            await server.start(host, port)
            yield server
        finally:
            await server.stop()


def _assemble(world: Path | dict[str, Any] | World, data: Path | None, folder: Path) -> Core:
    loaded = world if isinstance(world, World) else worldfile.load(world)
    journal = Journal(data)
    journal.restore(loaded)
    uploads = folder / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    links = Links(loaded)
    payloads = Payloads(loaded, links)
    faults = Faults()
    gateway = Gateway(loaded, payloads, links, faults)
    return Core(loaded, links, payloads, gateway, journal, faults, uploads)
