"""`python -m bot`: settings → gallery → app."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

# Set before numpy is imported, which is when it chooses. The products of an overview are many and
# small. With a thread for each core, those threads wait for one another: on busy cores an overview
# takes several times as long. They would also have the event loop's priority.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bot.app import Magpie
from bot.ops import claims, logs, probe, settings
from bot.ops.claims import Ousted
from bot.ops.health import Health
from bot.ops.metrics import Metrics, WorkerMetrics
from bot.ops.secrecy import hide_secrets
from bot.ops.settings import Settings, SettingsError
from bot.ops.starting import StartFailed
from bot.ops.tuning import Clocks
from bot.ops.worker_health import WorkerHealth
from bot.text.usage import HEALTH, WHAT, WORKER, settings_and_defaults, settings_are_elsewhere
from console import commands, output
from console.called import as_typed
from console.exits import REFUSED, WrongUse
from index import (
    AskingTranscriber,
    Claim,
    Gallery,
    GalleryError,
    OCRUnusable,
    PictureWorker,
    Sizes,
    Transcriber,
    WordReader,
    is_address,
)

log = logging.getLogger(__name__)

UNWELL = 1  # exit status of --health


@dataclass(frozen=True, kw_only=True)
class Given(commands.Called):
    """What the program is given on the command line."""

    health: bool
    worker: bool


class _Command(commands.Command):
    """The command, which says where its settings come from to whom looks for them here."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except WrongUse as error:
            raise WrongUse(f"{error}\n{settings_are_elsewhere(ctx.command_path)}") from error


def command(clocks: Clocks | None = None, sizes: Sizes | None = None) -> commands.Command:
    """The program as a command.

    clocks, sizes   other than the defaults, for trials
    """

    def run(given: Given) -> int:
        if given.health:
            return _ask_how_it_is()
        return _started(work, worker=True) if given.worker else _start(clocks, sizes)

    return _Command(
        "bot",
        run,
        Given,
        help=WHAT,
        epilog=settings_and_defaults(settings.DEFAULTS),
        params=[commands.flag("--health", help=HEALTH), commands.flag("--worker", help=WORKER)],
    )


COMMAND = command()


def main(
    arguments: Sequence[str] = (),
    *,
    clocks: Clocks | None = None,
    sizes: Sizes | None = None,
) -> int:
    """Serve, or do what an argument asks for; returns the exit status."""
    return commands.run(command(clocks, sizes), arguments, program="python -m bot")


def _ask_how_it_is() -> int:
    """Ask the bot that runs with the same settings."""
    try:
        address = settings.http(os.environ, Path(".env"))
    except SettingsError as error:
        return _refuse("Magpie can't tell with these settings:", error.problems)
    well, sentence = probe.ask(address)
    output.say(sentence)
    return 0 if well else UNWELL


def _start(clocks: Clocks | None, sizes: Sizes | None) -> int:
    return _started(partial(run, clocks=clocks, sizes=sizes))


def _started(
    serve: Callable[[Settings], Coroutine[Any, Any, None]], *, worker: bool = False
) -> int:
    """Serve with the settings of the environment; returns the exit status."""
    try:
        chosen = settings.read(os.environ, Path(".env"), worker=worker)
    except SettingsError as error:
        return _refuse("Magpie can't start with these settings:", error.problems)
    hide_secrets()
    logs.set_up(chosen.log)
    # Until the gallery is open there is nothing to finish: Ctrl-C ends a long download at once.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        asyncio.run(serve(chosen))
    except SettingsError as error:
        return _refuse("Magpie can't start with these settings:", error.problems)
    except (GalleryError, StartFailed) as error:
        return _refuse("Magpie can't start:", [str(error)])
    except Ousted as error:
        return _refuse("Magpie has stopped:", [str(error)])
    return 0


async def work(chosen: Settings, stop: asyncio.Event | None = None) -> None:
    """Work for other processes until `stop` is set, or a signal says to stop.

    raises   SettingsError, GalleryError
    """
    async with contextlib.AsyncExitStack() as stack:
        metrics = WorkerMetrics()
        health = WorkerHealth(chosen.http, metrics) if chosen.http is not None else None
        if health is not None:
            await health.start()
            stack.push_async_callback(health.close)
        log.info(logs.fields("opening", model=chosen.model))
        worker = await PictureWorker.open(
            chosen.workers,
            chosen.model,
            device=chosen.device,
            precision=chosen.precision,
            transcriber=_transcriber(chosen),
            finished=metrics.finished,
        )
        stack.push_async_callback(worker.close)
        stop = stop or _stop_on_signals()
        if health is not None:
            health.watch(worker)
        log.info(logs.fields("working", worker=worker.name, device=worker.device))
        await stop.wait()
        log.info(logs.fields("stopping"))
    log.info(logs.fields("stopped"))


async def run(
    chosen: Settings,
    stop: asyncio.Event | None = None,
    clocks: Clocks | None = None,
    sizes: Sizes | None = None,
) -> None:
    """Serve until `stop` is set, or a signal says to stop.

    clocks, sizes   other than the defaults, for trials
    raises   SettingsError, GalleryError, StartFailed, Ousted
    """
    async with contextlib.AsyncExitStack() as stack:
        metrics = Metrics()
        health = Health(chosen.http, metrics) if chosen.http is not None else None
        if health is not None:
            await health.start()
            stack.push_async_callback(health.close)
        claim = await claims.claim(chosen, (clocks or Clocks()).claim_s)
        if claim is not None:
            stack.push_async_callback(claim.close)
        transcriber: WordReader | None = _transcriber(chosen)
        gallery = await _open_gallery(chosen, sizes or Sizes())
        workers = gallery.workers
        if workers is not None and transcriber is not None:
            await transcriber.close()  # it has read nothing, and tells only how workers must read
            transcriber = AskingTranscriber(workers, transcriber.revision)
        stack.push_async_callback(gallery.close)
        # While the connection to Discord is made and the first questions are answered.
        completing = asyncio.create_task(gallery.ready_to_embed(), name="complete")
        warming = asyncio.create_task(_warm(gallery, completing), name="warm")
        stack.push_async_callback(asyncio.wait, [warming])
        stop = stop or _stop_on_signals()
        client = await stack.enter_async_context(
            Magpie(chosen, gallery, metrics, clocks, transcriber=transcriber)
        )
        if health is not None:
            disk = None if is_address(chosen.db) else chosen.beside.parent
            queue = workers.dead_letters.state if workers is not None else None
            health.watch(client.condition, gallery.links.count_links, disk, queue)
        await _serve(client, stop, claim, completing, chosen)
    log.info(logs.fields("stopped"))


def _transcriber(chosen: Settings) -> Transcriber | None:
    """What reads the words in pictures, if they are to be read and can be. raises SettingsError"""
    if chosen.ocr == "off":
        return None
    try:
        return Transcriber()
    except OCRUnusable as error:
        if chosen.ocr == "on":
            raise SettingsError([f"MAGPIE_OCR=on: {error.reason}."]) from error
        log.info(logs.fields("ocr_off", why=error))
        return None


async def _open_gallery(chosen: Settings, sizes: Sizes) -> Gallery:
    folder = chosen.beside.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"{folder} can't be made ({error.strerror or error})."
        raise SettingsError([f"MAGPIE_DB={chosen.gallery}: {why}"]) from error
    log.info(logs.fields("opening", gallery=chosen.gallery, model=chosen.model))
    gallery = await Gallery.open(
        chosen.db,
        chosen.model,
        device=chosen.device,
        precision=chosen.precision,
        gradually=True,
        sizes=sizes,
        workers=chosen.workers or None,
    )
    if gallery.reembedding.wanted:
        log.warning(
            "%s was made with %s, which goes on answering; /reindex lets %s take over",
            chosen.gallery, gallery.model, gallery.reembedding.wanted,
        )  # fmt: skip
    return gallery


async def _warm(gallery: Gallery, completing: asyncio.Task[None]) -> None:
    """Have ready what the first picture and the first overview need, once the model is complete."""
    await asyncio.wait([completing])
    await gallery.ready_to_compare()
    await gallery.ready_to_lay_out()


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _failure(task: asyncio.Task[None]) -> None:
    """Raise what the task raises; it doesn't return."""
    await asyncio.shield(task)
    await asyncio.Event().wait()


async def _serve(
    client: Magpie,
    stop: asyncio.Event,
    claim: Claim | None,
    completing: asyncio.Task[None],
    chosen: Settings,
) -> None:
    """Let the client serve until `stop` is set, then close it.

    completing   loads the rest of the model
    raises       StartFailed, Ousted, ModelError
    """
    serving = asyncio.create_task(client.serve(), name="serve")
    measuring = asyncio.create_task(client.metrics.watch_loop(), name="loop-lag")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    keeping = asyncio.create_task(claims.keep(claim, chosen, client.clocks.claim_s), name="claim")
    failing = asyncio.create_task(_failure(completing), name="failure")
    await asyncio.wait({serving, stopping, keeping, failing}, return_when=asyncio.FIRST_COMPLETED)
    stopped = not serving.done()
    if stopped:
        log.info(logs.fields("stopping"))
        await client.close()
        serving.cancel()  # it may still wait for an answer from Discord
    for task in (stopping, keeping, failing, measuring):
        task.cancel()
    ended, kept, failed, *_ = await asyncio.gather(
        serving, keeping, failing, stopping, measuring, return_exceptions=True
    )
    for error in (kept, failed):
        if isinstance(error, Exception):
            raise error
    # A request of the start that meets the closed client fails because of the stop.
    if isinstance(ended, Exception) and not stopped:
        raise ended


def _refuse(heading: str, problems: list[str]) -> int:
    if len(problems) == 1:
        output.say_error(f"{heading} {problems[0]}")
    else:
        for line in (heading, *(f"  - {problem}" for problem in problems)):
            output.say_error(line)
    return REFUSED


if __name__ == "__main__":
    sys.exit(commands.run(COMMAND, sys.argv[1:], program=as_typed()))
