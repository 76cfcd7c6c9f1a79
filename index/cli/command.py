"""A command on a gallery of pictures: the options that all of them have, and what they refuse."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from console.commands import Called, Command, Name, option
from console.exits import WrongUse
from console.output import harmless
from console.reasons import reason_of
from index.embed import published
from index.types.errors import GalleryError

DEFAULT_MODEL = published.DEFAULT


@dataclass(frozen=True, kw_only=True)
class Given(Called):
    """What all commands are given.

    db       the gallery's file, as typed
    model    a model's name
    device   where it computes
    """

    db: str | None = None
    model: str | None = None
    device: str = "auto"


class FolderCommand(Command):
    """A command on a gallery. A refusal of the gallery ends it with a sentence."""

    def __init__(
        self,
        name: str,
        run: Callable[[Any], Awaitable[int]],
        given: type[Given],
        *,
        summary: str,
        help: str = "",
        epilog: str = "",
        params: Sequence[click.Parameter] = (),
        minus: bool = False,
    ) -> None:
        super().__init__(
            name,
            run,
            given,
            summary=summary,
            help=help,
            epilog=epilog,
            params=[*params, *_common()],
            minus=minus,
        )

    def invoke(self, ctx: click.Context) -> int:
        _require_current_folder()
        try:
            return super().invoke(ctx)
        except GalleryError as error:
            raise WrongUse(harmless(str(error))) from error
        except OSError as error:
            if error.filename is None:
                raise  # no file that a person named, so it is a fault of ours
            name = harmless(os.fsdecode(error.filename))
            raise WrongUse(f"{name} can't be used: {reason_of(error)}.") from error


def _require_current_folder() -> None:
    """raises   WrongUse where the current folder was removed, and no path means anything"""
    try:
        os.getcwd()
    except OSError as exc:
        raise WrongUse("The folder that you are in was removed; go to another one.") from exc


def _common() -> list[click.Parameter]:
    """The options that all commands have."""
    return [
        option(
            "--db",
            metavar="FILE|URL",
            type=Name(),
            help="the gallery's file (default: magpie.db in this folder if it is there, "
            "else ~/.local/share/magpie/photos.db); or a database of PostgreSQL, such as "
            "postgresql://magpie:PASSWORD@localhost/magpie",
        ),
        option(
            "--model",
            metavar="NAME",
            type=Name("dir"),
            help="a name that `models` lists, another one on the Hugging Face hub, or a folder "
            f"(default: the gallery's own, else {DEFAULT_MODEL})",
        ),
        option(
            "--device",
            metavar="NAME",
            default="auto",
            help="auto, cpu, cuda, cuda:1, mps (default: auto)",
        ),
    ]
