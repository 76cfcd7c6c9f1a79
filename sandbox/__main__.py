"""`python -m sandbox`: prints its base URL when ready, serves until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from console import commands, output
from console.called import as_typed
from console.commands import Called, Choice, Command, Name, Whole, flag, option
from console.exits import DONE, REFUSED

from .errors import FolderInUse, WorldError
from .server import serve

# The world of the package `demo`, which is beside this package in a checkout and when installed.
DEMO = Path(__file__).resolve().parents[1] / "demo" / "world" / "world.json"


@dataclass(frozen=True, kw_only=True)
class Given(Called):
    """What the program is given on the command line."""

    host: str
    port: int
    world: str
    data: str | None
    strict_limits: bool
    log: str


def run(given: Given) -> int:
    """Run the server; returns the exit code: 0 after a signal, 2 when it could not start."""
    logging.basicConfig(level=given.log.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(given))
    except (WorldError, FolderInUse) as error:
        return _refuse(str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        return _refuse(f"cannot listen on {given.host}:{given.port}: {reason}")
    return DONE


COMMAND = Command(
    "sandbox",
    run,
    Given,
    help="A small Discord-compatible server with a chat page.",
    params=[
        option(
            "--host", metavar="ADDRESS", default="127.0.0.1", help="where it listens (127.0.0.1)"
        ),
        option(
            "--port",
            metavar="NUMBER",
            type=Whole(0, 65_535),
            default=8123,
            help="port; 0 takes a free one (8123)",
        ),
        option(
            "--world",
            metavar="FILE",
            type=Name(),
            default=str(DEMO),
            help="world file (the demo's)",
        ),
        option(
            "--data", metavar="FOLDER", type=Name("dir"), help="folder that keeps what is posted"
        ),
        flag("--strict-limits", help="rate limits about as tight as Discord's"),
        option(
            "--log",
            metavar="LEVEL",
            type=Choice("debug", "info", "warning", "error"),
            default="warning",
            help="debug, info, warning or error (warning)",
        ),
    ],
)


async def _serve(given: Given) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with serve(
        Path(given.world),
        host=given.host,
        port=given.port,
        data=Path(given.data) if given.data else None,
        strict_limits=given.strict_limits,
        record=False,
    ) as server:
        output.say(server.url)
        output.flush()
        await stop.wait()


def _refuse(sentence: str) -> int:
    output.say_error(f"sandbox: {sentence}")
    return REFUSED


if __name__ == "__main__":
    sys.exit(commands.run(COMMAND, sys.argv[1:], program=as_typed()))
