"""The command `magpie`: commands on a folder of pictures, and the programs beside them.

A program's package is imported only when it is called, so that `magpie find` loads neither
discord.py nor the sandbox. `python -m index`, `bot`, `sandbox`, `demo` and `bench` do the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from console import commands, completion
from console.called import as_typed
from index.cli.main import COMMANDS, EXIT_CODES, WHAT

PROGRAMS = {
    "serve": "show the pictures of a folder in the browser",
    "bot": "serve a Discord server, with the settings in .env",
    "demo": "show the bot in a small chat on this machine, without a token",
    "sandbox": "run only the Discord-compatible server that the demo uses",
    "bench": "measure, or check what the bot promises",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code.

    arguments   without the program's name; None: those of the command line
    """
    group = commands.Group(
        WHAT,
        [*COMMANDS, completion.command("magpie")],
        PROGRAMS,
        epilog=EXIT_CODES,
        params=[commands.version_option(_version)],
    )
    if completion.asked("magpie"):
        return completion.answer(group, "magpie")
    if arguments is None:
        return commands.run(group, sys.argv[1:], program=as_typed())
    return commands.run(group, arguments, program="magpie")


def _version() -> str:
    from importlib import metadata  # it takes as long to load as click does

    return f"magpie {metadata.version('magpie')}"


if __name__ == "__main__":
    sys.exit(main())
