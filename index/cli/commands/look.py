"""`look`: why a picture is not found."""

from __future__ import annotations

import argparse
from typing import Any

from index.cli import gallery as galleries
from index.cli import paths


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("look", help="why a picture is not found", parents=[common])
    parser.description = (
        "A picture as the model sees it, whether it is in the gallery, and what is near it; "
        "with --for, where it stands among the answers to some words."
    )
    parser.add_argument("picture", metavar="PICTURE")
    parser.add_argument(
        "--out", metavar="OUT", help="write what the model sees: a .png, .jpg or .webp file"
    )
    parser.add_argument("--for", dest="words", metavar="WORDS", help="what it should be found by")
    parser.set_defaults(run=run)


async def run(given: argparse.Namespace) -> int:
    """Print what explains how a picture is found; it works without a gallery too."""
    from index.cli.sheet import check_name
    from index.cli.view import explain

    if given.out:
        check_name(given.out)
    data = paths.named(given.picture)
    if not galleries.exists(given):
        if given.words:
            galleries.require_gallery(given)
        model = given.model or galleries.DEFAULT_MODEL
        return await explain(given.picture, data, None, model, given.out)
    async with galleries.reading(given) as gallery:
        model = gallery.model or given.model or galleries.DEFAULT_MODEL
        return await explain(given.picture, data, gallery, model, given.out, given.words)
