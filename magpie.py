"""The command `magpie`: runs the package that has the command.

Each package is imported only when its command is called, so that `magpie find` loads neither
discord.py nor the sandbox. `python -m index`, `bot`, `sandbox`, `demo` and `bench` do the same.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence

# Commands of `index.cli.main`, on a folder of pictures.
FOLDERS = {
    "add": "make the pictures of a folder searchable",
    "find": "find pictures by words, by a picture, or by both",
    "look": "show a picture as the model sees it, and why it is not found",
    "info": "say what is in the gallery",
    "remove": "forget pictures, without touching their files",
    "backup": "copy the gallery, also while it is in use",
    "restore": "put a copy back",
}
PROGRAMS = {
    "bot": "serve a Discord server, with the settings in .env",
    "demo": "show the bot in a small chat on this machine, without a token",
    "sandbox": "run only the Discord-compatible server that the demo uses",
    "bench": "measure, or check what the bot promises",
}
DONE, REFUSED = 0, 2  # exit codes, the same as in `index.cli.exits`


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        return _print_help(_help())
    name, *rest = given
    if name in FOLDERS:
        from index.cli.main import main as folders

        return folders([name, *rest], prog="magpie")
    if name in PROGRAMS:
        return _program(name, rest)
    print(f"magpie: there is no command {name!r}; magpie --help lists them.", file=sys.stderr)
    return REFUSED


def _print_help(text: str) -> int:
    """Print it; returns the exit status. A reader that goes early, as `head`, is no error."""
    try:
        print(text, flush=True)
    except OSError as error:
        # What is left would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE if isinstance(error, BrokenPipeError) else REFUSED
    return DONE


def _program(name: str, rest: Sequence[str]) -> int:
    """Run a package whose `__main__` takes arguments. The container doesn't have these packages."""
    if importlib.util.find_spec(name) is None:
        print(f"magpie: {name} is not part of this installation.", file=sys.stderr)
        return REFUSED
    program = importlib.import_module(f"{name}.__main__")
    code: int = program.main(rest, prog=f"magpie {name}")
    return code


def _help() -> str:
    lines = ["usage: magpie COMMAND ...", "", "Find pictures by what is in them.", ""]
    for heading, commands in (("On a folder of pictures:", FOLDERS), ("Programs:", PROGRAMS)):
        lines.append(heading)
        lines += [f"  {name:<9} {what}" for name, what in commands.items()]
        lines.append("")
    return "\n".join([*lines, "magpie COMMAND --help says more about each."])


if __name__ == "__main__":
    sys.exit(main())
