"""`look`: why a picture is not found."""

from __future__ import annotations

from dataclasses import dataclass

import click

from console.commands import Name, option
from console.exits import WrongUse
from console.output import harmless
from index.cli import gallery as galleries
from index.cli.command import DEFAULT_MODEL, FolderCommand, Given


@dataclass(frozen=True, kw_only=True)
class Look(Given):
    """What `look` is given, as typed; see its help."""

    picture: str
    out: str | None
    words: str | None


async def run(given: Look) -> int:
    """Print what explains how a picture is found; it works without a gallery too."""
    from index.cli.contents import named
    from index.cli.sheet import check_name
    from index.cli.view import explain

    if given.words:
        _require_plain(given.words)
    if given.out:
        check_name(given.out)
    data = await named(given.picture)
    if not galleries.exists(given):
        if given.words:
            galleries.require_gallery(given)
        model = given.model or DEFAULT_MODEL
        return await explain(given.picture, data, None, model, given.out)
    async with galleries.reading(given) as gallery:
        model = gallery.model or given.model or DEFAULT_MODEL
        return await explain(given.picture, data, gallery, model, given.out, given.words)


def _require_plain(words: str) -> None:
    """A rank can be told for plain words alone. raises WrongUse, Unreadable"""
    from index.cli.question import read
    from index.language import Wish

    if read(words) != Wish(words=words):
        raise WrongUse(
            f"--for takes plain words, such as “dog in snow”, not “{harmless(words)}”: no minus, "
            "no “without”, no in: and the like."
        )


COMMAND = FolderCommand(
    "look",
    run,
    Look,
    summary="show a picture as the model sees it, and why it is not found",
    help="A picture as the model sees it, whether it is in the gallery, and what is near it; "
    "with --for, where it stands among the answers to some words.",
    params=[
        click.Argument(["picture"], metavar="PICTURE", type=Name()),
        option(
            "--out",
            metavar="OUT",
            type=Name(),
            help="write what the model sees: a .png, .jpg or .webp file",
        ),
        option("--for", "words", metavar="WORDS", help="what it should be found by"),
    ],
)
