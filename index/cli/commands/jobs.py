"""`jobs`: what workers have to do, and what they gave up."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from console.commands import Called, Choice, Command, Whole, flag, option
from console.exits import DONE, NOTHING_FOUND, WrongUse
from console.output import counted, say, say_json
from index.jobs.dead_letters import DeadLetter, DeadLetters
from index.types.address import EXAMPLE, fault_of, is_address
from index.types.errors import JobsUnreachable

SETTING = "MAGPIE_WORKERS"
SHORT = 8  # letters of a revision that are shown


@dataclass(frozen=True, kw_only=True)
class Jobs(Called):
    """What `jobs` is given; see its help."""

    what: str
    ids: tuple[int, ...]
    all: bool
    db: str | None
    json: bool


async def run(given: Jobs) -> int:
    """List what was given up, let it be tried again, or forget it."""
    letters = DeadLetters(_database(given.db))
    try:
        if given.what == "list":
            return await _list(letters, as_json=given.json)
        if bool(given.ids) == given.all:
            raise WrongUse(f"Say which: {given.what} 3 5, or {given.what} --all.")
        ids = None if given.all else given.ids
        change = letters.retry if given.what == "retry" else letters.drop
        changed = await change(ids)
    except JobsUnreachable as error:
        raise WrongUse(str(error)) from error
    finally:
        await letters.close()
    pictures = counted(changed, "picture")
    if given.what == "retry":
        say(f"the bots look again at the messages of {pictures}")
    else:
        say(f"{pictures} dropped from the list; nothing else was kept of them")
    return DONE if changed else NOTHING_FOUND


async def _list(letters: DeadLetters, *, as_json: bool) -> int:
    queue, listed = await letters.state(), await letters.all()
    if as_json:
        say_json({"queue": asdict(queue), "given_up": [asdict(one) for one in listed]})
        return DONE
    say(
        f"{queue.waiting:,} wait, {queue.leased:,} in hand, the oldest since {queue.oldest_s:.0f} s"
    )
    if not listed:
        say("no picture was given up")
        return DONE
    say(f"{counted(len(listed), 'picture')} given up:")
    for one in listed:
        say(_line(one))
    return DONE


def _line(one: DeadLetter) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.at))
    where = f"server {one.space}, channel {one.group}"
    where += f", message {one.source}" if one.source else ""
    again = ", is tried again" if one.again else ""
    needs = ", ".join(need[: need.index(":") + 1 + SHORT] for need in one.needs)
    tries = counted(one.tries, "try", "tries")
    return f"{one.id:>5}  {when}  {where}: {needs}, {tries}: {one.reason}{again}"


def _database(typed: str | None) -> str:
    """The database of the jobs: as typed, or as the bot has it. raises   WrongUse"""
    name, url = ("--db", typed) if typed else (SETTING, _setting())
    if not url:
        raise WrongUse(f"Say which database, with --db or the setting {SETTING}.")
    fault = fault_of(url) if is_address(url) else f"must be an address such as {EXAMPLE}."
    if fault:
        raise WrongUse(f"{name} {fault}")
    return url


def _setting() -> str | None:
    """The database as the bot has it."""
    if kept := os.environ.get(SETTING):
        return kept
    from dotenv import dotenv_values

    return dotenv_values(".env").get(SETTING) if Path(".env").is_file() else None


COMMAND = Command(
    "jobs",
    run,
    Jobs,
    summary="say what workers gave up; try it again",
    help="What workers of the bot have to do, and the pictures that they gave up, each with the "
    "reason. `retry` lets the bot look again at their messages; `drop` forgets them.",
    params=[
        click.Argument(
            ["what"], metavar="[list|retry|drop]", default="list",
            type=Choice("list", "retry", "drop"),
        ),
        click.Argument(["ids"], metavar="[NUMBER...]", nargs=-1, type=Whole(1, 10**18)),
        flag("--all", help="retry or drop all"),
        option("--db", metavar="URL", help=f"the database of the jobs [the setting {SETTING}]"),
        flag("--json", help="for programs"),
    ],
)  # fmt: skip
