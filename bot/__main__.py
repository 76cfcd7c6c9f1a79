"""`python -m bot`: settings → gallery → app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.app import Magpie, StartFailed
from bot.ops import logs, probe, settings
from bot.ops.health import Health
from bot.ops.metrics import Metrics
from bot.ops.secrecy import hide_token
from bot.ops.settings import Settings, SettingsError
from bot.ops.tuning import Clocks
from bot.text.usage import unknown_argument, usage
from index import Gallery, GalleryError, Sizes

log = logging.getLogger(__name__)

UNWELL = 1  # exit status of --health
REFUSED = 2  # exit status: a setting or a file must be changed before the bot can start


def main(
    arguments: Sequence[str] | None = None,
    *,
    prog: str = "python -m bot",
    clocks: Clocks | None = None,
    sizes: Sizes | None = None,
) -> int:
    """Serve, or do what an argument asks for; returns the exit status.

    arguments       without the program's name; None: those of the command line
    prog            how it was called
    clocks, sizes   other than the defaults, for trials
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if {"-h", "--help"} & set(given):
        return _print_help(usage(prog, settings.DEFAULTS))
    if unknown := [argument for argument in given if argument != "--health"]:
        print(unknown_argument(prog, unknown[0]), file=sys.stderr)
        return REFUSED
    return _ask_how_it_is() if given else _start(clocks, sizes)


def _print_help(text: str) -> int:
    """Print it; returns the exit status. A reader that goes early, as `head`, is no error."""
    try:
        print(text, flush=True)
    except OSError as error:
        # What is left would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0 if isinstance(error, BrokenPipeError) else REFUSED
    return 0


def _ask_how_it_is() -> int:
    """Ask the bot that runs with the same settings."""
    try:
        address = settings.http(os.environ, Path(".env"))
    except SettingsError as error:
        return _refuse("Magpie can't tell with these settings:", error.problems)
    well, sentence = probe.ask(address)
    print(sentence)
    return 0 if well else UNWELL


def _start(clocks: Clocks | None, sizes: Sizes | None) -> int:
    try:
        chosen = settings.read(os.environ, Path(".env"))
    except SettingsError as error:
        return _refuse("Magpie can't start with these settings:", error.problems)
    hide_token()
    logs.set_up(chosen.log)
    # Until the gallery is open there is nothing to finish: Ctrl-C ends a long download at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        asyncio.run(run(chosen, clocks=clocks, sizes=sizes))
    except SettingsError as error:
        return _refuse("Magpie can't start with these settings:", error.problems)
    except (GalleryError, StartFailed) as error:
        return _refuse("Magpie can't start:", [str(error)])
    return 0


async def run(
    chosen: Settings,
    stop: asyncio.Event | None = None,
    clocks: Clocks | None = None,
    sizes: Sizes | None = None,
) -> None:
    """Serve until `stop` is set, or a signal says to stop.

    clocks, sizes   other than the defaults, for trials
    raises   SettingsError, GalleryError, StartFailed
    """
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        health = Health(chosen.http, metrics) if chosen.http is not None else None
        if health is not None:
            await health.start()
            stack.push_async_callback(health.close)
        gallery = await _open_gallery(chosen, sizes or Sizes())
        stack.push_async_callback(gallery.close)
        stop = stop or _stop_on_signals()
        client = await stack.enter_async_context(Magpie(chosen, gallery, metrics, clocks))
        if health is not None:
            health.watch(client.condition, gallery.links.count_links)
        await _serve(client, stop)
    log.info(logs.fields("stopped"))


async def _open_gallery(chosen: Settings, sizes: Sizes) -> Gallery:
    folder = chosen.db.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"MAGPIE_DB={chosen.db}: {folder} can't be made ({error.strerror or error})."
        raise SettingsError([problem]) from error
    log.info(logs.fields("opening", gallery=chosen.db, model=chosen.model))
    gallery = await Gallery.open(
        chosen.db,
        chosen.model,
        device=chosen.device,
        precision=chosen.precision,
        gradually=True,
        sizes=sizes,
    )
    if gallery.reembedding.wanted:
        log.warning(
            "%s was made with %s, which goes on answering; /reindex lets %s take over",
            chosen.db, gallery.model, gallery.reembedding.wanted,
        )  # fmt: skip
    return gallery


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _serve(client: Magpie, stop: asyncio.Event) -> None:
    """Let the client serve until `stop` is set, then close it.

    raises   StartFailed
    """
    serving = asyncio.create_task(client.serve(), name="serve")
    measuring = asyncio.create_task(client.metrics.watch_loop(), name="loop-lag")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        log.info(logs.fields("stopping"))
        await client.close()
        serving.cancel()  # it may still wait for an answer from Discord
    for task in (stopping, measuring):
        task.cancel()
    ended, *_ = await asyncio.gather(serving, stopping, measuring, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended


def _refuse(heading: str, problems: list[str]) -> int:
    if len(problems) == 1:
        print(f"{heading} {problems[0]}", file=sys.stderr)
    else:
        print("\n".join([heading, *(f"  - {problem}" for problem in problems)]), file=sys.stderr)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main())
