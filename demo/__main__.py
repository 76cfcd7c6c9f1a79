"""`python -m demo`: start the sandbox and Magpie, index the channels, print the address.

The bot is the real one: `python -m bot`, with the sandbox as its Discord. The owner of the world
adds the channels with `/channels add`, as a person would.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import aiohttp
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import trial_postgres
from console import commands
from console.called import as_typed
from console.commands import Called, Choice, Command, Name, Whole, flag, option
from console.exits import DONE
from console.terminal import Terminal
from demo import WORLD, watches
from pocket import MODEL
from sandbox import lock
from sandbox.errors import FolderInUse
from sandbox.person import Person

Db: TypeAlias = Literal["file", "postgres"]
DATA = Path("data", "demo")  # below the current directory
QUESTION = "dog in snow"
START_TIMEOUT_S = 180.0
INDEX_TIMEOUT_S = 1800.0
STOP_TIMEOUT_S = 20.0
FAILED = 1  # exit code
INVITE = re.compile(r"client_id=(?P<client_id>\d+)\S*permissions=(?P<permissions>\d+)")


class DemoFailed(Exception):
    """The demo can't continue; the text says why, and where to read more."""


@dataclass(frozen=True, kw_only=True)
class Given(Called):
    """What the demo is given on the command line."""

    port: int
    data: str
    model: str
    db: Db
    fresh: bool
    once: bool
    first_hour: bool


@dataclass(frozen=True)
class Options:
    """How the demo runs: the port of its page, its folder, its model, where its gallery is, and
    what it does first."""

    port: int
    data: Path
    model: str
    db: Db
    fresh: bool
    once: bool
    first_hour: bool


def run(given: Given) -> int:
    """Show the demo until it is stopped; returns the exit code."""
    port = given.port or _free_port()
    options = Options(
        *(port, Path(given.data), given.model, given.db),
        *(given.fresh, given.once, given.first_hour),
    )
    terminal = Terminal(highlight=False, soft_wrap=True)
    try:
        asyncio.run(_demo(options, terminal))
    except DemoFailed as failure:
        terminal.print(f"demo: {failure}", markup=False, style="red")
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    return DONE


COMMAND = Command(
    "demo",
    run,
    Given,
    help="The sandbox, and Magpie in it: a chat to try, on one address.",
    params=[
        option(
            "--port",
            metavar="NUMBER",
            type=Whole(0, 65_535),
            default=8420,
            help="of the page; 0 takes a free one (8420)",
        ),
        option(
            "--data",
            metavar="FOLDER",
            type=Name("dir"),
            default=str(DATA),
            help=f"where it keeps what is posted ({DATA})",
        ),
        option(
            "--model",
            metavar="NAME",
            type=Name("dir"),
            default=str(MODEL),
            help="a CLIP model (the pocket model)",
        ),
        option(
            "--db",
            metavar="KIND",
            type=Choice("file", "postgres"),
            default="file",
            help="where the gallery is: file, or postgres for a server that the demo starts",
        ),
        flag("--fresh", help="forget the earlier demo first"),
        flag("--first-hour", help="Magpie has just joined: set it up yourself"),
        flag("--once", help=f"ask “{QUESTION}”, print the answer and stop"),
    ],
)


async def _demo(options: Options, terminal: Terminal) -> None:
    started = time.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with _data_folder(options):
        await _until_stopped(options, terminal, started, stop)


@contextlib.contextmanager
def _data_folder(options: Options) -> Iterator[None]:
    """Make the folder, and keep others from it; with `--fresh` or `--first-hour`,
    forget what is in it."""
    options.data.mkdir(parents=True, exist_ok=True)
    try:
        held = lock.hold(options.data)
    except FolderInUse as exc:
        hint = "Another demo runs there: stop it, or choose another folder with --data."
        raise DemoFailed(f"{exc}. {hint}") from exc
    with held:
        for path in options.data.iterdir() if options.fresh or options.first_hour else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != lock.NAME:
                path.unlink()
        yield


async def _until_stopped(
    options: Options, terminal: Terminal, started: float, stop: asyncio.Event
) -> None:
    work = asyncio.create_task(_show(options, terminal, started))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not work.done():
        work.cancel()
        terminal.print("\ndemo: stopping")
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _show(options: Options, terminal: Terminal, started: float) -> None:
    base = f"http://127.0.0.1:{options.port}"
    health = f"http://127.0.0.1:{_free_port()}"
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sandbox = await stack.enter_async_context(
            _program("sandbox", _sandbox_command(options), options.data / "sandbox.log")
        )
        await _wait_for_url(base, sandbox, options.data / "sandbox.log")
        terminal.print(f"demo: the chat is at [bold]{base}[/]")
        if options.first_hour:
            await _remove_magpie(session, base)
        log = options.data / "bot.log"
        gallery = options.data / ("magpie.db" if options.db == "file" else "postgres")
        is_new = not gallery.exists()
        place = str(gallery)
        if options.db == "postgres":
            place = await stack.enter_async_context(_postgres(gallery, terminal))
        bot = await stack.enter_async_context(
            _program(
                "bot",
                [sys.executable, "-m", "bot"],
                log,
                _bot_settings(options, place, base, health),
            )
        )
        await _until_ready(session, f"{health}/healthz", bot, log)
        owner = await stack.enter_async_context(Person.owner(session, base))
        if options.first_hour:
            await _follow_invite(owner, log)
            terminal.print(
                f"demo: Magpie has just joined; open [bold]{base}/?as={owner.user['username']}[/] "
                "and set it up"
            )
            await bot.wait()
            raise DemoFailed(f"the bot ended with status {bot.returncode}; {log} says why")
        await _watch_everything(owner)
        await _index(session, health, terminal, bot, log)
        terminal.print(f"demo: ready after {time.monotonic() - started:.0f} s")
        await _first_answer(session, base, terminal, started)
        if options.once:
            await _print_lag(session, health, terminal)
            return
        if is_new:
            await _let_watches_tell(session, base, terminal)
        terminal.print(
            f"demo: open [bold]{base}[/], choose who to be, and type [bold]/find {QUESTION}[/]\n"
            "      Ctrl-C stops it; what is there stays for the next time (--fresh forgets it)"
        )
        await bot.wait()
        raise DemoFailed(f"the bot ended with status {bot.returncode}; {log} says why")


def _sandbox_command(options: Options) -> list[str]:
    where = ["--port", str(options.port), "--world", str(WORLD)]
    return [sys.executable, "-m", "sandbox", *where, "--data", str(options.data / "sandbox")]


def _bot_settings(options: Options, place: str, base: str, health: str) -> dict[str, str]:
    token: str = json.loads(WORLD.read_text(encoding="utf-8"))["application"]["token"]
    return {
        "DISCORD_TOKEN": token,
        "DISCORD_API": base,
        "MAGPIE_DB": place,
        "MAGPIE_MODEL": options.model,
        "MAGPIE_DEVICE": "cpu",
        "MAGPIE_HTTP": health.removeprefix("http://"),
    }


@contextlib.asynccontextmanager
async def _postgres(kept: Path, terminal: Terminal) -> AsyncIterator[str]:
    """The address of a database on a server that runs until the end of the block; what is in it
    stays in this folder."""
    try:
        server = await asyncio.to_thread(trial_postgres.Server, lasting=True, kept=kept)
    except trial_postgres.Unavailable as exc:
        raise DemoFailed(f"no PostgreSQL can be started here: {exc}") from exc
    try:
        await asyncio.to_thread(server.start)
        terminal.print("demo: the gallery is in a PostgreSQL server of the demo's own")
        yield server.url
    finally:
        await asyncio.to_thread(server.remove)


async def _remove_magpie(session: aiohttp.ClientSession, base: str) -> None:
    """Let the world be one that nobody has invited Magpie to yet."""
    async with session.put(f"{base}/sandbox/faults", json={"kind": "leave"}) as answer:
        answer.raise_for_status()


async def _follow_invite(owner: Person, log: Path) -> None:
    """Add Magpie to the first server, by the link that it wrote into its log."""
    link = INVITE.search(await asyncio.to_thread(log.read_text, encoding="utf-8"))
    if link is None:
        raise DemoFailed(f"Magpie told no invite link; {log} says more")
    await owner.invite(link["client_id"], owner.guilds[0]["id"], int(link["permissions"]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def _program(
    name: str, command: list[str], log: Path, settings: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A child process with its output in `log`. It gets SIGTERM at the end of the block."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAGPIE_", "DISCORD_"))}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**inherited, **(settings or {})},
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C then reaches only this process, which ends its children.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _wait_for_url(base: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until the log has the sandbox's URL, so that it is this sandbox that listens there."""
    while base not in await asyncio.to_thread(log.read_text, encoding="utf-8"):
        if process.returncode is not None:
            raise DemoFailed(_last_words(log))
        await asyncio.sleep(0.05)


async def _until_ready(
    session: aiohttp.ClientSession, url: str, process: asyncio.subprocess.Process, log: Path
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.returncode is not None:
            raise DemoFailed(_last_words(log))
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(url) as answer:
                if answer.status == 200:
                    return
        await asyncio.sleep(0.1)
    raise DemoFailed(f"{url} did not answer within {START_TIMEOUT_S:.0f} s; {log} says more")


def _last_words(log: Path) -> str:
    lines = [
        line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line
    ]
    return f"{lines[-1] if lines else 'it ended without a word'} (more in {log})"


async def _watch_everything(owner: Person) -> None:
    """`/channels add` for every category, and for each channel outside one, as the owner."""
    for channel in owner.top_level_channels():
        await owner.command("channels", "add", channel=channel)


async def _index(
    session: aiohttp.ClientSession,
    health: str,
    terminal: Terminal,
    bot: asyncio.subprocess.Process,
    log: Path,
) -> None:
    """Show the bot's progress, from /healthz, until it has read everything."""
    columns = (
        TextColumn("demo: indexing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pictures, {task.fields[rate]:.0f} a second,"),
        TimeRemainingColumn(),
    )
    deadline = time.monotonic() + INDEX_TIMEOUT_S
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
        task = progress.add_task("", total=_pictures_in_world(), rate=0.0)
        started, before = time.monotonic(), None
        while time.monotonic() < deadline:
            if bot.returncode is not None:
                raise DemoFailed(_last_words(log))
            state = await _health(session, health)
            done = int(state["pictures"])
            before = done if before is None else before
            rate = (done - before) / max(time.monotonic() - started, 0.1)
            progress.update(task, completed=done, rate=rate)
            if not state["indexing"]:
                progress.update(task, completed=done, total=done)
                return
            await asyncio.sleep(0.25)
    raise DemoFailed(f"indexing did not end; {log} says more")


async def _health(session: aiohttp.ClientSession, health: str) -> dict[str, Any]:
    async with session.get(f"{health}/healthz") as answer:
        state: dict[str, Any] = await answer.json()
        return state


def _pictures_in_world() -> int:
    world = json.loads(WORLD.read_text(encoding="utf-8"))
    messages = [message for guild in world["guilds"] for message in guild["messages"]]
    return sum(len(message.get("attachments", ())) for message in messages)


async def _first_answer(
    session: aiohttp.ClientSession, base: str, terminal: Terminal, started: float
) -> None:
    """Ask a question as an ordinary member, and print the answer."""
    async with Person.member(session, base) as member:
        asked = time.monotonic()
        answer = await member.command("find", query=QUESTION)
        now = time.monotonic()
    terminal.print(
        f"demo: {member.name} asked /find {QUESTION} and was answered in {now - asked:.2f} s, "
        f"{now - started:.0f} s after the start:",
        markup=False,
    )
    for line in answer.lines()[:8]:
        terminal.print(f"      {_readable(line, member, base)}", markup=False)


async def _let_watches_tell(session: aiohttp.ClientSession, base: str, terminal: Terminal) -> None:
    """Let members be told of a picture, and say where that can be seen."""
    try:
        await watches.play(session, base)
    except TimeoutError as exc:
        raise DemoFailed("Magpie told nobody of a new picture that members watch for") from exc
    terminal.print(
        f"demo: {watches.ADMIN}, {watches.MEMBER} and {watches.OUTSIDER} watch for a "
        f"{watches.WATCHED}, and {watches.POSTS} has posted one in #{watches.CHANNEL}, which "
        f"{watches.OUTSIDER} can't read;\n      the direct messages of the others tell of it, in "
        f"their languages: {base}/?as={watches.MEMBER}",
        markup=False,
    )


def _readable(line: str, reader: Person, base: str) -> str:
    """A line of a message, with names for ids, dates for numbers, and links to this sandbox."""
    line = re.sub(r"<@!?(\d+)>", lambda m: f"@{reader.name_of(m[1])}", line)
    line = re.sub(r"<#(\d+)>", lambda m: f"#{reader.channel_name(m[1])}", line)
    line = re.sub(r"<t:(\d+)(?::\w)?>", lambda m: f"{_date(int(m[1])):%-d %B %Y}", line)
    line = re.sub(r"\[[^]]*\]\((https?://[^)]*)\)", r"\1", line)
    line = re.sub(r"^(?:#+|-#) |\*\*", "", line)
    return line.replace("https://discord.com/channels/", f"{base}/channels/")


def _date(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)


async def _print_lag(session: aiohttp.ClientSession, health: str, terminal: Terminal) -> None:
    state = await _health(session, health)
    if (lag := state.get("loop_lag_p99_ms")) is not None:
        terminal.print(f"demo: event-loop lag of the bot, p99: {lag:.1f} ms")


if __name__ == "__main__":
    sys.exit(commands.run(COMMAND, sys.argv[1:], program=as_typed()))
