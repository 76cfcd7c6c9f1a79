"""The command line: a folder of photographs becomes searchable by what is in them.

Exit codes: see `index.cli.exits`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from index.cli.commands import add, backup, find, info, look, restore
from index.cli.exits import DONE, INTERRUPTED, REFUSED, WrongUse
from index.cli.gallery import DEFAULT_MODEL
from index.types.errors import GalleryError

# In the order of `--help`. Each has `register`, which adds its parser. What a command needs to run
# is imported when it runs, so that `find` in words loads nothing for pictures.
COMMANDS = (add, find, info, look, backup, restore)


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m index") -> int:
    """Run one command; returns its exit code.

    prog   how the command line was called, for its help and its examples
    """
    given = _parser(prog).parse_args(arguments)
    try:
        code: int = asyncio.run(given.run(given))
        return code
    except (GalleryError, WrongUse) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # such as `… | head`, which closes its end after ten lines
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Find pictures by what is in them.",
        epilog="Exit codes: 0 done, 1 nothing found, 2 wrong use or a refusal that says why, "
        "130 interrupted (run the same command again to go on).",
    )
    parser.set_defaults(prog=prog)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.register(subparsers, _common())
    return parser


def _common() -> argparse.ArgumentParser:
    """The options that all commands have."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--db",
        metavar="FILE",
        help="the gallery's file (default: magpie.db in this folder if it is there, "
        "else ~/.local/share/magpie/photos.db)",
    )
    common.add_argument(
        "--model",
        metavar="NAME",
        help="a CLIP or SigLIP model: a name on the Hugging Face hub or a folder "
        f"(default: the gallery's own, else {DEFAULT_MODEL})",
    )
    common.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)"
    )
    return common
