"""`python -m sandbox`: prints its base URL when ready, serves until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import FolderInUse, WorldError
from .server import serve

# The world of the package `demo`, which is beside this package in a checkout and when installed.
DEMO = Path(__file__).resolve().parents[1] / "demo" / "world" / "world.json"


def main(given: Sequence[str] | None = None, *, prog: str = "python -m sandbox") -> int:
    """Run the server; returns the exit code: 0 after a signal, 2 when it could not start."""
    arguments = _arguments(given, prog)
    logging.basicConfig(level=arguments.log.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(arguments))
    except (WorldError, FolderInUse) as error:
        return _refuse(str(error))
    except OSError as error:
        reason = error.strerror or str(error)
        return _refuse(f"cannot listen on {arguments.host}:{arguments.port}: {reason}")
    return 0


def _arguments(given: Sequence[str] | None, prog: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog, description="A small Discord-compatible server with a chat page."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8123, help="port; 0 takes a free one (8123)")
    parser.add_argument("--world", type=Path, default=DEMO, help="world file (the demo's)")
    parser.add_argument("--data", type=Path, help="folder that keeps what is posted")
    parser.add_argument(
        "--strict-limits", action="store_true", help="rate limits about as tight as Discord's"
    )
    parser.add_argument(
        "--log", default="warning", choices=["debug", "info", "warning", "error"], help="(warning)"
    )
    return parser.parse_args(given)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 65535, not {text!r}")
    return int(text)


async def _serve(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    async with serve(
        arguments.world,
        host=arguments.host,
        port=arguments.port,
        data=arguments.data,
        strict_limits=arguments.strict_limits,
        record=False,
    ) as server:
        print(server.url, flush=True)
        await stop.wait()


def _refuse(sentence: str) -> int:
    print(f"sandbox: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
