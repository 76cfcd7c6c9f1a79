"""The command line: a folder of photographs becomes searchable by what is in them.

Exit codes: see `console.exits`.
"""

from __future__ import annotations

from collections.abc import Sequence

from console import commands
from index.cli.commands import (
    add,
    backup,
    copies,
    find,
    info,
    jobs,
    look,
    map,
    models,
    move,
    remove,
    restore,
)

# In the order of `--help`. What a command needs to run is imported when it runs, so that `find` in
# words loads nothing for pictures.
MODULES = (add, find, copies, map, info, models, look, remove, backup, restore, move, jobs)
COMMANDS = tuple(module.COMMAND for module in MODULES)
WHAT = "Find pictures by what is in them."
EXIT_CODES = (
    "Exit codes: 0 done, 1 nothing found or nothing to remove, 2 wrong use or a refusal that says "
    "why (also where add could read nothing of a named path), 130 interrupted (run the same "
    "command again to go on)."
)


def main(arguments: Sequence[str], *, program: str = "python -m index") -> int:
    """Run one command; returns its exit code.

    program   how the command line was called, for its help and its examples
    """
    group = commands.Group(WHAT, COMMANDS, epilog=EXIT_CODES)
    return commands.run(group, arguments, program=program)
