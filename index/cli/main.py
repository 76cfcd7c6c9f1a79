"""The command line: a folder of photographs becomes searchable by what is in them.

Exit codes: see `index.cli.exits`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Any

from index.cli import output
from index.cli.commands import add, backup, find, info, look, remove, restore
from index.cli.exits import DONE, INTERRUPTED, REFUSED, WrongUse
from index.cli.gallery import DEFAULT_MODEL
from index.types.errors import GalleryError, reason_of

# In the order of `--help`. Each has `register`, which adds its parser. What a command needs to run
# is imported when it runs, so that `find` in words loads nothing for pictures.
COMMANDS = (add, find, info, look, remove, backup, restore)


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m index") -> int:
    """Run one command; returns its exit code.

    prog   how the command line was called, for its help and its examples
    """
    output.prepare()
    try:
        code = _run(arguments, prog)
        output.flush()
        return code
    except output.OutputLost as lost:
        output.discard()
        if lost.reason is None:  # such as `… | head`, which closes its end after ten lines
            return DONE
        output.say_error(f"The output can't be written: {lost.reason}.")
        return REFUSED


def _run(arguments: Sequence[str] | None, prog: str) -> int:
    given = _parser(prog).parse_args(arguments)
    try:
        _require_current_folder()
        code: int = asyncio.run(given.run(given))
        return code
    except GalleryError as error:
        output.say_error(str(error))
    except WrongUse as error:
        output.say_sentence(str(error))
    except OSError as error:
        if error.filename is None:
            raise  # no file that a person named, so it is a fault of ours
        output.say_error(f"{os.fsdecode(error.filename)} can't be used: {reason_of(error)}.")
    except KeyboardInterrupt:
        output.say_error("Interrupted.")
        return INTERRUPTED
    return REFUSED


def _require_current_folder() -> None:
    """raises   WrongUse where the current folder was removed, and no path means anything"""
    try:
        os.getcwd()
    except OSError as exc:
        raise WrongUse("The folder that you are in was removed; go to another one.") from exc


class _Parser(argparse.ArgumentParser):
    """Prints its help and its errors as all other lines are printed."""

    def _print_message(self, message: str, file: Any = None) -> None:
        output.print_message(message, file or sys.stderr)


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=prog,
        description="Find pictures by what is in them.",
        epilog="Exit codes: 0 done, 1 nothing found or nothing to remove, 2 wrong use or a refusal "
        "that says why (also where add could read nothing of a named path), "
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
